"""A plan as JSON: the contract of `plan --format json`, described by schemas/plan.schema.json."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from shbatch_sync.diff import FieldChange
from shbatch_sync.plan import Action, Change, Estimate, Plan, Withheld

FORMAT_VERSION = "1.0"


def to_json(plan: Plan) -> dict[str, Any]:
    """Return the plan as plain JSON; holds no request body and no secret."""
    facts = plan.facts
    document: dict[str, Any] = {
        "formatVersion": FORMAT_VERSION,
        "project": facts.project,
        "target": facts.target,
        "account": facts.account,
        "commit": facts.commit.sha if facts.commit else None,
        "changes": [change_to_json(change) for change in plan.changes],
        "summary": summary(plan),
        "warnings": list(plan.warnings),
    }
    return {**document, "digest": file_digest(document)}


def file_digest(document: dict[str, Any]) -> str:
    """Return the SHA-256 of a plan document without its own digest, over canonical JSON."""
    rest = {key: value for key, value in document.items() if key != "digest"}
    return hashlib.sha256(
        json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()


def summary(plan: Plan) -> dict[str, Any]:
    """Return the counts of the last line of a plan."""
    counts: dict[str, Any] = {action.value: plan.count(action) for action in Action}
    estimate = plan.estimate
    return {
        **counts,
        "withheld": plan.withheld,
        "inSync": plan.in_sync,
        "orphans": plan.orphans,
        "estimatedPU": estimate["pu"],
        "unknownPrices": estimate["unknown"],
    }


def change_to_json(change: Change) -> dict[str, Any]:
    """Return one change as plain JSON."""
    return {
        "job": change.job,
        "action": change.action.value,
        "reason": change.reason.value,
        "detail": change.detail,
        "requestId": change.request_id,
        "file": change.origin.file if change.origin else None,
        "line": change.origin.line if change.origin else None,
        "fields": [_field(field) for field in change.fields],
        "estimate": estimate_to_json(change.estimate),
        "withheld": _withheld(change.withheld),
    }


def estimate_to_json(estimate: Estimate | None) -> dict[str, Any] | None:
    """Return an estimate as plain JSON."""
    if estimate is None:
        return None
    return {
        "tiles": estimate.tiles,
        "pixels": estimate.pixels,
        "pu": estimate.pu,
        "low": estimate.low,
        "high": estimate.high,
        "assumptions": list(estimate.assumptions),
    }


def _field(field: FieldChange) -> dict[str, Any]:
    return {
        "path": field.path,
        "kind": field.kind.value,
        "before": field.before,
        "after": field.after,
        "reason": field.reason,
    }


def _withheld(withheld: Withheld | None) -> dict[str, str] | None:
    if withheld is None:
        return None
    return {
        "gate": withheld.gate.value,
        "number": withheld.number,
        "limit": withheld.limit,
        "lift": withheld.lift,
    }
