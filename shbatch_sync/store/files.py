"""Files of a project: read safely, and found."""

from __future__ import annotations

import codecs
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from shbatch_sync.document import MAX_BYTES
from shbatch_sync.files import FileReader, FileRefusedError, TextFile
from shbatch_sync.project import PROJECT_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

    from shbatch_sync.local_copy import LocalCopy
    from shbatch_sync.store.geopackage import GeoPackageFile

# The file of a manifest from standard input.
STDIN = "-"
_MIB = 1024 * 1024
MAX_FILE_BYTES = 16 * _MIB
# The most features that the service takes, at a kilobyte each, and a half more.
MAX_PACKAGE_BYTES = 1024 * _MIB
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

    def package(self, path: str, *, beside: str) -> LocalCopy:
        """Return the GeoPackage at `path`; raises what the reader raises."""
        copy = self._files.package(path, beside=beside)
        self.paths.add(copy.path)
        return copy


class ProjectFiles:
    """Reads files that really lie inside one project.

    Args:
        root: The project's folder.
        here: Where the files of a manifest from standard input are; the project's folder if left out.
    """

    def __init__(self, root: Path, here: Path | None = None) -> None:
        self._root = Path(os.path.realpath(root))
        self._here = Path(os.path.realpath(here or root))
        self._read: dict[str, TextFile] = {}
        self._packages: dict[str, GeoPackageFile | FileRefusedError] = {}

    def read(self, path: str, *, beside: str) -> TextFile:
        """Return the file at `path`, seen from the folder of the file `beside`; each is read once.

        Raises:
            FileRefusedError: It is not there, not inside the project, not a plain UTF-8 file, or too large.
        """
        wanted = self._wanted(path, beside)
        if wanted not in self._read:
            shown = self._shown(path, beside)
            real, name = self._inside(wanted, shown)
            text = decode(read_bytes(real, MAX_FILE_BYTES, shown), shown)
            self._read[wanted] = TextFile(path=name, text=text)
        return self._read[wanted]

    def package(self, path: str, *, beside: str) -> GeoPackageFile:
        """Return the GeoPackage at `path`, seen from the folder of the file `beside`; each is read once.

        Raises:
            FileRefusedError: It is not there, not inside the project, no GeoPackage, or too large.
        """
        wanted = self._wanted(path, beside)
        if wanted not in self._packages:
            try:
                shown = self._shown(path, beside)
                self._packages[wanted] = _package(*self._inside(wanted, shown), shown)
            except FileRefusedError as error:  # as slow to find out as what is in it
                self._packages[wanted] = error
        found = self._packages[wanted]
        if isinstance(found, FileRefusedError):
            raise FileRefusedError(str(found))
        return found

    def _wanted(self, path: str, beside: str) -> str:
        if not path or "\0" in path:
            message = "is no path"
            raise FileRefusedError(message)
        if "\\" in path and not (self._root / path).exists():
            message = f"{path}: write paths with /"
            raise FileRefusedError(message)
        folder = self._here if beside == STDIN else os.path.dirname(beside)  # noqa: PTH120 - text, not a path to open
        return os.path.normpath(os.path.join(folder, path))  # noqa: PTH118

    def _shown(self, path: str, beside: str) -> str:
        """Return a file's name for messages; of a manifest that has no folder, where it was looked for."""
        return f"{path} in {self._here}" if beside == STDIN else path

    def _inside(self, wanted: str, shown: str) -> tuple[Path, str]:
        """Return where a file really is, and its name relative to the project."""
        relative = Path(wanted)
        real = Path(os.path.realpath(self._root / relative))
        if not real.is_relative_to(self._root):
            message = f"{shown} lies outside the project"
            raise FileRefusedError(message)
        inside = real.relative_to(self._root) if relative.is_absolute() else relative
        return real, inside.as_posix()


def _package(real: Path, name: str, shown: str) -> GeoPackageFile:
    from shbatch_sync.errors import SettingsError  # noqa: PLC0415
    from shbatch_sync.store.geopackage import GeoPackageFile  # noqa: PLC0415 - few projects have one

    found = hashlib.sha256()
    with _opened(real, shown) as stream:
        size = 0
        while block := stream.read(_MIB):
            size += len(block)
            if size > MAX_PACKAGE_BYTES:
                _refuse(f"{shown} is larger than {MAX_PACKAGE_BYTES // _MIB} MiB")
            found.update(block)
    copy = GeoPackageFile(path=name, file=str(real), sha256=found.hexdigest())
    try:
        copy.package()
    except SettingsError as error:
        raise FileRefusedError(str(error)) from error
    return copy


def read_bytes(path: Path, most: int, shown: str) -> bytes:
    """Return the content of the regular file `path`, whose links have been resolved.

    Args:
        path: What to open; a link there by now, or another kind of file, is refused.
        most: Bytes it may have.
        shown: Its name in messages.

    Raises:
        FileRefusedError: It cannot be read.
    """
    with _opened(path, shown) as stream:
        content = stream.read(most + 1)
        if len(content) > most:
            _refuse(f"{shown} is larger than {most // _MIB} MiB")
    return content


@contextmanager
def _opened(path: Path, shown: str) -> Iterator[BinaryIO]:
    # O_NONBLOCK: opening a named pipe must not wait for somebody to write into it
    flags = (
        os.O_RDONLY
        | getattr(os, "O_NONBLOCK", 0)
        | getattr(os, "O_NOFOLLOW", 0)
        | getattr(os, "O_BINARY", 0)
    )
    try:
        descriptor = os.open(path, flags)
        with open(descriptor, "rb") as stream:  # noqa: PTH123 - the descriptor is what was checked
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                _refuse(f"{shown} is not a regular file")
            yield stream
    except OSError as error:
        _refuse(f"{shown} cannot be read: {error.strerror or error}", error)


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
        names[placed[len(real_root) :].lstrip(os.sep).replace(os.sep, "/") or "."] = path
    return names
