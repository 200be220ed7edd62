"""Statements: declarations, branches, loops, and ways out of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shbatch_sync.cost.script.dispatch import Leave, evaluate, handles, inner, iterate, part, test
from shbatch_sync.cost.script.functions import enter_block
from shbatch_sync.cost.script.literals import named
from shbatch_sync.cost.script.operators import binary
from shbatch_sync.cost.script.patterns import assign, bind
from shbatch_sync.cost.script.scope import Binding, Run, Scope, lexical_names, text_of
from shbatch_sync.cost.script.values import (
    UNDEFINED,
    Doubt,
    JsArray,
    JsMap,
    JsObject,
    JsSet,
    Thrown,
    Unknown,
    own_keys,
)

if TYPE_CHECKING:
    from tree_sitter import Node

_RETURN = "return"


@handles("expression_statement")
def _expression(run: Run, node: Node, scope: Scope) -> Any:
    return evaluate(run, inner(node)[0], scope)


@handles("empty_statement", "comment", "hash_bang_line", "debugger_statement", "html_comment")
def _nothing(_run: Run, _node: Node, _scope: Scope) -> Any:
    return UNDEFINED


@handles("lexical_declaration", "variable_declaration")
def _declaration(run: Run, node: Node, scope: Scope) -> Any:
    is_var = node.type == "variable_declaration"
    constant = not is_var and part(node, "kind").type == "const"
    for child in inner(node):
        target, value_node = part(child, "name"), child.child_by_field_name("value")
        if value_node is None and is_var:
            continue
        value = UNDEFINED if value_node is None else evaluate(run, value_node, scope)
        if value_node is not None:
            value = named(value, value_node, text_of(target))
        if is_var:
            assign(run, target, value, scope)
        else:
            bind(run, target, value, scope, constant=constant)
    return UNDEFINED


@handles("statement_block")
def _block(run: Run, node: Node, scope: Scope) -> Any:
    _run_all(run, inner(node), Scope(scope))
    return UNDEFINED


def _run_all(run: Run, nodes: list[Node], scope: Scope) -> None:
    enter_block(run, scope, nodes)
    for child in nodes:
        evaluate(run, child, scope)


@handles("if_statement")
def _if(run: Run, node: Node, scope: Scope) -> Any:
    if test(run, evaluate(run, part(node, "condition"), scope)):
        evaluate(run, part(node, "consequence"), scope)
    elif (alternative := node.child_by_field_name("alternative")) is not None:
        evaluate(run, inner(alternative)[0], scope)
    return UNDEFINED


@handles("return_statement")
def _return(run: Run, node: Node, scope: Scope) -> Any:
    values = inner(node)
    raise Leave(_RETURN, value=evaluate(run, values[0], scope) if values else UNDEFINED)


@handles("break_statement", "continue_statement")
def _leave(_run: Run, node: Node, _scope: Scope) -> Any:
    label = node.child_by_field_name("label")
    raise Leave(node.type.partition("_")[0], "" if label is None else text_of(label))


@handles("throw_statement")
def _throw(run: Run, node: Node, scope: Scope) -> Any:
    raise Thrown(evaluate(run, inner(node)[0], scope))


@handles("labeled_statement")
def _labeled(run: Run, node: Node, scope: Scope) -> Any:
    label = text_of(part(node, "label"))
    try:
        evaluate(run, part(node, "body"), scope)
    except Leave as leave:
        if leave.kind != "break" or leave.label != label:
            raise
    return UNDEFINED


@handles("try_statement")
def _try(run: Run, node: Node, scope: Scope) -> Any:
    handler, finalizer = node.child_by_field_name("handler"), node.child_by_field_name("finalizer")
    try:
        evaluate(run, part(node, "body"), scope)
    except Thrown as thrown:
        if handler is None:
            raise
        caught = Scope(scope)
        parameter = handler.child_by_field_name("parameter")
        if parameter is not None:
            bind(run, parameter, thrown.value, caught)
        evaluate(run, part(handler, "body"), caught)
    finally:
        if finalizer is not None:
            evaluate(run, part(finalizer, "body"), scope)
    return UNDEFINED


def _turn(run: Run, body: Node, scope: Scope, labels: set[str]) -> bool:
    """Run the body of a loop once; tell whether the loop goes on."""
    try:
        evaluate(run, body, scope)
    except Leave as leave:
        if leave.kind == _RETURN or (leave.label and leave.label not in labels):
            raise
        return leave.kind == "continue"
    return True


def _labels(node: Node) -> set[str]:
    """Collect the labels that stand directly before a loop."""
    found: set[str] = set()
    above = node.parent
    while above is not None and above.type == "labeled_statement":
        found.add(text_of(part(above, "label")))
        above = above.parent
    return found


@handles("while_statement")
def _while(run: Run, node: Node, scope: Scope) -> Any:
    condition, body, labels = part(node, "condition"), part(node, "body"), _labels(node)
    while test(run, evaluate(run, condition, scope)):
        if not _turn(run, body, scope, labels):
            break
    return UNDEFINED


@handles("do_statement")
def _do(run: Run, node: Node, scope: Scope) -> Any:
    condition, body, labels = part(node, "condition"), part(node, "body"), _labels(node)
    while _turn(run, body, scope, labels) and test(run, evaluate(run, condition, scope)):
        pass
    return UNDEFINED


@handles("for_statement")
def _for(run: Run, node: Node, scope: Scope) -> Any:
    body, labels = part(node, "body"), _labels(node)
    start, increment = part(node, "initializer"), node.child_by_field_name("increment")
    condition = part(node, "condition")
    current = Scope(scope)
    enter_block(run, current, [start])
    evaluate(run, start, current)
    names = [name for name, _ in lexical_names([start])]
    while condition.type == "empty_statement" or test(run, evaluate(run, condition, current)):
        if not _turn(run, body, current, labels):
            break
        # Each turn has its own copy of what `let` declares, so that closures keep theirs.
        following = Scope(scope)
        for name in names:
            old = current.names[name]
            following.names[name] = Binding(old.value, old.constant)
        current = following
        if increment is not None:
            evaluate(run, increment, current)
    return UNDEFINED


@handles("for_in_statement")
def _for_in(run: Run, node: Node, scope: Scope) -> Any:
    if any(child.type == "await" for child in node.children):
        message = "for await is not followed"
        raise Doubt(message)
    source = evaluate(run, part(node, "right"), scope)
    of = part(node, "operator").type == "of"
    items = iterate(source) if of else _keys(source)
    size = _size(source)
    body, labels = part(node, "body"), _labels(node)
    for item in items:
        turn = Scope(scope)
        _take(run, node, item, turn)
        going_on = _turn(run, body, turn, labels)
        if _size(source) != size:
            message = "something grows or shrinks while it is walked over"
            raise Doubt(message)
        if not going_on:
            break
    return UNDEFINED


def _take(run: Run, node: Node, item: Any, scope: Scope) -> None:
    kind, target = node.child_by_field_name("kind"), part(node, "left")
    if kind is None or kind.type == "var":
        assign(run, target, item, scope)
    else:
        bind(run, target, item, scope, constant=kind.type == "const")


def _size(source: Any) -> int:
    if isinstance(source, JsArray):
        return len(source.items)
    if isinstance(source, (JsMap, JsSet)):
        return len(source.entries)
    return len(source.props) if isinstance(source, JsObject) else 0


def _keys(source: Any) -> list[Any]:
    if isinstance(source, Unknown):
        raise Doubt(source.why)
    if source is None or source is UNDEFINED:
        return []
    if isinstance(source, JsArray) and not source.kind:
        return [str(i) for i in range(len(source.items))]
    if isinstance(source, JsObject) and source.proto is None:
        return list(own_keys(source))
    message = "for in over something that is no plain object is not followed"
    raise Doubt(message)


@handles("switch_statement")
def _switch(run: Run, node: Node, scope: Scope) -> Any:
    value = evaluate(run, part(node, "value"), scope)
    cases = inner(part(node, "body"))
    inside = Scope(scope)
    enter_block(
        run, inside, [child for case in cases for child in case.children_by_field_name("body")]
    )
    start = _matching_case(run, cases, value, inside)
    try:
        for case in cases[start:]:
            for child in case.children_by_field_name("body"):
                evaluate(run, child, inside)
    except Leave as leave:
        if leave.kind != "break" or leave.label:
            raise
    return UNDEFINED


def _matching_case(run: Run, cases: list[Node], value: Any, scope: Scope) -> int:
    """Give the position of the case to begin at; of the default, or the end, where none matches."""
    otherwise = len(cases)
    for position, case in enumerate(cases):
        if case.type == "switch_default":
            otherwise = position
        elif test(run, binary("===", value, evaluate(run, part(case, "value"), scope))):
            return position
    return otherwise
