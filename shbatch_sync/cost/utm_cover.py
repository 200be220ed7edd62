"""Tiles of the UTM grids: zone by zone, 100 km square by square, tile by tile at the edges only."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shbatch_sync.cost.area import turned_copies
from shbatch_sync.cost.cover import METRE, Boxes, Cover, densified, touched_note
from shbatch_sync.cost.crs import LONLAT, project
from shbatch_sync.cost.mgrs import (
    SQUARE,
    ZONES,
    central_meridian,
    reach,
    square_name,
    utm_epsg,
    zone_region,
)
from shbatch_sync.cost.tilegrid import TileGrid

_END = 81.5  # no grid has a tile beyond
_METRES_PER_DEGREE = 111_320.0
_ENDS_AT = 80.0


@dataclass(frozen=True, slots=True, eq=False)
class ZoneTiles:
    """The tiles of one zone.

    Attributes:
        squares: (column, row) of squares that lie wholly inside the area.
        tiles: (column, row, tile column, tile row) of single tiles in other squares.
        low: How many single tiles are certain.
        touched: How many more are only touched.
    """

    zone: int
    squares: Any
    tiles: Any
    low: int
    touched: int


def utm_cover(grid: TileGrid, area: Any) -> Cover:
    """Find the tiles of a UTM grid that an area in longitude and latitude meets."""
    found = [hits for zone in ZONES if (hits := _zone_tiles(grid, area, zone)) is not None]
    whole = sum(len(hits.squares) for hits in found) * grid.per_square**2
    count = whole + sum(len(hits.tiles) for hits in found)
    low = whole + sum(hits.low for hits in found)
    touched = sum(hits.touched for hits in found)

    def names() -> Iterator[str]:
        for hits in found:
            yield from _names(grid, hits)

    notes = (*grid.notes, *_notes(count, low, area), *touched_note(touched))
    return Cover(count=count, low=low, high=count + touched, names=names, notes=notes)


def _notes(count: int, low: int, area: Any) -> tuple[str, ...]:
    notes: tuple[str, ...] = ()
    if low < count:
        notes = (
            "the area reaches over a UTM zone border; which tiles the service drops there is not published",
        )
    if max(abs(area.bounds[1]), abs(area.bounds[3])) > _ENDS_AT:
        notes += ("where the grid ends, beyond 80 degrees, is inferred",)
    return notes


def _zone_tiles(grid: TileGrid, area: Any, zone: int) -> ZoneTiles | None:
    part = _zone_part(grid, area, zone)
    if part is None:
        return None
    import numpy as np  # noqa: PLC0415 - only areas need it
    import shapely  # noqa: PLC0415

    region = zone_region(zone)
    shapely.prepare(part)
    squares = _squares_near(part)
    envelopes = _boxes(grid, squares, grid.per_square)
    met = shapely.intersects(part, envelopes.grown(METRE))
    squares = squares[met]
    envelopes = Boxes(envelopes.x[met], envelopes.y[met], envelopes.size)
    outlines = envelopes.grown(METRE)
    whole = shapely.contains_properly(region, outlines) & shapely.contains_properly(part, outlines)
    whole &= np.maximum(abs(envelopes.y), abs(envelopes.y + envelopes.size)) <= grid.end
    single = squares[~whole]
    if len(single) == 0:
        return ZoneTiles(zone, squares[whole], np.empty((0, 4)), 0, 0)
    return _edge_tiles(grid, zone, part, squares[whole], single)


def _edge_tiles(grid: TileGrid, zone: int, part: Any, whole: Any, squares: Any) -> ZoneTiles:
    """Test the tiles of squares that the area or the zone covers in part only."""
    import numpy as np  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    region, side = zone_region(zone), grid.per_square
    offsets = np.stack(np.meshgrid(range(side), range(side)), axis=-1).reshape(-1, 2)
    tiles = np.hstack((np.repeat(squares, side**2, axis=0), np.tile(offsets, (len(squares), 1))))
    boxes = _boxes(grid, tiles, 1)
    there = np.maximum(abs(boxes.y), abs(boxes.y + boxes.size)) <= grid.end
    there &= shapely.intersects(part, boxes.grown(METRE))
    there &= shapely.intersects(region, boxes.grown(-METRE))
    tiles, boxes = tiles[there], Boxes(boxes.x[there], boxes.y[there], boxes.size)
    inner = boxes.grown(-METRE)
    met = shapely.intersects(part, inner)
    certain = shapely.contains_properly(region, inner) & met
    if certain.sum() < met.sum():
        own = shapely.intersection(part, region)
        shapely.prepare(own)
        certain |= met & shapely.intersects(own, inner)
    return ZoneTiles(zone, whole, tiles[met], int(certain.sum()), len(tiles) - int(met.sum()))


def _zone_part(grid: TileGrid, area: Any, zone: int) -> Any:
    """Give the part of an area near a zone, in the zone's coordinates; None if there is none."""
    import shapely  # noqa: PLC0415

    _, south, _, north = area.bounds
    farthest = min(_END, max(abs(south), abs(north)))
    beyond = 1.05 * grid.size / (_METRES_PER_DEGREE * math.cos(math.radians(farthest))) + 0.01
    middle, width = central_meridian(zone), reach(zone, north) + beyond
    window = shapely.box(middle - width, -_END, middle + width, _END)
    near = [_clipped(copy, window) for copy in turned_copies(area, middle, width)]
    near = [part for part in near if not part.is_empty]
    if not near:
        return None
    joined = near[0] if len(near) == 1 else shapely.union_all(near)
    return project(densified(joined), LONLAT, utm_epsg(zone))


