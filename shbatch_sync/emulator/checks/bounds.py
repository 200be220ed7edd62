"""The area of interest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shbatch_sync.emulator.checks.shape import is_number

if TYPE_CHECKING:
    from shbatch_sync.emulator.checks.shape import Node

_CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
_NATIONAL = (
    *(2154, 2180, 2193, 3003, 3004, 3005, 3006, 3031, 3035, 3161, 3346, 3413, 3416, 3578, 3580),
    *(3765, 3794, 3844, 3912, 3995, 4026, 5514, 28992, 32184),
)
_UTM = (*range(32601, 32661), *range(32701, 32761))
_CODES = frozenset({4326, 3857, *_NATIONAL, *_UTM})
_CRS = frozenset({_CRS84, *(f"{_EPSG}{code}" for code in _CODES)})
_GEOGRAPHIC = frozenset({_CRS84, f"{_EPSG}4326"})
_RING_POINTS = 4


@dataclass(frozen=True, slots=True)
class _Reach:
    """How far coordinates can go from zero."""

    x: float
    y: float
    name: str

    def covers(self, position: list[float]) -> bool:
        return abs(position[0]) <= self.x and abs(position[1]) <= self.y


_DEGREES = _Reach(180, 90, "longitude ±180, latitude ±90")
_METRES = _Reach(1e8, 1e8, "the Earth")


def check_bounds(parent: Node, *, required: bool) -> None:
    """Check `bounds`; a GeoPackage needs none."""
    bounds = parent.object("bounds", required=required)
    if bounds is None:
        return
    if not bounds.has("bbox") and not bounds.has("geometry"):
        bounds.fault("needs a bbox or a geometry")
    reach = _DEGREES if _check_crs(bounds) in _GEOGRAPHIC else _METRES
    _check_bbox(bounds, reach)
    _check_geometry(bounds, reach)


def _check_crs(bounds: Node) -> str:
    properties = bounds.object("properties")
    crs = properties.text("crs") if properties else None
    if properties is not None and crs is not None and crs not in _CRS:
        properties.blame("crs", f"{crs!r} is not supported")
    return crs or _CRS84


def _check_bbox(bounds: Node, reach: _Reach) -> None:
    corners = bounds.numbers("bbox", 4)
    if corners is None:
        return
    if corners[0] == corners[2] or corners[1] == corners[3]:
        bounds.blame("bbox", "has no area")
    if not (reach.covers(corners[:2]) and reach.covers(corners[2:])):
        bounds.blame("bbox", f"is outside of {reach.name}")


def _check_geometry(bounds: Node, reach: _Reach) -> None:
    geometry = bounds.object("geometry")
    if geometry is None:
        return
    kind = geometry.choice("type", {"Polygon", "MultiPolygon"}, required=True)
    coordinates = geometry.need("coordinates")
    if kind is None or coordinates is None:
        return
    polygons = [coordinates.value] if kind == "Polygon" else coordinates.value
    fault = _polygons_fault(polygons, reach)
    if fault is not None:
        coordinates.fault(fault)


def _polygons_fault(polygons: Any, reach: _Reach) -> str | None:
    if not isinstance(polygons, list) or not polygons:
        return "must be a list of polygons"
    for rings in polygons:
        if not isinstance(rings, list) or not rings:
            return "has a polygon without rings"
        faults = (_ring_fault(ring, reach) for ring in rings)
        fault = next((fault for fault in faults if fault), None)
        if fault is not None:
            return fault
    return None


def _ring_fault(ring: Any, reach: _Reach) -> str | None:
    if not isinstance(ring, list) or not all(map(_is_position, ring)):
        return "has a position that is not two numbers"
    if len(ring) < _RING_POINTS:
        return f"has a ring of {len(ring)} positions, at least 4 are needed"
    if ring[0] != ring[-1]:
        return "has a ring that is not closed"
    if not all(map(reach.covers, ring)):
        return f"is outside of {reach.name}"
    return None


def _is_position(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(is_number, value))  # noqa: PLR2004
