"""Evalscripts of versions 1 and 2, which have no `setup()` that returns something.

Version 1 uses bands as plain names; version 2 hands them to `setInputComponents`. Both are read from the syntax
alone, so never with certainty.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shbatch_sync.cost.evalscript import Output, Setup, Source
from shbatch_sync.cost.script.dispatch import inner
from shbatch_sync.cost.script.library import globals_of_the_language
from shbatch_sync.cost.script.scope import pattern_names, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_DECLARING = (
    "variable_declarator",
    "function_declaration",
    "function_expression",
    "class_declaration",
)


def _walk(root: Node) -> Iterator[Node]:
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.named_children))


def returns_setup(root: Node) -> bool:
    """Tell whether a script declares `setup` and names `input` or `output` in it, as version 3 does."""
    declared = any(
        (name := node.child_by_field_name("name")) is not None and text_of(name) == "setup"
        for node in inner(root)
        if node.type in _DECLARING
    ) or any("setup" in names_declared(node) for node in inner(root))
    keys = {text_of(node) for node in _walk(root) if node.type == "property_identifier"}
    return declared and "input" in keys


def names_declared(root: Node) -> set[str]:
    """Collect every name declared anywhere below a node."""
    found: set[str] = set()
    for node in _walk(root):
        name = node.child_by_field_name("name") if node.type in _DECLARING else None
        if name is not None:
            found.update(pattern_names(name))
        if node.type == "formal_parameters":
            for child in node.named_children:
                found.update(pattern_names(child))
        parameter = node.child_by_field_name("parameter")
        if parameter is not None:
            found.update(pattern_names(parameter))
    return found


def read_version_1(root: Node) -> Setup:
    """Take every name that a version 1 script uses without declaring it for a band."""
    ours = names_declared(root) | set(globals_of_the_language())
    used = [text_of(node) for node in _walk(root) if node.type == "identifier"]
    bands = tuple(name for name in dict.fromkeys(used) if name not in ours)
    why = "a version 1 script: its bands are taken to be the names it does not declare"
    return Setup(
        version=1,
        inputs=(Source(bands=bands),),
        outputs=(Output(),),
        certain=False,
        doubts=(why,),
    )


def read_version_2(root: Node) -> Setup:
    """Read `setInputComponents` and `setOutputComponentCount` of a version 2 script."""
    bands: tuple[str, ...] | None = None
    count: int | None = None
    for node in _walk(root):
        function = node.child_by_field_name("function") if node.type == "call_expression" else None
        called = "" if function is None else text_of(function)
        if called == "setInputComponents":
            bands = tuple(_components(node))
        elif called == "setOutputComponentCount":
            digits = [text_of(child) for child in _walk(node) if child.type == "number"]
            count = int(digits[0]) if digits and digits[0].isdigit() else None
    why = "a version 2 script: bands and samples are read from its calls only"
    return Setup(
        version=2,
        inputs=None if bands is None else (Source(bands=bands, mosaicking=None),),
        outputs=(Output(bands=count),),
        certain=False,
        doubts=(why,),
    )


def _components(node: Node) -> Iterator[str]:
    for child in _walk(node):
        if child.type == "member_expression":
            name = child.child_by_field_name("property")
            if name is not None:
                yield text_of(name)
