"""Literals: numbers, text, templates, arrays, objects, regular expressions."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from shbatch_sync.cost.script.convert import to_text
from shbatch_sync.cost.script.dispatch import evaluate, handles, inner, iterate, part
from shbatch_sync.cost.script.functions import add_method, property_name
from shbatch_sync.cost.script.objects import merge
from shbatch_sync.cost.script.scope import Run, Scope, text_of
from shbatch_sync.cost.script.values import (
    HOLE,
    UNDEFINED,
    Accessor,
    Doubt,
    JsArray,
    JsObject,
    JsRegex,
    Unknown,
    bounded,
)

if TYPE_CHECKING:
    from tree_sitter import Node

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_SURROGATES = (0xD800, 0xDFFF)
_CODE = re.compile(r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}")


@handles("number")
def _number(_run: Run, node: Node, _scope: Scope) -> Any:
    text = text_of(node).replace("_", "").lower()
    if text.endswith("n") and not text.startswith("0x"):
        return Unknown("big integers are not followed")
    if text[:2] in ("0x", "0o", "0b"):
        return float(int(text, 0))
    if text[0] == "0" and text[1:2].isdigit():
        message = f"the old octal number {text} is not followed"
        raise Doubt(message)
    return float(text)


@handles("string")
def _string(_run: Run, node: Node, _scope: Scope) -> Any:
    return "".join(_piece(child) for child in inner(node))


def _piece(node: Node) -> str:
    text = text_of(node)
    if node.type == "string_fragment":
        return text
    return _unescaped(text[1:])


def _unescaped(body: str) -> str:
    if body[:1] in ("\n", "\r", "\u2028", "\u2029"):
        return ""
    if body in _ESCAPES:
        return _ESCAPES[body]
    if body[:1].isdigit():
        message = "an old octal escape is not followed"
        raise Doubt(message)
    code = _CODE.fullmatch(body)
    if code is None:
        return body
    point = int(next(group for group in code.groups() if group), 16)
    if _SURROGATES[0] <= point <= _SURROGATES[1] or point > sys.maxunicode:
        message = "half of a surrogate pair is not followed"
        raise Doubt(message)
    return chr(point)


@handles("template_string")
def _template(run: Run, node: Node, scope: Scope) -> Any:
    made: list[str] = []
    unknown: Unknown | None = None
    for child in inner(node):
        if child.type == "template_substitution":
            value = evaluate(run, inner(child)[0], scope)
            unknown = value if isinstance(value, Unknown) else unknown
            made.append("" if isinstance(value, Unknown) else to_text(value))
        else:
            made.append(_piece(child).replace("\r\n", "\n"))
    bounded(sum(map(len, made)))
    return "".join(made) if unknown is None else unknown


@handles("regex")
def _regex(_run: Run, node: Node, _scope: Scope) -> Any:
    flags_node = node.child_by_field_name("flags")
    flags = "" if flags_node is None else text_of(flags_node)
    if len(set(flags)) < len(flags) or set(flags) - set("dgimsuvy"):
        message = f"{flags} are no flags of a regular expression"
        raise Doubt(message)
    return JsRegex(text_of(part(node, "pattern")), flags)


@handles("array")
def _array(run: Run, node: Node, scope: Scope) -> Any:
    made: list[Any] = []
    empty = True
    for child in node.children:
        if child.type == ",":
            if empty:
                made.append(HOLE)
            empty = True
        elif child.is_named and child.type != "comment":
            made.extend(spread_or_one(run, child, scope))
            empty = False
        bounded(len(made))
    return JsArray(made)


def spread_or_one(run: Run, node: Node, scope: Scope) -> list[Any]:
    """Evaluate an element or argument, which may be a spread."""
    if node.type == "spread_element":
        return iterate(evaluate(run, inner(node)[0], scope))
    return [evaluate(run, node, scope)]


@handles("object")
def _object(run: Run, node: Node, scope: Scope) -> Any:
    made = JsObject()
    for child in inner(node):
        _add_property(run, child, made, scope)
    return made


def _add_property(run: Run, child: Node, made: JsObject, scope: Scope) -> None:
    if child.type == "shorthand_property_identifier":
        _put(made, text_of(child), evaluate(run, child, scope))
    elif child.type == "pair":
        name = property_name(run, part(child, "key"), scope)
        value_node = part(child, "value")
        _put(made, name, named(evaluate(run, value_node, scope), value_node, name))
    elif child.type == "spread_element":
        merge(run, made, _known(evaluate(run, inner(child)[0], scope)))
    elif child.type == "method_definition":
        add_method(run, child, made, scope)
    else:
        message = f"`{child.type}` in an object is not followed"
        raise Doubt(message)


def _known(value: Any) -> Any:
    if isinstance(value, Unknown):
        raise Doubt(value.why)
    return value


def _put(made: JsObject, name: str, value: Any) -> None:
    if name == "__proto__":
        message = "__proto__ is not followed"
        raise Doubt(message)
    if isinstance(made.props.get(name), Accessor):
        del made.props[name]
    made.props[name] = value


def named(value: Any, node: Node, name: str) -> Any:
    """Give a nameless function or class the name of what it is assigned to."""
    if node.type in ("arrow_function", "function_expression", "class") and not getattr(
        value, "name", "x"
    ):
        value.name = name
    return value


@handles("true", "false")
def _boolean(_run: Run, node: Node, _scope: Scope) -> Any:
    return node.type == "true"


@handles("null")
def _null(_run: Run, _node: Node, _scope: Scope) -> Any:
    return None


@handles("undefined")
def _undefined(_run: Run, _node: Node, _scope: Scope) -> Any:
    return UNDEFINED
