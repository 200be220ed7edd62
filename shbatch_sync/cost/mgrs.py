"""The military grid: UTM zones with their exceptions, latitude bands, names of 100 km squares.

Southern northings are counted as negative from the equator here: the 10,000 km that UTM adds there are a whole
number of squares and of letter cycles, so one way of counting serves both hemispheres.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from shbatch_sync.cost.crs import LONLAT, project

ZONES = range(1, 61)
SQUARE = 100_000

_COLUMNS = ("ABCDEFGH", "JKLMNPQR", "STUVWXYZ")
_ROWS = "ABCDEFGHJKLMNPQRSTUV"
_BANDS = "CDEFGHJKLMNPQRSTUVWX"
_LIMIT = 82.0  # beyond the last tiles of any grid
_V, _X = (56.0, 64.0), (72.0, _LIMIT)
# Longitudes of the zones that Norway (band V) and Svalbard (band X) change; None: the zone is not used there.
_NORWAY = {31: (0.0, 3.0), 32: (3.0, 12.0)}
_SVALBARD: dict[int, tuple[float, float] | None] = {
    31: (0.0, 9.0),
    32: None,
    33: (9.0, 21.0),
    34: None,
    35: (21.0, 33.0),
    36: None,
    37: (33.0, 42.0),
}
_STEP = 0.1


def central_meridian(zone: int) -> float:
    """Give the longitude in the middle of a UTM zone."""
    return 6.0 * zone - 183.0


def utm_epsg(zone: int) -> int:
    """Give the EPSG code of a zone's northern CRS, which is used for both hemispheres here."""
    return 32600 + zone


def zone_pieces(zone: int) -> list[tuple[float, float, float, float]]:
    """Give the boxes (west, south, east, north) of longitudes and latitudes that belong to a zone."""
    west = 6.0 * zone - 186.0
    usual = (west, west + 6.0)
    norway, svalbard = _NORWAY.get(zone, usual), _SVALBARD.get(zone, usual)
    pieces = [(*usual, -_LIMIT, _V[0]), (*norway, *_V), (*usual, _V[1], _X[0])]
    pieces += [(*svalbard, *_X)] if svalbard is not None else []
    return [(left, south, right, north) for left, right, south, north in pieces]


@lru_cache(maxsize=60)
def zone_region(zone: int) -> Any:
    """Give the polygon of a zone in its own northern UTM coordinates."""
    import shapely  # noqa: PLC0415 - only areas need it

    boxes = [shapely.box(*piece) for piece in zone_pieces(zone)]
    region = shapely.segmentize(shapely.union_all(boxes), _STEP)
    made = project(region, LONLAT, utm_epsg(zone))
    shapely.prepare(made)
    return made


def reach(zone: int, north: float) -> float:
    """Give how far a zone extends from its central meridian, in degrees, in an area reaching to `north`."""
    return 6.0 if zone in _SVALBARD and north > _V[0] else 3.0


def band(latitude: float) -> str:
    """Give the letter of a latitude band; C and X go on to the ends of the grids."""
    return _BANDS[max(0, min(len(_BANDS) - 1, int((latitude + 80.0) // 8.0)))]


def square_name(zone: int, column: int, row: int, latitude: float) -> str:
    """Name a 100 km square, e.g. `31UDS`.

    Args:
        zone: 1 to 60.
        column: Easting of its west side in 100 km, 1 to 8.
        row: Northing of its south side in 100 km, negative in the south.
        latitude: Of its middle, for the band.
    """
    letter = _ROWS[(row + (0 if zone % 2 else 5)) % 20]
    return f"{zone:02d}{band(latitude)}{_COLUMNS[(zone - 1) % 3][column - 1]}{letter}"
