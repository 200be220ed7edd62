"""Which tiles of a grid an area meets.

A tile counts if the area reaches more than a metre into it; one that is only touched is in `high`. Near zone borders
tiles of both zones count if they reach into their own zone; `low` leaves out those that meet the area only beyond it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from shbatch_sync.cost.area import MAX_POINTS, STEP_DEGREES, turned_copies
from shbatch_sync.cost.crs import LONLAT, project
from shbatch_sync.cost.tilegrid import TileGrid

METRE = 1.0
METRE_IN_DEGREES = 1e-5

LAEA = 3035
_EVERYWHERE = (-math.inf, -math.inf, math.inf, math.inf)
_WORLD = (-180.0, -90.0, 180.0, 90.0)
_EUROPE = (-45.0, 25.0, 65.0, 85.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """The tiles that an area meets.

    Attributes:
        count: How many.
        low: At least, whatever the service's unpublished rules are.
        high: With tiles that are only touched.
        names: Makes their names, one at a time.
        notes: What about the count is inferred.
    """

    count: int
    low: int
    high: int
    names: Callable[[], Iterator[str]]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Boxes:
    """Square cells as arrays of their south-west corners, all of one size."""

    x: Any
    y: Any
    size: float

    def grown(self, by: float) -> Any:
        """Make polygons, each side moved outward by `by`."""
        import shapely  # noqa: PLC0415 - only areas need it

        west, south = self.x - by, self.y - by
        return shapely.box(west, south, self.x + self.size + by, self.y + self.size + by)


def _inside(starts: Any, within: tuple[float, ...], axis: int) -> Any:
    return (starts >= within[axis]) & (starts < within[axis + 2])


def cells_met(
    area: Any, size: float, margin: float, within: tuple[float, ...] = _EVERYWHERE
) -> tuple[Any, int]:
    """Find the cells of a grid of multiples of `size` that an area meets.

    Args:
        area: A polygon.
        size: Side of a cell.
        margin: An overlap smaller than this is only a touch.
        within: West, south, east and north end of the grid.

    Returns:
        An array of (column, row), and the number of further cells that are only touched.
    """
    import numpy as np  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    west, south, east, north = area.bounds
    columns = np.arange((west - margin) // size, (east + margin) // size + 1)
    rows = np.arange((south - margin) // size, (north + margin) // size + 1)
    columns, rows = (
        columns[_inside(columns * size, within, 0)],
        rows[_inside(rows * size, within, 1)],
    )
    grid = np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2)
    boxes = Boxes(grid[:, 0] * size, grid[:, 1] * size, size)
    shapely.prepare(area)
    touched = shapely.intersects(area, boxes.grown(margin))
    met = np.zeros(len(grid), dtype=bool)
    near = Boxes(boxes.x[touched], boxes.y[touched], size)
    met[touched] = shapely.intersects(area, near.grown(-margin))
    return grid[met], int(touched.sum() - met.sum())


def touched_note(touched: int) -> tuple[str, ...]:
    """Say how many tiles are only touched; whether the service counts them is not published."""
    if not touched:
        return ()
    note = (
        f"{touched} more tiles only touch the area and are in the high figure alone; "
        "an area drawn a little smaller is sure not to pay for them"
    )
    return (note,)


def degree_cover(grid: TileGrid, area: Any) -> Cover:
    """Find the tiles of the one degree grid."""
    import shapely  # noqa: PLC0415

    world = shapely.box(*_WORLD)
    inside = shapely.union_all([copy.intersection(world) for copy in turned_copies(area)])
    cells, touched = cells_met(inside, grid.size, METRE_IN_DEGREES, _WORLD)

    def names() -> Iterator[str]:
        for west, south in cells.astype(int):
            ns, ew = "S" if south < 0 else "N", "W" if west < 0 else "E"
            yield f"{ns}{abs(south):02d}{ew}{abs(west):03d}"

    return _cover(len(cells), touched, names)


def _cover(count: int, touched: int, names: Callable[[], Iterator[str]], *notes: str) -> Cover:
    every = (*notes, *touched_note(touched))
    return Cover(count=count, low=count, high=count + touched, names=names, notes=every)


def laea_cover(grid: TileGrid, area: Any) -> Cover:
    """Find the tiles of a LAEA grid, which covers Europe only."""
    import shapely  # noqa: PLC0415

    europe = shapely.box(*_EUROPE)
    copies = turned_copies(area)
    inside = shapely.union_all([copy.intersection(europe) for copy in copies])
    outside = sum(copy.area for copy in copies) > inside.area * (1 + 1e-9)
    notes = ("parts of the area outside Europe have no LAEA tile",) if outside else ()
    if inside.is_empty:
        return _cover(0, 0, lambda: iter(()), *grid.notes, *notes)
    plane = project(densified(inside), LONLAT, LAEA)
    cells, touched = cells_met(plane, grid.size, METRE)
    step = int(grid.size // 1000)

    def names() -> Iterator[str]:
        for column, row in cells.astype(int):
            yield f"E{column * step:04d}N{row * step:04d}"

    return _cover(len(cells), touched, names, *grid.notes, *notes)


def densified(area: Any) -> Any:
    """Put vertices along edges, so that they stay where they are when projected."""
    import shapely  # noqa: PLC0415

    return shapely.segmentize(area, max(STEP_DEGREES, area.length / MAX_POINTS))
