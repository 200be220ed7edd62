"""An imported manifest judged before it is written: is it valid, and does it declare what it was made of?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Never

from shbatch_sync.checks import check_declarations
from shbatch_sync.diff import changed_fields
from shbatch_sync.document import Source, parse
from shbatch_sync.files import FileRefusedError, TextFile
from shbatch_sync.importing import Imported
from shbatch_sync.manifest import Context, read_manifest


class _FilesToBe:
    """Reads what is going to be written."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def read(self, path: str, *, beside: str) -> TextFile:
        """Return a file of the import."""
        if path not in self._texts:
            message = f"{path} is not among the files beside {beside}"
            raise FileRefusedError(message)
        return TextFile(path=path, text=self._texts[path])

    def package(self, path: str, *, beside: str) -> Never:
        """Refuse: no import has a local copy."""
        message = f"{path} is not among the files beside {beside}"
        raise FileRefusedError(message)


def faults_of(imported: Imported, context: Context) -> list[str]:
    """Return why a manifest cannot stand for what it was made of; empty if it can.

    Args:
        imported: With the files it names.
        context: Of the project it is for.
    """
    documents, problems = parse(Source(file=imported.path, text=imported.text))
    here = replace(context, files=_FilesToBe(imported.files), areas={})
    declarations = []
    for document in documents:
        declared, found = read_manifest(document, here)
        declarations += declared
        problems += found
    problems += check_declarations(declarations, context.project)
    faults = [
        f"{problem.pointer or '/'}: {problem.message} [{problem.code}]"
        for problem in problems
        if problem.severity != "warning"
    ]
    return faults + [
        f"/request{field.path}: cannot be declared as it is ({field.kind})"
        for one in declarations
        for field in changed_fields(one.job.spec, imported.subject.body)
    ]
