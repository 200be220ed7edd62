"""An apply for machines: one JSON object an event, described by schemas/apply.schema.json."""

from __future__ import annotations

from collections import Counter
from typing import Any

from shbatch_sync.errors import ShbatchError
from shbatch_sync.plan import Action, Plan
from shbatch_sync.planfile import change_to_json, summary
from shbatch_sync.reconcile.result import ApplyResult, Step
from shbatch_sync.version import __version__

FORMAT_VERSION = "1.0"

Event = dict[str, Any]


def version() -> Event:
    """Return the event that every stream begins with."""
    return {
        "type": "version",
        "formatVersion": FORMAT_VERSION,
        "program": "shbatch-sync",
        "programVersion": __version__,
    }


def planned(plan: Plan) -> list[Event]:
    """Return an event for each change of a plan, and one that sums them up."""
    facts = plan.facts
    return [
        *({"type": "planned_change", "change": change_to_json(change)} for change in plan.changes),
        {
            "type": "plan",
            "project": facts.project,
            "target": facts.target,
            "account": facts.account,
            "summary": summary(plan),
            "warnings": list(plan.remarks),
        },
    ]


def taken(step: Step) -> Event:
    """Return the event of a step."""
    return {
        "type": "step",
        "job": step.job,
        "action": step.action.value,
        "outcome": step.outcome.value,
        "reason": step.reason.value if step.reason else None,
        "requestId": step.request_id,
        "detail": step.detail,
    }


def waiting(plan: Plan) -> Event:
    """Return the event of a round in which something is waited for: how many jobs for what."""
    reasons = Counter(
        change.reason.value for change in plan.changes if change.action is Action.WAIT
    )
    return {"type": "waiting", "jobs": dict(sorted(reasons.items()))}


def ended(result: ApplyResult) -> Event:
    """Return the event that a stream ends with: what was done, and what is left."""
    left = result.plan.changes
    return {
        "type": "summary",
        "done": {action.value: count for action, count in sorted(result.done.items())},
        "failed": _reasons(result.failures),
        "held": _reasons(result.held),
        "withheld": [change_to_json(change) for change in left if change.withheld is not None],
        "attention": [
            change_to_json(change) for change in left if change.action is Action.ATTENTION
        ],
        "waiting": sorted({change.job for change in left if change.action is Action.WAIT}),
        "inSync": result.plan.in_sync,
        "timedOut": result.timed_out,
        "interrupted": result.interrupted,
        "outage": result.outage,
        "exitCode": int(result.exit_code),
    }


def failed(error: ShbatchError) -> Event:
    """Return the event that a stream ends with where an error ended the run."""
    return {"type": "error", "message": str(error), "exitCode": int(error.exit_code)}


def _reasons(jobs: dict[str, str]) -> list[Event]:
    return [{"job": job, "detail": detail} for job, detail in sorted(jobs.items())]
