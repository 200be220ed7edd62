"""Operators between two values."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from shbatch_sync.cost.script.convert import (
    loosely_equal,
    strictly_equal,
    to_int32,
    to_number,
    to_text,
)
from shbatch_sync.cost.script.members import has_member
from shbatch_sync.cost.script.numbers import power
from shbatch_sync.cost.script.values import (
    CALLABLE,
    OBJECTS,
    Doubt,
    JsArray,
    JsClass,
    JsObject,
    Native,
    Unknown,
    bounded,
    type_error,
)


def binary(operator: str, left: Any, right: Any) -> Any:
    """Evaluate `left operator right`; with an unknown side the answer is unknown.

    Raises:
        Doubt: The operator is not followed.
    """
    for side in (left, right):
        if isinstance(side, Unknown):
            return side
    handler = _OPERATORS.get(operator)
    if handler is None:
        message = f"the operator {operator} is not followed"
        raise Doubt(message)
    return handler(left, right)


def add_one(operator: str, value: Any) -> Any:
    """Evaluate `operator value` for +, - and ~."""
    if isinstance(value, Unknown):
        return value
    if operator == "~":
        return float(~to_int32(value))
    return -to_number(value) if operator == "-" else to_number(value)


def _add(left: Any, right: Any) -> Any:
    if any(isinstance(side, (str, *OBJECTS)) for side in (left, right)):
        made = to_text(left) + to_text(right)
        bounded(len(made))
        return made
    return to_number(left) + to_number(right)


def _divide(left: Any, right: Any) -> float:
    above, below = to_number(left), to_number(right)
    if below != 0:
        return above / below
    if above == 0 or math.isnan(above):
        return math.nan
    return math.copysign(math.inf, above) * math.copysign(1, below)


def _remainder(left: Any, right: Any) -> float:
    above, below = to_number(left), to_number(right)
    if below == 0 or not math.isfinite(above) or math.isnan(below):
        return math.nan
    return math.fmod(above, below)


def _compare(check: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compare(left: Any, right: Any) -> bool:
        if isinstance(left, OBJECTS):
            left = to_text(left)
        if isinstance(right, OBJECTS):
            right = to_text(right)
        if isinstance(left, str) and isinstance(right, str):
            return check(left.encode("utf-16-be"), right.encode("utf-16-be"))
        return check(to_number(left), to_number(right))

    return compare


def _instance_of(left: Any, right: Any) -> bool:
    if isinstance(right, JsClass) and isinstance(left, JsObject):
        walker = left.proto
        while walker is not None and walker is not right.prototype:
            walker = walker.proto
        return walker is not None
    if isinstance(right, Native) and right.name == "Array":
        return isinstance(left, JsArray) and not left.kind
    if not isinstance(right, CALLABLE):
        message = "the right side of instanceof is no function"
        raise type_error(message)
    message = "instanceof with this class is not followed"
    raise Doubt(message)


def _wrapped(body: Callable[[Any, Any], int]) -> Callable[[Any, Any], float]:
    return lambda left, right: float(body(left, right))


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": _add,
    "-": lambda left, right: to_number(left) - to_number(right),
    "*": lambda left, right: to_number(left) * to_number(right),
    "/": _divide,
    "%": _remainder,
    "**": lambda left, right: power(to_number(left), to_number(right)),
    "===": strictly_equal,
    "!==": lambda left, right: not strictly_equal(left, right),
    "==": loosely_equal,
    "!=": lambda left, right: not loosely_equal(left, right),
    "<": _compare(lambda left, right: left < right),
    ">": _compare(lambda left, right: left > right),
    "<=": _compare(lambda left, right: left <= right),
    ">=": _compare(lambda left, right: left >= right),
    "&": _wrapped(lambda left, right: to_int32(left) & to_int32(right)),
    "|": _wrapped(lambda left, right: to_int32(left) | to_int32(right)),
    "^": _wrapped(lambda left, right: to_int32(left) ^ to_int32(right)),
    "<<": _wrapped(lambda left, right: to_int32(float(to_int32(left) << (to_int32(right) & 31)))),
    ">>": _wrapped(lambda left, right: to_int32(left) >> (to_int32(right) & 31)),
    ">>>": _wrapped(lambda left, right: (to_int32(left) & 0xFFFFFFFF) >> (to_int32(right) & 31)),
    "in": lambda left, right: has_member(right, left),
    "instanceof": _instance_of,
}
