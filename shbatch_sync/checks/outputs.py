"""Responses, COG and Zarr rules of a request body."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from shbatch_sync.checks.catalogue import Finding
from shbatch_sync.grids import GRIDS
from shbatch_sync.pointer import Steps

_RESPONSES: Steps = ("processRequest", "output", "responses")
_NEEDED = ("dtype", "order", "chunks", "fill_value")
_USERDATA = "userdata"
_BITS = 8
_DTYPE = re.compile(r"[<>|]([uif])([1248])")


def check_responses(body: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with identifiers and formats."""
    zarr = body["output"]["type"] == "zarr"
    seen: set[str] = set()
    for index, response in enumerate(body["processRequest"]["output"]["responses"]):
        identifier, form = response["identifier"], response["format"]["type"]
        if identifier in seen:
            message = f"{identifier!r} is delivered twice"
            yield Finding(
                code="response-twice", steps=(*_RESPONSES, index, "identifier"), message=message
            )
        seen.add(identifier)
        fault = _format_fault(identifier, form, zarr=zarr)
        if fault:
            yield Finding(
                code="response-format", steps=(*_RESPONSES, index, "format", "type"), message=fault
            )


def _format_fault(identifier: str, form: str, *, zarr: bool) -> str:
    if zarr:
        return "" if form == "zarr/array" else f"Zarr output takes zarr/array only, not {form}"
    if form == "zarr/array":
        return "zarr/array is for Zarr output: write image/tiff"
    if form == "application/json" and identifier != _USERDATA:
        return f"application/json is for userdata, not for {identifier!r}"
    if form != "application/json" and identifier == _USERDATA:
        return f"userdata is application/json, not {form}"
    return ""


def check_raster(body: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with COG output and collections."""
    output = body["output"]
    if output["type"] != "raster" or output.get("cogOutput"):
        return
    for key in ("createCollection", "collectionId"):
        if output.get(key):
            yield Finding(code="cog", steps=("output", key), message=f"{key} needs cogOutput: true")
    if "cogParameters" in output:
        message = "cogParameters mean nothing without cogOutput: true"
        yield Finding(code="cog-unused", steps=("output", "cogParameters"), message=message)


def check_features(body: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with the defaults of GeoPackage features."""
    defaults = body["input"].get("defaults") if body["input"]["type"] == "geopackage" else None
    if defaults is not None and defaults.keys() not in ({"width", "height"}, {"resolution"}):
        message = "must be width with height, or resolution"
        yield Finding(code="feature-size", steps=("input", "defaults"), message=message)


def check_zarr(body: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with Zarr output."""
    if body["output"]["type"] != "zarr":
        return
    source = body["input"]
    grid = GRIDS.get(source["id"]) if source["type"] == "tiling-grid" else None
    if source["type"] != "tiling-grid" or (grid and not grid.zarr):
        steps: Steps = ("input", "id" if source["type"] == "tiling-grid" else "type")
        message = "Zarr output takes the WGS84 and LAEA grids only: 3, 6 and 7"
        yield Finding(code="zarr-grid", steps=steps, message=message)
    yield from _check_arrays(
        body["output"], [r["identifier"] for r in body["processRequest"]["output"]["responses"]]
    )
    if grid and grid.has(source["resolution"]):
        size = tuple(
            grid.pixels(source["resolution"]) + 2 * source.get(key, 0)
            for key in ("bufferY", "bufferX")
        )
        yield from _check_chunks(body["output"], size)


def _check_arrays(output: Mapping[str, Any], identifiers: list[str]) -> Iterator[Finding]:
    common, overrides = output.get("arrayParameters", {}), output.get("arrayOverrides", {})
    for identifier in identifiers:
        array = {**common, **overrides.get(identifier, {})}
        missing = [key for key in _NEEDED if key not in array]
        if missing:
            steps: Steps = ("output", "arrayParameters") if common else ("output",)
            message = f"the array {identifier!r} has no {', '.join(missing)}: in arrayParameters or its arrayOverrides"
            yield Finding(code="zarr-array", steps=steps, message=message)
        elif not _holds(array["dtype"], array["fill_value"]):
            own = "fill_value" in overrides.get(identifier, {})
            place: Steps = ("arrayOverrides", identifier) if own else ("arrayParameters",)
            message = (
                f"the array {identifier!r} of {array['dtype']} cannot hold {array['fill_value']!r}"
            )
            yield Finding(
                code="zarr-array", steps=("output", *place, "fill_value"), message=message
            )
    for identifier in overrides:
        if identifier not in identifiers:
            steps = ("output", "arrayOverrides", identifier)
            message = f"no response is called {identifier!r} (there are {', '.join(identifiers)})"
            yield Finding(code="zarr-override", steps=steps, message=message)


def _holds(dtype: str, value: Any) -> bool:
    """Return whether an array of `dtype` can hold the fill value."""
    match = _DTYPE.fullmatch(dtype)
    if not match:
        return True  # let through by x-allow
    kind, size = match[1], int(match[2]) * _BITS
    if kind == "f":
        return not isinstance(value, str) or value in ("NaN", "Infinity", "-Infinity")
    if isinstance(value, str) or math.floor(value) != value:
        return False
    low, high = (0, 2**size - 1) if kind == "u" else (-(2 ** (size - 1)), 2 ** (size - 1) - 1)
    return bool(low <= value <= high)


def _check_chunks(output: Mapping[str, Any], size: tuple[int, ...]) -> Iterator[Finding]:
    places: list[tuple[Steps, Mapping[str, Any]]] = [
        (("arrayParameters",), output.get("arrayParameters", {}))
    ]
    places += [
        (("arrayOverrides", name), array)
        for name, array in output.get("arrayOverrides", {}).items()
    ]
    for place, array in places:
        fault = _chunk_fault(array["chunks"], size) if "chunks" in array else ""
        if fault:
            yield Finding(code="zarr-chunks", steps=("output", *place, "chunks"), message=fault)


def _chunk_fault(chunks: list[int], size: tuple[int, ...]) -> str:
    if chunks[0] != 1:
        return f"the first chunk size is {chunks[0]}, must be 1"
    for name, chunk, pixels in zip(("height", "width"), chunks[1:], size, strict=True):
        if pixels % chunk:
            return f"{chunk} does not divide the {name} of a tile, {pixels} pixels"
    return ""
