"""Reading a payload level by level, and noting what is wrong instead of stopping at the first fault."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shbatch_sync.emulator.refusal import Violation

if TYPE_CHECKING:
    from collections.abc import Collection


_INT64 = 2**63


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a payload, where it stands, and the list that its faults go to."""

    value: Any
    path: str
    faults: list[Violation]

    def fault(self, text: str) -> None:
        """Note what is wrong here."""
        self.faults.append(Violation(self.path, text))

    def blame(self, key: str, text: str) -> None:
        """Note what is wrong with a member, present or not."""
        self.faults.append(Violation(self._path_of(key), text))

    def _path_of(self, key: str) -> str:
        return f"{self.path}->{key}" if self.path else key

    def has(self, key: str) -> bool:
        """Tell whether an object has a member."""
        return isinstance(self.value, dict) and key in self.value

    def get(self, key: str) -> Node | None:
        """Return a member; None if it is absent, or null, which the service rejects."""
        if not self.has(key):
            return None
        node = Node(self.value[key], self._path_of(key), self.faults)
        if node.value is None:
            node.fault("must not be null; leave it out")
            return None
        return node

    def need(self, key: str) -> Node | None:
        """Return a member that has to be there."""
        if isinstance(self.value, dict) and key not in self.value:
            self.blame(key, "is required")
        return self.get(key)

    def object(self, key: str, *, required: bool = False) -> Node | None:
        """Return a member that has to be an object."""
        node = self.need(key) if required else self.get(key)
        if node is not None and not isinstance(node.value, dict):
            node.fault(f"must be an object, not {kind_of(node.value)}")
            return None
        return node

    def items(self, key: str, *, required: bool = False) -> list[Node]:
        """Return the items of a member that has to be a list; a required one must not be empty."""
        node = self.need(key) if required else self.get(key)
        if node is None:
            return []
        if not isinstance(node.value, list):
            node.fault(f"must be a list, not {kind_of(node.value)}")
            return []
        if required and not node.value:
            node.fault("must not be empty")
        return [
            Node(value, f"{node.path}[{index}]", self.faults)
            for index, value in enumerate(node.value)
        ]

    def numbers(self, key: str, size: int) -> list[float] | None:
        """Return a member that has to be a list of so many numbers."""
        node = self.get(key)
        if node is None:
            return None
        value = node.value
        if not isinstance(value, list) or len(value) != size or not all(map(is_number, value)):
            node.fault(f"must be a list of {size} numbers")
            return None
        return value

    def text(self, key: str, *, required: bool = False) -> str | None:
        """Return a member that has to be a text; a required one must not be empty."""
        node = self.need(key) if required else self.get(key)
        if node is None:
            return None
        if not isinstance(node.value, str):
            node.fault(f"must be a string, not {kind_of(node.value)}")
            return None
        if required and not node.value:
            node.fault("must not be empty")
            return None
        return node.value

    def choice(self, key: str, allowed: Collection[str], *, required: bool = False) -> str | None:
        """Return a member that has to be one of a closed list."""
        text = self.text(key, required=required)
        if text is not None and text not in allowed:
            self.blame(key, f"{text!r} is not one of {', '.join(sorted(allowed))}")
            return None
        return text

    def number(
        self,
        key: str,
        low: float = -math.inf,
        high: float = math.inf,
        *,
        required: bool = False,
        whole: bool = False,
    ) -> float | None:
        """Return a member that has to be a number from `low` to `high`."""
        node = self.need(key) if required else self.get(key)
        if node is None:
            return None
        if not (is_whole(node.value) if whole else is_number(node.value)):
            node.fault(
                f"must be {'an integer' if whole else 'a number'}, not {kind_of(node.value)}"
            )
            return None
        if not low <= node.value <= high:
            node.fault(f"{node.value} is outside {low:g} to {high:g}")
            return None
        return float(node.value)

    def flag(self, key: str) -> bool:
        """Return a member that has to be true or false; absent is false."""
        node = self.get(key)
        if node is not None and not isinstance(node.value, bool):
            node.fault(f"must be true or false, not {kind_of(node.value)}")
        return node is not None and node.value is True


def is_number(value: object) -> bool:
    """Tell whether a JSON value is a finite number."""
    return is_whole(value) or (isinstance(value, float) and math.isfinite(value))


def is_whole(value: object) -> bool:
    """Tell whether a JSON value is an integer that fits 64 bits."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < _INT64


def kind_of(value: object) -> str:
    """Name the JSON type of a value, for messages that must not repeat the value."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case int() | float():
            return "a number" if is_number(value) else "a number of more than 64 bits"
        case list():
            return "a list"
        case _:
            return "an object"
