"""Values for `${{ vars.x }}` from outside: command line, files and environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from shbatch_sync.document import Source, parse
from shbatch_sync.jsontext import JsonRefusedError, loads

PREFIX = "SHBATCH_VAR_"
_JSON = ("[", "{", '"')


def from_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that the environment sets: `SHBATCH_VAR_region=eu` is `region`."""
    return {
        name.removeprefix(PREFIX): value
        for name, value in env.items()
        if name.startswith(PREFIX) and name != PREFIX
    }


def typed(texts: Mapping[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return values given as text with the types that are meant.

    A JSON list, mapping or quoted text is what JSON says. A variable that shbatch.yaml declares as text stays text
    otherwise. Any other text that YAML reads as a number or a boolean becomes one. Values that are no text are left
    alone.
    """
    return {name: _typed(text, declared.get(name)) for name, text in texts.items()}


def _typed(text: Any, declared: Any) -> Any:
    if not isinstance(text, str):
        return text
    if text[:1] in _JSON:
        try:
            return loads(text)
        except JsonRefusedError:
            return text
    if isinstance(declared, str):
        return text
    documents, problems = parse(Source(file="", text=text))
    if problems or len(documents) != 1 or not isinstance(documents[0].data, (bool, int, float)):
        return text
    return documents[0].data


def written(value: Any) -> str:
    """Return `value` as the text that `typed` reads it from."""
    return json.dumps(value)
