"""`shbatch-sync`: the group of commands, and the one place where errors end the program.

Commands are imported when they are called, so that `--help` waits for none of their libraries.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from importlib import import_module
from typing import Any

import click

from shbatch_sync.cli.output import COLORS, Output, complain, verbose_option
from shbatch_sync.errors import ExitCode, ManifestError, ShbatchError
from shbatch_sync.version import __version__

# Command → (module, what `--help` says of it).
COMMANDS = {
    "init": ("init", "Begin a project, or the ledger of a target."),
    "validate": ("validate", "Check every manifest, offline."),
    "plan": ("plan", "Show what apply would change, and what it would cost."),
    "apply": ("apply", "Make the service agree with the manifests."),
    "show": ("show", "Print a saved plan, offline."),
    "comment": ("comment", "Post a saved plan on the change under review, from CI."),
    "status": ("status", "Show where every job stands."),
    "render": ("render", "Print the jobs as they would be posted, offline."),
    "estimate": ("estimate", "Estimate tiles and processing units, offline."),
    "import": ("import_command", "Write manifests from live requests, or from request bodies."),
    "repair": ("repair", "Write damaged markers back."),
    "history": ("history", "Print what the ledger remembers, offline."),
    "grids": ("grids", "List the service's tiling grids."),
    "schema": ("schema", "Print a JSON Schema for editors, offline."),
    "emulator": ("emulator", "Serve the embedded emulator on a socket."),
}


class _Commands(click.Group):
    """A group that knows its commands by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names, in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"shbatch_sync.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        if not any("-v" in option.opts for option in command.params):
            # It says nothing more, and whoever always passes it is not to be stopped by that.
            verbose_option("", hidden=True)(command)
        _take_variables(command, f"SHBATCH_{cmd_name.upper()}")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])


def _take_variables(command: click.Command, prefix: str) -> None:
    """Let every option be set by a variable that is called as the option is.

    click would call it as the parameter of the function is called, which no user knows.
    """
    for option in command.params:
        if isinstance(option, click.Option) and option.name != "version":
            flags = [flag for flag in option.opts if flag.startswith("--")] or ["--directory"]
            option.envvar = [f"{prefix}_{flag[2:].replace('-', '_').upper()}" for flag in flags]


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Every option can be set by a variable: `plan --format json` by SHBATCH_PLAN_FORMAT=json. "
    "Exit codes: 0 done or only waiting, 1 error, 2 changes (plan --detailed-exitcode), 3 withheld or "
    "refused, 4 needs attention or out of time, 130 interrupted.",
)
@click.version_option(__version__, prog_name="shbatch-sync")
@click.option("-C", "directory", metavar="DIR", default=".", help="Act as if started in DIR.")
@click.option("-v", "--verbose", count=True, help="Say more: see status, estimate, apply.")
@click.option("-q", "--quiet", is_flag=True, help="Print results and errors only.")
@click.option(
    "--color", type=click.Choice(COLORS), default="auto", show_default=True, help="Colour."
)
@click.pass_context
def cli(ctx: click.Context, directory: str, verbose: int, quiet: bool, color: str) -> None:
    """Keep Sentinel Hub batch requests in the state that YAML manifests in git declare."""
    ctx.obj = Output(directory=directory, verbose=verbose, quiet=quiet, color=color)


_take_variables(cli, "SHBATCH")


def main(arguments: list[str] | None = None) -> None:
    """Run the program and end the process with its exit code."""
    # A plan makes millions of small objects and hardly a cycle; looking for cycles after every 700 of them, as the
    # default has it, takes a quarter of the time of a large one.
    gc.set_threshold(100_000, 20, 20)
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the program and return its exit code; nothing a user, a file or the service does ends in a traceback."""
    try:
        return _run(arguments)
    except BrokenPipeError:
        # Whoever read the output has left; what is still buffered must not raise at exit.
        _drop_output()
        return ExitCode.ERROR
    except OSError as error:
        complain(f"{error.filename or 'output'}: {error.strerror or error}")
        return ExitCode.ERROR
    except Exception as error:  # the last boundary: a bug of ours is told as one
        if os.environ.get("SHBATCH_TRACEBACK"):
            raise
        complain(
            f"this is a bug in shbatch-sync {__version__}: {type(error).__name__}: {error}\n"
            "  run it again with SHBATCH_TRACEBACK=1 to see where, and report it"
        )
        return ExitCode.ERROR


def _run(arguments: list[str] | None) -> int:
    try:
        code: Any = cli.main(args=arguments, prog_name="shbatch-sync", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted")
        return ExitCode.INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return ExitCode.ERROR
    except click.ClickException as error:
        complain(error.format_message(), usage=getattr(error, "ctx", None))
        return ExitCode.ERROR
    except ManifestError as error:
        from shbatch_sync.cli.problems import report_problems  # noqa: PLC0415

        report_problems(error.problems)
        return error.exit_code
    except ShbatchError as error:
        complain(str(error))
        return error.exit_code
    return int(code) if isinstance(code, int) else ExitCode.OK


def _drop_output() -> None:
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
