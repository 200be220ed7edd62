"""`estimate`: tiles and processing units of every job, offline."""

from __future__ import annotations

import os
from collections.abc import Mapping

import click

from shbatch_sync.cli.output import Output, format_option, into_option, speaking, verbose_option
from shbatch_sync.cli.selection import Selection, selecting
from shbatch_sync.cli.workspace import open_workspace
from shbatch_sync.cost.price import Estimate
from shbatch_sync.errors import ExitCode


@click.command("estimate")
@selecting
@format_option("text", "json", "markdown")
@into_option
@verbose_option("Every job with what its price assumes.")
@speaking
def command(output: Output, selection: Selection, style: str, into: str | None) -> int:
    """Estimate tiles and processing units of every job, before anything exists; needs no network."""
    from shbatch_sync.cost.calibration import below_minimum  # noqa: PLC0415
    from shbatch_sync.pricing import past_prices  # noqa: PLC0415
    from shbatch_sync.render.estimate_text import markdown_estimates, render_estimates  # noqa: PLC0415
    from shbatch_sync.session import open_ledger  # noqa: PLC0415
    from shbatch_sync.workspace import memory_of, prices_of  # noqa: PLC0415

    workspace = open_workspace(output, selection)
    chosen = [
        job
        for job in workspace.jobs
        if workspace.selected is None or job.name in workspace.selected
    ]
    with open_ledger(workspace.project, workspace.target, os.environ) as ledger:
        prices = dict(prices_of(workspace, chosen, ledger))
        past = past_prices(chosen, memory_of(workspace, ledger))
    output.save(into, lambda: _document(prices, past))
    match style:
        case "json":
            output.json(_document(prices, past))
        case "markdown":
            output.result(markdown_estimates(prices))
        case _:
            output.result(render_estimates(prices, past, output.paint, verbose=output.verbose > 0))
    if (warning := below_minimum(prices.values())) is not None:
        output.say(f"warning: {warning}")
    return ExitCode.OK


def _document(
    prices: Mapping[str, Estimate], past: Mapping[str, tuple[float, float]]
) -> dict[str, object]:
    from shbatch_sync.planfile import estimate_to_json  # noqa: PLC0415

    known = [price for price in prices.values() if price.pu is not None]
    return {
        "formatVersion": "1.0",
        "jobs": [
            {
                "job": name,
                "estimate": estimate_to_json(price),
                "realPU": past[name][1] if name in past else None,
            }
            for name, price in prices.items()
        ],
        "total": {
            "pu": sum(price.pu or 0.0 for price in known),
            "low": sum(price.low for price in prices.values()),
            "high": None
            if any(p.high is None for p in prices.values())
            else sum(p.high or 0 for p in prices.values()),
            "unknown": len(prices) - len(known),
        },
    }
