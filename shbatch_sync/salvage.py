"""What is sound of data with faults, so that everything else that is wrong with it can be told in the same breath.

Every fault is cut out: its member is dropped, or replaced by something harmless where it has to be there. What was
cut out is remembered, for nothing may be said about it later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shbatch_sync.allow import allowed_through
from shbatch_sync.faults import MAX_FAULTS, SchemaFault
from shbatch_sync.pointer import Steps, lookup
from shbatch_sync.project import API_VERSION
from shbatch_sync.schema import Schema

MATRIX: Steps = ("matrix",)
# A part of these says nothing: a matrix without one of its axes has other names, and other rows.
_WHOLE = frozenset({"matrix", "x-allow"})
_ROUNDS = 12
_BOUNDS = {"bbox": [0, 0, 1, 1]}
_DATASET = {"type": "sentinel-2-l2a"}
_RESPONSE = {"identifier": "default", "format": {"type": "image/tiff"}}
HARMLESS_SCRIPT = "//VERSION=3\n"
HARMLESS_AREA = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 1], [0, 0]]]}
_DELIVERY = {"s3": {"url": "s3://bucket"}}
_PROCESS_INPUT = {"bounds": _BOUNDS, "data": [_DATASET]}
_HARMLESS: Mapping[Steps, Any] = {
    ("apiVersion",): API_VERSION,
    ("name",): "name",
    # What was to be let through is not known any more, so nothing that is new may be called a fault.
    ("x-allow",): ["/request/*"],
    ("request", "processRequest"): {
        "input": _PROCESS_INPUT,
        "output": {"responses": [_RESPONSE]},
        "evalscript": HARMLESS_SCRIPT,
    },
    ("request", "processRequest", "evalscript"): HARMLESS_SCRIPT,
    ("request", "processRequest", "input"): _PROCESS_INPUT,
    ("request", "processRequest", "input", "bounds"): _BOUNDS,
    ("request", "processRequest", "input", "data"): [_DATASET],
    ("request", "processRequest", "input", "data", "*"): _DATASET,
    ("request", "processRequest", "output"): {"responses": [_RESPONSE]},
    ("request", "processRequest", "output", "responses"): [_RESPONSE],
    ("request", "processRequest", "output", "responses", "*"): _RESPONSE,
    ("request", "input"): {"type": "tiling-grid", "id": 0, "resolution": 10},
    ("request", "input", "id"): 0,
    ("request", "input", "resolution"): 10,
    ("request", "input", "features"): _DELIVERY,
    ("request", "output"): {"type": "raster", "delivery": _DELIVERY},
    ("request", "output", "delivery"): _DELIVERY,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvaged:
    """Valid data.

    Attributes:
        data: Without its faults.
        unsound: The ways to what was cut out.
    """

    data: Any
    unsound: tuple[Steps, ...] = ()


def salvage(
    data: Any, wounds: Sequence[Steps], schema: Schema, harmless: Mapping[Steps, Any]
) -> Salvaged | None:
    """Return `data` without what is wrong with it, or None where too much hangs on that.

    Args:
        data: A manifest.
        wounds: Ways to what is wrong besides what `schema` says.
        schema: That it has to be valid by afterwards.
        harmless: Ways → what may stand there instead, besides what always may.
    """
    known = {**_HARMLESS, **harmless}
    unsound: dict[Steps, None] = {}
    for _ in range(_ROUNDS):
        for wound in map(_whole, wounds):
            if wound in unsound and wound[0] in _WHOLE:
                continue
            way = next((way for way in _ways(wound) if _can_cut(data, way, known, unsound)), None)
            if way is None:
                return None
            unsound[way] = unsound[wound] = None
            data = _cut(data, way, known.get(_pattern(way)))
        faults = allowed_through(schema.faults(data), data)
        if not faults:
            return Salvaged(data=data, unsound=tuple(unsound))
        if len(faults) > MAX_FAULTS:
            return None
        wounds = [wound_of(fault) for fault in faults]
        unsound |= dict.fromkeys(meant_by(faults))
    return None


def _whole(wound: Steps) -> Steps:
    return wound[:1] if wound[:1] and wound[0] in _WHOLE else wound


def wound_of(fault: SchemaFault) -> Steps:
    """Return the way to what is wrong: to the member itself where one is missing."""
    missing = fault.meant is not None and not fault.at_key
    return (*fault.steps, str(fault.meant)) if missing else fault.steps


def meant_by(faults: Sequence[SchemaFault]) -> list[Steps]:
    """Return the ways to what was meant by misspelt keys, of which nothing is known."""
    return [(*one.steps[:-1], one.meant) for one in faults if one.at_key and one.meant is not None]


def _ways(wound: Steps) -> Iterator[Steps]:
    """Yield the way to the wound, and to ever more around it."""
    for length in range(len(wound), 0, -1):
        yield wound[:length]


def _pattern(way: Steps) -> Steps:
    return tuple("*" if isinstance(step, int) else step for step in way)


def _can_cut(data: Any, way: Steps, known: Mapping[Steps, Any], done: Mapping[Steps, None]) -> bool:
    """Return whether cutting here is possible, and has not been tried already."""
    around_is_there, around = lookup(data, way[:-1])
    if way in done or not around_is_there or not isinstance(around, (dict, list)):
        return False
    if _pattern(way) in known:
        return isinstance(around, dict) or lookup(data, way)[0]
    return isinstance(around, dict) and way[-1] in around and way != ("request",)


def _cut(data: Any, way: Steps, instead: Any) -> Any:
    """Return a copy of `data` with something else at `way`, or nothing."""
    step, *rest = way
    if isinstance(data, list):
        return [
            (_cut(item, tuple(rest), instead) if rest else instead) if index == step else item
            for index, item in enumerate(data)
        ]
    kept = dict(data)
    if rest:
        kept[str(step)] = _cut(data[step], tuple(rest), instead)
    elif instead is None:
        kept.pop(str(step))
    else:
        kept[str(step)] = instead
    return kept