def _clipped(area: Any, window: Any) -> Any:
    import shapely  # noqa: PLC0415

    west, south, east, north = area.bounds
    left, bottom, right, top = window.bounds
    if west >= left and east <= right and south >= bottom and north <= top:
        return area
    made = shapely.intersection(area, window)
    if made.geom_type in ("Polygon", "MultiPolygon"):
        return made
    return shapely.union_all([part for part in shapely.get_parts(made) if part.area > 0])


def _squares_near(part: Any) -> Any:
    import numpy as np  # noqa: PLC0415

    west, south, east, north = part.bounds
    margin = 200.0  # tiles of snapped grids reach this far out of their square
    columns = np.arange(max(1, (west - margin) // SQUARE), min(8, (east + margin) // SQUARE) + 1)
    rows = np.arange((south - margin) // SQUARE, (north + margin) // SQUARE + 1)
    return np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2).astype(int)


def _boxes(grid: TileGrid, cells: Any, side: int) -> Boxes:
    """Give the boxes of tiles (column, row, tile column, tile row), or of whole squares `side` tiles wide."""
    import numpy as np  # noqa: PLC0415

    west = np.floor(cells[:, 0] * SQUARE / grid.snap) * grid.snap
    top = np.ceil((cells[:, 1] + 1) * SQUARE / grid.snap) * grid.snap
    if side == 1 and cells.shape[1] > 2:  # noqa: PLR2004 - tiles rather than squares
        west = west + cells[:, 2] * grid.size
        top = top - cells[:, 3] * grid.size
    size = side * grid.size
    return Boxes(west, top - size, size)


def _names(grid: TileGrid, hits: ZoneTiles) -> Iterator[str]:
    squares = _square_names(hits.zone, hits.squares)
    side = range(grid.per_square)
    for name in squares:
        yield from (f"{name}_{column}_{row}" for row in side for column in side)
    singles = _square_names(hits.zone, hits.tiles[:, :2])
    for name, (column, row) in zip(singles, hits.tiles[:, 2:].astype(int), strict=True):
        yield f"{name}_{column}_{row}"


def _square_names(zone: int, squares: Any) -> list[str]:
    import numpy as np  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    if len(squares) == 0:
        return []
    middles = shapely.points((np.asarray(squares, dtype=float) + 0.5) * SQUARE)
    latitudes = shapely.get_coordinates(project(middles, utm_epsg(zone), LONLAT))[:, 1]
    return [
        square_name(zone, int(column), int(row), float(latitude))
        for (column, row), latitude in zip(squares, latitudes, strict=True)
    ]
