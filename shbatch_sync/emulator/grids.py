"""The tiling grids as the service lists them.

Names, sizes and resolutions are those of a recorded answer of the tiling grids endpoint, which offers more
resolutions than the documentation and no grids 4 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """One tiling grid.

    Attributes:
        id: As the service numbers it.
        name: As the service spells it.
        size: Side of a square tile, in `unit`.
        chunk: Width and height of a chunk, in pixels; 0 where the service gives none.
        resolutions: What may be asked for, in `unit` a pixel, in the service's own order.
        single_crs: All tiles share one coordinate system.
        unit: `METRE` or `DEGREE`.
    """

    id: int
    name: str
    size: float
    chunk: tuple[int, int]
    resolutions: tuple[float, ...]
    single_crs: bool
    unit: str = "METRE"

    @property
    def zarr(self) -> bool:
        """Zarr output is possible: one array needs one coordinate system."""
        return self.single_crs

    def as_json(self) -> dict[str, Any]:
        """Return the grid as an item of the list."""
        return {
            "id": self.id,
            "name": self.name,
            "properties": {
                "tileWidth": self.size,
                "tileHeight": self.size,
                "chunkWidth": self.chunk[0],
                "chunkHeight": self.chunk[1],
                "resolutions": list(self.resolutions),
                "singleCrs": self.single_crs,
                "unit": self.unit,
            },
        }


GRIDS: tuple[Grid, ...] = (
    Grid(
        id=0,
        name="20km grid",
        size=20040.0,
        chunk=(334, 167),
        resolutions=(10.0, 20.0, 60.0),
        single_crs=False,
    ),
    Grid(
        id=1,
        name="10km grid",
        size=10000.0,
        chunk=(500, 500),
        resolutions=(1.0, 10.0, 20.0, 1.4999),
        single_crs=False,
    ),
    Grid(
        id=2,
        name="100km grid",
        size=100080.0,
        chunk=(278, 278),
        resolutions=(360.0, 60.0, 120.0, 240.0),
        single_crs=False,
    ),
    Grid(
        id=3,
        name="WGS84 1 degree grid",
        size=1.0,
        chunk=(500, 500),
        resolutions=(0.0005, 0.001, 0.002, 0.005, 0.008, 0.0001, 0.0002, 0.0008),
        single_crs=True,
        unit="DEGREE",
    ),
    Grid(
        id=6,
        name="LAEA 100km grid",
        size=100000.0,
        chunk=(0, 0),
        resolutions=(40.0, 50.0, 100.0),
        single_crs=True,
    ),
    Grid(
        id=7,
        name="LAEA 20km grid",
        size=20000.0,
        chunk=(0, 0),
        resolutions=(10.0, 20.0),
        single_crs=True,
    ),
)
