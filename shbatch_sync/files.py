"""Files that a manifest names, seen from the core: a reader that is handed in, and the error it raises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from shbatch_sync.jsontext import JsonRefusedError, loads

if TYPE_CHECKING:
    from shbatch_sync.local_copy import LocalCopy


class FileRefusedError(Exception):
    """A file that cannot or must not be read; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFile:
    r"""A file's content.

    Attributes:
        path: Relative to the project's root.
        text: Without byte order mark, line ends as `\n`.
    """

    path: str
    text: str


class FileReader(Protocol):
    """Reads files of the project for its manifests."""

    def read(self, path: str, *, beside: str) -> TextFile:
        """Return the file at `path`, seen from the folder of the file `beside`.

        Raises:
            FileRefusedError: It is not there, not inside the project, not a plain UTF-8 file, or too large.
        """
        ...

    def package(self, path: str, *, beside: str) -> LocalCopy:
        """Return the GeoPackage at `path`, seen from the folder of the file `beside`.

        Raises:
            FileRefusedError: It is not there, not inside the project, no GeoPackage, or too large.
        """
        ...


def read_json(file: TextFile) -> Any:
    """Return the content of a JSON file.

    Raises:
        FileRefusedError: It is not JSON, or holds what cannot be sent.
    """
    try:
        return loads(file.text)
    except JsonRefusedError as error:
        message = f"{file.path}:{error.line}:{error.column}: {error}"
        raise FileRefusedError(message) from None
