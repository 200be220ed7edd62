"""A job written out as YAML, with the place of every value as a comment beside it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import yaml

from shbatch_sync.render.escape import one_line

COMMENT_COLUMN = 64


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, so that a script reads as a script."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write everything out."""
        del data
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _numbers(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.Node:
    """Write a list of numbers, such as a coordinate, on one line."""
    flat = all(isinstance(item, (int, float)) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=flat)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _numbers)


def render_job(data: Mapping[str, Any], places: Mapping[str, str]) -> str:
    """Return the manifest `data` as YAML; `places` maps JSON pointers to where their values were written."""
    text: str = yaml.dump(
        dict(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=sys.maxsize
    )
    lines = text.splitlines()
    for number, place in _comments(text, places).items():
        lines[number] = f"{lines[number]:<{COMMENT_COLUMN}}  # {one_line(place)}"
    return "\n".join(lines)


def _comments(text: str, places: Mapping[str, str]) -> dict[int, str]:
    """Return line number (from 0) → place, for every line that a value begins on."""
    found: dict[int, str] = {}
    pending: list[tuple[str, yaml.Node | None]] = [("", yaml.compose(text, Loader=yaml.SafeLoader))]
    while pending:
        pointer, node = pending.pop()
        if node is not None and pointer in places:
            found.setdefault(node.start_mark.line, places[pointer])
        elif isinstance(node, yaml.MappingNode):
            pending += [(f"{pointer}/{_escaped(key.value)}", value) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            pending += [(f"{pointer}/{index}", value) for index, value in enumerate(node.value)]
    return found


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
