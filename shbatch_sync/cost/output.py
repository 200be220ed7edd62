"""The factor of what a request writes: 32-bit floats cost double."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shbatch_sync.cost.evalscript import Output, Setup
from shbatch_sync.cost.formula import FLOAT_FACTOR, format_factor
from shbatch_sync.cost.span import Span, exactly

Notes = dict[str, None]
_SMALL = ("AUTO", "UINT8", "INT8", "UINT16", "INT16")
_EITHER = Span(1.0, FLOAT_FACTOR, FLOAT_FACTOR)


def output_factor(setup: Setup, responses: Sequence[Any], notes: Notes) -> Span:
    """Give the format factor of the outputs that are asked for.

    Args:
        setup: What the evalscript offers.
        responses: `processRequest.output.responses`.
        notes: Collects what is assumed.
    """
    spans = [_of_way(way, responses, notes) for way in (setup, *setup.alternatives)]
    span = spans[0]
    for other in spans[1:]:
        span = span.either(other)
    return span


def _of_way(setup: Setup, responses: Sequence[Any], notes: Notes) -> Span:
    images = [response for response in responses if _is_image(response)]
    if responses and not images:
        return exactly(1.0)
    if setup.outputs is None:
        notes["its outputs cannot be told; 32-bit floats are assumed"] = None
        return _EITHER
    wanted = [_wanted(setup.outputs, response) for response in images] or list(setup.outputs)
    factors = {_factor(output) for output in wanted}
    if len(factors) == 1 and None not in factors and not _zarr(images):
        return exactly(factors.pop() or 1.0)
    if factors == {1.0}:
        return exactly(1.0)
    notes[_reason(factors)] = None
    return _EITHER


def _reason(factors: set[float | None]) -> str:
    if None in factors:
        return "the sample type of an output cannot be told; 32-bit floats are assumed"
    if len(factors) > 1:
        return "some outputs are 32-bit floats: all are counted double, none in the low figure"
    return "32-bit floats in Zarr are counted double as in TIFF"


def _is_image(response: Any) -> bool:
    return bool(_format(response) != "application/json" and _identifier(response) != "userdata")


def _format(response: Any) -> Any:
    found = response.get("format") if isinstance(response, Mapping) else None
    return found.get("type") if isinstance(found, Mapping) else None


def _identifier(response: Any) -> Any:
    return response.get("identifier") if isinstance(response, Mapping) else None


def _zarr(images: Sequence[Any]) -> bool:
    return "zarr/array" in map(_format, images)


def _wanted(outputs: Sequence[Output], response: Any) -> Output | None:
    return next((output for output in outputs if output.id == _identifier(response)), None)


def _factor(output: Output | None) -> float | None:
    if output is None or output.sample_type is None:
        return None
    return format_factor(float32=output.sample_type not in _SMALL)
