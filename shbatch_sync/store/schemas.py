"""The JSON Schemas that ship with the package."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from shbatch_sync.errors import SettingsError
from shbatch_sync.schema import Schema

_PACKAGE = Path(__file__).parent.parent


def schema_text(name: str) -> str:
    """Return the text of `schemas/<name>.schema.json`: of the installed package, or of the repository.

    Raises:
        SettingsError: There is none of that name.
    """
    for folder in (_PACKAGE / "schemas", _PACKAGE.parent / "schemas"):
        path = folder / f"{name}.schema.json"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    message = f"there is no schema {name!r}"
    raise SettingsError(message)


@cache
def load_schema(name: str) -> Schema:
    """Return the schema `name`, ready to be used.

    Raises:
        SettingsError: There is none of that name.
    """
    return Schema(json.loads(schema_text(name)))


@cache
def strict_job_schema() -> Schema:
    """Return the schema of manifests whose expressions have been replaced."""
    return load_schema("job").without_expressions()
