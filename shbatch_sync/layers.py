"""Where a value of a job was written: in its manifest, or in the project's defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shbatch_sync.errors import Problem
from shbatch_sync.pointer import Steps, lookup, to_pointer

if TYPE_CHECKING:
    from shbatch_sync.document import Document

DEFAULTS: Steps = ("defaults",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """The documents a job is made of.

    Attributes:
        manifest: The upper one.
        project: That of shbatch.yaml, whose `defaults` lie below.
    """

    manifest: Document
    project: Document

    def owner(self, steps: Steps) -> tuple[Document, Steps]:
        """Return the document that the value at `steps` of the job stands in, and the way to it there.

        A value that stands in neither belongs to the manifest.
        """
        if (
            not lookup(self.manifest.data, steps)[0]
            and lookup(self.project.data, (*DEFAULTS, *steps))[0]
        ):
            return self.project, (*DEFAULTS, *steps)
        return self.manifest, steps

    def place(self, steps: Steps, *, key: bool = False) -> tuple[str, int, int]:
        """Return file, line and column of the value at `steps`, or of what it came out of."""
        document, way = self.owner(steps)
        return (document.source.file, *document.locate(way, key=key))

    def problem(
        self, steps: Steps, message: str, code: str, *, key: bool = False, severity: str = "error"
    ) -> Problem:
        """Return a problem with the value at `steps` of the job."""
        file, line, column = self.place(steps, key=key)
        return Problem(
            file=file,
            line=line,
            column=column,
            pointer=to_pointer(steps),
            message=message,
            code=code,
            severity=severity,
        )
