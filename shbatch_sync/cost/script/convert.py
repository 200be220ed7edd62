"""Conversions and comparisons between JavaScript values (ECMAScript, abstract operations)."""

from __future__ import annotations

import math
import re
from typing import Any

from shbatch_sync.cost.script.values import (
    CALLABLE,
    HOLE,
    UNDEFINED,
    Doubt,
    JsArray,
    JsObject,
    JsRegex,
    Unknown,
)

_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|Infinity)")
_LOWEST_PLAIN, _HIGHEST_PLAIN = -6, 20
_SIGN_BIT = 0x8000_0000
_EXACT_BELOW = 2.0**53
_RADIX = {"0x": 16, "0o": 8, "0b": 2}


def number_to_text(value: float) -> str:
    """Write a number as JavaScript does: shortest digits, exponents from 1e21 and below 1e-6."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == int(value) and abs(value) < _EXACT_BELOW:
        return str(int(value))
    sign, digits, exponent = _digits(value)
    if _LOWEST_PLAIN <= exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    if 0 <= exponent <= _HIGHEST_PLAIN:
        whole = digits[: exponent + 1].ljust(exponent + 1, "0")
        rest = digits[exponent + 1 :]
        return f"{sign}{whole}.{rest}" if rest else sign + whole
    mantissa = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
    return f"{sign}{mantissa}e{'+' if exponent > 0 else '-'}{abs(exponent)}"


def _digits(value: float) -> tuple[str, str, int]:
    """Split a number into sign, shortest digits and the power of ten of the first digit."""
    text = repr(value)
    sign = "-" if text[0] == "-" else ""
    mantissa, _, exponent = text.lstrip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    zeros = len(whole + fraction) - len(digits)
    return sign, digits.rstrip("0"), int(exponent or 0) + len(whole) - 1 - zeros


def to_text(value: Any) -> str:
    """Give `String(value)`.

    Raises:
        Doubt: It depends on something unknown or on a method of the script's own.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_to_text(value)
    if value is None or value is UNDEFINED:
        return "null" if value is None else "undefined"
    if isinstance(value, Unknown):
        raise Doubt(value.why)
    return _object_to_text(value)


def _object_to_text(value: Any) -> str:
    if isinstance(value, JsArray) and not value.kind:
        return ",".join(join_text(item) for item in value.items)
    if isinstance(value, JsRegex):
        return f"/{value.source}/{value.flags}"
    if isinstance(value, JsObject) and not {"toString", "valueOf"} & names_of(value):
        return "[object Object]"
    message = "an object is turned into text by a method of its own"
    raise Doubt(message)


def names_of(value: JsObject) -> set[str]:
    """Collect the property names of an object and of its prototypes."""
    names: set[str] = set()
    walker: JsObject | None = value
    while walker is not None:
        names.update(walker.props)
        walker = walker.proto
    return names


def join_text(item: Any) -> str:
    """Give the text of an array element as `join` writes it: nothing for null and undefined."""
    return "" if item is None or item is UNDEFINED or item is HOLE else to_text(item)


def to_number(value: Any) -> float:
    """Give `Number(value)`.

    Raises:
        Doubt: It depends on something unknown.
    """
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, float):
        return value
    if value is None:
        return 0.0
    if value is UNDEFINED:
        return math.nan
    return text_to_number(value if isinstance(value, str) else to_text(value))


def text_to_number(text: str) -> float:
    """Read a number as `Number(text)` does; NaN if it is none."""
    text = text.strip()
    if not text:
        return 0.0
    if (base := _RADIX.get(text[:2].lower())) is not None:
        try:
            return float(int(text[2:], base)) if "_" not in text else math.nan
        except ValueError:
            return math.nan
    return float(text) if _DECIMAL.fullmatch(text) else math.nan


def to_int32(value: Any) -> int:
    """Give the 32-bit integer that bitwise operators work on."""
    number = to_number(value)
    if not math.isfinite(number):
        return 0
    whole = int(number) & 0xFFFFFFFF
    return whole - 2 * _SIGN_BIT if whole >= _SIGN_BIT else whole


def truthy(value: Any) -> bool:
    """Tell whether a known value counts as true."""
    if isinstance(value, float):
        return value != 0 and not math.isnan(value)
    if isinstance(value, (bool, str)):
        return bool(value)
    return value is not None and value is not UNDEFINED


def type_name(value: Any) -> str:
    """Give `typeof value`."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    if value is UNDEFINED:
        return "undefined"
    return "function" if isinstance(value, CALLABLE) else "object"


def strictly_equal(left: Any, right: Any) -> bool:
    """Compare as `===`."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, (float, str)) and type(left) is type(right):
        return bool(left == right)
    return left is right


def loosely_equal(left: Any, right: Any) -> bool:
    """Compare as `==`."""
    nothing = (None, UNDEFINED)
    if any(left is x for x in nothing) or any(right is x for x in nothing):
        return any(left is x for x in nothing) and any(right is x for x in nothing)
    simple = (bool, float, str)
    if not isinstance(left, simple) and not isinstance(right, simple):
        return left is right
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    if _is_object_and_text(left, right) or _is_object_and_text(right, left):
        return to_text(left) == to_text(right)
    return to_number(left) == to_number(right)


def _is_object_and_text(one: Any, other: Any) -> bool:
    return isinstance(other, str) and not isinstance(one, (bool, float, str))
