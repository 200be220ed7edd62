"""JSON pointers (RFC 6901), and the paths of keys and indices they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Steps = tuple[str | int, ...]


def to_pointer(steps: Iterable[str | int]) -> str:
    """Return the JSON pointer that leads along `steps`; empty for no steps."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def to_steps(pointer: str) -> Steps:
    """Return the steps of `pointer`, all of them text: a pointer does not tell an index from a key."""
    return tuple(
        part.replace("~1", "/").replace("~0", "~") for part in pointer.removeprefix("/").split("/")
    )


def lookup(data: Any, steps: Steps) -> tuple[bool, Any]:
    """Return whether `steps` lead to a value within `data`, and that value."""
    for step in steps:
        if isinstance(data, list):
            inside = isinstance(step, int) and 0 <= step < len(data)
        else:
            inside = isinstance(data, dict) and step in data
        if not inside:
            return False, None
        data = data[step]
    return True, data


def leaves(data: Any, steps: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """Yield every value of `data` that holds no further one, in order; empty containers count."""
    if isinstance(data, dict) and data:
        for key, value in data.items():
            yield from leaves(value, (*steps, key))
    elif isinstance(data, list) and data:
        for index, value in enumerate(data):
            yield from leaves(value, (*steps, index))
    else:
        yield steps, data
