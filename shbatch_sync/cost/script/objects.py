"""`Object` and the methods every object and function has; `JSON`."""

from __future__ import annotations

import json
import math
from typing import Any

from shbatch_sync.cost.script.calls import call
from shbatch_sync.cost.script.collections import pair_of
from shbatch_sync.cost.script.convert import number_to_text, to_text
from shbatch_sync.cost.script.dispatch import iterate
from shbatch_sync.cost.script.natives import Table, arg, known, native
from shbatch_sync.cost.script.values import (
    CALLABLE,
    ERRORS,
    HOLE,
    UNDEFINED,
    Accessor,
    Closure,
    Doubt,
    JsArray,
    JsClass,
    JsObject,
    Native,
    Unknown,
    is_index,
    own_keys,
    syntax_error,
)

OBJECT: Table = {}
OBJECT_METHODS: dict[str, Any] = {}
FUNCTION: Table = {}
JSON: Table = {}

_METHODS: Table = {}


def pairs_of(run: Any, value: Any) -> list[tuple[str, Any]]:
    """List own properties with their values, running getters.

    Raises:
        Doubt: The value is unknown, or no plain object, array or text.
    """
    known(value)
    if isinstance(value, str):
        return [(str(i), letter) for i, letter in enumerate(value)]
    if isinstance(value, JsArray) and not value.kind:
        return [(str(i), item) for i, item in enumerate(value.items) if item is not HOLE]
    holder = value.own if isinstance(value, JsClass) else value
    if not isinstance(holder, JsObject) or holder.proto is ERRORS:
        message = "the properties of something that is no plain object are listed"
        raise Doubt(message)
    if isinstance(value, JsClass) and any(
        isinstance(x, (Accessor, Closure)) for x in holder.props.values()
    ):
        message = "the properties of a class with methods are listed"
        raise Doubt(message)
    return [(key, _value(run, holder.props[key], value)) for key in own_keys(holder)]


def _value(run: Any, found: Any, this: Any) -> Any:
    if not isinstance(found, Accessor):
        return found
    return UNDEFINED if found.getter is None else call(run, found.getter, this, [])


@native(OBJECT, "keys")
def _keys(run: Any, _this: Any, args: list[Any]) -> Any:
    return JsArray([key for key, _ in pairs_of(run, arg(args, 0))])


@native(OBJECT, "values")
def _values(run: Any, _this: Any, args: list[Any]) -> Any:
    return JsArray([value for _, value in pairs_of(run, arg(args, 0))])


@native(OBJECT, "entries")
def _entries(run: Any, _this: Any, args: list[Any]) -> Any:
    return JsArray([JsArray([key, value]) for key, value in pairs_of(run, arg(args, 0))])


@native(OBJECT, "assign")
def _assign(run: Any, _this: Any, args: list[Any]) -> Any:
    target = arg(args, 0)
    if not isinstance(target, JsObject) or target.frozen:
        message = "Object.assign to something that is no plain object"
        raise Doubt(message)
    for source in args[1:]:
        if source is not None and source is not UNDEFINED:
            merge(run, target, source)
    return target


def merge(run: Any, target: JsObject, source: Any) -> None:
    """Copy the own properties of `source`, as a spread does."""
    if source is None or source is UNDEFINED or isinstance(source, (bool, float)):
        return
    for key, value in pairs_of(run, source):
        if isinstance(target.props.get(key), Accessor):
            message = f"the accessor {key} is overwritten"
            raise Doubt(message)
        target.props[key] = value


@native(OBJECT, "freeze", "seal", "preventExtensions")
def _freeze(_run: Any, _this: Any, args: list[Any]) -> Any:
    value = arg(args, 0)
    if isinstance(value, (JsObject, JsArray)):
        value.frozen = True
    elif isinstance(value, (JsClass, Closure)):
        value.own.frozen = True
    return value


@native(OBJECT, "isFrozen", "isSealed")
def _is_frozen(_run: Any, _this: Any, _args: list[Any]) -> Any:
    message = "Object.isFrozen is not followed"
    raise Doubt(message)


@native(OBJECT, "fromEntries")
def _from_entries(_run: Any, _this: Any, args: list[Any]) -> Any:
    made = JsObject()
    for pair in iterate(arg(args, 0)):
        items = iterate(pair_of(pair))
        made.props[to_text(arg(items, 0))] = arg(items, 1)
    return made


