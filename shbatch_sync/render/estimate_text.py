"""`estimate` for a terminal and for a review: one row a job, what the figures rest on below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from shbatch_sync.cost.price import Estimate
from shbatch_sync.render.escape import one_line
from shbatch_sync.render.plan_text import Paint, no_paint, wrapped

_NAME_WIDTH = 38


def render_estimates(
    prices: Mapping[str, Estimate], paint: Paint = no_paint, *, verbose: bool = False
) -> str:
    """Return the table; with `verbose` every assumption below its job, else each once at the end."""
    width = max([*(min(len(name), _NAME_WIDTH) for name in prices), len("JOB")])
    lines = [paint(f"{'JOB':<{width}}  {'TILES':>7} {'PU':>9} {'LOW':>9} {'HIGH':>9}", "bold")]
    for name, price in prices.items():
        cells = f"{_number(price.tiles):>7} {_number(price.pu):>9} {_number(price.low):>9} {_number(price.high):>9}"
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
    return "\n".join([*lines, "", paint(total_line(prices), "bold")])


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
    words = f"{len(prices)} jobs: about {sum(price.pu or 0 for price in known):,.0f} PU"
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
