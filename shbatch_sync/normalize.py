"""Bring two sides of a comparison into one form: what was declared, and what the service says of it.

The service answers a create call with the same request in other words: `sentinel-2-l2a` comes back as `S2L2A`,
`10` as `10.0`, a `crs` member and documented defaults are filled in, secrets are masked. Here a member that says
only what the documentation says anyway is dropped from both sides, so that it can never show as a difference;
a declared value that is not the default stays, and shows if the service lost it.

Sources: the Batch Processing V2 reference (defaults), recorded answers of the service (aliases, `crs`, `logo`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from shbatch_sync.digest import instant, number, without_credentials

# Long name of the API → short name that the service answers with; it takes either.
ALIASES = {
    "S2L1C": "sentinel-2-l1c",
    "S2L2A": "sentinel-2-l2a",
    "S1GRD": "sentinel-1-grd",
    "L8L1C": "landsat-8-l1c",
    "LOTL1": "landsat-ot-l1",
    "LOTL2": "landsat-ot-l2",
    "LETML1": "landsat-etm-l1",
    "LETML2": "landsat-etm-l2",
    "LTML1": "landsat-tm-l1",
    "LTML2": "landsat-tm-l2",
    "LMSSL1": "landsat-mss-l1",
    "MODIS": "modis",
    "DEM": "dem",
    "HLS": "hls",
    "S3OLCI": "sentinel-3-olci",
    "S3SLSTR": "sentinel-3-slstr",
    "S5PL2": "sentinel-5p-l2",
}

_FILTER_DEFAULTS = {
    "mosaickingOrder": "mostRecent",
    "maxCloudCoverage": 100,
    "previewMode": "DETAIL",
    "tiers": "ALL_TIERS",
    "demInstance": "MAPZEN",
}
_PROCESSING_DEFAULTS = {
    "upsampling": "NEAREST",
    "downsampling": "NEAREST",
    "harmonizeValues": True,
    "orthorectify": False,
    "backCoeff": "GAMMA0_ELLIPSOID",
    "demInstance": "MAPZEN",
    "radiometricTerrainOversampling": 2,
    "speckleFilter": {"type": "NONE"},
}
_RESPONSE_DEFAULTS = {"logo": False}
_GRID_DEFAULTS = {"bufferX": 0, "bufferY": 0}
_OUTPUT_DEFAULTS = {
    "overwrite": False,
    "skipExisting": False,
    "cogOutput": False,
    "createCollection": False,
}
_COG_DEFAULTS = {"resamplingAlgorithm": "average", "usePredictor": True}
_ARRAY_DEFAULTS = {
    "order": "C",
    "compressor": {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1, "blocksize": 0},
}
_ORIGIN_DEFAULTS = {"origin": "topLeft"}
_TOP_DEFAULTS = {"instanceType": "normal"}

# Every member that the published API has (Sentinel Hub and Copernicus Data Space), by name.
MEMBERS = frozenset(
    [
        "acquisitionMode",
        "arrayOverrides",
        "arrayParameters",
        "backCoeff",
        "bbox",
        "blockxsize",
        "blockysize",
        "bounds",
        "bufferX",
        "bufferY",
        "chunks",
        "clampNegative",
        "cogOutput",
        "cogParameters",
        "collectionId",
        "compressor",
        "constellation",
        "coordinates",
        "createCollection",
        "crs",
        "customAttributes",
        "data",
        "dataFilter",
        "defaults",
        "delivery",
        "demInstance",
        "downsampling",
        "dtype",
        "egm",
        "evalscript",
        "features",
        "fill_value",
        "format",
        "from",
        "geometry",
        "group",
        "gs",
        "harmonizeValues",
        "height",
        "iamRoleARN",
        "id",
        "identifier",
        "input",
        "instanceType",
        "logo",
        "maxCloudCoverage",
        "minQa",
        "mosaickingOrder",
        "orbitDirection",
        "order",
        "origin",
        "orthorectify",
        "output",
        "overviewLevels",
        "overviewMinSize",
        "overwrite",
        "polarization",
        "previewMode",
        "processRequest",
        "processing",
        "properties",
        "radiometricTerrainOversampling",
        "region",
        "resamplingAlgorithm",
        "resolution",
        "responses",
        "s3",
        "skipExisting",
        "speckleFilter",
        "tiers",
        "timeRange",
        "timeliness",
        "to",
        "type",
        "upsampling",
        "url",
        "usePredictor",
        "view",
        "width",
        "windowSizeX",
        "windowSizeY",
        "zarr_format",
    ]
)

_CRS84 = "CRS84"
_EPSG = re.compile(r"EPSG[:/]+(?:0/|:)?(\d+)$")


def normalize(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the comparable form of a request body or of its echo.

    Idempotent. Credentials and the description are gone, defaults are dropped, names and numbers are canonical.
    """
    body = _plain(
        without_credentials({key: value for key, value in spec.items() if key != "description"})
    )
    process = _object(body, "processRequest")
    source = _object(process, "input")
    source["bounds"] = _bounds(_object(source, "bounds"))
    source["data"] = _each(source.get("data"), _dataset)
    result = _object(process, "output")
    result["responses"] = _each(
        result.get("responses"), lambda item: _drop(item, _RESPONSE_DEFAULTS)
    )
    process |= {"input": source, "output": result}
    body |= {
        "processRequest": process,
        "input": _drop(_object(body, "input"), _GRID_DEFAULTS),
        "output": _output(_object(body, "output")),
    }
    pruned: dict[str, Any] = _prune(_drop(body, _TOP_DEFAULTS))
    return pruned


