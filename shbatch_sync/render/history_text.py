"""`history` for a terminal: what was run, how long it took, what it cost, and against what estimate; 80 columns."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from shbatch_sync.past import Past
from shbatch_sync.plural import counted
from shbatch_sync.render.escape import one_line
from shbatch_sync.render.plan_text import Paint, no_paint

_NAME_WIDTH = 22
_COMPARED_WIDTH = 40


def render_history(rows: Sequence[Past], paint: Paint = no_paint) -> str:
    """Return one row a request, oldest first, the sums of jobs with several, the estimates, and the sum of all."""
    width = max([*(min(len(row.job), _NAME_WIDTH) for row in rows), len("JOB")])
    header = (
        f"{'WHEN (UTC)':<16} {'JOB':<{width}} {'RUN':<5} {'STATE':<9} {'TOOK':>6} {'PU':>7} REQUEST"
    )
    lines = [paint(header, "bold")]
    for row in rows:
        lines += _lines(row, width)
    lines += ["", *_comparison(rows, paint), *_sums(rows), paint(total_line(rows), "bold")]
    return "\n".join(lines)


def _run(row: Past) -> str:
    return f"r{row.generation}" + (f".{row.attempt}" if row.attempt > 1 else "")


def _lines(row: Past, width: int) -> list[str]:
    cost = f"{row.cost_pu:,.0f}" if row.cost_pu is not None else ""
    request = one_line((row.request_id or "")[:8])
    rest = (
        f"{_run(row):<5} {one_line(row.state, 9):<9} {_duration(row.took):>6} {cost:>7} {request}"
    )
    name, when = one_line(row.job), f"{row.begun:%Y-%m-%d %H:%M}"
    if len(name) <= width:
        return [f"{when} {name:<{width}} {rest}".rstrip()]
    return [f"{when} {name}", f"{'':<16} {'':<{width}} {rest}".rstrip()]


def _duration(took: timedelta | None) -> str:
    if took is None:
        return ""
    minutes = round(took.total_seconds() / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}"  # noqa: PLR2004 - an hour


def _comparison(rows: Sequence[Past], paint: Paint) -> list[str]:
    """Return cost against estimate, job by job and oldest first, of the requests that there is an estimate for."""
    known = sorted((row for row in rows if row.estimate), key=lambda row: (row.job, row.begun))
    if not known:
        return []
    width = max([*(min(len(row.job), _COMPARED_WIDTH) for row in known), len("JOB")])
    header = f"{'JOB':<{width}} {'RUN':<5} {'BEGUN':<10} {'ESTIMATE':>8} {'PU':>7} RATIO"
    lines = [paint(header, "bold")]
    before = None
    for row in known:
        name = "" if before is not None and before.job == row.job else one_line(row.job)
        if len(name) > width:
            lines.append(name)
            name = ""
        lines.append(f"{name:<{width}} {_against(row)}".rstrip())
        before = row
    told = [row for row in known if row.ratio is not None]
    if len(told) > 1:
        lines.append(_together(told))
    return [*lines, ""]


def _against(row: Past) -> str:
    guess = row.estimate.pu if row.estimate is not None else None
    words = "?" if guess is None else f"{guess:,.0f}"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    return f"{_run(row):<5} {row.begun:%Y-%m-%d} {words:>8} {row.cost_pu or 0:>7,.0f} {ratio:>5}"


def _together(rows: Sequence[Past]) -> str:
    guess = math.fsum(row.estimate.pu or 0.0 for row in rows if row.estimate is not None)
    real = math.fsum(row.cost_pu or 0.0 for row in rows)
    return f"Estimated {guess:,.0f} PU, cost {real:,.0f} PU: {real / guess:.2f} times as much."


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
    what = f"{counted(len(rows), 'request')} of {counted(len(jobs), 'job')}"
    return f"{what}, {len(ended)} ended, {total:,.0f} PU."
