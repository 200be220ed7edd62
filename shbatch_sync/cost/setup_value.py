"""From the value that `setup()` returns to inputs and outputs; what is odd or unknown is noted as a doubt."""

from __future__ import annotations

from typing import Any

from shbatch_sync.cost.evalscript import Output, Source
from shbatch_sync.cost.script.values import (
    UNDEFINED,
    Accessor,
    JsArray,
    JsObject,
    Unknown,
)

Doubts = dict[str, None]
_MOSAICKING = ("SIMPLE", "ORBIT", "TILE")


def inputs_of(value: Any, doubts: Doubts) -> tuple[Source, ...] | None:
    """Read `input` and the mosaicking of what `setup()` returned."""
    given = _member(value, "input", doubts)
    common = _mosaicking(value, "SIMPLE", doubts)
    if isinstance(given, JsObject):
        return (_source(given, common, doubts),)
    items = _items(given, "input", doubts)
    if items is None:
        return None
    if all(isinstance(item, (str, Unknown)) for item in items):
        return (Source(bands=_names(items, "a band", doubts), mosaicking=common),)
    return tuple(_source(item, common, doubts) for item in items)


def _source(item: Any, common: str | None, doubts: Doubts) -> Source:
    bands = _items(_member(item, "bands", doubts), "bands", doubts)
    return Source(
        datasource=_optional_text(_member(item, "datasource", doubts), "a data source", doubts),
        bands=None if bands is None else _names(bands, "a band", doubts),
        units=_units(_member(item, "units", doubts), doubts),
        mosaicking=_mosaicking(item, common, doubts),
    )


def outputs_of(value: Any, doubts: Doubts) -> tuple[Output, ...] | None:
    """Read `output` of what `setup()` returned."""
    given = _member(value, "output", doubts)
    if isinstance(given, JsObject):
        return (_output(given, doubts),)
    items = _items(given, "output", doubts)
    return None if items is None else tuple(_output(item, doubts) for item in items)


def _output(item: Any, doubts: Doubts) -> Output:
    return Output(
        id=_text(_member(item, "id", doubts), "default", "an output id", doubts),
        bands=_count(_member(item, "bands", doubts), doubts),
        sample_type=_text(_member(item, "sampleType", doubts), "AUTO", "a sample type", doubts),
    )


def _member(value: Any, name: str, doubts: Doubts) -> Any:
    if isinstance(value, Unknown):
        doubts[value.why] = None
        return value
    found = value.props.get(name, UNDEFINED) if isinstance(value, JsObject) else value
    odd = not isinstance(value, JsObject) or isinstance(found, Accessor) or value.proto is not None
    if odd:
        why = f"setup() returns something odd around {name}"
        doubts[why] = None
        return Unknown(why)
    return found


def _items(value: Any, name: str, doubts: Doubts) -> list[Any] | None:
    if isinstance(value, JsArray) and not value.kind:
        return value.items
    doubts[value.why if isinstance(value, Unknown) else f"{name} of setup() is no list"] = None
    return None


def _names(items: list[Any], what: str, doubts: Doubts) -> tuple[str | None, ...]:
    return tuple(_optional_text(item, what, doubts) for item in items)


def _optional_text(value: Any, what: str, doubts: Doubts) -> str | None:
    if value is UNDEFINED and what == "a data source":
        return None
    return _text(value, "", what, doubts) or None


def _text(value: Any, default: str, what: str, doubts: Doubts) -> str | None:
    if isinstance(value, str):
        return value
    if value is UNDEFINED and default:
        return default
    doubts[value.why if isinstance(value, Unknown) else f"{what} of setup() is no text"] = None
    return None


def _units(value: Any, doubts: Doubts) -> tuple[str | None, ...]:
    if value is UNDEFINED:
        return ()
    items = value.items if isinstance(value, JsArray) else [value]
    return _names(items, "a unit", doubts)


def _count(value: Any, doubts: Doubts) -> int | None:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    doubts[value.why if isinstance(value, Unknown) else "bands of an output is no number"] = None
    return None


def _mosaicking(holder: Any, default: str | None, doubts: Doubts) -> str | None:
    value = _member(holder, "mosaicking", doubts)
    if value is UNDEFINED:
        return default
    found = _text(value, "", "mosaicking", doubts)
    if found in (*_MOSAICKING, None):
        return found
    doubts[f"the mosaicking {found} is not known"] = None
    return None
