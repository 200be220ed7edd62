"""Field differences as a person reads them: scripts line by line, areas as what changed, the rest as old → new."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from shbatch_sync.diff import FieldChange, Kind
from shbatch_sync.plural import counted
from shbatch_sync.render.escape import one_line, printable
from shbatch_sync.shape import is_shape, shape_text

# Columns beside the indent of a plan.
WIDTH = 74
VALUE_WIDTH = 60
LEAD = 12  # letters kept before the first one that differs
MAX_DIFF_LINES = 40
_GEOMETRY = "/processRequest/input/bounds/geometry"
_EVALSCRIPT = "/processRequest/evalscript"


def field_lines(fields: Sequence[FieldChange]) -> Iterator[str]:
    """Yield the lines of a field diff; differences that do not count are left out."""
    for field in fields:
        if field.reason:
            continue
        if field.path == _EVALSCRIPT:
            yield from _script(field)
        elif field.path == _GEOMETRY:
            yield f"{_GEOMETRY}: {area_text(field.before, field.after)}"
        else:
            yield from _plain(field)


def _plain(field: FieldChange) -> Iterator[str]:
    path = one_line(field.path) or "the whole body"
    match field.kind:
        case Kind.ADDED:
            yield from _fitting(f"{path}:", f"+ {_value(field.after)}")
        case Kind.REMOVED:
            yield from _fitting(f"{path}:", f"- {_value(field.before)}")
        case Kind.CHANGED:
            before, after = _from_where_they_differ(_text(field.before), _text(field.after))
            old, new = one_line(before, VALUE_WIDTH), one_line(after, VALUE_WIDTH)
            line = f"{path}: {old} → {new}"
            yield from [line] if len(line) <= WIDTH else (f"{path}:", f"  - {old}", f"  + {new}")


def _fitting(path: str, value: str) -> list[str]:
    line = f"{path} {value}"
    return [line] if len(line) <= WIDTH else [path, f"  {value}"]


def _value(value: Any) -> str:
    return one_line(_text(value), VALUE_WIDTH)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _from_where_they_differ(before: str, after: str) -> tuple[str, str]:
    """Return two texts without the beginning they share, where that would push the difference out of sight."""
    pairs = zip(before, after, strict=False)
    start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs)) - LEAD
    if start <= 0 or max(len(before), len(after)) <= VALUE_WIDTH:
        return before, after
    return f"…{before[start:]}", f"…{after[start:]}"


def _script(field: FieldChange) -> Iterator[str]:
    before, after = str(field.before or "").splitlines(), str(field.after or "").splitlines()
    # The first two lines name the two sides.
    lines = list(difflib.unified_diff(before, after, lineterm="", n=1))[2:]
    added = sum(line.startswith("+") for line in lines)
    removed = sum(line.startswith("-") for line in lines)
    if not lines:
        yield f"{field.path}: only line ends differ"
        return
    yield f"{field.path}: {counted(added, 'line')} added, {removed} removed"
    yield from (f"  {printable(line)}" for line in lines[:MAX_DIFF_LINES])
    if len(lines) > MAX_DIFF_LINES:
        yield f"  … {counted(len(lines) - MAX_DIFF_LINES, 'more line')}"


def area_text(before: Any, after: Any) -> str:
    """Say what changed of an area: its kind, how many points, how many of them moved, the box around it."""
    if is_shape(before) or is_shape(after):
        return one_line(shape_text(before, after))
    if not isinstance(before, dict) or not isinstance(after, dict):
        return f"{_shape(before)} → {_shape(after)}"
    old, new = set(points(before.get("coordinates"))), set(points(after.get("coordinates")))
    moved = f"{len(new - old)} new, {len(old - new)} gone"
    boxes = _box(old), _box(new)
    box = f"box {boxes[0]} → {boxes[1]}" if boxes[0] != boxes[1] else f"box {boxes[0]} as before"
    return f"{_shape(before)} → {_shape(after)}; {moved}; {box}"


def _box(corners: set[tuple[float, ...]]) -> str:
    if not corners:
        return "none"
    xs, ys = [corner[0] for corner in corners], [corner[1] for corner in corners]
    return f"[{min(xs):.6g}, {min(ys):.6g}, {max(xs):.6g}, {max(ys):.6g}]"


def points(coordinates: Any) -> Iterator[tuple[float, ...]]:
    """Yield the points of a GeoJSON coordinate array."""
    if not isinstance(coordinates, list) or not coordinates:
        return
    if not isinstance(coordinates[0], list):
        # What a live body holds is not ours to trust: a point is two numbers or more, anything else is none.
        if len(coordinates) > 1 and all(isinstance(number, (int, float)) for number in coordinates):
            yield tuple(coordinates)
        return
    for part in coordinates:
        yield from points(part)


def _shape(geometry: Any) -> str:
    if not isinstance(geometry, dict):
        return "none"
    return f"{one_line(str(geometry.get('type')))} of {counted(sum(1 for _ in points(geometry.get('coordinates'))), 'point')}"


def leaves(value: Any) -> int:
    """Count the members that a spec says something with; an area or a list of numbers is one."""
    if isinstance(value, Mapping):
        return 1 if "coordinates" in value else sum(leaves(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return (
            1
            if all(isinstance(item, (int, float)) for item in value)
            else sum(leaves(item) for item in value)
        )
    return 1
