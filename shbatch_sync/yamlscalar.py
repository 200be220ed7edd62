"""What the text of a YAML scalar means: its tag, by the rules of YAML 1.2's core schema."""

from __future__ import annotations

import re

TAG = "tag:yaml.org,2002:"
TEXT, NULL, BOOL, INT, FLOAT = (TAG + name for name in ("str", "null", "bool", "int", "float"))
MAP, SEQ, MERGE = TAG + "map", TAG + "seq", TAG + "merge"
ODD_NUMBER = "odd number"
PLAIN = "plain"  # a scalar without tag and quotes: what it is says its text, when it is asked

WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), NULL),
    **dict.fromkeys(("true", "True", "TRUE", "false", "False", "FALSE"), BOOL),
    "<<": MERGE,
}
NUMBER_START = frozenset("0123456789+-.")
INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+|0o[0-7]+")
REAL = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_ODD = re.compile(r"[-+]?0[0-9]+(?:\.[0-9]*)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


def plain_tag(value: str) -> str:
    """Return the tag of a scalar that has none and stands without quotes."""
    tag = WORDS.get(value)
    if tag is not None:
        return tag
    if value[0] not in NUMBER_START:
        return TEXT
    if INTEGER.fullmatch(value):
        return INT
    if REAL.fullmatch(value):
        return FLOAT
    return ODD_NUMBER if _ODD.fullmatch(value) else TEXT
