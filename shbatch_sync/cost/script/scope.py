"""Names and what they stand for: scopes, hoisting, and the state of one reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shbatch_sync.cost.script.values import (
    UNDEFINED,
    Doubt,
    JsClass,
    Unknown,
    reference_error,
    type_error,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tree_sitter import Node

MAX_STEPS = 200_000
MAX_DEPTH = 60
MAX_DECISIONS = 8

STRICT = "use strict"

_FUNCTIONS = frozenset(
    {
        "arrow_function",
        "class_body",
        "function_declaration",
        "function_expression",
        "generator_function",
        "generator_function_declaration",
        "method_definition",
    }
)
_DECLARED_FUNCTIONS = ("function_declaration", "generator_function_declaration")


@dataclass(slots=True)
class Run:
    """One evaluation of a script.

    Where a branch depends on something unknown, `decide` answers from `script`, and with True beyond its end; the
    caller runs again with other answers until every combination was seen.

    Attributes:
        answers: The decisions to take, in order; grows when more are asked for.
        asked: How many were asked for.
        doubts: Why the result may be wrong.
        conditions: What the decisions were about.
    """

    answers: list[bool] = field(default_factory=list)
    asked: int = 0
    steps: int = MAX_STEPS
    depth: int = 0
    doubts: dict[str, None] = field(default_factory=dict)
    conditions: dict[str, None] = field(default_factory=dict)

    def decide(self, why: str) -> bool:
        """Take the next decision about a condition that cannot be told.

        Raises:
            Doubt: There are too many of them.
        """
        if self.asked == len(self.answers):
            if self.asked >= MAX_DECISIONS:
                raise Doubt(why)
            self.answers.append(True)
        self.asked += 1
        self.conditions[why] = None
        return self.answers[self.asked - 1]

    def step(self) -> None:
        """Count one step.

        Raises:
            Doubt: The script runs for too long.
        """
        self.steps -= 1
        if self.steps < 0:
            message = "it runs for too long to be followed"
            raise Doubt(message)


@dataclass(slots=True)
class Binding:
    """What a name stands for; `ready` is False before a let, const or class is reached."""

    value: Any = UNDEFINED
    constant: bool = False
    ready: bool = True


@dataclass(slots=True, eq=False)
class Scope:
    """A scope: a function's (`is_function`) or a block's.

    Attributes:
        this: What `this` is; None where the scope has none of its own.
        home: The class whose member runs here, for `super`.
        args: What a function was called with.
        block_functions: Names that functions declared in blocks have given to the function around them.
    """

    parent: Scope | None = None
    is_function: bool = False
    names: dict[str, Binding] = field(default_factory=dict)
    this: list[Any] | None = None
    home: JsClass | None = None
    args: list[Any] = field(default_factory=list)
    block_functions: set[str] = field(default_factory=set)

    def chain(self) -> Iterator[Scope]:
        """Walk from this scope outward."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def find(self, name: str) -> Binding | None:
        """Find what a name stands for here."""
        for scope in self.chain():
            if name in scope.names:
                return scope.names[name]
        return None

    def read(self, name: str) -> Any:
        """Read a name.

        Raises:
            Thrown: It is read before its let, const or class was reached.
        """
        binding = self.find(name)
        if binding is None:
            return Unknown(f"{name} is not declared in the script", harmless=False)
        if not binding.ready:
            message = f"{name} is used before it is declared"
            raise reference_error(message)
        return binding.value

    def write(self, name: str, value: Any) -> None:
        """Assign to a name.

        Raises:
            Thrown: It is a constant, or not reached yet.
        """
        binding = self.find(name)
        if binding is None and self._is_strict():
            message = f"{name} is not declared"
            raise reference_error(message)
        if binding is None:
            list(self.chain())[-1].names[name] = Binding(value)
            return
        if not binding.ready:
            message = f"{name} is used before it is declared"
            raise reference_error(message)
        if binding.constant:
            message = f"{name} is a constant"
            raise type_error(message)
        binding.value = value

    def _is_strict(self) -> bool:
        return STRICT in list(self.chain())[-1].names or any(s.home for s in self.chain())

    def declare(self, name: str, value: Any, *, constant: bool = False) -> None:
        """Give a let, const, class or parameter of this scope its value."""
        self.names[name] = Binding(value, constant)

    def own_this(self) -> list[Any]:
        """Find `this`, in a cell.

        Raises:
            Doubt: It is the global object.
        """
        this = next((scope.this for scope in self.chain() if scope.this is not None), None)
        if this is None or this[0] is UNDEFINED or this[0] is None:
            message = "`this` is the global object"
            raise Doubt(message)
        return this

    def var_scope(self) -> Scope:
        """Find the scope that holds the vars declared here."""
        return next(scope for scope in self.chain() if scope.is_function)


