"""What most commands begin with: the project, the target's jobs, and the selection among them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import click

from shbatch_sync.cli.output import conceal
from shbatch_sync.cli.problems import report_warnings
from shbatch_sync.cli.variables import variable_options
from shbatch_sync.errors import SettingsError
from shbatch_sync.plan import ALLOWABLE, Gate, Policy
from shbatch_sync.variables import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable

    from shbatch_sync.cli.output import Output
    from shbatch_sync.job import Job
    from shbatch_sync.project import Project, Target
    from shbatch_sync.store.project import Loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which jobs to act on; narrows what is done, never what is declared.

    Attributes:
        paths: Manifests or folders.
        globs: Names, with `*` and `?`.
        labels: `key=value` pairs, all of which must hold.
        since: A revision of git: only jobs that files changed since then have a part in.
        names: Jobs that such a revision once chose; only these.
    """

    paths: tuple[str, ...] = ()
    globs: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    since: str | None = None
    names: tuple[str, ...] | None = None

    @property
    def narrows(self) -> bool:
        """Whether anything was asked for."""
        asked = self.since is not None or self.names is not None
        return bool(self.paths or self.globs or self.labels) or asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A project and the target that a command acts on.

    Attributes:
        loaded: The project with everything it declares.
        target: The target.
        jobs: Everything declared on it.
        selected: Names of the jobs to act on; None for all.
        changed: Names that changes in git, or a saved plan, narrow it down to; None where they do not.
    """

    loaded: Loaded
    target: Target
    jobs: tuple[Job, ...]
    selected: frozenset[str] | None
    changed: frozenset[str] | None = None

    @property
    def project(self) -> Project:
        """The project."""
        return self.loaded.project


def open_workspace(
    output: Output, target: str | None, selection: Selection, variables: Sequence[str] = ()
) -> Workspace:
    """Read the project and find out what the command is about; warnings go to stderr.

    Raises:
        ManifestError: Something is wrong with a manifest.
        SettingsError: There is no project, no such target, or nothing that is selected.
    """
    from shbatch_sync.store.project import load  # noqa: PLC0415 - brings YAML and the schemas

    loaded = load(
        selection.paths,
        directory=output.directory,
        target=target,
        env={**os.environ, **_variables(variables)},
    )
    conceal(_credentials(loaded))
    report_warnings(output, loaded)
    chosen = _target(loaded, target)
    jobs = tuple(job for job in loaded.jobs if job.target == chosen.name)
    selected = _selected(loaded, jobs, selection)
    changed = _changed(loaded, jobs, selection)
    return Workspace(
        loaded=loaded,
        target=chosen,
        jobs=jobs,
        selected=selected if changed is None or selected is None else selected & changed,
        changed=changed,
    )


def _credentials(loaded: Loaded) -> Iterator[str]:
    """Yield every secret of the environment that the project names."""
    names = {name for job in loaded.jobs for name in job.credentials.values()}
    for target in loaded.project.targets.values():
        names |= {target.client_secret.env} if target.client_secret else set()
    for name in (*sorted(names), "SH_CLIENT_SECRET"):
        yield os.environ.get(name, "")


def _changed(loaded: Loaded, jobs: Sequence[Job], selection: Selection) -> frozenset[str] | None:
    """Return the jobs that changes in git narrow a selection down to; that may well be none."""
    if selection.names is not None:
        return frozenset(selection.names)
    if selection.since is None:
        return None
    from shbatch_sync.store.git import changed_files  # noqa: PLC0415

    files = changed_files(loaded.project.root, selection.since)
    return frozenset(job.name for job in jobs if loaded.depends_on(job, files))


def _target(loaded: Loaded, asked: str | None) -> Target:
    targets = loaded.project.targets
    name = asked or loaded.target
    if name is None:
        used = sorted({job.target for job in loaded.jobs})
        name = used[0] if len(used) == 1 else None
    if name is None:
        message = (
            f"which target? pass --target with one of: {', '.join(targets)}, or set `defaultTarget`"
        )
        raise SettingsError(message)
    return targets[name]


def _variables(pairs: Sequence[str]) -> dict[str, str]:
    """Return variables given by hand as those of the environment that would say the same."""
    values = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            message = f"--var {pair}: write it as NAME=VALUE"
            raise SettingsError(message)
        values[f"{PREFIX}{name}"] = value
    return values


def _selected(loaded: Loaded, jobs: Sequence[Job], selection: Selection) -> frozenset[str] | None:
    if not selection.narrows:
        return None
    labels = dict(pair.partition("=")[::2] for pair in selection.labels)
    names = frozenset(
        job.name
        for job in jobs
        if loaded.is_selected(job)
        and (not selection.globs or any(fnmatchcase(job.name, glob) for glob in selection.globs))
        and all(job.labels.get(key) == value for key, value in labels.items())
    )
    if not names:
        message = "no job of this target is selected by the given paths, --job and --label"
        raise SettingsError(message)
    return names


def policy_of(
    workspace: Workspace,
    *,
    prune: bool = False,
    allow: Sequence[str] = (),
    restart: Sequence[str] = (),
    max_pu: float | None = None,
) -> Policy:
    """Return what a plan may do, by the project and by the command line.

    Raises:
        SettingsError: Pruning was asked for together with a selection.
    """
    project = workspace.project
    if prune and workspace.selected is not None:
        message = (
            "--prune acts on the whole project: leave out paths, --job, --label and --changed-since"
        )
        raise SettingsError(message)
    return Policy(
        prune=(prune or project.prune) and workspace.selected is None,
        allow=frozenset(Gate(name) for name in allow),
        restart=frozenset(
            job.name
            for job in workspace.jobs
            if any(fnmatchcase(job.name, glob) for glob in restart)
        ),
        max_start_pu=max_pu if max_pu is not None else project.max_start_pu,
        monthly_pu=project.monthly_pu,
        max_running=workspace.target.max_running,
    )


def target_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--target`."""
    return click.option(
        "--target", metavar="NAME", help="Target of shbatch.yaml [default: its defaultTarget]."
    )(function)


def selecting(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add PATHS, `--target`, `--job`, `--label`, `--var` and `--var-file`."""
    for decorate in (
        variable_options,
        click.option(
            "--label",
            "labels",
            multiple=True,
            metavar="KEY=VALUE",
            help="Only jobs with this label.",
        ),
        click.option(
            "--job", "globs", multiple=True, metavar="GLOB", help="Only jobs with such a name."
        ),
        target_option,
        click.argument("paths", nargs=-1, type=click.Path()),
    ):
        function = decorate(function)
    return function


def since_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--changed-since`."""
    return click.option(
        "--changed-since",
        "since",
        metavar="REV",
        help="Only jobs with a file that changed in git since REV.",
    )(function)


def gating(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--prune`, `--allow`, `--restart` and `--max-pu`."""
    gates = click.Choice(sorted(gate.value for gate in ALLOWABLE))
    for decorate in (
        click.option(
            "--max-pu", type=click.FloatRange(min=0), help="Withhold the starts above this many PU."
        ),
        click.option(
            "--restart", multiple=True, metavar="GLOB", help="Run FAILED or STOPPED jobs again."
        ),
        click.option("--allow", multiple=True, type=gates, help="Lift one gate; may be repeated."),
        click.option("--prune", is_flag=True, help="Stop what no manifest declares any more."),
    ):
        function = decorate(function)
    return function
