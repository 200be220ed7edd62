"""Methods of arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shbatch_sync.cost.script.calls import call
from shbatch_sync.cost.script.convert import join_text, strictly_equal, to_text
from shbatch_sync.cost.script.dispatch import iterate, test
from shbatch_sync.cost.script.natives import Body, Table, arg, known, native, number, slot
from shbatch_sync.cost.script.values import (
    HOLE,
    UNDEFINED,
    Doubt,
    JsArray,
    Unknown,
    bounded,
    filled,
    identity,
    type_error,
)

ARRAY: Table = {}


def _refuses(this: JsArray, *, writes: bool) -> bool:
    return this.kind == "iterator" or (writes and (this.frozen or this.kind != ""))


def array_method(*names: str, writes: bool = False) -> Callable[[Body], Body]:
    """Register a method, checking what it is called on."""

    def register(body: Body) -> Body:
        def guarded(run: Any, this: Any, args: list[Any]) -> Any:
            if not isinstance(this, JsArray) or _refuses(this, writes=writes):
                message = f"{names[0]} of something that is no plain array is not followed"
                raise Doubt(message)
            return body(run, this, args)

        return native(ARRAY, *names)(guarded)

    return register


def _each(run: Any, this: JsArray, args: list[Any]) -> Any:
    """Call the callback for each element that is there, giving index, element and answer."""
    for i in range(len(this.items)):
        item = this.items[i] if i < len(this.items) else HOLE
        if item is HOLE:
            continue
        yield i, item, call(run, arg(args, 0), arg(args, 1), [item, float(i), this])


@array_method("map")
def _map(run: Any, this: JsArray, args: list[Any]) -> Any:
    made = [HOLE] * len(this.items)
    for i, _, answer in _each(run, this, args):
        made[i] = answer
    return JsArray(made)


@array_method("filter")
def _filter(run: Any, this: JsArray, args: list[Any]) -> Any:
    return JsArray([item for _, item, answer in _each(run, this, args) if test(run, answer)])


@array_method("forEach")
def _for_each(run: Any, this: JsArray, args: list[Any]) -> Any:
    for _ in _each(run, this, args):
        pass
    return UNDEFINED


@array_method("some")
def _some(run: Any, this: JsArray, args: list[Any]) -> Any:
    return any(test(run, answer) for _, _, answer in _each(run, this, args))


@array_method("every")
def _every(run: Any, this: JsArray, args: list[Any]) -> Any:
    return all(test(run, answer) for _, _, answer in _each(run, this, args))


def _search(run: Any, this: JsArray, args: list[Any], *, last: bool) -> tuple[float, Any]:
    found = list(enumerate(iterate(this)))
    for i, item in reversed(found) if last else found:
        if test(run, call(run, arg(args, 0), arg(args, 1), [item, float(i), this])):
            return float(i), item
    return -1.0, UNDEFINED


@array_method("find")
def _find(run: Any, this: JsArray, args: list[Any]) -> Any:
    return _search(run, this, args, last=False)[1]


@array_method("findIndex")
def _find_index(run: Any, this: JsArray, args: list[Any]) -> Any:
    return _search(run, this, args, last=False)[0]


@array_method("findLast")
def _find_last(run: Any, this: JsArray, args: list[Any]) -> Any:
    return _search(run, this, args, last=True)[1]


@array_method("findLastIndex")
def _find_last_index(run: Any, this: JsArray, args: list[Any]) -> Any:
    return _search(run, this, args, last=True)[0]


def _fold(run: Any, this: JsArray, args: list[Any], pairs: list[tuple[int, Any]]) -> Any:
    started = len(args) > 1
    if not started and not pairs:
        message = "an empty array is reduced without a start"
        raise type_error(message)
    value = args[1] if started else pairs.pop(0)[1]
    for i, item in pairs:
        value = call(run, arg(args, 0), UNDEFINED, [value, item, float(i), this])
    return value


@array_method("reduce")
def _reduce(run: Any, this: JsArray, args: list[Any]) -> Any:
    return _fold(run, this, args, list(filled(this.items)))


@array_method("reduceRight")
def _reduce_right(run: Any, this: JsArray, args: list[Any]) -> Any:
    return _fold(run, this, args, list(filled(this.items))[::-1])


@array_method("concat")
def _concat(_run: Any, this: JsArray, args: list[Any]) -> Any:
    made = list(this.items)
    for value in args:
        known(value)
        made.extend(value.items if isinstance(value, JsArray) and not value.kind else [value])
    bounded(len(made))
    return JsArray(made)


@array_method("slice")
def _slice(_run: Any, this: JsArray, args: list[Any]) -> Any:
    size = len(this.items)
    return JsArray(this.items[slot(args, 0, size, 0) : slot(args, 1, size, size)])


@array_method("toString")
def _to_string(run: Any, this: JsArray, _args: list[Any]) -> Any:
    return _join(run, this, [])


@array_method("join")
def _join(_run: Any, this: JsArray, args: list[Any]) -> Any:
    if isinstance(
        unknown := next((i for i in this.items if isinstance(i, Unknown)), None), Unknown
    ):
        return unknown
    glue = "," if arg(args, 0) is UNDEFINED else to_text(args[0])
    made = glue.join(join_text(item) for item in this.items)
    bounded(len(made))
    return made


@array_method("indexOf")
def _index_of(_run: Any, this: JsArray, args: list[Any]) -> Any:
    return _position(this.items, args, range(slot(args, 1, len(this.items), 0), len(this.items)))


@array_method("lastIndexOf")
def _last_index_of(_run: Any, this: JsArray, args: list[Any]) -> Any:
    if len(args) > 1:
        message = "lastIndexOf with a start is not followed"
        raise Doubt(message)
    return _position(this.items, args, range(len(this.items) - 1, -1, -1))


def _position(items: list[Any], args: list[Any], where: range) -> float:
    known(arg(args, 0), *(items[i] for i in where))
    hits = (i for i in where if strictly_equal(items[i], arg(args, 0)))
    return float(next(hits, -1))


@array_method("includes")
def _includes(_run: Any, this: JsArray, args: list[Any]) -> Any:
    wanted = identity(arg(args, 0))
    seen = iterate(JsArray(this.items[slot(args, 1, len(this.items), 0) :]))
    return any(identity(item) == wanted for item in seen)


@array_method("at")
def _at(_run: Any, this: JsArray, args: list[Any]) -> Any:
    place = number(args, 0, 0)
    place += len(this.items) if place < 0 else 0
    return plain(this.items[int(place)]) if 0 <= place < len(this.items) else UNDEFINED


def _flatten(items: list[Any], depth: float) -> list[Any]:
    made: list[Any] = []
    for _, item in filled(items):
        known(item)
        deeper = isinstance(item, JsArray) and not item.kind and depth >= 1
        made.extend(_flatten(item.items, depth - 1) if deeper else [item])
        bounded(len(made))
    return made


@array_method("flat")
def _flat(_run: Any, this: JsArray, args: list[Any]) -> Any:
    return JsArray(_flatten(this.items, number(args, 0, 1)))


@array_method("flatMap")
def _flat_map(run: Any, this: JsArray, args: list[Any]) -> Any:
    return JsArray(_flatten([answer for _, _, answer in _each(run, this, args)], 1))


@array_method("keys")
def _keys(_run: Any, this: JsArray, _args: list[Any]) -> Any:
    return JsArray([float(i) for i in range(len(this.items))], kind="iterator")


@array_method("values")
def _values(_run: Any, this: JsArray, _args: list[Any]) -> Any:
    return JsArray(iterate(this), kind="iterator")


@array_method("entries")
def _entries(_run: Any, this: JsArray, _args: list[Any]) -> Any:
    pairs = enumerate(iterate(this))
    return JsArray([JsArray([float(i), item]) for i, item in pairs], kind="iterator")


def plain(item: Any) -> Any:
    """Give an element as it is read: undefined for a hole."""
    return UNDEFINED if item is HOLE else item
