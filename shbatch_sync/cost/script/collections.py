"""Map and Set."""

from __future__ import annotations

from typing import Any

from shbatch_sync.cost.script.calls import call
from shbatch_sync.cost.script.dispatch import iterate
from shbatch_sync.cost.script.natives import Table, arg, native
from shbatch_sync.cost.script.values import (
    UNDEFINED,
    Doubt,
    JsArray,
    JsMap,
    JsSet,
    bounded,
    identity,
    type_error,
)

MAP: Table = {}
SET: Table = {}


def _map_of(value: Any) -> JsMap:
    if not isinstance(value, JsMap):
        message = "a method of Map is used on something else"
        raise Doubt(message)
    return value


def _set_of(value: Any) -> JsSet:
    if not isinstance(value, JsSet):
        message = "a method of Set is used on something else"
        raise Doubt(message)
    return value


def pair_of(value: Any) -> Any:
    """Check that an entry of a Map or of `Object.fromEntries` is a list, which text is not.

    Raises:
        Thrown: It is no object.
    """
    if isinstance(value, (str, float, bool)) or value is None or value is UNDEFINED:
        message = "an entry is no object"
        raise type_error(message)
    return value


def new_map(_run: Any, args: list[Any]) -> JsMap:
    """Evaluate `new Map(pairs)`."""
    made = JsMap()
    for pair in _given(args):
        items = iterate(pair_of(pair))
        made.entries[identity(arg(items, 0))] = (arg(items, 0), arg(items, 1))
    return made


def new_set(_run: Any, args: list[Any]) -> JsSet:
    """Evaluate `new Set(items)`."""
    return JsSet({identity(item): item for item in _given(args)})


def _given(args: list[Any]) -> list[Any]:
    first = arg(args, 0)
    return [] if first is UNDEFINED or first is None else iterate(first)


@native(MAP, "get")
def _get(_run: Any, this: Any, args: list[Any]) -> Any:
    return _map_of(this).entries.get(identity(arg(args, 0)), (None, UNDEFINED))[1]


@native(MAP, "set")
def _put(_run: Any, this: Any, args: list[Any]) -> Any:
    entries = _map_of(this).entries
    key = identity(arg(args, 0))
    entries[key] = (entries[key][0] if key in entries else arg(args, 0), arg(args, 1))
    bounded(len(entries))
    return this


@native(MAP, "has")
def _map_has(_run: Any, this: Any, args: list[Any]) -> Any:
    return identity(arg(args, 0)) in _map_of(this).entries


@native(MAP, "delete")
def _map_delete(_run: Any, this: Any, args: list[Any]) -> Any:
    return _map_of(this).entries.pop(identity(arg(args, 0)), None) is not None


@native(MAP, "clear")
def _map_clear(_run: Any, this: Any, _args: list[Any]) -> Any:
    _map_of(this).entries.clear()
    return UNDEFINED


@native(MAP, "keys")
def _keys(_run: Any, this: Any, _args: list[Any]) -> Any:
    return JsArray([key for key, _ in _map_of(this).entries.values()], kind="iterator")


@native(MAP, "values")
def _values(_run: Any, this: Any, _args: list[Any]) -> Any:
    return JsArray([value for _, value in _map_of(this).entries.values()], kind="iterator")


@native(MAP, "entries")
def _entries(_run: Any, this: Any, _args: list[Any]) -> Any:
    return JsArray(iterate(_map_of(this)), kind="iterator")


@native(MAP, "forEach")
def _map_for_each(run: Any, this: Any, args: list[Any]) -> Any:
    for key, value in list(_map_of(this).entries.values()):
        call(run, arg(args, 0), arg(args, 1), [value, key, this])
    return UNDEFINED


@native(SET, "add")
def _add(_run: Any, this: Any, args: list[Any]) -> Any:
    entries = _set_of(this).entries
    entries.setdefault(identity(arg(args, 0)), arg(args, 0))
    bounded(len(entries))
    return this


@native(SET, "has")
def _set_has(_run: Any, this: Any, args: list[Any]) -> Any:
    return identity(arg(args, 0)) in _set_of(this).entries


@native(SET, "delete")
def _set_delete(_run: Any, this: Any, args: list[Any]) -> Any:
    entries, key = _set_of(this).entries, identity(arg(args, 0))
    found = key in entries
    entries.pop(key, None)
    return found


@native(SET, "clear")
def _set_clear(_run: Any, this: Any, _args: list[Any]) -> Any:
    _set_of(this).entries.clear()
    return UNDEFINED


@native(SET, "values", "keys")
def _set_values(_run: Any, this: Any, _args: list[Any]) -> Any:
    return JsArray(iterate(_set_of(this)), kind="iterator")


@native(SET, "forEach")
def _set_for_each(run: Any, this: Any, args: list[Any]) -> Any:
    for item in iterate(_set_of(this)):
        call(run, arg(args, 0), arg(args, 1), [item, item, this])
    return UNDEFINED
