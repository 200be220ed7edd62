"""JSON text to plain values: RFC 8259 as it is written, without what Python's reader adds to it."""

from __future__ import annotations

import json
import math
from typing import Any

_LONGEST_INTEGER = 32  # Python itself refuses to convert integers of thousands of digits
MAX_INTEGER = 2**63 - 1


class JsonRefusedError(Exception):
    """Text that is no JSON, or JSON that cannot be sent; `line` and `column` are 1-based."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


def loads(text: str) -> Any:
    """Return the value of `text`.

    Raises:
        JsonRefusedError: It is no JSON, has a key twice, NaN, infinities or integers beyond 64 bits, or is too deep.
    """
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_real,
        )
    except json.JSONDecodeError as error:
        message = f"not JSON: {error.msg}"
        raise JsonRefusedError(message, error.lineno, error.colno) from None
    except RecursionError:
        message = "nested too deep"
        raise JsonRefusedError(message) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        keys = [key for key, _ in pairs]
        message = f"the key {next(key for key in keys if keys.count(key) > 1)!r} is written twice"
        raise JsonRefusedError(message)
    return result


def _constant(word: str) -> Any:
    message = f"{word} is no JSON number"
    raise JsonRefusedError(message)


def _integer(digits: str) -> int:
    number = int(digits) if len(digits) <= _LONGEST_INTEGER else MAX_INTEGER + 1
    if abs(number) > MAX_INTEGER:
        message = "a number is too large to be sent"
        raise JsonRefusedError(message)
    return number


def _real(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        message = "a number is too large to be sent"
        raise JsonRefusedError(message)
    return number


def within(data: Any, depth: int, count: int) -> bool:
    """Return whether `data` has at most `depth` levels and `count` values."""
    level = [data]
    while level:
        depth -= 1
        count -= len(level)
        if depth < 0 or count < 0:
            return False
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
        level = below
    return True
