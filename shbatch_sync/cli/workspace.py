"""What most commands begin with: the project, the target's jobs, and the selection among them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from shbatch_sync.cli.output import conceal
from shbatch_sync.cli.problems import report_warnings
from shbatch_sync.cli.selection import Permission, Selection, has_name
from shbatch_sync.cli.variables import as_environment
from shbatch_sync.errors import SettingsError
from shbatch_sync.plan import Gate, Policy
from shbatch_sync.suggest import did_you_mean
from shbatch_sync.workspace import Workspace, project_policy, secrets_of, workspace_of

if TYPE_CHECKING:
    from shbatch_sync.cli.output import Output
    from shbatch_sync.job import Job
    from shbatch_sync.project import Project, Target
    from shbatch_sync.store.project import Loaded

NOTHING_MORE = Permission()


def open_workspace(output: Output, selection: Selection) -> Workspace:
    """Read the project and find out what the command is about; warnings go to stderr.

    Raises:
        ManifestError: Something is wrong with a manifest.
        SettingsError: There is no project, no such target, or nothing that is selected.
    """
    from shbatch_sync.store.project import load  # noqa: PLC0415 - brings YAML and the schemas

    loaded = load(
        selection.paths,
        directory=output.directory,
        target=selection.target,
        env={**os.environ, **as_environment(selection.variables)},
        may_be_empty=_has_history(output),
    )
    conceal(secrets_of(loaded))
    report_warnings(output, loaded)
    workspace = workspace_of(loaded, selection.target)
    selected = _selected(loaded, workspace.jobs, selection)
    changed = _changed(loaded, workspace.jobs, selection)
    return replace(
        workspace,
        selected=selected if changed is None or selected is None else selected & changed,
        changed=changed,
    )


def _has_history(output: Output) -> bool:
    """Say whether something may run that no manifest declares any more: where a ledger is, something was made once."""
    from shbatch_sync.store.project import find_project  # noqa: PLC0415

    folder = find_project(Path(output.directory)).parent / ".shbatch"
    return any(folder.glob("*ledger.jsonl"))


def _changed(loaded: Loaded, jobs: Sequence[Job], selection: Selection) -> frozenset[str] | None:
    """Return the jobs that changes in git narrow a selection down to; that may well be none."""
    if selection.names is not None:
        return frozenset(selection.names)
    if selection.since is None:
        return None
    from shbatch_sync.store.git import changed_files  # noqa: PLC0415

    files = changed_files(loaded.project.root, selection.since)
    return frozenset(job.name for job in jobs if loaded.depends_on(job, files))


def named_target(project: Project, asked: str | None) -> Target:
    """Return the target that a command acts on which reads no manifest.

    Raises:
        SettingsError: There is none of that name, or none was named and the project has no default.
    """
    name = asked or project.default_target
    if name is None or name not in project.targets:
        known = ", ".join(project.targets)
        message = (
            f"which target? pass --target with one of: {known}"
            if name is None
            else f"there is no target {name!r} (known: {known})"
        )
        raise SettingsError(message)
    return project.targets[name]


def _selected(loaded: Loaded, jobs: Sequence[Job], selection: Selection) -> frozenset[str] | None:
    if not selection.narrows:
        return None
    labels = dict(_label(pair) for pair in selection.labels)
    names = frozenset(
        job.name
        for job in jobs
        if loaded.is_selected(job)
        and _has_pattern(job, selection.patterns)
        and all(job.labels.get(key) == value for key, value in labels.items())
    )
    if not names:
        raise SettingsError(_nothing_selected(jobs, selection))
    return names


def _label(pair: str) -> tuple[str, str]:
    key, equals, value = pair.partition("=")
    if not key or not equals:
        message = f"--label {pair}: write it as KEY=VALUE"
        raise SettingsError(message)
    return key, value


def _has_pattern(job: Job, patterns: Sequence[str]) -> bool:
    return not patterns or has_name(job.name, patterns)


def _nothing_selected(jobs: Sequence[Job], selection: Selection) -> str:
    asked = {
        "": (*selection.paths, *selection.words),
        "--job ": selection.globs,
        "--label ": selection.labels,
    }
    words = [f"{flag}{value}" for flag, values in asked.items() for value in values]
    hint = _meant(selection.patterns[0], jobs) if selection.patterns else ""
    if words == [*selection.words]:
        return f"there is no job, file or folder {', '.join(map(repr, words))}{hint}"
    return f"no job of this target is selected by {', '.join(words)}{hint}"


def _meant(name: str, jobs: Sequence[Job]) -> str:
    """Return which job may be meant by a name that none has: one that was called so, or is called nearly so."""
    renamed = next((job.name for job in jobs if name in job.previous_names), None)
    if renamed is not None:
        return f"; it is called {renamed!r} now"
    return did_you_mean(name, [job.name for job in jobs])


def policy_of(workspace: Workspace, permission: Permission = NOTHING_MORE) -> Policy:
    """Return what a plan may do, by the project and by the command line.

    Raises:
        SettingsError: Pruning was asked for together with a selection.
    """
    if permission.prune and workspace.selected is not None:
        message = (
            "--prune acts on the whole project: leave out paths, --job, --label and --changed-since"
        )
        raise SettingsError(message)
    policy = project_policy(workspace)
    return replace(
        policy,
        prune=(permission.prune or policy.prune) and workspace.selected is None,
        allow=frozenset(Gate(name) for name in permission.allow),
        restart=frozenset(
            job.name for job in workspace.jobs if has_name(job.name, permission.restart)
        ),
        max_start_pu=policy.max_start_pu if permission.max_pu is None else permission.max_pu,
    )


def check_restart(workspace: Workspace, permission: Permission) -> None:
    """Refuse a `--restart` that no job answers to: whoever gave it would wait for a run that never begins.

    Raises:
        SettingsError: There is such a glob.
    """
    for glob in permission.restart:
        if not any(has_name(job.name, (glob,)) for job in workspace.jobs):
            message = f"--restart {glob}: target {workspace.target.name} has no such job"
            raise SettingsError(message)