@native(OBJECT, "create")
def _create(_run: Any, _this: Any, args: list[Any]) -> Any:
    proto = arg(args, 0)
    if len(args) > 1 or not (proto is None or isinstance(proto, JsObject)):
        message = "Object.create in this form is not followed"
        raise Doubt(message)
    return JsObject(proto=proto)


@native(OBJECT, "hasOwn")
def _has_own(_run: Any, _this: Any, args: list[Any]) -> Any:
    return _owns(arg(args, 0), arg(args, 1))


def _owns(owner: Any, key: Any) -> bool:
    known(owner, key)
    name = to_text(key)
    if isinstance(owner, JsArray) and not owner.kind:
        return name == "length" or (is_index(name) and int(name) < len(owner.items))
    if isinstance(owner, JsObject):
        return name in owner.props
    message = "hasOwnProperty of something that is no plain object"
    raise Doubt(message)


@native(_METHODS, "hasOwnProperty", "propertyIsEnumerable")
def _has_own_property(_run: Any, this: Any, args: list[Any]) -> Any:
    return _owns(this, arg(args, 0))


@native(_METHODS, "toString", "toLocaleString")
def _to_string(_run: Any, this: Any, _args: list[Any]) -> Any:
    return to_text(this)


@native(_METHODS, "valueOf")
def _value_of(_run: Any, this: Any, _args: list[Any]) -> Any:
    return this


OBJECT_METHODS.update(_METHODS)
for _name in ("constructor", "isPrototypeOf", "__proto__", "__defineGetter__", "__defineSetter__"):
    OBJECT_METHODS[_name] = Unknown(f"the member {_name} of an object", harmless=False)


@native(FUNCTION, "call")
def _call(run: Any, this: Any, args: list[Any]) -> Any:
    return call(run, this, arg(args, 0), args[1:])


@native(FUNCTION, "apply")
def _apply(run: Any, this: Any, args: list[Any]) -> Any:
    given = arg(args, 1)
    if given not in (None, UNDEFINED):
        pair_of(given)
    return call(run, this, arg(args, 0), [] if given in (None, UNDEFINED) else iterate(given))


@native(FUNCTION, "bind")
def _bind(_run: Any, this: Any, args: list[Any]) -> Any:
    first, bound = arg(args, 0), args[1:]

    def call_bound(run: Any, _this: Any, more: list[Any]) -> Any:
        return call(run, this, first, [*bound, *more])

    return Native("bound", call_bound)


@native(JSON, "parse")
def _parse(_run: Any, _this: Any, args: list[Any]) -> Any:
    known(arg(args, 0))
    if len(args) > 1:
        message = "JSON.parse with a reviver is not followed"
        raise Doubt(message)
    try:
        return _from_json(json.loads(to_text(arg(args, 0)), parse_constant=_refuse))
    except ValueError as error:
        raise syntax_error(str(error)) from error


def _refuse(name: str) -> Any:
    message = f"{name} is not JSON"
    raise ValueError(message)


def _from_json(value: Any) -> Any:
    if isinstance(value, list):
        return JsArray([_from_json(item) for item in value])
    if isinstance(value, dict):
        return JsObject({key: _from_json(item) for key, item in value.items()})
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


@native(JSON, "stringify")
def _stringify(_run: Any, _this: Any, args: list[Any]) -> Any:
    if any(value is not UNDEFINED and value is not None for value in args[1:]):
        message = "JSON.stringify with more than a value is not followed"
        raise Doubt(message)
    written = _to_json(arg(args, 0))
    return UNDEFINED if written is None else written


def _to_json(value: Any) -> str | None:
    """Write JSON; None for what JSON leaves out."""
    known(value)
    if value is UNDEFINED or value is HOLE or isinstance(value, CALLABLE):
        return None
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, float):
        return number_to_text(value) if math.isfinite(value) else "null"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, JsArray) and not value.kind:
        return f"[{','.join(_to_json(item) or 'null' for item in value.items)}]"
    if isinstance(value, JsObject) and value.proto is None and "toJSON" not in value.props:
        return _object_to_json(value)
    message = "JSON of something that is no plain object"
    raise Doubt(message)


def _object_to_json(value: JsObject) -> str:
    if any(isinstance(found, Accessor) for found in value.props.values()):
        message = "JSON of an object with getters"
        raise Doubt(message)
    written = ((key, _to_json(value.props[key])) for key in own_keys(value))
    parts = (
        f"{json.dumps(key, ensure_ascii=False)}:{text}" for key, text in written if text is not None
    )
    return "{" + ",".join(parts) + "}"