def text_of(node: Node) -> str:
    """Give a node's source text."""
    return (node.text or b"").decode("utf-8", "replace")


def var_names(nodes: Iterable[Node]) -> Iterator[str]:
    """Find the names that `var` declares among statements, not looking into functions."""
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if node.type in _FUNCTIONS:
            continue
        if node.type == "variable_declaration" or _is_var_loop(node):
            yield from _pattern_names_of(node)
        stack.extend(node.named_children)


def _is_var_loop(node: Node) -> bool:
    kind = node.child_by_field_name("kind") if node.type == "for_in_statement" else None
    return kind is not None and kind.type == "var"


def _pattern_names_of(node: Node) -> Iterator[str]:
    if node.type == "for_in_statement":
        targets = [node.child_by_field_name("left")]
    else:
        found = (c for c in node.named_children if c.type == "variable_declarator")
        targets = [c.child_by_field_name("name") for c in found]
    for target in targets:
        if target is not None:
            yield from pattern_names(target)


def pattern_names(node: Node) -> Iterator[str]:
    """Find the names that a binding pattern declares."""
    if node.type in ("identifier", "shorthand_property_identifier_pattern"):
        yield text_of(node)
    elif node.type in ("assignment_pattern", "object_assignment_pattern"):
        left = node.child_by_field_name("left")
        yield from pattern_names(left) if left is not None else ()
    elif node.type == "pair_pattern":
        value = node.child_by_field_name("value")
        yield from pattern_names(value) if value is not None else ()
    elif node.type in ("object_pattern", "array_pattern", "rest_pattern"):
        for child in node.named_children:
            yield from pattern_names(child)


def lexical_names(nodes: Iterable[Node]) -> Iterator[tuple[str, bool]]:
    """Find the names that let, const and class declare directly among statements, and whether constant."""
    for node in nodes:
        if node.type == "lexical_declaration":
            kind = node.child_by_field_name("kind")
            constant = kind is not None and kind.type == "const"
            for name in _pattern_names_of(node):
                yield name, constant
        elif node.type == "class_declaration" and (name_node := node.child_by_field_name("name")):
            yield text_of(name_node), False


def declared_functions(nodes: Iterable[Node]) -> Iterator[tuple[str, Node]]:
    """Find the functions declared directly among statements."""
    for node in nodes:
        if node.type in _DECLARED_FUNCTIONS and (name := node.child_by_field_name("name")):
            yield text_of(name), node


def hoist(scope: Scope, nodes: list[Node]) -> None:
    """Declare let, const and class names of a block as not reached yet.

    Raises:
        Doubt: A name is declared twice, which an engine refuses.
    """
    functions = dict(declared_functions(nodes))
    variables = set(var_names(nodes))
    for name, constant in lexical_names(nodes):
        if name in functions or name in variables or name in scope.names:
            message = f"{name} is declared twice"
            raise Doubt(message)
        scope.names[name] = Binding(constant=constant, ready=False)
