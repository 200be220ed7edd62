"""Expressions: names, members, calls, operators, assignments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shbatch_sync.cost.script.calls import call
from shbatch_sync.cost.script.convert import type_name
from shbatch_sync.cost.script.dispatch import evaluate, handles, inner, part, test
from shbatch_sync.cost.script.functions import call_super, construct
from shbatch_sync.cost.script.literals import named, spread_or_one
from shbatch_sync.cost.script.members import delete_member, get_member, lookup_super, set_member
from shbatch_sync.cost.script.operators import add_one, binary
from shbatch_sync.cost.script.patterns import assign, member_key, store
from shbatch_sync.cost.script.scope import Run, Scope, text_of
from shbatch_sync.cost.script.values import UNDEFINED, Doubt, Unknown

if TYPE_CHECKING:
    from tree_sitter import Node

_MEMBERS = ("member_expression", "subscript_expression")
_PATTERNS = ("object_pattern", "array_pattern")
_LOGICAL = ("&&", "||", "??")


class _Short(Exception):  # noqa: N818 - a jump, no error
    """An optional chain met null or undefined."""


@handles("identifier", "shorthand_property_identifier")
def _identifier(run: Run, node: Node, scope: Scope) -> Any:
    value = scope.read(text_of(node))
    if isinstance(value, Unknown) and not value.harmless:
        run.doubts[value.why] = None
    return value


@handles("this")
def _this(_run: Run, _node: Node, scope: Scope) -> Any:
    return scope.own_this()[0]


@handles("parenthesized_expression")
def _parenthesized(run: Run, node: Node, scope: Scope) -> Any:
    return evaluate(run, inner(node)[0], scope)


@handles("sequence_expression")
def _sequence(run: Run, node: Node, scope: Scope) -> Any:
    return [evaluate(run, child, scope) for child in inner(node)][-1]


@handles("ternary_expression")
def _ternary(run: Run, node: Node, scope: Scope) -> Any:
    chosen = test(run, evaluate(run, part(node, "condition"), scope))
    return evaluate(run, part(node, "consequence" if chosen else "alternative"), scope)


@handles(*_MEMBERS, "call_expression")
def _chain(run: Run, node: Node, scope: Scope) -> Any:
    try:
        return _link(run, node, scope)
    except _Short:
        return UNDEFINED


def _link(run: Run, node: Node, scope: Scope) -> Any:
    """Evaluate one link of a chain of members and calls; the whole chain ends where `?.` meets nothing."""
    run.step()
    if node.type == "call_expression":
        return _call(run, node, scope)
    if node.type in _MEMBERS:
        return _member(run, node, scope)[1]
    return evaluate(run, node, scope)


def _member(run: Run, node: Node, scope: Scope) -> tuple[Any, Any]:
    """Give the owner and the value of a member expression."""
    target = part(node, "object")
    if target.type == "super":
        this = scope.own_this()[0]
        return this, lookup_super(run, _home(scope), this, member_key(run, node, scope))
    owner = _link(run, target, scope)
    _stop_if_optional(run, node, owner)
    return owner, get_member(run, owner, member_key(run, node, scope))


def _home(scope: Scope) -> Any:
    home = next((s.home for s in scope.chain() if s.home is not None), None)
    if home is None:
        message = "super outside a class is not followed"
        raise Doubt(message)
    return home


def _stop_if_optional(run: Run, node: Node, value: Any) -> None:
    if not any(child.type == "optional_chain" for child in node.children):
        return
    missing = run.decide(value.why) if isinstance(value, Unknown) else value in (None, UNDEFINED)
    if missing:
        raise _Short


def _call(run: Run, node: Node, scope: Scope) -> Any:
    target = part(node, "function")
    if target.type == "super":
        args = _arguments(run, part(node, "arguments"), scope)
        call_super(run, _home(scope), scope.own_this()[0], args)
        return UNDEFINED
    if target.type in _MEMBERS:
        this, function = _member(run, target, scope)
    else:
        this, function = UNDEFINED, _link(run, target, scope)
    _stop_if_optional(run, node, function)
    return call(run, function, this, _arguments(run, part(node, "arguments"), scope))


def _arguments(run: Run, node: Node, scope: Scope) -> list[Any]:
    if node.type != "arguments":
        message = "tagged templates are not followed"
        raise Doubt(message)
    return [value for child in inner(node) for value in spread_or_one(run, child, scope)]


@handles("new_expression")
def _new(run: Run, node: Node, scope: Scope) -> Any:
    maker = evaluate(run, part(node, "constructor"), scope)
    given = node.child_by_field_name("arguments")
    return construct(run, maker, [] if given is None else _arguments(run, given, scope))


@handles("binary_expression")
def _binary(run: Run, node: Node, scope: Scope) -> Any:
    operator = part(node, "operator").type
    left_node, right_node = part(node, "left"), part(node, "right")
    if left_node.type == "private_property_identifier":
        message = "private names with `in` are not followed"
        raise Doubt(message)
    left = evaluate(run, left_node, scope)
    if operator in _LOGICAL:
        return evaluate(run, right_node, scope) if _goes_on(run, operator, left) else left
    return binary(operator, left, evaluate(run, right_node, scope))


def _goes_on(run: Run, operator: str, left: Any) -> bool:
    """Tell whether the right side of a logical operator is evaluated."""
    if operator == "??":
        return run.decide(left.why) if isinstance(left, Unknown) else left in (None, UNDEFINED)
    return test(run, left) == (operator == "&&")


@handles("unary_expression")
def _unary(run: Run, node: Node, scope: Scope) -> Any:
    operator, target = part(node, "operator").type, part(node, "argument")
    if operator == "delete":
        if target.type not in _MEMBERS:
            message = "delete of something that is no member is not followed"
            raise Doubt(message)
        return delete_member(
            evaluate(run, part(target, "object"), scope), member_key(run, target, scope)
        )
    value = evaluate(run, target, scope)
    if operator == "void":
        return UNDEFINED
    if isinstance(value, Unknown):
        return value
    if operator == "typeof":
        return type_name(value)
    return not test(run, value) if operator == "!" else add_one(operator, value)


@handles("update_expression")
def _update(run: Run, node: Node, scope: Scope) -> Any:
    target, operator = part(node, "argument"), part(node, "operator").type
    old = add_one("+", evaluate(run, target, scope))
    new = binary(operator[0], old, 1.0)
    store(run, target, new, scope)
    return new if node.children[0].type == operator else old


@handles("assignment_expression")
def _assignment(run: Run, node: Node, scope: Scope) -> Any:
    left, right = part(node, "left"), part(node, "right")
    if left.type in _MEMBERS:
        owner = evaluate(run, part(left, "object"), scope)
        key = member_key(run, left, scope)
        value = evaluate(run, right, scope)
        set_member(run, owner, key, value)
        return value
    value = evaluate(run, right, scope)
    if left.type in _PATTERNS:
        assign(run, left, value, scope)
    else:
        store(run, left, named(value, right, text_of(left)), scope)
    return value


@handles("augmented_assignment_expression")
def _augmented(run: Run, node: Node, scope: Scope) -> Any:
    left, operator = part(node, "left"), part(node, "operator").type[:-1]
    old = evaluate(run, left, scope)
    if operator in _LOGICAL and not _goes_on(run, operator, old):
        return old
    value = evaluate(run, part(node, "right"), scope)
    new = value if operator in _LOGICAL else binary(operator, old, value)
    store(run, left, new, scope)
    return new
