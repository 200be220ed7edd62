"""Which function evaluates which kind of syntax node."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from shbatch_sync.cost.script.convert import truthy
from shbatch_sync.cost.script.values import (
    HOLE,
    UNDEFINED,
    Doubt,
    JsArray,
    JsMap,
    JsSet,
    Unknown,
    bounded,
    type_error,
)

if TYPE_CHECKING:
    from tree_sitter import Node

    from shbatch_sync.cost.script.scope import Run, Scope

Handler = Callable[["Run", "Node", "Scope"], Any]

_HANDLERS: dict[str, Handler] = {}


class Leave(Exception):  # noqa: N818 - a jump, no error
    """Control leaves a statement: `break`, `continue` with an optional label, or `return` with a value."""

    def __init__(self, kind: str, label: str = "", value: Any = UNDEFINED) -> None:
        self.kind = kind
        self.label = label
        self.value = value
        super().__init__(kind)


def handles(*types: str) -> Callable[[Handler], Handler]:
    """Register a function for node types."""

    def register(handler: Handler) -> Handler:
        _HANDLERS.update(dict.fromkeys(types, handler))
        return handler

    return register


def evaluate(run: Run, node: Node, scope: Scope) -> Any:
    """Evaluate a syntax node.

    Raises:
        Doubt: It is of a kind that is not followed here.
        Thrown: The script throws.
    """
    run.step()
    handler = _HANDLERS.get(node.type)
    if handler is None:
        message = f"`{node.type}` (line {node.start_point[0] + 1}) is not followed"
        raise Doubt(message)
    return handler(run, node, scope)


def run_body(run: Run, node: Node, scope: Scope) -> Any:
    """Run the body of the function `node` in `scope`, which holds its arguments."""
    return _HANDLERS["<body>"](run, node, scope)


def part(node: Node, name: str) -> Node:
    """Give a named part of a node that must be there.

    Raises:
        Doubt: The syntax is broken.
    """
    found = node.child_by_field_name(name)
    if found is None:
        message = f"line {node.start_point[0] + 1} cannot be read"
        raise Doubt(message)
    return found


def inner(node: Node) -> list[Node]:
    """Give the named children that are not comments."""
    return [child for child in node.named_children if child.type not in ("comment", "html_comment")]


def test(run: Run, value: Any) -> bool:
    """Decide a condition; an unknown one is taken both ways, one run each."""
    return run.decide(value.why) if isinstance(value, Unknown) else truthy(value)


def iterate(value: Any) -> list[Any]:
    """List what `for ... of` or a spread would see.

    Raises:
        Doubt: It is unknown.
        Thrown: It is not iterable.
    """
    if isinstance(value, Unknown):
        raise Doubt(value.why)
    if isinstance(value, str):
        return list(value[: bounded(len(value))])
    if isinstance(value, JsArray):
        items = [UNDEFINED if item is HOLE else item for item in value.items]
        if value.kind == "iterator":
            value.items = []
        return items
    if isinstance(value, JsMap):
        return [JsArray(list(pair)) for pair in value.entries.values()]
    if isinstance(value, JsSet):
        return list(value.entries.values())
    message = "something is not iterable"
    raise type_error(message)
