"""From a workspace to a run: what `plan`, `apply` and `status` share."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from shbatch_sync.ledger import Ledger
from shbatch_sync.pricing import Prices, learnt
from shbatch_sync.store.git import current_commit, in_history

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shbatch_sync.cli.workspace import Workspace
    from shbatch_sync.job import Job
    from shbatch_sync.plan import Policy
    from shbatch_sync.reconcile.run import Options, Run
    from shbatch_sync.session import Session
    from shbatch_sync.store.ledger import LedgerStore


def make_run(
    workspace: Workspace, session: Session, policy: Policy, options: Options | None = None
) -> Run:
    """Return a run over the jobs of a workspace."""
    from shbatch_sync.reconcile.run import Options, Run, Scope  # noqa: PLC0415

    given = options or Options()
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
