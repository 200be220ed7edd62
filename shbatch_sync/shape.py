"""An area in a few words: what is said of a geometry where its thousands of numbers would tell nobody anything."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from shbatch_sync.diff import FieldChange
from shbatch_sync.digest import digest
from shbatch_sync.plural import counted

GEOMETRY = "/processRequest/input/bounds/geometry"
# Of the sphere with the same volume as WGS 84, in km.
_RADIUS = 6371.0
_GEOGRAPHIC = re.compile(r"(CRS84|/4326|:4326)$")

Point = Sequence[float]


def short_fields(
    fields: Sequence[FieldChange], before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[FieldChange, ...]:
    """Return field changes with an area in a few words, and a whole body as its fingerprint.

    Args:
        fields: What differs between two request bodies.
        before: The one that the service holds.
        after: The declared one.
    """
    return tuple(_short(field, before, after) for field in fields)


def _short(field: FieldChange, before: Mapping[str, Any], after: Mapping[str, Any]) -> FieldChange:
    if field.path == "":
        return replace(field, before=digest(before), after=digest(after))
    if field.path != GEOMETRY:
        return field
    old, new = shape_of(before), shape_of(after)
    if old is not None and new is not None:
        points = [set(_points(_geometry(spec))) for spec in (before, after)]
        new |= {"newPoints": len(points[1] - points[0]), "gonePoints": len(points[0] - points[1])}
    return replace(field, before=old, after=new)


def shape_of(spec: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return kind, number of points, box, rough area in km² and fingerprint of a body's geometry; None without one."""
    geometry = _geometry(spec)
    if not isinstance(geometry, Mapping):
        return None
    points = list(_points(geometry))
    xs, ys = [point[0] for point in points], [point[1] for point in points]
    return {
        "type": str(geometry.get("type")),
        "points": len(points),
        "box": [min(xs), min(ys), max(xs), max(ys)] if points else None,
        "areaKm2": round(_area(geometry, geographic=_is_geographic(spec)), 3),
        "digest": digest(geometry),
    }


def is_shape(value: Any) -> bool:
    """Say whether a value is what `shape_of` returns."""
    return isinstance(value, Mapping) and {"points", "areaKm2", "digest"} <= value.keys()


def shape_text(before: Any, after: Any) -> str:
    """Return in words how one shape became another."""
    sides = [side if is_shape(side) else None for side in (before, after)]
    words = [f"{_kind(sides[0])} → {_kind(sides[1])}"]
    old, new = sides
    if old is not None and new is not None:
        words.append(f"{new.get('newPoints', 0):,} new, {new.get('gonePoints', 0):,} gone")
        boxes = [_box(side["box"]) for side in (old, new)]
        words.append(
            f"box {boxes[0]} → {boxes[1]}" if boxes[0] != boxes[1] else f"box {boxes[0]} as before"
        )
    return "; ".join(words)


def _kind(shape: Mapping[str, Any] | None) -> str:
    if shape is None:
        return "none"
    points = f"{counted(shape['points'], 'point')}"
    return f"{shape['type']} of {points}, {shape['areaKm2']:,.7g} km²"


def _box(box: Sequence[float] | None) -> str:
    return f"[{', '.join(f'{value:.6g}' for value in box)}]" if box else "none"


def _bounds(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    value: Any = spec
    for key in ("processRequest", "input", "bounds"):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _geometry(spec: Mapping[str, Any]) -> Any:
    return _bounds(spec).get("geometry")


def _is_geographic(spec: Mapping[str, Any]) -> bool:
    properties = _bounds(spec).get("properties")
    crs = properties.get("crs") if isinstance(properties, Mapping) else None
    return crs is None or _GEOGRAPHIC.search(str(crs)) is not None


def _points(geometry: Any) -> Iterator[tuple[Any, ...]]:
    pending = [geometry.get("coordinates")] if isinstance(geometry, Mapping) else []
    while pending:
        value = pending.pop()
        if not isinstance(value, (list, tuple)):
            continue
        if len(value) > 1 and isinstance(value[0], (int, float)):
            yield tuple(value)
        else:
            pending += value


def _area(geometry: Mapping[str, Any], *, geographic: bool) -> float:
    coordinates = geometry.get("coordinates")
    polygons = [coordinates] if geometry.get("type") == "Polygon" else coordinates
    measure = _on_sphere if geographic else _on_plane
    total = 0.0
    for polygon in polygons if isinstance(polygons, (list, tuple)) else ():
        try:
            outer, *holes = (abs(measure(ring)) for ring in polygon)
        except (TypeError, ValueError, IndexError):
            continue  # no polygon: it has no area
        total += outer - sum(holes)
    return total


def _on_plane(ring: Sequence[Point]) -> float:
    twice = sum(one[0] * other[1] - other[0] * one[1] for one, other in pairwise(ring))
    return twice / 2 / 1e6


def _on_sphere(ring: Sequence[Point]) -> float:
    """Return the area under a ring of longitudes and latitudes, edges taken as straight on a cylinder of equal area."""
    total = 0.0
    for one, other in pairwise(ring):
        mean = math.sin(math.radians(one[1])) + math.sin(math.radians(other[1]))
        total += math.radians(other[0] - one[0]) * mean / 2
    return total * _RADIUS**2
