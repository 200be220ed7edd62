"""A project that has been read: everything it declares, and what that was read from."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from shbatch_sync.errors import Problem
from shbatch_sync.job import Origin
from shbatch_sync.manifest import Declaration
from shbatch_sync.project import PROJECT_FILE, Project

if TYPE_CHECKING:
    from shbatch_sync.job import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A project and everything it declares.

    Attributes:
        project: The project.
        target: Name of the target that jobs without one belong to; None if every job names its own.
        declarations: Every job of the project with its manifest, by name and target.
        selected: Files that the given paths name; None if the whole project is meant.
        read: Where a manifest begins → files that it names, relative to the project.
        problems: Warnings.
        unset: Environment variable that is not set → jobs that need it.
    """

    project: Project
    target: str | None
    declarations: tuple[Declaration, ...]
    selected: frozenset[str] | None = None
    read: Mapping[Origin, frozenset[str]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    unset: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Every job of the project, by name and target."""
        return tuple(one.job for one in self.declarations)

    def is_selected(self, job: Job) -> bool:
        """Return whether the given paths name the manifest of `job`."""
        return self.selected is None or job.origin.file in self.selected

    def depends_on(self, job: Job, files: Collection[str]) -> bool:
        """Return whether any of `files` has a part in `job`: its manifest, what that names, or shbatch.yaml."""
        named = self.read.get(job.origin, frozenset())
        root = Path(os.path.realpath(self.project.root))
        # Behind a link stands the file that changes.
        real = {
            os.path.relpath(os.path.realpath(root / name), root).replace(os.sep, "/")
            for name in named
        }
        return not {PROJECT_FILE, job.origin.file, *named, *real}.isdisjoint(files)
