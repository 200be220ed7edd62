"""Functions and classes of the script: making, calling and constructing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shbatch_sync.cost.script.calls import call, call_unknown
from shbatch_sync.cost.script.convert import to_text
from shbatch_sync.cost.script.dispatch import Leave, evaluate, handles, inner, part
from shbatch_sync.cost.script.patterns import bind
from shbatch_sync.cost.script.scope import (
    Binding,
    Run,
    Scope,
    declared_functions,
    hoist,
    text_of,
    var_names,
)
from shbatch_sync.cost.script.values import (
    UNDEFINED,
    Accessor,
    Closure,
    Doubt,
    JsArray,
    JsClass,
    JsObject,
    Native,
    Unknown,
    type_error,
)

if TYPE_CHECKING:
    from tree_sitter import Node


def enter_block(run: Run, scope: Scope, nodes: list[Node]) -> None:
    """Declare what a list of statements declares, functions with their value."""
    hoist(scope, nodes)
    for name, node in declared_functions(nodes):
        scope.declare(name, evaluate_function(run, node, scope))


@handles("<body>")
def _run_body(run: Run, node: Node, scope: Scope) -> Any:
    _bind_parameters(run, node, scope, scope.args)
    body = part(node, "body")
    if body.type != "statement_block":
        return evaluate(run, body, scope)
    statements = inner(body)
    for name in var_names(statements):
        scope.names.setdefault(name, Binding())
    enter_block(run, scope, statements)
    try:
        for statement in statements:
            evaluate(run, statement, scope)
    except Leave as leave:
        if leave.kind == "return":
            return leave.value
        message = f"`{leave.kind}` leaves its function"
        raise Doubt(message) from leave
    return UNDEFINED


def _bind_parameters(run: Run, node: Node, scope: Scope, args: list[Any]) -> None:
    single = node.child_by_field_name("parameter")
    patterns = [single] if single is not None else inner(part(node, "parameters"))
    for i, pattern in enumerate(patterns):
        if pattern.type == "rest_pattern":
            bind(run, inner(pattern)[0], JsArray(args[i:]), scope)
        else:
            bind(run, pattern, args[i] if i < len(args) else UNDEFINED, scope)


def construct(run: Run, maker: Any, args: list[Any]) -> Any:
    """Evaluate `new maker(...args)`.

    Raises:
        Doubt: It cannot be told what it makes.
        Thrown: It throws, or is no constructor.
    """
    if isinstance(maker, Unknown):
        return call_unknown(maker, args)
    if isinstance(maker, Native) and maker.construct is not None:
        return maker.construct(run, args)
    if isinstance(maker, JsClass):
        made = JsObject(proto=maker.prototype)
        initialise(run, maker, made, args)
        return made
    if not isinstance(maker, Closure) or maker.arrow:
        message = "something that is no constructor is used with new"
        raise type_error(message)
    prototype = maker.own.props.get("prototype")
    made = JsObject(proto=prototype if isinstance(prototype, JsObject) else None)
    answer = call(run, maker, made, args)
    return made if answer is UNDEFINED or isinstance(answer, (bool, float, str)) else answer


def initialise(run: Run, of: JsClass, made: JsObject, args: list[Any]) -> None:
    """Run the constructor of a class, and of those it extends, on a new object."""
    if of.parent is None:
        _set_fields(run, of, made)
    if of.constructor is not None:
        answer = call(run, of.constructor, made, args)
        if answer is not UNDEFINED:
            message = "a constructor returns something"
            raise Doubt(message)
    elif of.parent is not None:
        call_super(run, of, made, args)


def call_super(run: Run, of: JsClass, made: JsObject, args: list[Any]) -> None:
    """Evaluate `super(...args)` in the constructor of a class."""
    if of.parent is None:
        message = "super() is called in a class that extends nothing"
        raise Doubt(message)
    initialise(run, of.parent, made, args)
    _set_fields(run, of, made)


def _set_fields(run: Run, of: JsClass, made: JsObject) -> None:
    for name, node in of.fields:
        scope = Scope(of.scope, is_function=True, this=[made], home=of)
        made.props[name] = UNDEFINED if node is None else evaluate(run, node, scope)


@handles("function_declaration", "generator_function_declaration")
def _declared(run: Run, node: Node, scope: Scope) -> Any:
    name = text_of(part(node, "name"))
    holder = scope.find(name)
    # A function in a block is also a var of the function around it (ECMAScript, annex B.3.3).
    if holder is not None and not scope.is_function:
        outer = scope.var_scope()
        if name in outer.names and name not in outer.block_functions:
            message = f"the function {name} in a block shares its name with something around it"
            raise Doubt(message)
        outer.names[name] = Binding(holder.value)
        outer.block_functions.add(name)
    run.step()
    return UNDEFINED


@handles("function_expression", "arrow_function", "generator_function")
def evaluate_function(run: Run, node: Node, scope: Scope) -> Any:
    """Make a function of the script; one that is async or a generator is unknown."""
    run.step()
    name_node = node.child_by_field_name("name")
    name = text_of(name_node) if name_node is not None else ""
    if node.type.startswith("generator") or any(child.type == "async" for child in node.children):
        return Unknown(f"the generator or async function {name} is not followed", harmless=False)
    if node.type == "function_expression" and name:
        scope = Scope(scope)
    made = Closure(name, node, scope, arrow=node.type == "arrow_function")
    if node.type == "function_expression" and name:
        scope.declare(name, made)
    if not made.arrow:
        made.own.props["prototype"] = JsObject({"constructor": made})
    return made


@handles("class", "class_declaration")
def _class(run: Run, node: Node, scope: Scope) -> Any:
    name_node = node.child_by_field_name("name")
    made = JsClass(
        text_of(name_node) if name_node is not None else "", _parent(run, node, scope), Scope(scope)
    )
    made.prototype.props["constructor"] = made
    if made.parent is not None:
        made.prototype.proto, made.own.proto = made.parent.prototype, made.parent.own
    if made.name:
        made.scope.declare(made.name, made)
    for member in inner(part(node, "body")):
        _add_member(run, member, made)
    if node.type == "class_declaration":
        scope.declare(made.name, made)
    return made


def _parent(run: Run, node: Node, scope: Scope) -> JsClass | None:
    heritage = next((child for child in node.children if child.type == "class_heritage"), None)
    if heritage is None:
        return None
    parent = evaluate(run, inner(heritage)[0], scope)
    if not isinstance(parent, JsClass):
        message = "a class extends something that is not a class of the script"
        raise Doubt(message)
    return parent


def _add_member(run: Run, member: Node, made: JsClass) -> None:
    static = any(child.type == "static" for child in member.children)
    if member.type == "field_definition":
        _add_field(run, member, made, static=static)
    elif member.type == "method_definition":
        name = property_name(run, part(member, "name"), made.scope)
        if name == "constructor" and not static:
            made.constructor = Closure(name, member, made.scope, home=made)
        else:
            add_method(run, member, made.own if static else made.prototype, made.scope, made)
    elif member.type != ";":
        message = f"`{member.type}` in a class is not followed"
        raise Doubt(message)


def _add_field(run: Run, member: Node, made: JsClass, *, static: bool) -> None:
    name = property_name(run, part(member, "property"), made.scope)
    value = member.child_by_field_name("value")
    if not static:
        made.fields.append((name, value))
        return
    scope = Scope(made.scope, is_function=True, this=[made], home=made)
    made.own.props[name] = UNDEFINED if value is None else evaluate(run, value, scope)


def add_method(
    run: Run, node: Node, target: JsObject, scope: Scope, home: JsClass | None = None
) -> None:
    """Put a method, getter or setter of a class or object literal in its place."""
    name = property_name(run, part(node, "name"), scope)
    kinds = {child.type for child in node.children if not child.is_named}
    if kinds & {"*", "async"}:
        target.props[name] = Unknown(f"the generator or async method {name}", harmless=False)
        return
    made = Closure(name, node, scope, home=home)
    if not kinds & {"get", "set"}:
        target.props[name] = made
        return
    slot = target.props.get(name)
    if not isinstance(slot, Accessor):
        slot = target.props[name] = Accessor()
    if "get" in kinds:
        slot.getter = made
    else:
        slot.setter = made


def property_name(run: Run, node: Node, scope: Scope) -> str:
    """Give the name that a property is written under: plain, quoted, a number or computed."""
    if node.type in ("property_identifier", "private_property_identifier"):
        return text_of(node)
    if node.type == "computed_property_name":
        return to_text(evaluate(run, inner(node)[0], scope))
    return to_text(evaluate(run, node, scope))
