"""`Math`, `Number` and the methods of numbers and booleans."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from shbatch_sync.cost.script.convert import number_to_text, to_number, to_text
from shbatch_sync.cost.script.natives import Table, arg, known, native, number
from shbatch_sync.cost.script.values import Doubt, Native, Unknown

MATH: Table = {}
NUMBER: Table = {}
NUMBER_METHODS: Table = {}
BOOLEAN_METHODS: Table = {}

MATH_CONSTANTS = {
    "PI": math.pi,
    "E": math.e,
    "SQRT2": math.sqrt(2),
    "LN2": math.log(2),
    "LN10": math.log(10),
}
NUMBER_CONSTANTS = {
    "EPSILON": 2.0**-52,
    "MAX_SAFE_INTEGER": 2.0**53 - 1,
    "MIN_SAFE_INTEGER": 1 - 2.0**53,
    "MAX_VALUE": 1.7976931348623157e308,
    "MIN_VALUE": 5e-324,
    "POSITIVE_INFINITY": math.inf,
    "NEGATIVE_INFINITY": -math.inf,
    "NaN": math.nan,
}

_EXACT = Context(prec=150)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_FLOAT_START = re.compile(r"[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)")


def _of_one(name: str, body: Callable[[float], float]) -> None:
    def run_it(_run: Any, _this: Any, args: list[Any]) -> Any:
        value = arg(args, 0)
        if isinstance(value, Unknown):
            return value
        found = to_number(value)
        try:
            return float(body(found)) if math.isfinite(found) else _at_edge(name, found)
        except (ValueError, OverflowError):
            return math.nan

    MATH[name] = Native(name, run_it)


def _at_edge(name: str, value: float) -> float:
    if math.isnan(value) or name in ("floor", "ceil", "round", "trunc"):
        return value
    if name == "abs":
        return math.inf
    message = f"Math.{name} of an infinite number"
    raise Doubt(message)


def half_up(value: float) -> float:
    """Round as `Math.round`: halves go up."""
    below = math.floor(value)
    return float(below + 1 if value - below >= 0.5 else below)  # noqa: PLR2004 - a half


def _log(value: float) -> float:
    return -math.inf if value == 0 else math.log(value)


_of_one("abs", abs)
_of_one("floor", math.floor)
_of_one("ceil", math.ceil)
_of_one("trunc", math.trunc)
_of_one("round", half_up)
_of_one("sqrt", math.sqrt)
_of_one("log", _log)
_of_one("log2", lambda value: -math.inf if value == 0 else math.log2(value))
_of_one("log10", lambda value: -math.inf if value == 0 else math.log10(value))
_of_one("sign", lambda value: (value > 0) - (value < 0))


@native(MATH, "max")
def _max(_run: Any, _this: Any, args: list[Any]) -> Any:
    return _extreme(args, max, -math.inf)


@native(MATH, "min")
def _min(_run: Any, _this: Any, args: list[Any]) -> Any:
    return _extreme(args, min, math.inf)


def _extreme(args: list[Any], pick: Callable[[list[float]], float], empty: float) -> Any:
    unknown = next((value for value in args if isinstance(value, Unknown)), None)
    if unknown is not None:
        return unknown
    numbers = [to_number(value) for value in args]
    return math.nan if any(map(math.isnan, numbers)) else pick([*numbers, empty])


@native(MATH, "pow")
def _pow(_run: Any, _this: Any, args: list[Any]) -> Any:
    known(arg(args, 0), arg(args, 1))
    return power(to_number(arg(args, 0)), to_number(arg(args, 1)))


def power(base: float, exponent: float) -> float:
    """Evaluate `base ** exponent`."""
    if math.isnan(exponent) or (abs(base) == 1 and math.isinf(exponent)):
        return math.nan
    try:
        found = base**exponent
    except ZeroDivisionError:
        return math.inf
    except OverflowError:
        return math.inf if base > 0 or exponent % 2 == 0 else -math.inf
    return math.nan if isinstance(found, complex) else found


@native(MATH, "random")
def _random(_run: Any, _this: Any, _args: list[Any]) -> Any:
    return Unknown("it depends on chance (Math.random)")


@native(NUMBER, "isInteger")
def _is_integer(_run: Any, _this: Any, args: list[Any]) -> Any:
    value = arg(args, 0)
    known(value)
    return isinstance(value, float) and math.isfinite(value) and value == int(value)


@native(NUMBER, "isFinite")
def _is_finite(_run: Any, _this: Any, args: list[Any]) -> Any:
    value = arg(args, 0)
    known(value)
    return isinstance(value, float) and math.isfinite(value)


@native(NUMBER, "isNaN")
def _is_nan(_run: Any, _this: Any, args: list[Any]) -> Any:
    value = arg(args, 0)
    known(value)
    return isinstance(value, float) and math.isnan(value)


@native(NUMBER, "parseInt")
def parse_int(_run: Any, _this: Any, args: list[Any]) -> Any:
    """Evaluate `parseInt(text, radix)`."""
    known(arg(args, 0), arg(args, 1))
    radix = number(args, 1, 0)
    text, base = to_text(arg(args, 0)).strip().lower(), int(radix) if math.isfinite(radix) else 0
    sign = -1.0 if text[:1] == "-" else 1.0
    text = text.lstrip("+-") if text[:1] in ("+", "-") else text
    if text.startswith("0x") and base in (0, 16):
        text, base = text[2:], 16
    base = base or 10
    if not 2 <= base <= 36:  # noqa: PLR2004 - the bases of the language
        return math.nan
    found = 0
    while found < len(text) and text[found] in _DIGITS[:base]:
        found += 1
    return sign * int(text[:found], base) if found else math.nan


@native(NUMBER, "parseFloat")
def parse_float(_run: Any, _this: Any, args: list[Any]) -> Any:
    """Evaluate `parseFloat(text)`."""
    known(arg(args, 0))
    text = to_text(arg(args, 0)).strip()
    found = _FLOAT_START.match(text)
    if found is None and text.lstrip("+-").startswith("Infinity"):
        message = "parseFloat of Infinity"
        raise Doubt(message)
    return math.nan if found is None else float(found.group())


@native(NUMBER_METHODS, "toString")
def _to_string(_run: Any, this: Any, args: list[Any]) -> Any:
    base = number(args, 0, 10)
    if base == 10 or not math.isfinite(this):  # noqa: PLR2004 - decimal
        return number_to_text(to_number(this))
    if not 2 <= base <= 36 or this != int(this):  # noqa: PLR2004 - the bases of the language
        message = "a fraction is written to another base"
        raise Doubt(message)
    return _in_base(int(this), int(base))


def _in_base(value: int, base: int) -> str:
    digits, rest = "", abs(value)
    while rest:
        rest, digit = divmod(rest, base)
        digits = _DIGITS[digit] + digits
    return ("-" if value < 0 else "") + (digits or "0")


@native(NUMBER_METHODS, "toFixed")
def _to_fixed(_run: Any, this: Any, args: list[Any]) -> Any:
    places, value = number(args, 0, 0), to_number(this)
    if not 0 <= places <= 100 or not abs(value) < 1e21:  # noqa: PLR2004 - the limits of the language
        message = "toFixed beyond its range"
        raise Doubt(message)
    unit = Decimal(1).scaleb(-int(places))
    made = Decimal(abs(value)).quantize(unit, ROUND_HALF_UP, _EXACT)
    return f"{'-' if value < 0 else ''}{made:f}"


@native(NUMBER_METHODS, "valueOf")
def _value_of(_run: Any, this: Any, _args: list[Any]) -> Any:
    return this


@native(BOOLEAN_METHODS, "toString")
def _boolean_to_string(_run: Any, this: Any, _args: list[Any]) -> Any:
    return to_text(this)


NUMBER_METHODS["toLocaleString"] = Native(
    "toLocaleString", lambda *_: Unknown("it depends on the language of the machine")
)
