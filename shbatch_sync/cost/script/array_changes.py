"""Methods of arrays that change them, or order them anew."""

from __future__ import annotations

from functools import cmp_to_key
from typing import Any

from shbatch_sync.cost.script.arrays import array_method, plain
from shbatch_sync.cost.script.calls import call
from shbatch_sync.cost.script.convert import to_number, to_text
from shbatch_sync.cost.script.dispatch import iterate
from shbatch_sync.cost.script.natives import arg, known, number, slot
from shbatch_sync.cost.script.values import (
    HOLE,
    UNDEFINED,
    Doubt,
    JsArray,
    bounded,
    range_error,
)


@array_method("push", writes=True)
def _push(run: Any, this: JsArray, args: list[Any]) -> Any:
    run.step()
    this.items.extend(args)
    return float(bounded(len(this.items)))


@array_method("pop", writes=True)
def _pop(_run: Any, this: JsArray, _args: list[Any]) -> Any:
    return plain(this.items.pop()) if this.items else UNDEFINED


@array_method("shift", writes=True)
def _shift(_run: Any, this: JsArray, _args: list[Any]) -> Any:
    return plain(this.items.pop(0)) if this.items else UNDEFINED


@array_method("unshift", writes=True)
def _unshift(_run: Any, this: JsArray, args: list[Any]) -> Any:
    this.items[:0] = args
    return float(bounded(len(this.items)))


@array_method("splice", writes=True)
def _splice(_run: Any, this: JsArray, args: list[Any]) -> Any:
    start = slot(args, 0, len(this.items), 0)
    room = len(this.items) - start
    count = room if len(args) == 1 else int(max(0, min(number(args, 1, 0), room)))
    taken = this.items[start : start + count] if args else []
    if args:
        this.items[start : start + count] = args[2:]
    return JsArray(taken)


@array_method("reverse", writes=True)
def _reverse(_run: Any, this: JsArray, _args: list[Any]) -> Any:
    this.items.reverse()
    return this


@array_method("fill", writes=True)
def _fill(_run: Any, this: JsArray, args: list[Any]) -> Any:
    start, end = slot(args, 1, len(this.items), 0), slot(args, 2, len(this.items), len(this.items))
    this.items[start:end] = [arg(args, 0)] * max(0, end - start)
    return this


@array_method("sort", writes=True)
def _sort(run: Any, this: JsArray, args: list[Any]) -> Any:
    this.items[:] = _sorted(run, this.items, args)
    return this


@array_method("toSorted")
def _to_sorted(run: Any, this: JsArray, args: list[Any]) -> Any:
    return JsArray(_sorted(run, this.items, args))


def _sorted(run: Any, items: list[Any], args: list[Any]) -> list[Any]:
    last = [item for item in items if item is UNDEFINED]
    first = [item for item in items if item is not UNDEFINED and item is not HOLE]
    if len(first) + len(last) != len(items):
        message = "an array with holes is sorted"
        raise Doubt(message)
    order = arg(args, 0)
    if order is UNDEFINED:
        return sorted(first, key=lambda item: to_text(item).encode("utf-16-be")) + last

    def compare(left: Any, right: Any) -> int:
        answer = call(run, order, UNDEFINED, [left, right])
        known(answer)
        difference = to_number(answer)
        return (difference > 0) - (difference < 0)

    return sorted(first, key=cmp_to_key(compare)) + last


@array_method("toReversed")
def _to_reversed(_run: Any, this: JsArray, _args: list[Any]) -> Any:
    return JsArray(iterate(this)[::-1])


@array_method("with")
def _with(_run: Any, this: JsArray, args: list[Any]) -> Any:
    place = number(args, 0, 0)
    place += len(this.items) if place < 0 else 0
    if not 0 <= place < len(this.items):
        message = "with() is called beyond the array"
        raise range_error(message)
    made = iterate(this)
    made[int(place)] = arg(args, 1)
    return JsArray(made)
