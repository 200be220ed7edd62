"""What a request will cost, before it exists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shbatch_sync.cost.crs import AreaError
from shbatch_sync.cost.evalscript import Setup, read_setup
from shbatch_sync.cost.features import Features
from shbatch_sync.cost.formula import (
    BATCH_MINIMUM,
    SMALLEST_REQUEST,
    area_factor,
    batch_factors,
    batch_pu,
)
from shbatch_sync.cost.output import output_factor
from shbatch_sync.cost.price import Estimate
from shbatch_sync.cost.reading import reading
from shbatch_sync.cost.span import Span
from shbatch_sync.cost.tiles import count_tiles

Notes = dict[str, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Size:
    """Images by size: (width, height) → how many, at least, likely and at most."""

    tiles: int | None
    pixels: int | None
    images: Mapping[tuple[int, int], Span]
    complete: bool = True


_NO_SIZE = _Size(tiles=None, pixels=None, images={}, complete=False)


def estimate(
    spec: Mapping[str, Any],
    *,
    samples: float | None = None,
    features: Callable[[], Features | None] = lambda: None,
) -> Estimate:
    """Estimate a request; what cannot be told widens the limits or leaves `pu` None, and is said.

    Args:
        spec: The request body.
        samples: Samples a pixel for ORBIT and TILE mosaicking, instead of one for every three days.
        features: Counts what a local copy of its GeoPackage holds; without it, GeoPackage input has no known price.
    """
    notes: Notes = {}
    process = _mapping(spec, "processRequest")
    setup = _setup(process.get("evalscript"))
    data = _list(_mapping(process, "input").get("data"))
    responses = _list(_mapping(process, "output").get("responses"))
    size = _size(spec, features, notes)
    each = reading(setup, data, samples, notes) * output_factor(setup, responses, notes)
    if _mapping(spec, "output").get("skipExisting") is True:
        notes["tiles whose files exist already cost nothing and are counted in full here"] = None
        each = replace(each, low=0.0)
    return _priced(size, each, notes)


def _mapping(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = holder.get(key)
    return found if isinstance(found, Mapping) else {}


def _list(found: Any) -> Sequence[Any]:
    return found if isinstance(found, (list, tuple)) else ()


def _setup(evalscript: Any) -> Setup:
    if isinstance(evalscript, str):
        return read_setup(evalscript)
    return Setup(version=3, certain=False, doubts=("it is not in the request",))


def _size(spec: Mapping[str, Any], features: Callable[[], Features | None], notes: Notes) -> _Size:
    kind = _mapping(spec, "input").get("type")
    if kind == "tiling-grid":
        return _tiling_size(spec, notes)
    if kind != "geopackage":
        notes["the input is neither a tiling grid nor a GeoPackage"] = None
        return _NO_SIZE
    return _package_size(features, notes)


def _package_size(features: Callable[[], Features | None], notes: Notes) -> _Size:
    try:
        found = features()
    except AreaError as error:
        notes[f"the features of the local copy cannot be compared with the area: {error}"] = None
        return _NO_SIZE
    if found is None:
        notes[
            "without a local copy of the GeoPackage its features cannot be counted (localCopy)"
        ] = None
        return _NO_SIZE
    return _feature_size(found, notes)


def _tiling_size(spec: Mapping[str, Any], notes: Notes) -> _Size:
    grid = _mapping(spec, "input")
    bounds = _mapping(_mapping(_mapping(spec, "processRequest"), "input"), "bounds")
    try:
        tiles = count_tiles(
            _number(grid, "id"),
            bounds,
            _number(grid, "resolution"),
            _number(grid, "bufferX", 0),
            _number(grid, "bufferY", 0),
        )
    except AreaError as error:
        notes[str(error)] = None
        return _NO_SIZE
    notes.update(dict.fromkeys(tiles.inferred))
    if tiles.high == 0:
        notes["no tile of the grid meets the area"] = None
    span = Span(float(tiles.low), float(tiles.count), float(tiles.high))
    return _Size(tiles=tiles.count, pixels=tiles.total_pixels, images={tiles.pixels_per_tile: span})


def _number(holder: Mapping[str, Any], key: str, default: int | None = None) -> Any:
    """Give a number of the request.

    Raises:
        AreaError: It is missing or no number.
    """
    found = holder.get(key, default)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        message = f"input.{key} is no number"
        raise AreaError(message)
    return int(found) if key != "resolution" else found


def _feature_size(features: Features, notes: Notes) -> _Size:
    notes["features are those of the local copy; nobody knows what lies in the bucket"] = None
    notes.update(dict.fromkeys(features.inferred))
    images = {size: Span(float(n), float(n), float(n)) for size, n in features.sizes.items()}
    if features.unsized:
        notes[f"{features.unsized} features have no size, so the price is not known"] = None
    pixels = sum(width * height * n for (width, height), n in features.sizes.items())
    return _Size(
        tiles=features.count,
        pixels=None if features.unsized else pixels,
        images=images,
        complete=not features.unsized,
    )


def _priced(size: _Size, each: Span, notes: Notes) -> Estimate:
    """Put size and reading together, image by image."""
    total = Span(0.0, 0.0, 0.0)
    for (width, height), count in size.images.items():
        total += count * _image(width, height, each, notes)
    if not size.complete:
        total = Span(total.low, None, None)
    if total.likely is not None and total.likely < BATCH_MINIMUM:
        notes["a request costs at least 100 PU"] = None
    notes["tiles without data are counted in full"] = None
    empty = size.complete and not any(count.high for count in size.images.values())
    return Estimate(
        tiles=size.tiles,
        pixels=size.pixels,
        pu=None if total.likely is None else batch_pu(total.likely),
        low=0.0 if empty or each.low == 0 else batch_pu(total.low),
        high=None if total.high is None else batch_pu(total.high),
        unfloored=total.likely,
        assumptions=tuple(notes),
    )


def _image(width: int, height: int, each: Span, notes: Notes) -> Span:
    area = area_factor(width, height)
    cheap, dear = batch_factors(width, height)
    if cheap != dear:
        notes[
            "a tile of exactly 10,000 pixels is counted at full price, a third in the low figure"
        ] = None
    high = None if each.high is None else max(area * each.high * dear, SMALLEST_REQUEST)
    likely = None if each.likely is None else area * each.likely * dear
    return Span(area * each.low * cheap, likely, high)
