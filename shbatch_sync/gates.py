"""Gates: what is shown in a plan and not done until a person lifts it.

A gate names what it measured, the limit, and what lifts it. One gate is lifted by one `--allow NAME`; there is no
way to lift them all. Waiting is no gate: `queue` turns starts that must come later into waits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from shbatch_sync.inventory import Live
from shbatch_sync.job import Job
from shbatch_sync.ledger_line import Entry
from shbatch_sync.phase import STARTED
from shbatch_sync.plan import Action, Change, Facts, Gate, Policy, Reason, Withheld
from shbatch_sync.record import Record


def replacing(
    paid: Sequence[Live],
    past: Sequence[Entry],
    job: Job,
    policy: Policy,
    *,
    keep: str | None = None,
) -> Withheld | None:
    """Hold back the replacement of what has cost money, unless the generation says that it is meant.

    Args:
        paid: Listed requests that cost something, or may have.
        past: What the ledger knows to be paid beside them.
        job: As declared.
        policy: What may be done.
        keep: The place of before, where nothing but that makes it another spec.
    """
    cost = sum(live.cost_pu for live in paid) + sum(entry.cost_pu or 0 for entry in past)
    processing = sum(live.phase in STARTED for live in paid)
    one = "the current request has" if paid else "an earlier request has"
    who = "its requests have" if len(paid) + len(past) > 1 else one
    number = f"{who} cost {_pu(cost)}"
    number += ", and it is being processed" if processing else ""
    generation = max(
        (*(live.marker.generation for live in paid), *(entry.generation for entry in past))
    )
    lift = f"declare generation {generation + 1} in {job.origin}, or --allow replace"
    if keep is not None:
        lift = f"deliver to {keep} as before the rename, or {lift}"
    return _unless_allowed(policy, Withheld(Gate.REPLACE, number, "0 PU", lift))


def recreate(record: Record, policy: Policy) -> Withheld | None:
    """Hold back what would pay again for a request that the service has forgotten."""
    paid = record.paid
    when = f"{paid.at:%Y-%m-%d}" if paid else "earlier"
    which = f"request {paid.request_id}" if paid and paid.request_id else "a request"
    number = f"started {when} as {which}, which the service no longer lists"
    return _unless_allowed(
        policy, Withheld(Gate.RECREATE, number, "one payment", "--allow recreate pays again")
    )


def twin(what: str, policy: Policy, lift: str) -> Withheld | None:
    """Hold back a create, or a start, whose work another request does already."""
    return _unless_allowed(
        policy, Withheld(Gate.TWIN, f"looks like {what}", "one request for the same files", lift)
    )


def stale(live: Live, facts: Facts, policy: Policy) -> Withheld | None:
    """Hold back what an older checkout would do to a job that a newer one has already been applied to."""
    commit = live.marker.commit
    if commit is None or commit.sha not in facts.strange_commits:
        return None
    number = (
        f"request {live.id} was made from commit {commit.sha} of {commit.time:%Y-%m-%d %H:%M} UTC"
    )
    here = (
        f"{facts.commit.sha} of {facts.commit.time:%Y-%m-%d %H:%M} UTC"
        if facts.commit
        else "no commit"
    )
    lift = "pull and apply again, or --allow stale"
    return _unless_allowed(
        policy, Withheld(Gate.STALE, number, f"what this checkout, {here}, has seen", lift)
    )


def hold_back(
    changes: Iterable[Change], policy: Policy, facts: Facts, *, declared: int, month_pu: float = 0.0
) -> list[Change]:
    """Apply the gates that need no more than the finished changes.

    Args:
        changes: As decided.
        policy: What may be done.
        facts: What is told of the world.
        declared: How many jobs are declared.
        month_pu: What this month has cost so far, by the ledger.
    """
    held = [_protect(_pruning(change, policy)) for change in changes]
    return _cost(_many(held, policy, declared), policy, facts, month_pu)


def queue(
    changes: Iterable[Change], policy: Policy, *, done: Collection[str], running: int
) -> list[Change]:
    """Turn starts into waits where dependencies are not done, or where enough is running."""
    queued = []
    for change in changes:
        if (
            change.action is not Action.START
            or change.withheld is not None
            or change.declared is None
        ):
            queued.append(change)
            continue
        missing = [name for name in change.declared.depends_on if name not in done]
        if missing:
            queued.append(_wait(change, Reason.DEPENDS_ON, f"after {', '.join(missing)}"))
        elif policy.max_running is not None and running >= policy.max_running:
            queued.append(
                _wait(change, Reason.MAX_RUNNING, f"no more than {policy.max_running} at once")
            )
        else:
            running += 1
            queued.append(change)
    return queued


def _wait(change: Change, reason: Reason, detail: str) -> Change:
    return replace(change, action=Action.WAIT, reason=reason, detail=detail)


def _unless_allowed(policy: Policy, withheld: Withheld) -> Withheld | None:
    return None if withheld.gate in policy.allow else withheld


def _pruning(change: Change, policy: Policy) -> Change:
    pruning = change.action is Action.STOP and change.reason is Reason.ORPHAN
    if change.withheld or not pruning or change.live is None or change.live.phase not in STARTED:
        return change
    number = f"1 request {change.live.phase}, {_pu(change.live.cost_pu)} spent"
    withheld = Withheld(Gate.STOP, number, "0 may be stopped", "--allow stop")
    return replace(change, withheld=_unless_allowed(policy, withheld))


def _protect(change: Change) -> Change:
    """A protected request is never stopped; the one beside it that was started by mistake is not the protected one."""
    live = change.live
    if change.action is not Action.STOP or live is None or change.reason is Reason.STARTED_TWICE:
        return change
    # Without a manifest the live marker counts, so that deleting the manifest does not lift it.
    protected = change.declared.protect if change.declared is not None else live.marker.protected
    if not protected:
        return change
    lift = "declare the job with `protect: false`, apply, and stop it then"
    return replace(
        change, withheld=Withheld(Gate.PROTECT, "1 protected request", "0 may be stopped", lift)
    )


def _many(changes: list[Change], policy: Policy, declared: int) -> list[Change]:
    if Gate.MANY in policy.allow:
        return changes
    severe = {change.job for change in changes if _severe(change)}
    pruning_all = policy.prune and declared == 0 and bool(severe)
    share = len(severe) / declared if declared else 0.0
    if not pruning_all and (declared < policy.many_from or share <= policy.many_share):
        return changes
    number = f"{len(severe)} of {declared} jobs replaced or stopped"
    limit = f"{policy.many_share:.0%}" if not pruning_all else "at least one job declared"
    withheld = Withheld(Gate.MANY, number, limit, "--allow many")
    return [
        replace(change, withheld=withheld) if change.job in severe and change.effective else change
        for change in changes
    ]


def _severe(change: Change) -> bool:
    deliberate = change.reason in {Reason.DECLARED, Reason.STARTED_TWICE}
    deliberate |= change.live is not None and change.live.marker.retired is not None
    return (
        change.withheld is None
        and change.action in {Action.REPLACE, Action.STOP}
        and not deliberate
    )


def _cost(changes: list[Change], policy: Policy, facts: Facts, month_pu: float) -> list[Change]:
    if Gate.COST in policy.allow:
        return changes
    held = [_job_cost(change) for change in changes]
    starts = [change for change in held if _starts(change)]
    withheld = _start_cost(starts, policy, facts.spent_pu, month_pu) if starts else None
    if withheld is None:
        return held
    return [replace(change, withheld=withheld) if _starts(change) else change for change in held]


def _starts(change: Change) -> bool:
    return change.action is Action.START and change.withheld is None


def _job_cost(change: Change) -> Change:
    limit = change.declared.max_pu if change.declared is not None else None
    if change.action is not Action.START or change.withheld or limit is None:
        return change
    high = _high(change)
    if high is not None and high <= limit:
        return change
    number = "its cost cannot be told" if high is None else f"up to {_pu(high)}"
    # The limit may be the target's: a job's own maxPU goes before it.
    lift = f"set a higher maxPU in {change.origin}, or --allow cost"
    return replace(change, withheld=Withheld(Gate.COST, number, _pu(limit), lift))


def _start_cost(
    starts: Sequence[Change], policy: Policy, spent: float, month_pu: float
) -> Withheld | None:
    """All or nothing: starting the first that fit would leave it to chance which of a plan's jobs run."""
    prices = [_high(change) for change in starts]
    known, unknown = spent + sum(price for price in prices if price is not None), prices.count(None)
    words = "1 start costs" if len(starts) == 1 else f"{len(starts)} starts cost"
    words += f" up to {_pu(known)}"
    words += f", and {unknown} of them cannot be told" if unknown else ""
    if policy.max_start_pu is not None and (unknown or known > policy.max_start_pu):
        lift = "raise maxStartPU, or --max-pu, or --allow cost"
        return Withheld(Gate.COST, words, _pu(policy.max_start_pu), lift)
    if policy.monthly_pu is not None and (unknown or known + month_pu > policy.monthly_pu):
        number = f"{words}, after {_pu(month_pu)} this month"
        return Withheld(
            Gate.COST,
            number,
            f"{_pu(policy.monthly_pu)} a month",
            "raise budget.monthlyPU, or --allow cost",
        )
    return None


def _high(change: Change) -> float | None:
    return change.estimate.high if change.estimate is not None else None


def _pu(value: float) -> str:
    return f"{value:,.0f} PU"
