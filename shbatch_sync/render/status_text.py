"""`status` for a terminal: one row a job within 80 columns, results and errors below where there are any."""

from __future__ import annotations

from collections.abc import Sequence

from shbatch_sync.plural import counted
from shbatch_sync.render.escape import one_line
from shbatch_sync.render.plan_text import Paint, no_paint, wrapped
from shbatch_sync.standing import Standing

_NAME_WIDTH = 28
_STATE_WIDTH = 14
_COLUMNS = 80
_COLOURS = {
    "done": "green",
    "done earlier": "green",
    "failed": "red",
    "failed earlier": "red",
    "stopped": "red",
    "stopped earlier": "red",
    "processing": "cyan",
}


def render_status(
    rows: Sequence[Standing], paint: Paint = no_paint, *, verbose: bool = False
) -> str:
    """Return the table; with `verbose` also each request's id and where its results are."""
    width = min(max((len(row.job) for row in rows), default=0), _NAME_WIDTH)
    width = max(width, len("JOB"))
    lines = [paint(f"{'JOB':<{width}}  {'STATE':<{_STATE_WIDTH}} {'%':>4} {'PU':>9}  NEXT", "bold")]
    for row in rows:
        lines += _row(row, width, paint, verbose=verbose)
    return "\n".join([*lines, "", paint(_sums(rows), "bold")])


def _row(row: Standing, width: int, paint: Paint, *, verbose: bool) -> list[str]:
    progress = f"{row.progress:.0f}" if row.progress is not None else ""
    cost = f"{row.cost_pu:,.0f}" if row.cost_pu is not None else ""
    state = paint(f"{row.state:<{_STATE_WIDTH}}", _COLOURS.get(row.state, "reset"))
    room = _COLUMNS - width - _STATE_WIDTH - 19
    fits = len(one_line(row.next)) <= room
    rest = f"  {state} {progress:>4} {cost:>9}  {one_line(row.next) if fits else ''}".rstrip()
    name = one_line(row.job)
    # A name is never cut: one that is too long has a line of its own.
    lines = (
        [f"{name:<{width}}{rest}".rstrip()]
        if len(name) <= width
        else [name, f"{'':<{width}}{rest}".rstrip()]
    )
    if not fits:
        lines += wrapped(f"next: {row.next}", indent="    ")
    if row.error:
        lines.append(paint(f"    error: {one_line(row.error)}", "red"))
    if row.stop_reason:
        lines.append(f"    stopped: {one_line(row.stop_reason)}")
    if verbose:
        lines += [f"    {one_line(text)}" for text in (row.request_id, row.results) if text]
    return lines


def _sums(rows: Sequence[Standing]) -> str:
    total = sum(row.cost_pu or 0.0 for row in rows)
    states: dict[str, int] = {}
    for row in rows:
        states[row.state] = states.get(row.state, 0) + 1
    words = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    return f"{counted(len(rows), 'job')}: {words or 'none'}. {total:,.0f} PU."
