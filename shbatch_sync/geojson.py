"""GeoJSON files as areas: the geometry that the API takes, out of what people export."""

from __future__ import annotations

import re
from typing import Any

from shbatch_sync.files import FileRefusedError, TextFile, read_json

AREA_TYPES = ("Polygon", "MultiPolygon")
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_GEOMETRIES = (
    *AREA_TYPES,
    "Point",
    "MultiPoint",
    "LineString",
    "MultiLineString",
    "GeometryCollection",
)
_EPSG = re.compile(r"EPSG[:/]+(?:[\d.]*[:/]+)?(\d+)$")


def read_area(file: TextFile) -> dict[str, Any]:
    """Return the geometry of a GeoJSON file: of its only feature, if it is a collection.

    Raises:
        FileRefusedError: It is not GeoJSON, holds no area, or several features.
    """
    data = read_json(file)
    kind = data.get("type") if isinstance(data, dict) else None
    if kind == "FeatureCollection":
        data = _only_feature(file, features(file))
        kind = "Feature"
    if kind == "Feature":
        data = data.get("geometry")
        kind = data.get("type") if isinstance(data, dict) else "nothing"
    if kind not in AREA_TYPES or not isinstance(data.get("coordinates"), list):
        named = f"holds a {kind}" if kind in _GEOMETRIES else "is no GeoJSON"
        message = f"{file.path} {named}, an area is a Polygon or a MultiPolygon"
        raise FileRefusedError(message)
    return {"type": kind, "coordinates": data["coordinates"]}


def features(file: TextFile) -> list[dict[str, Any]]:
    """Return the features of a GeoJSON FeatureCollection.

    Raises:
        FileRefusedError: It is none.
    """
    data = read_json(file)
    found = (
        data.get("features")
        if isinstance(data, dict) and data.get("type") == "FeatureCollection"
        else None
    )
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        message = f"{file.path} is no GeoJSON FeatureCollection"
        raise FileRefusedError(message)
    return found


def _only_feature(file: TextFile, found: list[dict[str, Any]]) -> dict[str, Any]:
    if len(found) == 1:
        return found[0]
    message = (
        f"{file.path} has {len(found)} features, an area is one: make one job of each with "
        f"matrix: {{area: {{features: {file.path.rpartition('/')[2]}}}}}, or merge them"
    )
    raise FileRefusedError(message)


def canonical_crs(name: str) -> str:
    """Return `name` in the form the API takes; names it does not know stay as they are."""
    if name.upper().endswith("CRS84"):
        return CRS84
    epsg = _EPSG.search(name)
    return f"http://www.opengis.net/def/crs/EPSG/0/{epsg[1]}" if epsg else name
