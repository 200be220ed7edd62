"""What a request costs on the emulated service: a plain estimate, the same for the same body.

Units a tile = pixels / 512² * bands / 3, a third of that above 10,000 pixels, at least 100 units a request; three
bands and one sample are taken for granted. Tiles are area over tile area, so the number is of the right order
and no more.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shbatch_sync.emulator.grids import Grid

MINIMUM = 100.0
_METRES_A_DEGREE = 111_320.0
_UNIT_PIXELS = 512 * 512
_BATCH_PIXELS = 10_000


def estimate(body: dict[str, Any], grids: Sequence[Grid]) -> float:
    """Return the price of an accepted body in PU."""
    chosen = body["input"]
    if chosen["type"] != "tiling-grid":
        return MINIMUM  # the features are in a file that is not here
    grid = next(grid for grid in grids if grid.id == chosen["id"])
    tiles = math.ceil(_square_metres(body["processRequest"]["input"]["bounds"]) / _tile_area(grid))
    side: float = grid.size / chosen["resolution"]
    pixels: float = (side + 2 * chosen.get("bufferX", 0)) * (side + 2 * chosen.get("bufferY", 0))
    discount = 3 if pixels > _BATCH_PIXELS else 1
    return round(max(MINIMUM, max(tiles, 1) * pixels / _UNIT_PIXELS / discount), 6)


def _tile_area(grid: Grid) -> float:
    side = grid.size * (_METRES_A_DEGREE if grid.unit == "DEGREE" else 1.0)
    return side * side


def _square_metres(bounds: dict[str, Any]) -> float:
    polygons = _polygons(bounds)
    area = sum(
        abs(_shoelace(rings[0])) - sum(abs(_shoelace(hole)) for hole in rings[1:])
        for rings in polygons
    )
    crs = bounds.get("properties", {}).get("crs", "CRS84")
    if not crs.endswith(("CRS84", "/4326")):
        return area
    latitudes = [point[1] for rings in polygons for point in rings[0]]
    middle = math.radians((min(latitudes) + max(latitudes)) / 2)
    return area * _METRES_A_DEGREE**2 * math.cos(middle)


def _polygons(bounds: dict[str, Any]) -> list[Any]:
    geometry = bounds.get("geometry")
    if geometry is None:
        west, south, east, north = bounds["bbox"]
        return [[[[west, south], [east, south], [east, north], [west, north], [west, south]]]]
    coordinates: list[Any] = geometry["coordinates"]
    return [coordinates] if geometry["type"] == "Polygon" else coordinates


def _shoelace(ring: list[list[float]]) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring)) / 2
