"""`render`: the jobs as they would be posted, secrets as references, every value with its place."""

from __future__ import annotations

import click

from shbatch_sync.cli.output import Output, format_option, speaking
from shbatch_sync.cli.selection import Selection, selecting
from shbatch_sync.cli.workspace import open_workspace
from shbatch_sync.errors import ExitCode


@click.command("render")
@selecting
@format_option("yaml", "json")
@speaking
def command(output: Output, selection: Selection, style: str) -> int:
    """Print the jobs as they would be posted, and where each value was written; needs no network."""
    from shbatch_sync.expanded import expanded  # noqa: PLC0415

    workspace = open_workspace(output, selection)
    written = [
        expanded(one, workspace.target)
        for one in workspace.loaded.declarations
        if one.job.target == workspace.target.name
        and (workspace.selected is None or one.job.name in workspace.selected)
    ]
    if style == "json":
        output.json([{"job": dict(one.data), "places": dict(one.places)} for one in written])
        return ExitCode.OK
    from shbatch_sync.render.job_yaml import render_job  # noqa: PLC0415

    output.result("\n---\n".join(render_job(one.data, one.places) for one in written))
    return ExitCode.OK
