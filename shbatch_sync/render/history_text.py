"""`history` for a terminal: what was run, when, how long it took and what it cost, within 80 columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from shbatch_sync.ledger import Entry
from shbatch_sync.past import Past, past_requests
from shbatch_sync.render.escape import one_line
from shbatch_sync.render.plan_text import Paint, no_paint

_NAME_WIDTH = 22


def render_history(entries: Sequence[Entry], paint: Paint = no_paint) -> str:
    """Return one row a request, oldest first, the sums of jobs with several, and the sum of all."""
    rows = past_requests(entries)
    width = max([*(min(len(row.job), _NAME_WIDTH) for row in rows), len("JOB")])
    header = (
        f"{'WHEN (UTC)':<16} {'JOB':<{width}} {'RUN':<5} {'STATE':<9} {'TOOK':>6} {'PU':>7} REQUEST"
    )
    lines = [paint(header, "bold")]
    for row in rows:
        lines += _lines(row, width)
    return "\n".join([*lines, "", *_sums(rows), paint(total_line(rows), "bold")])


def _lines(row: Past, width: int) -> list[str]:
    run = f"r{row.generation}" + (f".{row.attempt}" if row.attempt > 1 else "")
    cost = f"{row.cost_pu:,.0f}" if row.cost_pu is not None else ""
    request = one_line((row.request_id or "")[:8])
    rest = f"{run:<5} {one_line(row.state, 9):<9} {_duration(row.took):>6} {cost:>7} {request}"
    name, when = one_line(row.job), f"{row.begun:%Y-%m-%d %H:%M}"
    if len(name) <= width:
        return [f"{when} {name:<{width}} {rest}".rstrip()]
    return [f"{when} {name}", f"{'':<16} {'':<{width}} {rest}".rstrip()]


def _duration(took: timedelta | None) -> str:
    if took is None:
        return ""
    minutes = round(took.total_seconds() / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}"  # noqa: PLR2004 - an hour


def _sums(rows: Sequence[Past]) -> list[str]:
    """Return a line for each job that has run more than once."""
    costs: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row.cost_pu is not None:
            costs[row.job].append(row.cost_pu)
    return [
        f"{one_line(job)}: {len(paid)} runs, {sum(paid):,.0f} PU"
        for job, paid in sorted(costs.items())
        if len(paid) > 1
    ]


def total_line(rows: Sequence[Past]) -> str:
    """Return the sum over all requests."""
    jobs = {row.job for row in rows}
    ended = [row for row in rows if row.cost_pu is not None]
    total = sum(row.cost_pu or 0.0 for row in ended)
    return f"{len(rows)} requests of {len(jobs)} jobs, {len(ended)} ended, {total:,.0f} PU."