def _object(parent: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = parent.get(key)
    return dict(value) if isinstance(value, Mapping) else {}


def _each(items: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    if not isinstance(items, list):
        return items
    return [change(item) if isinstance(item, dict) else item for item in items]


def _drop(members: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in members.items()
        # `True == 1` in Python, not in JSON.
        if not (
            key in defaults
            and value == defaults[key]
            and isinstance(value, bool) is isinstance(defaults[key], bool)
        )
    }


def _dataset(data: dict[str, Any]) -> dict[str, Any]:
    filters = _object(data, "dataFilter")
    if isinstance(times := filters.get("timeRange"), Mapping):
        filters["timeRange"] = {
            key: (instant(value) or value) if isinstance(value, str) else value
            for key, value in times.items()
        }
    kind = data.get("type")
    return {
        **data,
        "type": ALIASES.get(kind, kind) if isinstance(kind, str) else kind,
        "dataFilter": _drop(filters, _FILTER_DEFAULTS),
        "processing": _drop(_object(data, "processing"), _PROCESSING_DEFAULTS),
    }


def _bounds(bounds: dict[str, Any]) -> dict[str, Any]:
    properties = _object(bounds, "properties")
    crs = _crs(properties.get("crs"))
    properties = {**properties, "crs": None if crs == _CRS84 else crs}
    geometry = _object(bounds, "geometry")
    # The service writes a crs into the geometry that says what the bounds say; GeoJSON files often carry CRS84.
    if _crs(_object(_object(geometry, "crs"), "properties").get("name")) in {crs, _CRS84}:
        geometry.pop("crs", None)
    return {**bounds, "properties": properties, "geometry": geometry}


def _crs(name: Any) -> str:
    """Return `CRS84` or `EPSG:<code>`; in this API 4326 and CRS84 both mean longitude first."""
    if name is None:
        return _CRS84
    match = _EPSG.search(str(name))
    if match is None:
        return _CRS84 if str(name).endswith(_CRS84) else str(name)
    return _CRS84 if match[1] == "4326" else f"EPSG:{match[1]}"


def _output(output: dict[str, Any]) -> dict[str, Any]:
    kept = _drop(output, _OUTPUT_DEFAULTS)
    if isinstance(kept.get("cogParameters"), dict):
        kept["cogParameters"] = _drop(kept["cogParameters"], _COG_DEFAULTS)
    if isinstance(kept.get("arrayParameters"), dict):
        kept["arrayParameters"] = _drop(kept["arrayParameters"], _ARRAY_DEFAULTS)
    group = _object(kept, "group")
    if isinstance(group.get("coordinates"), dict):
        kept["group"] = {**group, "coordinates": _drop(group["coordinates"], _ORIGIN_DEFAULTS)}
    return kept


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return number(value)


def _prune(value: Any) -> Any:
    """Drop null and empty objects: the service treats both as absent."""
    if isinstance(value, dict):
        members = {key: _prune(item) for key, item in value.items()}
        return {key: item for key, item in members.items() if item is not None and item != {}}
    if isinstance(value, list):
        return [_prune(item) for item in value]
    return value
