"""A plan as JSON and back: the contract of `plan --format json`, described by schemas/plan.schema.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from shbatch_sync.cost.price import Estimate
from shbatch_sync.diff import FieldChange, Kind
from shbatch_sync.inventory import delivery_url
from shbatch_sync.job import Origin
from shbatch_sync.marker import Commit
from shbatch_sync.plan import (
    Action,
    Change,
    Facts,
    Gate,
    Plan,
    Policy,
    Reason,
    Withheld,
)
from shbatch_sync.shape import short_fields

FORMAT_VERSION = "1.0"
# A plan that was read back does not know when it was made, and nothing that shows or compares it asks.
_SOME_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a plan was made with, so that it can be made again.

    Attributes:
        service: Where the target's calls go: its URL, or `emulator:` and a path.
        policy: What the plan may do, by the project and the command line together.
        prune: Whether `--prune` was given.
        allow: Gates that `--allow` lifted.
        restart: Globs of `--restart`.
        max_pu: `--max-pu`.
        paths: Selected manifests and folders, relative to the project.
        globs: Globs of `--job`.
        labels: `key=value` pairs of `--label`.
        names: The jobs that `--changed-since` chose; None where it was not given.
        variables: `--var` names and values; they end up in manifests, so they are no place for secrets.
    """

    service: str
    policy: Policy = field(default_factory=Policy)
    prune: bool = False
    allow: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    max_pu: float | None = None
    paths: tuple[str, ...] = ()
    globs: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    names: tuple[str, ...] | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


def to_json(plan: Plan, terms: Terms | None = None) -> dict[str, Any]:
    """Return the plan as plain JSON, with its terms where it is to be made again; no request body, no secret."""
    facts = plan.facts
    document: dict[str, Any] = {
        "formatVersion": FORMAT_VERSION,
        "project": facts.project,
        "target": facts.target,
        "account": facts.account,
        "commit": facts.commit.sha if facts.commit else None,
        **(terms_to_json(terms) if terms else {}),
        "changes": [change_to_json(change) for change in plan.changes],
        "summary": summary(plan),
        "warnings": list(plan.remarks),
    }
    return {**document, "digest": file_digest(document)}


def file_digest(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a plan document without its own digest, over canonical JSON."""
    rest = {key: value for key, value in document.items() if key != "digest"}
    return hashlib.sha256(
        json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()


def terms_to_json(terms: Terms) -> dict[str, Any]:
    """Return the members of a plan document that say what it was made with."""
    return {
        "service": terms.service,
        "selection": {
            "paths": list(terms.paths),
            "jobs": list(terms.globs),
            "labels": list(terms.labels),
            "changed": None if terms.names is None else list(terms.names),
        },
        "variables": dict(terms.variables),
        "options": {
            "prune": terms.prune,
            "allow": sorted(terms.allow),
            "restart": list(terms.restart),
            "maxPU": terms.max_pu,
        },
        "policy": policy_to_json(terms.policy),
    }


def policy_to_json(policy: Policy) -> dict[str, Any]:
    """Return a policy as plain JSON."""
    return {
        "prune": policy.prune,
        "allow": sorted(gate.value for gate in policy.allow),
        "restart": sorted(policy.restart),
        "maxStartPU": policy.max_start_pu,
        "monthlyPU": policy.monthly_pu,
        "maxRunning": policy.max_running,
        "manyShare": policy.many_share,
        "manyFrom": policy.many_from,
    }


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
    job = change.declared
    return {
        "job": change.job,
        "action": change.action.value,
        "reason": change.reason.value,
        "detail": change.detail,
        "requestId": change.request_id,
        "digest": job.digest if job else None,
        "generation": job.generation if job else None,
        "state": job.state.value if job else None,
        "try": change.marker.attempt if change.marker else None,
        "file": change.origin.file if change.origin else None,
        "line": change.origin.line if change.origin else None,
        "delivery": _delivery(change),
        "fields": [_field(field) for field in shown_fields(change)],
        "estimate": estimate_to_json(change.estimate),
        "withheld": _withheld(change.withheld),
    }


def _delivery(change: Change) -> str | None:
    """Return where the request that a change creates will deliver."""
    if change.declared is None or change.action not in {Action.CREATE, Action.REPLACE}:
        return None
    return delivery_url(change.declared.spec)


def shown_fields(change: Change) -> tuple[FieldChange, ...]:
    """Return what differs, with an area in a few words instead of all its numbers."""
    if change.live is None or change.declared is None:
        return change.fields
    return short_fields(change.fields, change.live.spec, change.declared.spec)


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


# --- and back ------------------------------------------------------------------------------------------------


def from_json(document: Mapping[str, Any]) -> Plan:
    """Return the plan of a document that meets schemas/plan.schema.json, to be shown; it cannot be carried out."""
    commit = document["commit"]
    return Plan(
        facts=Facts(
            project=document["project"],
            target=document["target"],
            now=_SOME_TIME,
            account=document["account"],
            commit=Commit(commit, _SOME_TIME) if commit else None,
        ),
        changes=tuple(_read_change(change) for change in document["changes"]),
        in_sync=document["summary"]["inSync"],
        orphans=document["summary"]["orphans"],
        warnings=tuple(document["warnings"]),
    )


def terms_from_json(document: Mapping[str, Any]) -> Terms:
    """Return what a plan document says it was made with."""
    selection, options = document["selection"], document["options"]
    return Terms(
        service=document["service"],
        policy=_read_policy(document["policy"]),
        prune=options["prune"],
        allow=_texts(options["allow"]),
        restart=_texts(options["restart"]),
        max_pu=options["maxPU"],
        paths=_texts(selection["paths"]),
        globs=_texts(selection["jobs"]),
        labels=_texts(selection["labels"]),
        names=None if selection["changed"] is None else _texts(selection["changed"]),
        variables=dict(document["variables"]),
    )


def _texts(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(values)


def _read_policy(members: Mapping[str, Any]) -> Policy:
    return Policy(
        prune=members["prune"],
        allow=frozenset(Gate(name) for name in members["allow"]),
        restart=frozenset(members["restart"]),
        max_start_pu=members["maxStartPU"],
        monthly_pu=members["monthlyPU"],
        max_running=members["maxRunning"],
        many_share=members["manyShare"],
        many_from=members["manyFrom"],
    )


def _read_change(members: Mapping[str, Any]) -> Change:
    file, held, price = members["file"], members["withheld"], members["estimate"]
    return Change(
        job=members["job"],
        action=Action(members["action"]),
        reason=Reason(members["reason"]),
        detail=members["detail"],
        request_id=members["requestId"],
        origin=Origin(file, members["line"]) if file is not None else None,
        fields=tuple(
            FieldChange(one["path"], Kind(one["kind"]), one["before"], one["after"], one["reason"])
            for one in members["fields"]
        ),
        estimate=_read_estimate(price) if price is not None else None,
        withheld=Withheld(Gate(held["gate"]), held["number"], held["limit"], held["lift"])
        if held is not None
        else None,
    )


def _read_estimate(members: Mapping[str, Any]) -> Estimate:
    return Estimate(
        tiles=members["tiles"],
        pixels=members["pixels"],
        pu=members["pu"],
        low=members["low"],
        high=members["high"],
        assumptions=_texts(members["assumptions"]),
    )
