"""Files of a project: read safely, and found."""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from shbatch_sync.document import MAX_BYTES
from shbatch_sync.files import FileReader, FileRefusedError, TextFile
from shbatch_sync.project import PROJECT_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_FILE_BYTES = 16 * 1024 * 1024
_YAML = (".yaml", ".yml")
_OTHER_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


class Recording:
    """Reads files, and remembers which.

    Args:
        files: Reads them.

    Attributes:
        paths: Of those that were read, relative to the project.
    """

    def __init__(self, files: FileReader) -> None:
        self._files = files
        self.paths: set[str] = set()

    def read(self, path: str, *, beside: str) -> TextFile:
        """Return the file at `path`; raises what the reader raises."""
        file = self._files.read(path, beside=beside)
        self.paths.add(file.path)
        return file


class ProjectFiles:
    """Reads files that really lie inside one project.

    Args:
        root: The project's folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = Path(os.path.realpath(root))
        self._read: dict[str, TextFile] = {}

    def read(self, path: str, *, beside: str) -> TextFile:
        """Return the file at `path`, seen from the folder of the file `beside`; each is read once.

        Raises:
            FileRefusedError: It is not there, not inside the project, not a plain UTF-8 file, or too large.
        """
        if not path or "\0" in path:
            message = "is no path"
            raise FileRefusedError(message)
        if "\\" in path and not (self._root / path).exists():
            message = f"{path}: write paths with /"
            raise FileRefusedError(message)
        folder = "" if beside == "-" else os.path.dirname(beside)  # noqa: PTH120 - text, not a path to open
        wanted = os.path.normpath(os.path.join(folder, path))  # noqa: PTH118
        if wanted not in self._read:
            self._read[wanted] = self._open(Path(wanted), path)
        return self._read[wanted]

    def _open(self, relative: Path, shown: str) -> TextFile:
        real = Path(os.path.realpath(self._root / relative))
        if not real.is_relative_to(self._root):
            message = f"{shown} lies outside the project"
            raise FileRefusedError(message)
        name = (
            real.relative_to(self._root).as_posix()
            if relative.is_absolute()
            else relative.as_posix()
        )
        return TextFile(path=name, text=decode(read_bytes(real, MAX_FILE_BYTES, shown), shown))


def read_bytes(path: Path, most: int, shown: str) -> bytes:
    """Return the content of the regular file `path`, whose links have been resolved.

    Args:
        path: What to open; a link there by now, or another kind of file, is refused.
        most: Bytes it may have.
        shown: Its name in messages.

    Raises:
        FileRefusedError: It cannot be read.
    """
    # O_NONBLOCK: opening a named pipe must not wait for somebody to write into it
    flags = (
        os.O_RDONLY
        | getattr(os, "O_NONBLOCK", 0)
        | getattr(os, "O_NOFOLLOW", 0)
        | getattr(os, "O_BINARY", 0)
    )
    content = b""
    try:
        descriptor = os.open(path, flags)
        with open(descriptor, "rb") as stream:  # noqa: PTH123 - the descriptor is what was checked
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                _refuse(f"{shown} is not a regular file")
            content = stream.read(most + 1)
            if len(content) > most:
                _refuse(f"{shown} is larger than {most // 1024 // 1024} MiB")
    except OSError as error:
        _refuse(f"{shown} cannot be read: {error.strerror or error}", error)
    return content


def _refuse(message: str, cause: OSError | None = None) -> None:
    raise FileRefusedError(message) from cause


def decode(content: bytes, shown: str) -> str:
    """Return `content` as text, without byte order mark and with line feeds only.

    Raises:
        FileRefusedError: It is not UTF-8.
    """
    for mark, encoding in _OTHER_ENCODINGS:
        if content.startswith(mark):
            message = f"{shown} is {encoding}: save it as UTF-8"
            raise FileRefusedError(message)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"{shown} is not UTF-8: line {line} has the byte 0x{content[error.start]:02x}: save it as UTF-8"
        raise FileRefusedError(message) from None
    if "\0" in text:
        message = f"{shown} is not text: line {text.count(chr(10), 0, text.index(chr(0))) + 1} has a NUL character"
        raise FileRefusedError(message)
    return text.replace("\r\n", "\n") if "\r" in text else text


def read_manifest_text(path: Path, shown: str) -> str:
    """Return the text of a manifest or project file.

    Raises:
        FileRefusedError: It cannot be read as such.
    """
    real = Path(os.path.realpath(path)) if path.is_symlink() else path
    return decode(read_bytes(real, MAX_BYTES, shown), shown)


def manifest_files(folder: Path) -> list[Path]:
    """Return the manifests below `folder` in order of their paths.

    These are all YAML files, and JSON files that declare an `apiVersion` (areas are JSON too). Hidden folders are
    left out, and so are folders with a shbatch.yaml of their own: other projects.

    Raises:
        FileRefusedError: A folder cannot be listed.
    """
    found: list[Path] = []
    for current, folders, names in os.walk(folder, onerror=_refuse_folder):
        here = Path(current)
        if here != folder and PROJECT_FILE in names:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [here / name for name in names if is_manifest(here / name)]
    return sorted(found, key=lambda path: path.as_posix())


def _refuse_folder(error: OSError) -> None:
    _refuse(f"{error.filename} cannot be read: {error.strerror}", error)


def is_manifest(path: Path) -> bool:
    """Return whether a file found in a folder of manifests is one."""
    if path.name.startswith(".") or path.name == PROJECT_FILE:
        return False
    if path.suffix.lower() in _YAML:
        return True
    return path.suffix.lower() == ".json" and _declares_version(path)


def _declares_version(path: Path) -> bool:
    try:
        return b'"apiVersion"' in read_bytes(Path(os.path.realpath(path)), MAX_BYTES, path.name)
    except FileRefusedError:
        return False


def relative_names(paths: Iterable[Path], root: Path) -> dict[str, Path]:
    """Return `paths` by their names, as a user of the project at `root` would write them.

    Raises:
        FileRefusedError: One lies outside, or leads there.
    """
    real_root = os.path.realpath(root)
    folders: dict[Path, str] = {}
    names: dict[str, Path] = {}
    for path in paths:
        if path.parent not in folders:
            folders[path.parent] = os.path.realpath(path.parent)
        placed = os.path.normpath(os.path.join(folders[path.parent], path.name))  # noqa: PTH118 - names, not paths
        leads = os.path.realpath(path) if path.is_symlink() else placed
        if not all(
            place == real_root or place.startswith(real_root + os.sep) for place in (placed, leads)
        ):
            message = f"{path} lies outside the project ({root})"
            raise FileRefusedError(message)
        names[os.path.relpath(placed, real_root).replace(os.sep, "/")] = path
    return names
