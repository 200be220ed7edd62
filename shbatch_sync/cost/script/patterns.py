"""Destructuring: taking a value apart into names or places."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from shbatch_sync.cost.script.convert import to_text
from shbatch_sync.cost.script.dispatch import evaluate, inner, iterate, part
from shbatch_sync.cost.script.members import get_member, set_member
from shbatch_sync.cost.script.scope import Run, Scope, text_of
from shbatch_sync.cost.script.values import (
    UNDEFINED,
    Doubt,
    JsArray,
    JsObject,
    Unknown,
    own_keys,
    type_error,
)

if TYPE_CHECKING:
    from tree_sitter import Node

Place = Callable[[str, Any], None]


def bind(run: Run, pattern: Node, value: Any, scope: Scope, *, constant: bool = False) -> None:
    """Declare the names of a pattern in `scope`."""

    def declare(name: str, part_value: Any) -> None:
        scope.declare(name, part_value, constant=constant)

    _take(run, pattern, value, scope, declare)


def assign(run: Run, pattern: Node, value: Any, scope: Scope) -> None:
    """Write to the names and places of a pattern."""
    _take(run, pattern, value, scope, scope.write)


def _take(run: Run, pattern: Node, value: Any, scope: Scope, place: Place) -> None:
    kind = pattern.type
    if kind in ("identifier", "shorthand_property_identifier_pattern", "undefined"):
        place(text_of(pattern), value)
    elif kind in ("assignment_pattern", "object_assignment_pattern"):
        if value is UNDEFINED or (isinstance(value, Unknown) and run.decide(value.why)):
            value = evaluate(run, part(pattern, "right"), scope)
        _take(run, part(pattern, "left"), value, scope, place)
    elif kind == "object_pattern":
        _take_object(run, pattern, value, scope, place)
    elif kind == "array_pattern":
        _take_array(run, pattern, value, scope, place)
    elif place == scope.write:
        store(run, pattern, value, scope)
    else:
        message = f"`{kind}` cannot be declared"
        raise Doubt(message)


def store(run: Run, target: Node, value: Any, scope: Scope) -> None:
    """Write to a member such as `a.b` or `a[i]`.

    Raises:
        Doubt: The target is of another kind.
    """
    while target.type == "parenthesized_expression":
        target = inner(target)[0]
    if target.type == "identifier":
        scope.write(text_of(target), value)
    elif target.type in ("member_expression", "subscript_expression"):
        owner = evaluate(run, part(target, "object"), scope)
        set_member(run, owner, member_key(run, target, scope), value)
    else:
        message = f"an assignment to `{target.type}` is not followed"
        raise Doubt(message)


def member_key(run: Run, node: Node, scope: Scope) -> Any:
    """Give the key of a member expression: a name, or the value in brackets."""
    if node.type == "member_expression":
        return text_of(part(node, "property"))
    return evaluate(run, part(node, "index"), scope)


def _take_array(run: Run, pattern: Node, value: Any, scope: Scope, place: Place) -> None:
    items = iterate(value)
    position = 0
    for child in pattern.children:
        if child.type == ",":
            position += 1
        elif child.type == "rest_pattern":
            _take(run, _rest_target(child), JsArray(items[position:]), scope, place)
        elif child.is_named and child.type != "comment":
            item = items[position] if position < len(items) else UNDEFINED
            _take(run, child, item, scope, place)


def _rest_target(node: Node) -> Node:
    return inner(node)[0] if node.type == "rest_pattern" else node


def _take_object(run: Run, pattern: Node, value: Any, scope: Scope, place: Place) -> None:
    if value is None or value is UNDEFINED:
        message = "null or undefined is taken apart"
        raise type_error(message)
    seen: set[str] = set()
    for child in inner(pattern):
        if child.type == "rest_pattern":
            _take(run, _rest_target(child), _others(value, seen), scope, place)
            continue
        key, target = _key_and_target(run, child, scope)
        seen.add(key)
        _take(run, target, get_member(run, value, key), scope, place)


def _key_and_target(run: Run, child: Node, scope: Scope) -> tuple[str, Node]:
    if child.type == "pair_pattern":
        key = part(child, "key")
        if key.type == "computed_property_name":
            return to_text(evaluate(run, inner(key)[0], scope)), part(child, "value")
        if key.type == "property_identifier":
            return text_of(key), part(child, "value")
        return to_text(evaluate(run, key, scope)), part(child, "value")
    name = part(child, "left") if child.type == "object_assignment_pattern" else child
    return text_of(name), child


def _others(value: Any, seen: set[str]) -> Any:
    if isinstance(value, Unknown):
        return value
    if not isinstance(value, JsObject):
        message = "the rest of something that is no plain object is taken"
        raise Doubt(message)
    return JsObject({key: value.props[key] for key in own_keys(value) if key not in seen})
