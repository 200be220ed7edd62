"""`input`: a tiling grid or a GeoPackage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shbatch_sync.emulator.checks.storage import check_storage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shbatch_sync.emulator.checks.shape import Node
    from shbatch_sync.emulator.grids import Grid

KINDS = frozenset({"tiling-grid", "geopackage"})
_MOST_PIXELS = 3500
_INT16 = 32767


def check_source(parent: Node, grids: Sequence[Grid]) -> tuple[Grid, float] | None:
    """Check `input`; return grid and resolution if it is a grid and they can be read."""
    source = parent.object("input", required=True)
    if source is None:
        return None
    kind = source.choice("type", KINDS, required=True)
    if kind == "tiling-grid":
        return _check_grid(source, grids)
    if kind == "geopackage":
        check_storage(source, "features")
        _check_defaults(source)
    return None


def _check_grid(source: Node, grids: Sequence[Grid]) -> tuple[Grid, float] | None:
    for key in ("bufferX", "bufferY"):
        source.number(key, 0, _INT16, whole=True)
    grid_id = source.number("id", required=True, whole=True)
    resolution = source.number("resolution", required=True)
    if grid_id is None or resolution is None:
        return None
    grid = next((grid for grid in grids if grid.id == grid_id), None)
    if grid is None:
        known = ", ".join(str(one.id) for one in grids)
        source.blame("id", f"{grid_id:.0f} is not a tiling grid ({known})")
        return None
    if resolution not in grid.resolutions:
        known = ", ".join(f"{one:g}" for one in sorted(grid.resolutions))
        source.blame("resolution", f"{resolution:g} is not one of tiling grid {grid.id} ({known})")
        return None
    return grid, resolution


def _check_defaults(source: Node) -> None:
    defaults = source.object("defaults")
    if defaults is None:
        return
    sides = [
        defaults.number(key, 1, _MOST_PIXELS, whole=True)
        for key in ("width", "height")
        if defaults.has(key)
    ]
    resolution = defaults.number("resolution")
    if resolution is not None and resolution <= 0:
        defaults.blame("resolution", "must be above 0")
    if sides and defaults.has("resolution"):
        defaults.fault("has both a size and a resolution; give one")
    elif len(sides) == 1:
        defaults.fault("needs both width and height")
