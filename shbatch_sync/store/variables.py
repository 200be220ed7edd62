"""Files of values for `${{ vars.x }}`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shbatch_sync.document import Source, parse
from shbatch_sync.errors import ManifestError, SettingsError
from shbatch_sync.files import FileRefusedError
from shbatch_sync.store.files import read_manifest_text


def read_variables(path: Path, shown: str) -> dict[str, Any]:
    """Return the variables of a YAML or JSON file: a mapping from names to values.

    Args:
        path: The file; it may lie outside the project.
        shown: Its name in messages.

    Raises:
        ManifestError: Its text is no YAML or JSON; carries every problem.
        SettingsError: It cannot be read, or is not one mapping.
    """
    try:
        text = read_manifest_text(path, shown)
    except FileRefusedError as error:
        raise SettingsError(str(error)) from error
    documents, problems = parse(Source(file=shown, text=text))
    if problems:
        raise ManifestError(problems)
    if len(documents) != 1 or not isinstance(documents[0].data, dict):
        message = f"{shown} is no mapping of variables, such as `region: slovenia`"
        raise SettingsError(message)
    return documents[0].data
