"""The tiling grids of the service, as its documentation and its own list had them in 2026."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """One tiling grid.

    Attributes:
        id: Its number in the API.
        name: What people call it.
        tile: Width and height of a tile, in `unit`.
        resolutions: Those that the documentation or the service's list names, in `unit`.
        doubtful: Resolutions that the documentation names with a footnote and the service does not list.
        unit: `metre` or `degree`.
        zarr: Whether Zarr output is possible: all tiles in one CRS.
    """

    id: int
    name: str
    tile: float
    resolutions: tuple[float, ...]
    doubtful: tuple[float, ...] = ()
    unit: str = "metre"
    zarr: bool = False

    def has(self, resolution: float) -> bool:
        """Return whether `resolution` is one of the grid's own."""
        return _among(resolution, self.resolutions)

    def may_have(self, resolution: float) -> bool:
        """Return whether `resolution` is one that the documentation and the service disagree about."""
        return _among(resolution, self.doubtful)

    def pixels(self, resolution: float) -> int:
        """Return how many pixels wide and high a tile is, without a buffer."""
        return round(self.tile / resolution)


def _among(value: float, known: tuple[float, ...]) -> bool:
    return any(math.isclose(value, other, rel_tol=1e-9) for other in known)


GRIDS: Mapping[int, Grid] = {
    grid.id: grid
    for grid in (
        Grid(id=0, name="UTM 20 km", tile=20040, resolutions=(10, 20, 60), doubtful=(30,)),
        Grid(id=1, name="UTM 10 km", tile=10000, resolutions=(1, 1.4999, 10, 20)),
        Grid(id=2, name="UTM 100 km", tile=100080, resolutions=(60, 120, 240, 360), doubtful=(30,)),
        Grid(
            id=3,
            name="WGS84 1 degree",
            tile=1,
            resolutions=(0.0001, 0.0002, 0.0005, 0.0008, 0.001, 0.002, 0.005, 0.008),
            unit="degree",
            zarr=True,
        ),
        Grid(id=6, name="LAEA 100 km", tile=100000, resolutions=(40, 50, 100), zarr=True),
        Grid(id=7, name="LAEA 20 km", tile=20000, resolutions=(10, 20), zarr=True),
    )
}
