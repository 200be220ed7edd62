"""YAML text to nodes and plain JSON values, by the rules of YAML 1.2's core schema.

PyYAML reads YAML 1.1, where `no` is false, `010` is 8, `12:30` is 750 and a date is an object. Here only
`true` and `false` are booleans, a number is what JSON or YAML 1.2 calls one, and everything else is text. What
could be read in two ways (`010`) or has no JSON form (`.nan`) is refused with the advice to quote it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import yaml
from yaml.composer import Composer
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from shbatch_sync.jsontext import MAX_INTEGER
from shbatch_sync.pointer import Steps
from shbatch_sync.yamlscalar import (
    BOOL,
    FLOAT,
    INT,
    INTEGER,
    MAP,
    MERGE,
    NULL,
    ODD_NUMBER,
    PLAIN,
    REAL,
    SEQ,
    TAG,
    TEXT,
    plain_tag,
)

MAX_DEPTH = 100
MAX_NODES = 500_000
TOO_MANY_ALIASES = "its aliases (*name) refer to themselves or multiply into too many values"

_COLLECTIONS = {MAP: MappingNode, SEQ: SequenceNode}


class RefusedError(Exception):
    """Text that is YAML, yet more than may be asked of a reader; `line` and `column` are 1-based."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing about a value that has no plain JSON form."""

    code: str
    message: str
    line: int
    column: int
    steps: Steps


class _Rules:
    """What a PyYAML loader asks while it composes: the tag of a node, and the way down and up.

    Depth and number of nodes are bounded here, for libyaml's own recursion ends in a crash of the process.
    """

    depth = 0
    nodes = 0

    def resolve(self, kind: type[Node], _value: str, implicit: tuple[bool, bool]) -> str:
        """Return the tag of a node that has none."""
        if kind is ScalarNode:
            return PLAIN if implicit[0] else TEXT
        return MAP if kind is MappingNode else SEQ

    def descend_resolver(self, parent: Node | None, _index: Any) -> None:
        """Count one node, one level down."""
        self.depth += 1
        self.nodes += 1
        if self.depth > MAX_DEPTH or self.nodes > MAX_NODES:
            self._refuse(parent)

    def ascend_resolver(self) -> None:
        """Come back from a node."""
        self.depth -= 1

    def _refuse(self, parent: Node | None) -> None:
        line, column = (1, 1) if parent is None else place(parent)
        if self.depth > MAX_DEPTH:
            message = f"nested deeper than {MAX_DEPTH} levels"
        else:
            message = f"more than {MAX_NODES:,} values: put large areas into files and name them with fromFile"
        raise RefusedError(message, line, column)


class _PurePythonLoader(_Rules, Reader, Scanner, Parser, Composer):
    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)

    def dispose(self) -> None:
        """Nothing is held."""


def _loader() -> type[Any]:
    if not yaml.__with_libyaml__:
        return _PurePythonLoader

    class _LibyamlLoader(_Rules, yaml.cyaml.CParser):  # type: ignore[misc, name-defined]
        pass

    return _LibyamlLoader


_LOADER = _loader()


def compose(text: str) -> list[Node]:
    """Return the root node of every document in `text`.

    Raises:
        yaml.YAMLError: `text` is not YAML.
        RefusedError: It is, but too deep or too large.
    """
    loader = _LOADER(text)
    roots = []
    while loader.check_node():
        roots.append(loader.get_node())
    return roots


def place(node: Node) -> tuple[int, int]:
    """Return 1-based line and column of the beginning of `node`."""
    mark = node.start_mark
    return mark.line + 1, mark.column + 1


def _tag(node: Node) -> str:
    tag = node.tag
    return plain_tag(node.value) if tag is PLAIN else str(tag)


