"""What commands are told about which jobs to act on and what to permit: options on one side, one value on the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from functools import update_wrapper
from inspect import cleandoc
from pathlib import Path
from typing import Any

import click

from shbatch_sync.cli.variables import variable_options
from shbatch_sync.errors import ShbatchError
from shbatch_sync.plan import ALLOWABLE

Command = Callable[..., Any]

_PATHS = (
    "PATHS are manifests, or folders of them [default: the project's jobs]; - is a manifest from standard input, "
    "whose files are looked for in DIR."
)


def has_name(name: str, globs: Iterable[str]) -> bool:
    """Say whether a job's name is one of some, which may have `*` and `?` in them."""
    return any(fnmatchcase(name, glob) for glob in globs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which jobs to act on; narrows what is done, never what is declared.

    Attributes:
        target: Name of the target; None for the project's default.
        variables: `NAME=VALUE` pairs for `${{ vars.x }}`.
        paths: Manifests or folders.
        globs: Names, with `*` and `?`.
        labels: `key=value` pairs, all of which must hold.
        since: A revision of git: only jobs that files changed since then have a part in.
        names: Jobs that such a revision once chose; only these.
        words: Globs that stood among the paths.
    """

    target: str | None = None
    variables: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    globs: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    since: str | None = None
    names: tuple[str, ...] | None = None
    words: tuple[str, ...] = ()

    @property
    def patterns(self) -> tuple[str, ...]:
        """Names and globs of names, one of which a job has to have."""
        return (*self.globs, *self.words)

    @property
    def narrows(self) -> bool:
        """Whether anything was asked for."""
        asked = self.since is not None or self.names is not None
        return bool(self.paths or self.patterns or self.labels) or asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What a command line lets a plan do beyond what the project does.

    Attributes:
        prune: Stop what no manifest declares any more.
        allow: Names of gates to lift.
        restart: Globs of jobs to run again.
        max_pu: Withhold the starts above this many PU; None leaves it to the project.
    """

    prune: bool = False
    allow: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    max_pu: float | None = None


def target_option(function: Command) -> Command:
    """Add `--target`."""
    return click.option(
        "--target",
        metavar="NAME",
        help="Target of shbatch.yaml [default: its defaultTarget].",
        shell_complete=_targets,
    )(function)


def _targets(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """Return the targets that a name begun on the command line may become; none where there is no project."""
    from shbatch_sync.store.project import find_project, load_project  # noqa: PLC0415

    group = context.parent.params if context.parent else {}
    directory = context.params.get("directory") or group.get("directory") or "."
    try:
        project = load_project(find_project(Path(directory)))
    except ShbatchError:
        return []
    return [name for name in project.targets if name.startswith(begun)]


def job_option(function: Command) -> Command:
    """Add `--job`, which arrives as `globs`."""
    return click.option(
        "--job",
        "globs",
        multiple=True,
        metavar="GLOB",
        help="Only jobs with this name; * and ? stand for any letters.",
    )(function)


def paths_argument(function: Command) -> Command:
    """Add PATHS, and what they are to the command's help."""
    function.__doc__ = f"{cleandoc(function.__doc__ or '')}\n\n{_PATHS}"
    return click.argument("paths", nargs=-1, type=click.Path())(function)


def selecting(function: Command) -> Command:
    """Add PATHS, `--target`, `--job`, `--label`, `--changed-since`, `--var` and `--var-file`: one `selection`."""
    options = (
        click.option(
            "--changed-since",
            "since",
            metavar="REV",
            help="Only jobs with a file that changed in git since REV.",
        ),
        variable_options,
        click.option(
            "--label",
            "labels",
            multiple=True,
            metavar="KEY=VALUE",
            help="Only jobs with this label.",
        ),
        job_option,
        target_option,
        paths_argument,
    )
    return _decorated(_gathering(function, "selection", Selection), options)


def gating(function: Command) -> Command:
    """Add `--prune`, `--allow`, `--restart` and `--max-pu`: one `permission`."""
    gates = click.Choice(sorted(gate.value for gate in ALLOWABLE))
    options = (
        click.option(
            "--max-pu", type=click.FloatRange(min=0), help="Withhold the starts above this many PU."
        ),
        click.option(
            "--restart", multiple=True, metavar="GLOB", help="Run FAILED or STOPPED jobs again."
        ),
        click.option("--allow", multiple=True, type=gates, help="Lift one gate; may be repeated."),
        click.option("--prune", is_flag=True, help="Stop what no manifest declares any more."),
    )
    return _decorated(_gathering(function, "permission", Permission), options)


def _gathering(function: Command, name: str, kind: type[Selection | Permission]) -> Command:
    """Return `function` with the options that are fields of `kind` handed over as one value called `name`."""
    members = {field.name for field in fields(kind)}

    def gathered(*args: Any, **options: Any) -> Any:
        own = {key: options.pop(key) for key in members & options.keys()}
        return function(*args, **{name: kind(**own)}, **options)

    return update_wrapper(gathered, function)


def _decorated(function: Command, options: Iterable[Callable[[Command], Command]]) -> Command:
    for decorate in options:
        function = decorate(function)
    return function
