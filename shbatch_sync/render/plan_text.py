"""A plan for a terminal: one line a change, what differs below it, one line of sums at the end."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator

from shbatch_sync.cost.price import Estimate
from shbatch_sync.plan import Action, Change, Plan, Reason
from shbatch_sync.planfile import shown_fields
from shbatch_sync.plural import counted
from shbatch_sync.render.escape import one_line
from shbatch_sync.render.fields import field_lines, leaves

COLUMNS = 80
INDENT = "      "
Paint = Callable[[str, str], str]

SYMBOLS = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.REPLACE: "-/+",
    Action.ANALYSE: "?",
    Action.START: ">",
    Action.STOP: "#",
    Action.ADOPT: "<=",
    Action.ATTENTION: "!",
    Action.WAIT: ".",
}
_COLOURS = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.REPLACE: "magenta",
    Action.ANALYSE: "cyan",
    Action.START: "cyan",
    Action.STOP: "red",
    Action.ADOPT: "green",
    Action.ATTENTION: "red",
    Action.WAIT: "bright_black",
}
REASONS = {
    Reason.MISSING: "not on the service",
    Reason.NEW_TRY: "a new try",
    Reason.FORGOTTEN: "the service has forgotten it",
    Reason.SPEC_CHANGED: "spec changed",
    Reason.GENERATION_RAISED: "generation raised",
    Reason.DESCRIPTION_CHANGED: "description changed",
    Reason.UNSEALED: "created, to be sealed",
    Reason.COSMETIC: "the same request in other words",
    Reason.PROTECT_CHANGED: "protection changed",
    Reason.ADOPT: "to be taken over",
    Reason.RENAMED: "renamed",
    Reason.STOPPED_BY_US: "stopped by us, to be noted",
    Reason.DUPLICATE: "a duplicate, to be retired",
    Reason.SUPERSEDED: "superseded",
    Reason.DECLARED: "declared",
    Reason.RESUME: "resume",
    Reason.ORPHAN: "no manifest",
    Reason.STARTED_TWICE: "started twice",
    Reason.ANALYSING: "analysing",
    Reason.STARTING: "starting",
    Reason.PROCESSING: "processing",
    Reason.STOPPING: "stopping",
    Reason.UNKNOWN_STATE: "unknown state",
    Reason.DEFERRED: "description changed, deferred",
    Reason.DEPENDS_ON: "depends on others",
    Reason.MAX_RUNNING: "enough is running",
    Reason.OLD_ACTIVE: "the old request is active",
    Reason.TOO_SOON: "too soon to restart",
    Reason.FAILED: "failed",
    Reason.STOPPED: "stopped",
    Reason.ATTEMPTS_USED: "attempts used up",
    Reason.GENERATION_LOWER: "generation too low",
    Reason.REVERTED: "back to an earlier spec",
    Reason.DAMAGED: "marker damaged",
    Reason.COPY: "copied marker",
    Reason.PAID_TWICE: "paid twice",
}


def no_paint(text: str, _: str) -> str:
    """Leave text without colour."""
    return text


def render_plan(plan: Plan, paint: Paint = no_paint) -> str:
    """Return the plan as text; `paint(text, colour)` adds colour where the reader can see it."""
    lines: list[str] = []
    before: Change | None = None
    for change in plan.changes:
        lines += _change_lines(change, before, paint)
        before = change
    lines += [paint(f"warning: {one_line(warning)}", "yellow") for warning in plan.remarks]
    if plan.orphans:
        lines.append(_orphans(plan.orphans))
    if lines:
        lines.append("")
    lines.append(paint(summary_line(plan), "bold"))
    return "\n".join(lines)


def _orphans(number: int) -> str:
    rest = "(an orphan); it costs" if number == 1 else "(orphans); they cost"
    return f"{counted(number, 'request')} at rest without a manifest {rest} nothing more"


def summary_line(plan: Plan) -> str:
    """Return the last line of a plan: sums that a script may read."""
    words = [f"{plan.count(action)} to {action}" for action in _COUNTED if plan.count(action)]
    head = ", ".join(words) or "nothing to do"
    tail = [f"{plan.withheld} withheld"] if plan.withheld else []
    attention = plan.count(Action.ATTENTION)
    if attention:
        tail.append(f"{attention} {'needs' if attention == 1 else 'need'} attention")
    waiting = len({change.job for change in plan.changes if change.action is Action.WAIT})
    if waiting:
        tail.append(f"{waiting} waiting")
    tail.append(f"{plan.in_sync} in sync")
    return f"Plan: {head}; {'; '.join(tail)}.{_price(plan)}"


_COUNTED = (
    Action.CREATE,
    Action.ADOPT,
    Action.UPDATE,
    Action.REPLACE,
    Action.ANALYSE,
    Action.START,
    Action.STOP,
)


def _price(plan: Plan) -> str:
    total, later = plan.estimate, len(plan.later)
    starts = plan.count(Action.START) + later
    if not starts:
        return ""
    if total["unknown"] == starts:
        return " Cost not estimated."
    unknown = f", {total['unknown']} not estimated" if total["unknown"] else ""
    waiting = f", with {counted(later, 'start')} that will follow" if later else ""
    return f" Estimated {total['pu']:,.0f} PU{waiting}{unknown}."


def _change_lines(change: Change, before: Change | None, paint: Paint) -> Iterator[str]:
    symbol = f"{SYMBOLS[change.action]:<3}"
    about = (
        f" {change.request_id}" if change.request_id and change.action is not Action.CREATE else ""
    )
    place = f"  {one_line(str(change.origin))}" if change.origin else ""
    price = (
        f"  {price_text(change.estimate)}"
        if change.action is Action.START and change.estimate
        else ""
    )
    head = f"{symbol} {one_line(change.job)} ({REASONS[change.reason]}){place}{price}"
    yield paint(head, "bright_black" if change.withheld else _COLOURS[change.action])
    detail = f"{one_line(change.detail)}" if change.detail else ""
    if detail or about:
        yield from wrapped(
            ": ".join(part for part in (f"request{about}" if about else "", detail) if part)
        )
    for line in field_lines(shown_fields(change)):
        yield f"{INDENT}{line}"
    if change.action is Action.REPLACE and change.declared is not None:
        real = sum(not field.reason for field in change.fields)
        yield f"{INDENT}({max(0, leaves(change.declared.spec) - real)} unchanged members hidden)"
    if change.withheld is not None:
        known = before is not None and (before.job, before.withheld) == (
            change.job,
            change.withheld,
        )
        words = f"withheld ({change.withheld.gate}), as above" if known else str(change.withheld)
        yield from (paint(line, "yellow") for line in wrapped(words))


def wrapped(text: str, indent: str = INDENT) -> list[str]:
    """Return a remark within 80 columns, what follows its first line further in; ids and places stay whole."""
    return textwrap.wrap(
        one_line(text),
        COLUMNS,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def price_text(estimate: Estimate) -> str:
    """Return a price with its range, e.g. `120 PU (100-160)`."""
    if estimate.pu is None:
        return "price unknown"
    if estimate.high is None or estimate.low == estimate.high:
        return f"{estimate.pu:,.0f} PU"
    return f"{estimate.pu:,.0f} PU ({estimate.low:,.0f}-{estimate.high:,.0f})"
