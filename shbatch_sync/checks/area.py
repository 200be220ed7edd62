"""Where: grid, bounds and geometry of a request body."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shbatch_sync.checks.catalogue import Finding
from shbatch_sync.geojson import AREA_TYPES, CRS84, canonical_crs
from shbatch_sync.grids import GRIDS
from shbatch_sync.pointer import Steps

MANY_POINTS = 1_500
REFUSED_PARTS = 2_562
_BOUNDS: Steps = ("processRequest", "input", "bounds")
_GEOMETRY: Steps = (*_BOUNDS, "geometry")
_ONCE_ROUND = 4
_SHORTEST_RING = 4
_POSITION = 2

_CRS_URL = re.compile(r"https?://www\.opengis\.net/def/crs/(?:OGC/1\.3/CRS84|EPSG/0/(\d+))")
# Process API documentation, CRS: the codes besides the UTM zones.
_LISTED = frozenset(
    {
        4326,
        3857,
        2154,
        2180,
        2193,
        3003,
        3004,
        3005,
        3006,
        3031,
        3035,
        3161,
        3346,
        3413,
        3416,
        3578,
        3580,
    }
    | {3765, 3794, 3844, 3912, 3995, 4026, 5514, 28992, 32184}
    | {zone + number for zone in (32600, 32700) for number in range(1, 61)}
)
_DEGREES = (-180.0, -90.0, 180.0, 90.0)


def check_grid(body: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with the tiling grid and its resolution."""
    source = body["input"]
    if source["type"] != "tiling-grid":
        return
    number, resolution = source["id"], source["resolution"]
    grid = GRIDS.get(number)
    if grid is None:
        known = ", ".join(f"{grid.id}: {grid.name}" for grid in GRIDS.values())
        yield Finding(
            code="grid-unknown",
            steps=("input", "id"),
            message=f"there is no tiling grid {number} ({known})",
        )
    elif grid.may_have(resolution):
        message = f"the service's own list of tiling grid {number} has no {resolution:g}, the documentation has"
        yield Finding(
            code="grid-resolution-doubtful", steps=("input", "resolution"), message=message
        )
    elif not grid.has(resolution):
        own = ", ".join(f"{value:g}" for value in grid.resolutions)
        message = f"{resolution:g} is not a resolution of tiling grid {number} ({own})"
        yield Finding(code="grid-resolution", steps=("input", "resolution"), message=message)


