"""How many tiles and pixels an area has in a tiling grid."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shbatch_sync.cost.area import bounds_geometry, to_lonlat
from shbatch_sync.cost.cover import Cover, degree_cover, laea_cover
from shbatch_sync.cost.crs import is_geographic
from shbatch_sync.cost.tilegrid import TileGrid, pixels_of, tile_grid
from shbatch_sync.cost.utm_cover import utm_cover

MAX_KNOWN = 4096
"""How many areas are remembered; their geometry is not, only the tiles."""

_HALF_TURN = 180.0
_KNOWN: dict[tuple[int, bytes], Cover] = {}
_COVERS: dict[str, Callable[[TileGrid, Any], Cover]] = {
    "degree": degree_cover,
    "laea": laea_cover,
    "utm": utm_cover,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiles:
    """The tiles that an area meets in a grid.

    Attributes:
        count: How many tiles the area reaches into.
        low: How many at least, where the service's rule is not published.
        high: How many at most: with tiles that are only touched.
        pixels_per_tile: Width and height, buffers included.
        inferred: What about the count rests on rules that are not published.
    """

    count: int
    low: int
    high: int
    pixels_per_tile: tuple[int, int]
    inferred: tuple[str, ...]
    _names: Callable[[], Iterator[str]] = field(repr=False, compare=False)

    @property
    def total_pixels(self) -> int:
        """Pixels of all tiles together."""
        width, height = self.pixels_per_tile
        return self.count * width * height

    def names(self) -> Iterator[str]:
        """Make the tiles' names, one at a time, in no particular order."""
        return self._names()


def count_tiles(
    grid_id: int,
    bounds: Mapping[str, Any],
    resolution: float,
    buffer_x: int = 0,
    buffer_y: int = 0,
) -> Tiles:
    """Count the tiles of a grid that an area meets; each distinct (area, grid) is worked out once.

    Args:
        grid_id: 0, 1, 2, 3, 6 or 7.
        bounds: `processRequest.input.bounds` of a request: bbox, geometry, properties.crs.
        resolution: Metres, or degrees for grid 3.
        buffer_x: Pixels added left and right of a tile.
        buffer_y: Pixels added above and below.

    Raises:
        AreaError: The grid is not known, or the area cannot be used.
    """
    grid = tile_grid(grid_id)
    pixels = pixels_of(grid, resolution, buffer_x, buffer_y)
    cover = _remembered(grid, bounds)
    return Tiles(
        count=cover.count,
        low=cover.low,
        high=cover.high,
        pixels_per_tile=pixels,
        inferred=cover.notes,
        _names=cover.names,
    )


def _digest(bounds: Mapping[str, Any]) -> bytes:
    text = json.dumps(bounds, sort_keys=True, default=_plain)
    return hashlib.blake2b(text.encode(), digest_size=20).digest()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else repr(value)


def _remembered(grid: TileGrid, bounds: Mapping[str, Any]) -> Cover:
    """Give the cover of an area, worked out if it is not among the last ones."""
    key = (grid.id, _digest(bounds))
    found = _KNOWN.get(key)
    if found is None:
        found = _cover(grid, bounds)
        if len(_KNOWN) >= MAX_KNOWN:
            _KNOWN.pop(next(iter(_KNOWN)))
        _KNOWN[key] = found
    return found


def _cover(grid: TileGrid, bounds: Mapping[str, Any]) -> Cover:
    polygon, epsg = bounds_geometry(bounds)
    lonlat = to_lonlat(polygon, epsg)
    cover = _COVERS[grid.family](grid, lonlat)
    west, _, east, _ = lonlat.bounds
    if east - west <= _HALF_TURN or not is_geographic(epsg):
        return cover
    note = (
        f"the area spans {east - west:.0f} degrees of longitude as it is written; "
        "to cross the antimeridian instead, split it there"
    )
    return replace(cover, notes=(*cover.notes, note))
