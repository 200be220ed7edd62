"""`grids`: the tiling grids that the service offers."""

from __future__ import annotations

import os
from typing import Any

import click

from shbatch_sync.cli.output import Output, format_option, speaking
from shbatch_sync.cli.selection import target_option
from shbatch_sync.cli.workspace import named_target
from shbatch_sync.errors import ExitCode
from shbatch_sync.render.escape import one_line


@click.command("grids")
@target_option
@format_option("text", "json")
@speaking
def command(output: Output, target: str | None, style: str) -> int:
    """List the tiling grids of a target: ids, tile sizes and resolutions."""
    from pathlib import Path  # noqa: PLC0415

    from shbatch_sync.session import open_session  # noqa: PLC0415
    from shbatch_sync.store.project import find_project, load_project  # noqa: PLC0415

    project = load_project(find_project(Path(output.directory)))
    with open_session(project, named_target(project, target), os.environ) as session:
        grids = list(session.client.iter_tiling_grids())
    if style == "json":
        output.json(grids)
    else:
        output.result(
            "\n".join([f"{'ID':>3}  {'NAME':<20} {'TILE':>9}  RESOLUTIONS", *map(_row, grids)])
        )
    return ExitCode.OK


def _row(grid: dict[str, Any]) -> str:
    properties = grid.get("properties") or {}
    unit = "°" if properties.get("unit") == "DEGREE" else " m"
    resolutions = ", ".join(f"{value:g}" for value in sorted(properties.get("resolutions") or []))
    name = one_line(str(grid.get("name")), 20)
    tile = f"{properties.get('tileWidth', 0):g}{unit}"
    return f"{grid.get('id')!s:>3}  {name:<20} {tile:>9}  {resolutions}{unit}"