def check_bounds(body: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with the bounds, the geometry apart."""
    bounds = body["processRequest"]["input"].get("bounds") or {}
    if not ("bbox" in bounds or "geometry" in bounds):
        yield _without_area(body["input"]["type"], bounds)
    yield from _check_crs(crs_of(bounds))
    if "bbox" in bounds:
        yield from _check_bbox(bounds["bbox"], crs_of(bounds))


def _without_area(kind: str, bounds: Mapping[str, Any]) -> Finding:
    steps = _BOUNDS if bounds else _BOUNDS[:-1]
    if kind == "tiling-grid":
        return Finding(
            code="area-missing", steps=steps, message="a tiling grid needs bounds: bbox or geometry"
        )
    message = "no bounds: every feature of the GeoPackage is processed and paid"
    return Finding(code="area-everything", steps=steps, message=message)


def crs_of(bounds: Mapping[str, Any]) -> str:
    """Return the CRS of `bounds` as it is written, or the default."""
    properties = bounds.get("properties") or {}
    return str(properties.get("crs", CRS84))


def _check_crs(crs: str) -> Iterator[Finding]:
    steps = (*_BOUNDS, "properties", "crs")
    match = _CRS_URL.fullmatch(crs)
    if not match:
        better = canonical_crs(crs)
        hint = f"write {better}" if better != crs else f"such as {CRS84}"
        yield Finding(code="crs", steps=steps, message=f"{crs!r} is no CRS of the API: {hint}")
    elif match[1] and not is_listed(int(match[1])):
        yield Finding(
            code="crs-unlisted",
            steps=steps,
            message=f"EPSG {match[1]} is not in the documentation's list",
        )


def is_listed(epsg: int) -> bool:
    """Return whether the documentation lists the CRS of an EPSG code."""
    return epsg in _LISTED


def _check_bbox(bbox: Sequence[float], crs: str) -> Iterator[Finding]:
    steps = (*_BOUNDS, "bbox")
    west, south, east, north = bbox
    if west >= east or south >= north:
        message = (
            f"{list(bbox)} is not [west, south, east, north] with west < east and south < north"
        )
        yield Finding(code="bbox", steps=steps, message=message)
    yield from _check_range(bbox, crs, steps)


def check_geometry(body: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with the geometry."""
    bounds = body["processRequest"]["input"].get("bounds") or {}
    geometry = bounds.get("geometry")
    if geometry is None or geometry["type"] not in AREA_TYPES:
        return  # none, or a new kind let through by x-allow
    polygons = (
        geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    )
    steps = (*_GEOMETRY, "coordinates")
    fault = _shape_fault(polygons)
    if fault:
        yield Finding(code="geometry", steps=steps, message=fault)
        return
    points = [point for polygon in polygons for ring in polygon for point in ring]
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    yield from _check_range((min(xs), min(ys), max(xs), max(ys)), crs_of(bounds), steps)
    yield from _check_complexity(len(polygons), len(points))
    crossing = _crossing(polygons)
    if crossing:
        yield Finding(
            code="geometry-crossing", steps=steps, message=f"the border crosses itself: {crossing}"
        )


def _shape_fault(polygons: Any) -> str:
    """Return the first thing that keeps `polygons` from being lists of closed rings of positions."""
    if not isinstance(polygons, list) or not polygons:
        return "has no polygon"
    for number, polygon in enumerate(polygons, 1):
        if not isinstance(polygon, list) or not polygon:
            return f"polygon {number} has no ring"
        for ring in polygon:
            fault = _ring_fault(ring)
            if fault:
                return f"polygon {number}: {fault}" if len(polygons) > 1 else fault
    return ""


def _ring_fault(ring: Any) -> str:
    if not isinstance(ring, list):
        return "a ring is a list of positions"
    for point in ring:
        if type(point) is list and len(point) == _POSITION and _is_pair(*point):
            continue
        if not isinstance(point, list) or not all(map(_is_number, point)):
            return "a position is a list of two numbers: is the nesting that of a Polygon or a MultiPolygon?"
        if len(point) != _POSITION:
            return (
                f"a position has {len(point)} numbers, the API takes two: export it without heights"
            )
    if len(ring) < _SHORTEST_RING:
        return f"a ring has at least {_SHORTEST_RING} positions, this one has {len(ring)}"
    if ring[0] != ring[-1]:
        return f"the ring is open: it begins at {ring[0]} and ends at {ring[-1]}; repeat the first position at the end"
    return ""


def _is_pair(x: Any, y: Any) -> bool:
    return type(x) is float and type(y) is float and math.isfinite(x) and math.isfinite(y)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _check_range(box: Sequence[float], crs: str, steps: Steps) -> Iterator[Finding]:
    west, south, east, north = box
    low_x, low_y, high_x, high_y = _DEGREES
    in_degrees = low_x <= west and east <= high_x and low_y <= south and north <= high_y
    if canonical_crs(crs).endswith(("CRS84", "/4326")):
        if not in_degrees:
            message = (
                f"reaches {list(box)}, outside of longitudes ±180 and latitudes ±90: another CRS?"
            )
            yield Finding(code="geometry-range", steps=steps, message=message)
    elif in_degrees and _CRS_URL.fullmatch(crs):
        message = f"{list(box)} looks like degrees, but the CRS ({crs}) is in metres"
        yield Finding(code="geometry-units", steps=steps, message=message)


def _check_complexity(parts: int, points: int) -> Iterator[Finding]:
    if parts >= REFUSED_PARTS:
        message = (
            f"{parts:,} parts: {REFUSED_PARTS:,} have been refused; use a GeoPackage, or simplify"
        )
        yield Finding(code="geometry-refused", steps=_GEOMETRY, message=message)
    elif points > MANY_POINTS:
        message = (
            f"{points:,} points: the service may refuse it; simplify to {MANY_POINTS:,} or less"
        )
        yield Finding(code="geometry-complex", steps=_GEOMETRY, message=message)


def _crossing(polygons: Sequence[Any]) -> str:
    """Return where a border crosses itself, empty if none does."""
    if len(polygons) == 1 and len(polygons[0]) == 1 and _is_convex(polygons[0][0]):
        return ""  # not worth importing shapely for
    import shapely  # noqa: PLC0415 - slow to import
    from shapely.geometry import shape  # noqa: PLC0415
    from shapely.validation import explain_validity  # noqa: PLC0415

    if (
        len(polygons) == 1
        and len(polygons[0]) == 1
        and shapely.is_valid(shapely.polygons(polygons[0][0]))
    ):
        return ""
    found = explain_validity(shape({"type": "MultiPolygon", "coordinates": polygons}))
    return "" if found == "Valid Geometry" else str(found)


def _is_convex(ring: Sequence[Sequence[float]]) -> bool:
    """Say whether a border always turns the same way, and goes round but once; False for whatever is in doubt."""
    x0, y0 = ring[-2]
    x1, y1 = ring[0]
    across, up = x1 - x0, y1 - y0
    side = quarters = (
        0  # crossing from one quarter of the compass into the next: four in once round
    )
    for x, y in ring[1:]:
        next_across, next_up = x - x1, y - y1
        turn = across * next_up - up * next_across
        if turn == 0 or (turn > 0) is (side < 0):
            return False
        side = 1 if turn > 0 else -1
        quarters += ((across < 0) is not (next_across < 0)) + ((up < 0) is not (next_up < 0))
        x1, y1, across, up = x, y, next_across, next_up
    return quarters == _ONCE_ROUND
