"""Where text goes: results to stdout, everything else to stderr, colour only where somebody can see it."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import update_wrapper
from pathlib import Path
from typing import Any, TextIO

import click

from shbatch_sync.redaction import redacted
from shbatch_sync.render.escape import no_commands, printable

# Shorter ones would only garble what is said.
SHORTEST_SECRET = 8
_secrets: set[str] = set()

COLORS = ("auto", "always", "never")


def conceal(secrets: Iterable[str]) -> None:
    """Never say these from now on, in this process: the service may name a key in its own words."""
    _secrets.update(secret for secret in secrets if len(secret) >= SHORTEST_SECRET)


def discreet(text: str) -> str:
    """Return text with every known secret taken out, also as JSON would write it."""
    return redacted(text, _secrets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """How a command speaks.

    Attributes:
        directory: Where to act.
        verbose: How much more to say.
        quiet: Say nothing but results and errors.
        color: `auto`, `always` or `never`.
    """

    directory: str = "."
    verbose: int = 0
    quiet: bool = False
    color: str = "auto"

    def call(self, command: str) -> str:
        """Return how to call another command in the same place."""
        place = "" if self.directory == "." else f"-C {shlex.quote(self.directory)} "
        return f"shbatch-sync {place}{command}"

    def result(self, text: str) -> None:
        """Print a result."""
        click.echo(no_commands(discreet(text)), color=self.coloured(sys.stdout))

    @staticmethod
    def commands(text: str) -> None:
        """Print lines that are meant to be commands to a CI system; whoever makes them escapes what is in them."""
        click.echo(discreet(text))

    def json(self, value: Any) -> None:
        """Print a result as JSON."""
        click.echo(json_text(value, indent=2))

    def save(self, file: str | None, document: Callable[[], Any]) -> None:
        """Write a result as JSON into a file, whole or not at all; without one, do nothing."""
        if file is not None:
            path = Path(self.directory) / file
            beside = path.with_name(f"{path.name}.part")
            beside.write_text(json_text(document(), indent=2) + "\n", encoding="utf-8")
            beside.replace(path)

    def say(self, text: str) -> None:
        """Tell what is going on, on stderr."""
        if not self.quiet:
            click.echo(no_commands(discreet(text)), err=True, color=self.coloured(sys.stderr))

    def paint(self, text: str, style: str) -> str:
        """Add colour to a result, where it will be seen."""
        if not self.coloured(sys.stdout):
            return text
        return click.style(text, bold=True) if style == "bold" else click.style(text, fg=style)

    def coloured(self, stream: TextIO) -> bool:
        """Say whether a stream gets colour: NO_COLOR and CI switch it off, --color decides."""
        if self.color != "auto":
            return self.color == "always"
        return not os.environ.get("NO_COLOR") and self.interactive(stream)

    @staticmethod
    def interactive(stream: TextIO) -> bool:
        """Say whether a person watches a stream."""
        return stream.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"


def json_text(value: Any, indent: int | None = None) -> str:
    """Return JSON in ASCII, in which nothing is a command to a CI system that reads along."""
    text = json.dumps(value, indent=indent, ensure_ascii=True)
    return discreet(text).replace("##", r"#\u0023")


def complain(message: str, usage: click.Context | None = None) -> None:
    """Print an error on stderr."""
    lines = printable(message).splitlines() or [""]
    text = "\n".join([f"error: {lines[0]}", *lines[1:]])
    if usage is not None:
        text += f"\n{usage.get_usage()}\nTry `{usage.command_path} --help`."
    click.echo(no_commands(discreet(text)), err=True)


def format_option(
    *styles: str, words: str = "Of the result."
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add `--format`, which arrives as `style`; the first style is the default."""
    return click.option(
        "--format",
        "style",
        type=click.Choice(styles),
        default=styles[0],
        show_default=True,
        help=words,
    )


def into_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--json-into`, which arrives as `into`."""
    return click.option(
        "--json-into", "into", metavar="FILE", help="Write the result as JSON into FILE as well."
    )(function)


def verbose_option(
    words: str, *, hidden: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add `-v` to a command that has more to say; `words` are what."""

    def more(context: click.Context, _: click.Parameter, count: int) -> None:
        context.obj = replace(context.obj, verbose=context.obj.verbose + count)

    return click.option(
        "-v", "--verbose", count=True, expose_value=False, callback=more, help=words, hidden=hidden
    )


def speaking(function: Callable[..., Any]) -> Callable[..., Any]:
    """Hand a command its `Output`; takes `-q`, `--color` and `-C` behind the command's name as well."""

    @click.option(
        "-C",
        "directory",
        metavar="DIR",
        default=None,
        is_eager=True,
        help="Act as if started in DIR.",
    )
    @click.option("-q", "--quiet", is_flag=True, help="Print results and errors only.")
    @click.option("--color", type=click.Choice(COLORS), default=None, help="Colour.")
    @click.pass_obj
    def wrapped(
        output: Output,
        /,
        *args: Any,
        directory: str | None,
        quiet: bool,
        color: str | None,
        **kwargs: Any,
    ) -> Any:
        merged = replace(
            output,
            directory=str(Path(output.directory, directory or "")),
            quiet=output.quiet or quiet,
            color=color or output.color,
        )
        return function(merged, *args, **kwargs)

    return update_wrapper(wrapped, function)
