"""`history` for a terminal: what was run, when, for how much."""

from __future__ import annotations

from collections.abc import Sequence

from shbatch_sync.ledger import Entry, Event
from shbatch_sync.render.escape import one_line
from shbatch_sync.render.plan_text import Paint, no_paint


def render_history(entries: Sequence[Entry], paint: Paint = no_paint) -> str:
    """Return one line an event, oldest first, and the processing units in total."""
    lines = [
        paint(f"{'WHEN (UTC)':<17} {'EVENT':<8} {'JOB':<26} {'RUN':<6} {'PU':>8}  REQUEST", "bold")
    ]
    for entry in entries:
        cost = f"{entry.cost_pu:,.0f}" if entry.cost_pu is not None else ""
        what = one_line(f"{entry.status or entry.event}".lower(), 8)
        run = f"r{entry.generation}" + (f".{entry.attempt}" if entry.attempt > 1 else "")
        name = one_line(entry.job, 26)
        request = (entry.request_id or f"nonce {entry.nonce}")[:36]
        lines.append(
            f"{entry.at:%Y-%m-%d %H:%M}  {what:<8} {name:<26} {run:<6} {cost:>8}  {one_line(request)}"
        )
    return "\n".join([*lines, "", paint(total_line(entries), "bold")])


def total_line(entries: Sequence[Entry]) -> str:
    """Return the sum over all requests; of several ends of one request the last counts."""
    costs = {
        entry.request_id: entry.cost_pu or 0.0 for entry in entries if entry.event is Event.FINAL
    }
    jobs = {entry.job for entry in entries}
    return f"{len(entries)} events of {len(jobs)} jobs, {len(costs)} ended requests, {sum(costs.values()):,.0f} PU."