class Construction:
    """Builds plain values from nodes, and keeps what is wrong with them instead of stopping at the first.

    Aliases become copies, never shared objects, so that nothing downstream can grow out of a few bytes.

    Attributes:
        faults: What has no plain JSON form, in the order met.
    """

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._built = 0

    def value(self, node: Node, steps: Steps = ()) -> Any:
        """Return `node` as plain JSON; values with a fault become None.

        Raises:
            RefusedError: Aliases make it too deep or too large.
        """
        self._built += 1
        if self._built > MAX_NODES or len(steps) > MAX_DEPTH:
            raise RefusedError(TOO_MANY_ALIASES, *place(node))
        if type(node) is ScalarNode:
            return self._scalar(node, steps)
        if node.tag not in _COLLECTIONS:
            return self._refuse_tag(node, steps)
        if type(node) is SequenceNode:
            return [self.value(item, (*steps, index)) for index, item in enumerate(node.value)]
        return self._mapping(cast("MappingNode", node), steps)

    def _scalar(self, node: ScalarNode, steps: Steps) -> Any:
        tag = _tag(node)
        if tag == TEXT:
            return node.value
        if tag == INT:
            return self._integer(node, steps)
        if tag == FLOAT:
            return self._real(node, steps)
        if tag == BOOL and node.value.lower() in ("true", "false"):
            return node.value.lower() == "true"
        if tag == NULL:
            return None
        if tag == MERGE and node.value == "<<":
            return node.value
        if tag == ODD_NUMBER:
            return self._refuse_odd(node, steps)
        return self._refuse_tag(node, steps)

    def _refuse_odd(self, node: ScalarNode, steps: Steps) -> None:
        if node.value[-1].isdigit() or node.value[-1] == ".":
            why = f"{node.value} begins with a zero: quote it if it is text, drop the zero if it is a number"
        else:
            why = (
                f'{node.value} is no JSON number: where the API takes it as text, quote it ("NaN")'
            )
        self.fault("yaml-number", why, node, steps)

    def _integer(self, node: ScalarNode, steps: Steps) -> int | None:
        text = node.value
        if not INTEGER.fullmatch(text):
            self.fault("yaml-tag", "not an integer", node, steps)
            return None
        # Python itself refuses to convert integers of thousands of digits
        number = int(text, 0) if len(text) <= 32 else MAX_INTEGER + 1  # noqa: PLR2004
        if abs(number) > MAX_INTEGER:
            self.fault(
                "yaml-number",
                "a number this large cannot be sent: quote it if it is text",
                node,
                steps,
            )
            return None
        return number

    def _real(self, node: ScalarNode, steps: Steps) -> float | None:
        number = float(node.value) if REAL.fullmatch(node.value) else math.nan
        if not math.isfinite(number):
            self.fault("yaml-number", "not a finite number: quote it if it is text", node, steps)
            return None
        return number

    def _mapping(self, node: MappingNode, steps: Steps) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: list[Node] = []
        for key_node, value_node in node.value:
            tag = _tag(key_node)
            if tag == TEXT and type(key_node) is ScalarNode:
                key = key_node.value
                if key in result:
                    self.fault(
                        "yaml-duplicate-key",
                        f"the key {key!r} is written twice",
                        key_node,
                        (*steps, key),
                    )
                result[key] = self.value(value_node, (*steps, key))
            elif tag == MERGE:
                merged.append(value_node)
            else:
                self._refuse_key(key_node, steps)
        for other in merged:
            self._merge(result, other, steps)
        return result

    def _merge(self, result: dict[str, Any], node: Node, steps: Steps) -> None:
        for other in node.value if isinstance(node, SequenceNode) else [node]:
            if not isinstance(other, MappingNode):
                self.fault("yaml-merge", "<< takes a mapping or a list of mappings", other, steps)
                continue
            # a level deeper than it stands, so that a mapping merged into itself comes to an end
            for key, value in self.value(other, (*steps, "<<")).items():
                result.setdefault(key, value)

    def _refuse_key(self, node: Node, steps: Steps) -> None:
        if isinstance(node, ScalarNode):
            message = f"the key {node.value or 'null'} is not text: quote it"
        elif isinstance(node, MappingNode):
            message = 'braces without quotes are a YAML mapping: quote it, as in "${{ name }}"'
        else:
            message = "a key must be text"
        self.fault("yaml-key", message, node, steps)

    def _refuse_tag(self, node: Node, steps: Steps) -> None:
        tag = node.tag.replace(TAG, "!!")
        self.fault(
            "yaml-tag", f"the tag {tag} is not supported: a manifest is plain data", node, steps
        )

    def fault(self, code: str, message: str, node: Node, steps: Steps) -> None:
        """Keep one fault at the place of `node`."""
        line, column = place(node)
        self.faults.append(Fault(code=code, message=message, line=line, column=column, steps=steps))
