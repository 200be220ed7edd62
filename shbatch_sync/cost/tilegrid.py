"""The tiling grids of the service: sizes, layouts and pixels of a tile.

Sizes as the service lists them (Batch V2 API, tilinggrids). Where a layout is not published it is inferred, and said
so in `notes`.
"""

from __future__ import annotations

from dataclasses import dataclass

from shbatch_sync.cost.crs import AreaError


@dataclass(frozen=True, slots=True, kw_only=True)
class TileGrid:
    """One tiling grid.

    Attributes:
        id: The service's number.
        family: utm, degree or laea.
        size: Width and height of a tile, in metres, or in degrees for the degree grid.
        per_square: Tiles along the side of a 100 km square, for UTM grids.
        snap: Corners of squares are moved outward to multiples of this, as Sentinel-2's tiles are; 1 leaves them.
        end: Largest distance from the equator that tiles reach, in metres, for UTM grids.
        notes: What about it is inferred.
    """

    id: int
    family: str
    size: float
    per_square: int = 1
    snap: int = 1
    end: int = 0
    notes: tuple[str, ...] = ()


_LAEA_NOTES = (
    "LAEA tiles are taken to lie at whole multiples of their size; their names are our own",
)
_GRIDS = (
    TileGrid(
        id=0,
        family="utm",
        size=20_040,
        per_square=5,
        snap=60,
        end=8_960_000,
        notes=("how 20 km tiles lie in their 100 km square is inferred",),
    ),
    TileGrid(id=1, family="utm", size=10_000, per_square=10, end=8_950_000),
    TileGrid(id=2, family="utm", size=100_080, snap=60, end=9_000_100),
    TileGrid(id=3, family="degree", size=1.0),
    TileGrid(id=6, family="laea", size=100_000, notes=_LAEA_NOTES),
    TileGrid(id=7, family="laea", size=20_000, notes=_LAEA_NOTES),
)
GRIDS = {grid.id: grid for grid in _GRIDS}


def tile_grid(grid_id: int) -> TileGrid:
    """Give a grid by its number.

    Raises:
        AreaError: The service has no such grid.
    """
    grid = GRIDS.get(grid_id)
    if grid is None:
        known = ", ".join(map(str, GRIDS))
        message = f"tiling grid {grid_id} is not known here (known: {known})"
        raise AreaError(message)
    return grid


def pixels_of(
    grid: TileGrid, resolution: float, buffer_x: int = 0, buffer_y: int = 0
) -> tuple[int, int]:
    """Give width and height of a tile in pixels; a buffer is added on both sides.

    Raises:
        AreaError: The resolution or a buffer makes no tile.
    """
    if not resolution > 0 or not grid.size / resolution <= 1_000_000:  # noqa: PLR2004 - sanity
        message = f"{resolution:g} is no resolution"
        raise AreaError(message)
    side = round(grid.size / resolution)
    width, height = side + 2 * buffer_x, side + 2 * buffer_y
    if width < 1 or height < 1:
        message = f"a tile of {width} x {height} pixels is none"
        raise AreaError(message)
    return width, height
