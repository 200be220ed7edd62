"""What to say about a value that does not fit its schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from shbatch_sync.suggest import did_you_mean

LITERAL_SECRET = "a secret must not stand in a file: write {fromEnv: NAME_OF_A_VARIABLE}"  # noqa: S105 - a message
_SHOWN = 60
_FEW = 12

_KINDS = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "empty",
}
# Members of the first API version, or of the Process API, and what took their place (Batch V2 migration guide).
MOVED = {
    "tilingGrid": "Batch V2 has it in request.input (type: tiling-grid)",
    "tilingGridId": "Batch V2 has it in request.input (type: tiling-grid, id)",
    "bucketName": "Batch V2 delivers to request.output.delivery.s3.url",
    "defaultTilePath": "Batch V2 delivers to request.output.delivery.s3.url",
    "zarrOutput": "Batch V2 has it in request.output (type: zarr)",
    "width": "size comes from the tiling grid or the GeoPackage",
    "height": "size comes from the tiling grid or the GeoPackage",
    "resx": "resolution belongs to request.input",
    "resy": "resolution belongs to request.input",
    "processRequest": "it belongs under `request`",
}

Schema = Mapping[str, Any]


def of(keyword: str, value: Any, instance: Any, schema: Schema) -> str:
    """Return what is wrong with `instance`, which does not meet `keyword: value` of `schema`; empty if unknown."""
    write = _MESSAGES.get(keyword)
    return write(value, instance, schema) if write else ""


def discreet(keyword: str, value: Any, schema: Schema) -> str:
    """Return what is wrong without a word of the data."""
    if keyword == "type":
        return f"must be {' or '.join(kind_names(value))}"
    return str(schema.get("patternErrorMessage", "not allowed here"))


def kind_names(kinds: str | Sequence[str]) -> list[str]:
    """Return JSON Schema's kinds of values in a person's words."""
    return [_KINDS[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds)]


def type_names(schema: Schema) -> list[str]:
    """Return the values that the schema of a `type` member knows, without their old upper-case names."""
    if "const" in schema:
        return [schema["const"]]
    if "enum" in schema:
        return [name for name in schema["enum"] if not name[:2].isupper()]
    return ["byoc-<id>", "batch-<id>", "zarr-<id>"]


def shown(value: Any) -> str:
    """Return `value` as JSON, cut to what fits into a message."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def not_of_kind(value: Any, kinds: Iterable[str]) -> str:
    """Return that `value` is not of one of `kinds`, given in a person's words."""
    wanted = " or ".join(kinds)
    return f"{shown(value)} is {_kind_of(value)}, must be {wanted}{_kind_hint(value, wanted)}"


def _kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    names = {str: "text", int: "a number", float: "a number", dict: "a mapping", list: "a list"}
    return names.get(type(value), "empty")


def _kind_hint(value: Any, wanted: str) -> str:
    if not isinstance(value, str):
        return ""
    if "true or false" in wanted and value.lower() in ("yes", "no", "on", "off"):
        return f": in YAML 1.2 {value} is text"
    return ": leave the quotes off" if "number" in wanted and _looks_numeric(value) else ""


def _looks_numeric(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def not_one_of(value: Any, allowed: Sequence[Any]) -> str:
    """Return that `value` is none of `allowed`, with the nearest one."""
    hint = (
        did_you_mean(value, [name for name in allowed if isinstance(name, str)])
        if isinstance(value, str)
        else ""
    )
    if hint and len(allowed) > _FEW:
        return f"{shown(value)} is not known{hint}"
    listed = ", ".join(name if isinstance(name, str) else json.dumps(name) for name in allowed)
    return f"{shown(value)} is not one of {listed}{hint}"


def _pattern(value: Any, instance: Any, schema: Schema) -> str:
    return f"{shown(instance)}: {schema.get('patternErrorMessage') or f'does not match {value}'}"


def _items(value: Any, instance: Any, schema: Schema) -> str:
    low, high = schema.get("minItems"), schema.get("maxItems")
    if low == high:
        return f"has {len(instance)} items, must have {low}"
    return f"has {len(instance)} items, must have at {'least' if value == low else 'most'} {value}"


def _members(schema: Schema) -> str:
    return " or ".join(schema.get("properties", {})) or "a member"


_MESSAGES: dict[str, Callable[[Any, Any, Schema], str]] = {
    "type": lambda value, instance, _: not_of_kind(instance, kind_names(value)),
    "enum": lambda value, instance, _: not_one_of(instance, value),
    "const": lambda value, instance, _: f"{shown(instance)} must be {shown(value)}",
    "pattern": _pattern,
    "minimum": lambda value, instance, _: f"{shown(instance)} is below the least value, {value}",
    "maximum": lambda value, instance, _: f"{shown(instance)} is above the greatest value, {value}",
    "exclusiveMinimum": lambda value, instance, _: f"{shown(instance)} must be above {value}",
    "minLength": lambda *_: "is empty text",
    "minItems": _items,
    "maxItems": _items,
    "minProperties": lambda _value, _instance, schema: f"is empty: needs {_members(schema)}",
    "maxProperties": lambda _value, _instance, schema: f"must have only one of {_members(schema)}",
    "uniqueItems": lambda _value, instance, _: f"{shown(instance)} has an item twice",
}
