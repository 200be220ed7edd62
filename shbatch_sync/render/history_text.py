"""`history` for a terminal: what was run, how long it took, what it cost, and against what estimate; 80 columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta

from shbatch_sync.past import Past, Sums, by_job, sum_up
from shbatch_sync.plural import counted
from shbatch_sync.render.escape import one_line
from shbatch_sync.render.plan_text import Paint, no_paint

_NAME_WIDTH = 22
_COMPARED_WIDTH = 40
# Of an id, which tell it from others well enough to look for it.
_DIGITS = 8


def render_history(rows: Sequence[Past], paint: Paint = no_paint, *, verbose: bool = False) -> str:
    """Return one row a request, oldest first, the sums of jobs with several, the estimates, and the sum of all.

    With `verbose` ids are whole, which takes more than 80 columns.
    """
    width = max([*(min(len(row.job), _NAME_WIDTH) for row in rows), len("JOB")])
    header = (
        f"{'WHEN (UTC)':<16} {'JOB':<{width}} {'RUN':<5} {'STATE':<9} {'TOOK':>6} {'PU':>7} REQUEST"
    )
    lines = [paint(header, "bold")]
    for row in rows:
        lines += _lines(row, width, verbose=verbose)
    lines += ["", *_comparison(rows, paint), *_sums(rows), paint(total_line(rows), "bold")]
    return "\n".join(lines)


def _run(row: Past) -> str:
    return f"r{row.generation}" + (f".{row.attempt}" if row.attempt > 1 else "")


def _lines(row: Past, width: int, *, verbose: bool) -> list[str]:
    cost = f"{row.cost_pu:,.0f}" if row.cost_pu is not None else ""
    request = one_line((row.request_id or "")[: None if verbose else _DIGITS])
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
    sums = {job: sum_up(mine) for job, mine in by_job(rows).items()}
    return [
        f"{one_line(job)}: {one.ended} runs{_in(one)}, {one.cost_pu:,.0f} PU"
        for job, one in sums.items()
        if one.ended > 1
    ]


def _in(sums: Sums) -> str:
    return f", {_duration(sums.took)}" if sums.took else ""


def total_line(rows: Sequence[Past]) -> str:
    """Return the sum over all requests."""
    jobs, sums = {row.job for row in rows}, sum_up(rows)
    what = f"{counted(len(rows), 'request')} of {counted(len(jobs), 'job')}"
    return f"{what}, {sums.ended} ended{_in(sums)}, {sums.cost_pu:,.0f} PU."
