"""`estimate` for a terminal and for a review: one row a job, what the figures rest on below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from shbatch_sync.cost.price import Estimate
from shbatch_sync.plural import counted
from shbatch_sync.render.escape import one_line
from shbatch_sync.render.plan_text import Paint, no_paint, wrapped

_NAME_WIDTH = 28


def render_estimates(
    prices: Mapping[str, Estimate],
    past: Mapping[str, tuple[float, float]],
    paint: Paint = no_paint,
    *,
    verbose: bool = False,
) -> str:
    """Return the table; with `verbose` every assumption below its job, else each once at the end.

    Args:
        prices: Job → estimate.
        past: Job → (estimated, real) PU, of those that are done.
        paint: Adds colour.
        verbose: Whether each job's assumptions stand below it.
    """
    width = max([*(min(len(name), _NAME_WIDTH) for name in prices), len("JOB")])
    header = f"{'JOB':<{width}}  {'TILES':>7} {'PU':>9} {'LOW':>9} {'HIGH':>9}"
    header += f" {'REAL':>9}" if past else ""
    lines = [paint(header, "bold")]
    for name, price in prices.items():
        cells = f"{_number(price.tiles):>7} {_number(price.pu):>9} {_number(price.low):>9} {_number(price.high):>9}"
        if past:
            cells += f" {_number(past[name][1]) if name in past else '':>9}"
        label = one_line(name)
        lines += (
            [f"{label:<{width}}  {cells}"]
            if len(label) <= width
            else [label, f"{'':<{width}}  {cells}"]
        )
        if verbose:
            lines += [line for note in price.assumptions for line in wrapped(note)]
    if not verbose:
        lines += _shared(prices)
    lines += ["", paint(total_line(prices), "bold")]
    if past:
        guessed, real = (sum(pair[side] for pair in past.values()) for side in (0, 1))
        lines.append(
            f"{len(past)} of them {'is' if len(past) == 1 else 'are'} done: estimated {guessed:,.0f} PU, cost {real:,.0f} PU ({real / guessed:.2f})."
        )
    return "\n".join(lines)


def _shared(prices: Mapping[str, Estimate]) -> list[str]:
    counts = Counter(note for price in prices.values() for note in price.assumptions)
    if not counts:
        return []
    lines = ["", "These figures rest on:"]
    for note, count in counts.most_common():
        lines += wrapped(f"{note} ({count} job{'s' if count > 1 else ''})")
    return lines


def total_line(prices: Mapping[str, Estimate]) -> str:
    """Return the sum over all jobs, and how many of them cannot be told."""
    known = [price for price in prices.values() if price.pu is not None]
    unknown = len(prices) - len(known)
    words = f"{counted(len(prices), 'job')}: about {sum(price.pu or 0 for price in known):,.0f} PU"
    return f"{words}; {unknown} cannot be told." if unknown else f"{words}."


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:,.0f}"


def markdown_estimates(prices: Mapping[str, Estimate]) -> str:
    """Return the table as markdown."""
    rows = [
        f"| `{one_line(name)}` | {_number(price.tiles)} | {_number(price.pu)} | {_number(price.low)} "
        f"| {_number(price.high)} |"
        for name, price in prices.items()
    ]
    return "\n".join(
        [
            "| job | tiles | PU | low | high |",
            "|---|--:|--:|--:|--:|",
            *rows,
            "",
            total_line(prices),
        ]
    )
