"""Plain data to YAML that a person would have written: short things on one line, texts of several lines as blocks."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import yaml

_TAG = "tag:yaml.org,2002:"
_LINE = 76
# Whatever else might be read as another kind of value, by this program or by another, stands in quotes.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*(?: [A-Za-z0-9_.()/-]+)*")
# Control characters, other kinds of line ends, byte order marks: only an escape keeps them as they are.
_UNUSUAL = re.compile(
    "[^\n\x20-\x7e\xa0-\u200a\u2010-\u2027\u2030-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        """Write everything out."""
        del data
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - PyYAML's signature
        """Indent the items of a list below its key."""
        super().increase_indent(flow, indentless=False)


def dump(data: dict[str, Any]) -> str:
    """Return `data` as one YAML document, the keys in their order."""
    text: str = yaml.dump(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=sys.maxsize
    )
    return text


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar(f"{_TAG}str", text, style=_style(text))


def _style(text: str) -> str | None:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return None
    # PyYAML writes a block that begins with a space or an empty line in a way that it does not read back.
    as_block = "\n" in text and not text[0].isspace() and not _UNUSUAL.search(text)
    return "|" if as_block else '"'


def _mapping(dumper: yaml.SafeDumper, items: dict[str, Any]) -> yaml.Node:
    return dumper.represent_mapping(f"{_TAG}map", items.items(), flow_style=_fits(items))


def _sequence(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.Node:
    return dumper.represent_sequence(f"{_TAG}seq", items, flow_style=_fits(items))


def _fits(value: Any) -> bool:
    text = json.dumps(value, ensure_ascii=False)
    return len(text) <= _LINE and "\\n" not in text


_Dumper.add_representer(str, _text)
_Dumper.add_representer(dict, _mapping)
_Dumper.add_representer(list, _sequence)
