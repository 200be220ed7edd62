"""Ordinary YAML nodes to plain JSON values, without a word about what is odd: nearly all text is ordinary."""

from __future__ import annotations

import math
import re
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from shbatch_sync.yamlscalar import (
    INTEGER,
    MAP,
    NUMBER_START,
    PLAIN,
    REAL,
    SEQ,
    TEXT,
    WORDS,
    plain_tag,
)

_VALUES = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")
_SHORT = 16  # characters of a number that needs no look at its size


class OddError(Exception):
    """A node that takes more than a quick look."""


def quick(node: Node) -> Any:
    """Return `node` as plain JSON if it is as ordinary as nearly all are: no merge, no odd tag, number or key.

    Without a bound of its own: `node` must come from `yamltext.compose`, and its text have no aliases.

    Raises:
        OddError: It is not; `yamltext.Construction` says what it is.
    """
    if type(node) is ScalarNode:
        if node.tag is PLAIN:
            return _plain_value(node.value)
        if node.tag == TEXT:
            return node.value
    elif type(node) is SequenceNode and node.tag == SEQ:
        return [_plain_value(one.value) if one.tag is PLAIN else quick(one) for one in node.value]
    elif type(node) is MappingNode and node.tag == MAP:
        result = {_key(key): quick(value) for key, value in node.value}
        if len(result) == len(node.value):
            return result
    raise OddError


def _plain_value(text: str) -> Any:
    if text in _VALUES:
        return _VALUES[text]
    if text[0] not in NUMBER_START:
        return text
    number: Any = None
    if _DECIMAL.fullmatch(text) or (REAL.fullmatch(text) and not INTEGER.fullmatch(text)):
        number = float(text)
    elif INTEGER.fullmatch(text):
        number = int(text, 0) if len(text) <= _SHORT else math.inf
    elif plain_tag(text) is TEXT:
        return text
    if number is None or not math.isfinite(number):
        raise OddError
    return number


def _key(node: Node) -> str:
    text = node.value
    plain = node.tag is PLAIN
    if type(node) is not ScalarNode or not (plain or node.tag == TEXT):
        raise OddError
    if plain and (text in WORDS or text[0] in NUMBER_START):
        raise OddError
    return str(text)
