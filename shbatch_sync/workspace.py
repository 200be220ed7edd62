"""A project and one of its targets, and from there to a run: what commands and scripts begin with."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shbatch_sync.errors import SettingsError
from shbatch_sync.ledger import Ledger
from shbatch_sync.plan import Policy
from shbatch_sync.pricing import Prices, learnt
from shbatch_sync.store.git import current_commit, in_history

if TYPE_CHECKING:
    from shbatch_sync.job import Job
    from shbatch_sync.project import Project, Target
    from shbatch_sync.reconcile.options import Options
    from shbatch_sync.reconcile.run import Run
    from shbatch_sync.session import Session
    from shbatch_sync.store.ledger import LedgerStore
    from shbatch_sync.store.loaded import Loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A project and the target that is acted on.

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
    selected: frozenset[str] | None = None
    changed: frozenset[str] | None = None

    @property
    def project(self) -> Project:
        """The project."""
        return self.loaded.project


def workspace_of(loaded: Loaded, target: str | None = None) -> Workspace:
    """Return a project with one of its targets: the one asked for, its default, or the only one that jobs name.

    Raises:
        SettingsError: It cannot be told which one is meant.
    """
    name = target or loaded.target
    if name is None:
        used = sorted({job.target for job in loaded.jobs})
        name = used[0] if len(used) == 1 else None
    if name is None:
        known = ", ".join(loaded.project.targets)
        message = f"which target? pass --target with one of: {known}, or set `defaultTarget`"
        raise SettingsError(message)
    jobs = tuple(job for job in loaded.jobs if job.target == name)
    return Workspace(loaded=loaded, target=loaded.project.targets[name], jobs=jobs)


def project_policy(workspace: Workspace) -> Policy:
    """Return what a plan may do by the project alone."""
    project = workspace.project
    return Policy(
        prune=project.prune,
        max_start_pu=project.max_start_pu,
        monthly_pu=project.monthly_pu,
        max_running=workspace.target.max_running,
    )


def secrets_of(loaded: Loaded) -> frozenset[str]:
    """Return the value of every variable of the environment that the project names as a secret, and of the usual one."""
    names = {name for job in loaded.jobs for name in job.credentials.values()}
    for target in loaded.project.targets.values():
        names |= {target.client_secret.env} if target.client_secret else set()
    return frozenset(os.environ.get(name, "") for name in (*names, "SH_CLIENT_SECRET")) - {""}


@contextmanager
def open_target(workspace: Workspace) -> Iterator[Session]:
    """Connect to a workspace's target for the length of a `with` block.

    Raises:
        SettingsError: Credentials are missing or contradict each other.
        TargetRefusedError: Its host is not one that credentials are sent to.
    """
    from shbatch_sync.session import open_session  # noqa: PLC0415 - brings the HTTP client

    secrets = secrets_of(workspace.loaded)
    with open_session(workspace.project, workspace.target, os.environ, secrets) as session:
        yield session


def make_run(
    workspace: Workspace, session: Session, policy: Policy, options: Options | None = None
) -> Run:
    """Return a run over the jobs of a workspace."""
    from shbatch_sync.reconcile.options import Options  # noqa: PLC0415 - brings the loop
    from shbatch_sync.reconcile.run import Run  # noqa: PLC0415
    from shbatch_sync.reconcile.scope import Scope  # noqa: PLC0415

    given = options or Options(settle=session.settle, poll=session.poll)
    scope = Scope(
        project=workspace.project.name,
        target=workspace.target.name,
        account=workspace.target.account,
        commit=current_commit(workspace.project.root),
        selected=workspace.selected,
        estimates=prices_of(workspace, workspace.jobs, session.ledger),
        elsewhere=frozenset(
            job.name for job in workspace.loaded.jobs if job.target != workspace.target.name
        ),
    )
    return Run(
        client=session.client,
        ledger=session.ledger,
        jobs=workspace.jobs,
        policy=policy,
        scope=scope,
        options=replace(given, must_have_ledger=session.must_have_ledger),
        env=os.environ,
        in_history=partial(in_history, workspace.project.root),
    )


@contextmanager
def open_run(
    directory: str | Path = ".",
    *,
    target: str | None = None,
    policy: Policy | None = None,
    variables: Mapping[str, Any] | None = None,
    wait: bool = False,
    timeout: float | None = None,
) -> Iterator[Run]:
    """Give a run over one target of a project for the length of a `with` block; `apply_plan` carries it out.

    Nothing is sent before that. Credentials come from where the commands take them.

    Args:
        directory: The project's folder, or one below it.
        target: Name of the target; the project's default if left out.
        policy: What may be done; what shbatch.yaml says if left out.
        variables: Values for `${{ vars.x }}`.
        wait: Go on until nothing can progress without a person.
        timeout: Seconds after which it ends whatever is left; None for no end.

    Raises:
        ManifestError: Something is wrong with a manifest; carries every problem of every one.
        SettingsError: There is no project or no such target, or credentials are missing.
        TargetRefusedError: The target's host is not one that credentials are sent to.
    """
    from shbatch_sync.reconcile.options import Options  # noqa: PLC0415
    from shbatch_sync.store.project import load  # noqa: PLC0415 - brings YAML and the schemas

    loaded = load(directory=directory, target=target, variables=variables)
    workspace = workspace_of(loaded, target)
    with open_target(workspace) as session:
        options = Options(wait=wait, timeout=timeout, settle=session.settle, poll=session.poll)
        yield make_run(workspace, session, policy or project_policy(workspace), options)


def prices_of(workspace: Workspace, jobs: Sequence[Job], ledger: LedgerStore) -> Prices:
    """Return what starting each job is expected to cost, corrected by the past where the project asks for that."""
    if not workspace.project.calibrate:
        return Prices(jobs)
    return Prices(jobs, calibration=lambda: learnt(workspace.jobs, memory_of(workspace, ledger)))


def memory_of(workspace: Workspace, ledger: LedgerStore) -> Ledger:
    """Return what the ledger knows of the project on the workspace's target."""
    target = workspace.target
    return Ledger.of(
        ledger.read(), project=workspace.project.name, target=target.name, account=target.account
    )
