"""A request's area: from `bounds` to polygons in longitude and latitude.

Edges are straight in the CRS they are written in. Longitudes run on past 180 degrees where an area in a projected
CRS crosses the antimeridian; around a pole the area is closed along the pole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from shbatch_sync.cost.crs import LONLAT, AreaError, epsg_of, is_geographic, project

STEP_METRES = 1000.0
STEP_DEGREES = 0.01
MAX_POINTS = 20_000
"""An edge is cut into pieces of a step; a huge area into about so many."""

_HALF_TURN = 180.0
_TURNS = (-720.0, -360.0, 0.0, 360.0, 720.0)


def bounds_geometry(bounds: Mapping[str, Any]) -> tuple[Any, int]:
    """Give the polygon of `processRequest.input.bounds` and its EPSG code; a bbox frames, a geometry clips.

    Raises:
        AreaError: There is no area in it, or one that is broken.
    """
    properties = bounds.get("properties")
    reference = properties.get("crs") if isinstance(properties, Mapping) else None
    geometry, bbox = bounds.get("geometry"), bounds.get("bbox")
    if reference is None and isinstance(geometry, Mapping):
        reference = geometry.get("crs")
    found = [read_geometry(geometry)] if geometry is not None else []
    found += [_box(bbox)] if bbox is not None else []
    if not found:
        message = "the request has neither a bbox nor a geometry"
        raise AreaError(message)
    area = found[0] if len(found) == 1 else found[0].intersection(found[1])
    return area, epsg_of(reference)


def _box(bbox: Any) -> Any:
    import shapely  # noqa: PLC0415 - only areas need it

    try:
        west, south, east, north = (float(value) for value in bbox)
    except (TypeError, ValueError) as error:
        message = "a bbox has four numbers: west, south, east, north"
        raise AreaError(message) from error
    if not all(map(math.isfinite, (west, south, east, north))) or east <= west or north <= south:
        message = f"the bbox {west:g}, {south:g}, {east:g}, {north:g} holds no area"
        raise AreaError(message)
    return shapely.box(west, south, east, north)


def read_geometry(geometry: Any) -> Any:
    """Read a GeoJSON Polygon or MultiPolygon; one that crosses itself is repaired.

    Raises:
        AreaError: It is none, or holds no area.
    """
    import shapely  # noqa: PLC0415
    from shapely.errors import ShapelyError  # noqa: PLC0415
    from shapely.geometry import shape  # noqa: PLC0415

    kind = geometry.get("type") if isinstance(geometry, Mapping) else None
    if kind not in ("Polygon", "MultiPolygon"):
        message = f"an area is a Polygon or a MultiPolygon, not {kind or 'nothing'}"
        raise AreaError(message)
    try:
        found = shapely.force_2d(shape(geometry))
    except (ShapelyError, TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        message = f"the {kind} cannot be read: its coordinates are broken"
        raise AreaError(message) from error
    return repaired(found)


def repaired(geometry: Any) -> Any:
    """Give the valid form of a polygon.

    Raises:
        AreaError: It holds no area.
    """
    import shapely  # noqa: PLC0415

    if not shapely.is_valid(geometry):
        geometry = shapely.make_valid(geometry)
        parts = [part for part in shapely.get_parts(geometry) if part.area > 0]
        geometry = shapely.union_all(parts)
    if geometry.is_empty or not geometry.area > 0 or not math.isfinite(geometry.area):
        message = "the area is empty"
        raise AreaError(message)
    return geometry


def to_lonlat(geometry: Any, epsg: int) -> Any:
    """Transform a polygon to longitude and latitude, longitudes running on past 180.

    Raises:
        AreaError: Its coordinates mean nothing in its CRS.
    """
    if is_geographic(epsg):
        _check_degrees(geometry)
        return geometry
    import shapely  # noqa: PLC0415

    step = max(STEP_METRES, geometry.length / MAX_POINTS)
    turned = project(shapely.segmentize(geometry, step), epsg, LONLAT)
    parts = [_unwrapped(part) for part in shapely.get_parts(turned)]
    return repaired(parts[0] if len(parts) == 1 else shapely.union_all(parts))


def _check_degrees(geometry: Any) -> None:
    west, south, east, north = geometry.bounds
    if south < -90 or north > 90 or west < -540 or east > 540:  # noqa: PLR2004 - degrees
        message = f"{west:g}, {south:g}, {east:g}, {north:g} are no degrees: is a crs missing?"
        raise AreaError(message)


def _unwrapped(polygon: Any) -> Any:
    from shapely import Polygon, union_all  # noqa: PLC0415

    outer = _ring(polygon.exterior)
    holes = [_ring(ring) for ring in polygon.interiors]
    if not holes:
        return repaired(Polygon(outer))
    cut = [turned(repaired(Polygon(hole)), turn) for hole in holes for turn in _TURNS]
    # A tenth of a millimetre more, or copies that meet would leave a slit between them.
    gap = union_all(cut).buffer(1e-9, join_style="mitre")
    return repaired(Polygon(outer)).difference(gap)


def _ring(ring: Any) -> Any:
    """Make longitudes run on, and close a ring that goes round a pole along that pole."""
    import numpy as np  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    points = shapely.get_coordinates(ring)
    points[:, 0] = np.unwrap(points[:, 0], period=2 * _HALF_TURN)
    if abs(points[-1, 0] - points[0, 0]) <= _HALF_TURN:
        return points
    # Exactly a turn, so that copies a turn apart meet without a gap.
    points[-1, 0] = points[0, 0] + math.copysign(2 * _HALF_TURN, points[-1, 0] - points[0, 0])
    pole = math.copysign(90.0, points[:, 1].mean())
    return np.vstack((points, [(points[-1, 0], pole), (points[0, 0], pole), points[0]]))


def area_in(bounds: Mapping[str, Any], epsg: int) -> Any:
    """Give the polygon of `bounds` in another CRS.

    Raises:
        AreaError: It cannot be read, or has no image there.
    """
    import shapely  # noqa: PLC0415

    area, own = bounds_geometry(bounds)
    if own == epsg:
        return area
    step = STEP_DEGREES if is_geographic(own) else STEP_METRES
    fine = shapely.segmentize(area, max(step, area.length / MAX_POINTS))
    return repaired(project(fine, own, epsg))


def turned(area: Any, turn: float) -> Any:
    """Move a polygon by so many degrees of longitude."""
    import shapely  # noqa: PLC0415

    def move(points: Any) -> Any:
        points[:, 0] += turn
        return points

    return shapely.transform(area, move) if turn else area


def turned_copies(area: Any, middle: float = 0.0, width: float = _HALF_TURN) -> list[Any]:
    """Give an area and its copies whole turns away, as far as they come within `width` of a meridian."""
    west, _, east, _ = area.bounds
    near = (t for t in _TURNS if west + t < middle + width and east + t > middle - width)
    return [turned(area, turn) for turn in near]
