"""`show`: a saved plan, in any format; needs no network and no credentials."""

from __future__ import annotations

import click

from shbatch_sync.cli.output import Output, format_option, speaking
from shbatch_sync.cli.plan import FORMATS, show
from shbatch_sync.cli.saved import open_plan
from shbatch_sync.errors import ExitCode


@click.command("show")
@click.argument("path", metavar="PLAN", type=click.Path())
@format_option(*FORMATS)
@speaking
def command(output: Output, path: str, style: str) -> int:
    """Print a saved plan; needs no network."""
    saved = open_plan(output, path)
    if style == "json":
        output.json(dict(saved.document))
    else:
        show(output, saved.plan, style)
    return ExitCode.OK
