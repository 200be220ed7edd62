"""Field differences as a person reads them: scripts line by line, areas as what changed, the rest as old → new."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from shbatch_sync.diff import FieldChange, Kind
from shbatch_sync.render.escape import one_line, printable

VALUE_WIDTH = 60
MAX_DIFF_LINES = 40
_GEOMETRY = "/processRequest/input/bounds/geometry"
_EVALSCRIPT = "/processRequest/evalscript"


def field_lines(fields: Sequence[FieldChange]) -> Iterator[str]:
    """Yield the lines of a field diff."""
    area = [field for field in fields if field.path.startswith(_GEOMETRY)]
    for field in fields:
        if field in area:
            continue
        yield from _script(field) if field.path == _EVALSCRIPT else _plain(field)
    if area:
        yield from _area(area)


def _plain(field: FieldChange) -> Iterator[str]:
    match field.kind:
        case Kind.ADDED:
            yield f"{field.path}: + {_value(field.after)}"
        case Kind.REMOVED:
            yield f"{field.path}: - {_value(field.before)}"
        case Kind.CHANGED:
            yield f"{field.path}: {_value(field.before)} → {_value(field.after)}"


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return one_line(text, VALUE_WIDTH)


def _script(field: FieldChange) -> Iterator[str]:
    before, after = str(field.before or "").splitlines(), str(field.after or "").splitlines()
    lines = [
        line for line in difflib.unified_diff(before, after, lineterm="", n=1) if not _header(line)
    ]
    added = sum(line.startswith("+") for line in lines)
    removed = sum(line.startswith("-") for line in lines)
    yield f"{field.path}: {_count(added, 'line')} added, {removed} removed"
    yield from (f"  {printable(line)}" for line in lines[:MAX_DIFF_LINES])
    if len(lines) > MAX_DIFF_LINES:
        yield f"  … {_count(len(lines) - MAX_DIFF_LINES, 'more line')}"


def _header(line: str) -> bool:
    return line.startswith(("---", "+++"))


def _area(fields: Iterable[FieldChange]) -> Iterator[str]:
    """Thousands of numbers tell nobody anything: say how many coordinates changed."""
    changed = list(fields)
    shown = [field for field in changed if field.path == _GEOMETRY]
    if shown:
        yield f"{_GEOMETRY}: {_shape(shown[0].before)} → {_shape(shown[0].after)}"
        return
    numbers = {kind: sum(field.kind is kind for field in changed) for kind in Kind}
    words = [f"{count} {kind.value}" for kind, count in numbers.items() if count]
    yield f"{_GEOMETRY}: coordinates: {', '.join(words)}"


def _shape(geometry: Any) -> str:
    if not isinstance(geometry, dict):
        return "none"
    return f"{geometry.get('type')} of {_count(vertices(geometry.get('coordinates')), 'point')}"


def vertices(coordinates: Any) -> int:
    """Count the points of a GeoJSON coordinate array."""
    if not isinstance(coordinates, list):
        return 0
    if coordinates and isinstance(coordinates[0], (int, float)):
        return 1
    return sum(vertices(part) for part in coordinates)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
