"""What an engine refuses before it runs a script, although the parser here lets it through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from shbatch_sync.cost.script.scope import text_of

if TYPE_CHECKING:
    from tree_sitter import Node

_FUNCTIONS = ("function_declaration", "function_expression", "arrow_function")
_LOOSE = ("assignment_expression", "augmented_assignment_expression", "arrow_function")
_LISTS = ("arguments", "object", "object_pattern")
_PARAMETERS = (
    "array_pattern",
    "assignment_pattern",
    "comment",
    "identifier",
    "object_pattern",
    "rest_pattern",
    "undefined",
)


def refusals(root: Node) -> Iterator[str]:
    """Find early errors of a script (ECMAScript, static semantics), as far as they are looked for."""
    if root.has_error:
        yield "the script has a syntax error"
    stack = [root]
    while stack:
        node = stack.pop()
        check = _CHECKS.get(node.type)
        if check is not None and check(node):
            yield f"line {node.start_point[0] + 1}: an engine refuses this {node.type}"
        stack.extend(node.named_children)


def _bare_const(node: Node) -> bool:
    kind, above = node.child_by_field_name("kind"), node.parent
    if kind is None or kind.type != "const" or (above and above.type == "for_in_statement"):
        return False
    declared = (child for child in node.named_children if child.type == "variable_declarator")
    return any(child.child_by_field_name("value") is None for child in declared)


def _bad_operand(node: Node) -> bool:
    """Tell whether an operand is bound too loosely to be one without parentheses."""
    operator, left = node.child_by_field_name("operator"), node.child_by_field_name("left")
    right = node.child_by_field_name("right")
    if operator and operator.type == "**" and left and left.type == "unary_expression":
        return True
    sides = [side for side in (left, right) if side is not None]
    return any(side.type in _LOOSE or _mixed(operator, side) for side in sides)


def _mixed(operator: Node | None, side: Node) -> bool:
    """Tell whether `??` stands beside `&&` or `||` without parentheses."""
    other = side.child_by_field_name("operator") if side.type == "binary_expression" else None
    kinds = {node.type for node in (operator, other) if node is not None}
    return "??" in kinds and bool(kinds & {"&&", "||"})


def _odd_parameter(node: Node) -> bool:
    """Tell whether something that is no pattern stands among parameters."""
    return _lone_comma(node) or any(child.type not in _PARAMETERS for child in node.named_children)


def _odd_pattern(node: Node) -> bool:
    left = node.child_by_field_name("left")
    return left is None or left.type != "shorthand_property_identifier_pattern"


def _lost_super(node: Node) -> bool:
    """Tell whether `super()` is called outside a constructor."""
    function = node.child_by_field_name("function")
    if function is None or function.type != "super":
        return False
    above = node.parent
    while above is not None and above.type not in ("method_definition", *_FUNCTIONS[:2]):
        above = above.parent
    name = above.child_by_field_name("name") if above is not None else None
    return name is None or text_of(name) != "constructor"


def _lost_label(node: Node) -> bool:
    """Tell whether `break` or `continue` names a label that does not stand around it."""
    label = node.child_by_field_name("label")
    if label is None:
        return False
    above = node.parent
    while above is not None and above.type not in ("method_definition", *_FUNCTIONS):
        name = above.child_by_field_name("label") if above.type == "labeled_statement" else None
        if name is not None and text_of(name) == text_of(label):
            return False
        above = above.parent
    return True


def _lone_comma(node: Node) -> bool:
    """Tell whether nothing stands before a comma, which only arrays allow."""
    before = ","
    for child in node.children:
        if child.type == "," and before in (",", "(", "{"):
            return True
        before = child.type if child.type != "comment" else before
    return False


_CHECKS: dict[str, Callable[[Node], bool]] = {
    "binary_expression": _bad_operand,
    "break_statement": _lost_label,
    "call_expression": _lost_super,
    "formal_parameters": _odd_parameter,
    "object_assignment_pattern": _odd_pattern,
    "continue_statement": _lost_label,
    "lexical_declaration": _bare_const,
    **dict.fromkeys(_LISTS, _lone_comma),
}
