"""An apply for a terminal: steps as they are taken, and the sums at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from shbatch_sync.plan import Action, Plan, Reason, Withheld
from shbatch_sync.reconcile.result import ApplyResult, Outcome, Step, count_done
from shbatch_sync.render.escape import one_line, printable
from shbatch_sync.render.plan_text import REASONS, SYMBOLS, Paint, no_paint, wrapped

_PAST = {
    Action.CREATE: "created",
    Action.REPLACE: "created anew",
    Action.UPDATE: "updated",
    Action.ANALYSE: "sent to analysis",
    Action.START: "started",
    Action.STOP: "stopped",
    Action.ADOPT: "adopted",
}
_MOVING = (Reason.ANALYSING, Reason.STARTING, Reason.PROCESSING, Reason.STOPPING)


def step_line(step: Step) -> str:
    """Return one line for a step."""
    words = (
        _PAST.get(step.action, step.action.value)
        if step.outcome is Outcome.DONE
        else step.action.value
    )
    outcome = {
        Outcome.DONE: "",
        Outcome.ALREADY: " done already",
        Outcome.WAITING: " waits",
        Outcome.FAILED: " FAILED",
        Outcome.HELD: " left alone",
    }
    which = f" {step.request_id}" if step.request_id else ""
    detail = f": {printable(step.detail)}" if step.detail else ""
    return f"{SYMBOLS[step.action]:<3} {one_line(step.job)} {words}{outcome[step.outcome]}{which}{detail}"


def waiting_line(plan: Plan) -> str:
    """Return what is being waited for, e.g. `waiting: 3 processing (45 %), 2 starting`."""
    waits = [change for change in plan.changes if change.action is Action.WAIT]
    counts = Counter(change.reason for change in waits)
    parts = []
    for reason in _MOVING:
        if counts[reason]:
            done = [
                change.live.request.completion_percentage or 0.0
                for change in waits
                if change.reason is reason and change.live is not None
            ]
            share = (
                f" ({sum(done) / len(done):.0f} %)" if reason is Reason.PROCESSING and done else ""
            )
            parts.append(f"{counts[reason]} {REASONS[reason]}{share}")
    return f"waiting: {', '.join(parts)}" if parts else ""


def render_result(result: ApplyResult, paint: Paint = no_paint) -> str:
    """Return the summary of an apply: what was done, what is left and why."""
    lines: list[str] = []
    told: set[tuple[str, Withheld]] = set()
    for job, failure in sorted(result.failures.items()):
        lines.append(paint(f"! {one_line(job)} failed: {printable(failure)}", "red"))
    for job, reason in sorted(result.held.items()):
        lines.append(paint(f"! {one_line(job)} left alone: {printable(reason)}", "yellow"))
    for change in result.plan.changes:
        if change.action is Action.ATTENTION:
            which = f" {change.request_id}" if change.request_id else ""
            words = f"! {change.job}{which}: {change.detail}"
            lines += [paint(line, "red") for line in wrapped(words, indent="")]
        elif change.withheld is not None and (change.job, change.withheld) not in told:
            told.add((change.job, change.withheld))
            words = f"{change.job} {change.action} {change.withheld}"
            lines += [paint(line, "yellow") for line in wrapped(words, indent="  ")]
    if result.outage:
        lines.append(
            paint(f"! the account could not be listed any more: {printable(result.outage)}", "red")
        )
    lines.append(paint(_sums(result), "bold"))
    return "\n".join(lines)


def render_steps(steps: Sequence[Step], paint: Paint = no_paint) -> str:
    """Return the summary of an apply that came to no end: what was done before, and which jobs failed."""
    failed = {step.job: step.detail for step in steps if step.outcome is Outcome.FAILED}
    lines = [
        paint(f"! {one_line(job)} failed: {printable(detail)}", "red")
        for job, detail in sorted(failed.items())
    ]
    words = (
        f"Apply: {_did(count_done(steps))}; ended before its time. Apply again goes on from here."
    )
    return "\n".join([*lines, paint(words, "bold")])


def _did(done: Mapping[Action, int]) -> str:
    parts = [f"{count} {_PAST[action]}" for action in _PAST if (count := done[action])]
    return ", ".join(parts) or "nothing was changed"


def _sums(result: ApplyResult) -> str:
    plan = result.plan
    left = [f"{len(result.failures)} failed"] if result.failures else []
    left += [f"{len(result.held)} left alone"] if result.held else []
    left += [f"{plan.withheld} withheld"] if plan.withheld else []
    left += [f"{result.unfinished} left to do"] if result.unfinished else []
    waiting = {change.job for change in plan.changes if change.action is Action.WAIT}
    left += [f"{len(waiting)} waiting"] if waiting else []
    attention = plan.count(Action.ATTENTION)
    left += [f"{attention} {'needs' if attention == 1 else 'need'} attention"] if attention else []
    left += [f"{plan.in_sync} in sync"]
    end = " Interrupted; apply again goes on from here." if result.interrupted else ""
    end += " The time ran out; apply again goes on from here." if result.timed_out else ""
    return f"Apply: {_did(result.done)}; {'; '.join(left)}.{end}"
