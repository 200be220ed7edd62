"""A plan without a look at the service: what can be said of a change where no credentials are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from shbatch_sync.clock import SystemClock

if TYPE_CHECKING:
    from shbatch_sync.plan import Plan, Policy
    from shbatch_sync.workspace import Workspace

SERVICE = "offline"
UNSEEN = (
    "planned from the manifests and the ledger alone: no request on the service was looked at, "
    "so what is live there is not considered"
)


def offline_plan(workspace: Workspace, policy: Policy) -> Plan:
    """Return what would be done if the ledger knew everything, and say what could not be seen."""
    from shbatch_sync.decision import build_plan  # noqa: PLC0415
    from shbatch_sync.plan import Facts  # noqa: PLC0415
    from shbatch_sync.pricing import Prices  # noqa: PLC0415
    from shbatch_sync.session import open_ledger  # noqa: PLC0415
    from shbatch_sync.store.git import current_commit  # noqa: PLC0415
    from shbatch_sync.store.ledger import unread  # noqa: PLC0415
    from shbatch_sync.workspace import memory_of  # noqa: PLC0415

    project, target = workspace.project, workspace.target
    with open_ledger(project, target, os.environ) as store:
        ledger = memory_of(workspace, store)
        hidden = unread(store)
    facts = Facts(
        project=project.name,
        target=target.name,
        now=SystemClock().now(),
        account=target.account or ledger.account,
        commit=current_commit(project.root),
        estimates=Prices(workspace.jobs),
        selected=workspace.selected,
    )
    plan = build_plan(workspace.jobs, (), ledger, policy, facts)
    begun = {
        job.name
        for job in workspace.jobs
        if ledger.record(job).entries and ledger.record(job).done is None
    }
    unknown = sorted({change.job for change in plan.changes} & begun)
    return replace(
        plan,
        changes=tuple(change for change in plan.changes if change.job not in begun),
        warnings=(UNSEEN, *filter(None, [hidden]), *_begun(unknown), *plan.warnings),
    )


def _begun(jobs: Sequence[str]) -> list[str]:
    """Say of which jobs nothing can be said: they were begun, and how they went only the service knows."""
    if not jobs:
        return []
    names = ", ".join(jobs[:10]) + (f" and {len(jobs) - 10} more" if len(jobs) > 10 else "")  # noqa: PLR2004
    return [f"begun before, and not looked at: {names}"]
