"""How functions of the language are written down."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from shbatch_sync.cost.script.convert import to_number
from shbatch_sync.cost.script.values import UNDEFINED, Doubt, Native, Unknown

Table = dict[str, Native]
Body = Callable[[Any, Any, list[Any]], Any]


def native(table: Table, *names: str) -> Callable[[Body], Body]:
    """Put a function into a table of methods under its names in the language."""

    def register(body: Body) -> Body:
        for name in names:
            table[name] = Native(name, body)
        return body

    return register


def arg(args: list[Any], position: int) -> Any:
    """Give an argument, or undefined where there is none."""
    return args[position] if position < len(args) else UNDEFINED


def number(args: list[Any], position: int, default: float) -> float:
    """Give a whole-number argument, as most methods of the language take theirs."""
    value = arg(args, position)
    if value is UNDEFINED:
        return default
    found = to_number(value)
    if math.isnan(found):
        return 0.0
    return found if math.isinf(found) else float(math.trunc(found))


def slot(args: list[Any], position: int, size: int, default: float) -> int:
    """Give a position in a sequence: negative counts from the end, beyond is cut to the ends."""
    found = number(args, position, default)
    return int(max(0.0, min(found + size if found < 0 else found, size)))


def known(*values: Any) -> None:
    """Insist that values are known.

    Raises:
        Doubt: One is not.
    """
    for value in values:
        if isinstance(value, Unknown):
            raise Doubt(value.why)
