"""A job: what one manifest declares, after defaults, expressions and files have been put in.

A job holds no secret. Its `spec` is the body that would be posted without the credential members and the
description; `credentials` says which environment variable fills which place at the moment of the create call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from shbatch_sync.digest import digest
from shbatch_sync.local_copy import LocalCopy, with_copy
from shbatch_sync.normalize import normalize


class DeclaredState(StrEnum):
    """How far a job is to go; `created`, `analysed` and `started` are milestones."""

    CREATED = "created"
    ANALYSED = "analysed"
    STARTED = "started"
    STOPPED = "stopped"


class RestartPolicy(StrEnum):
    """What may be started again without being asked."""

    NEVER = "Never"
    ON_FAILURE = "OnFailure"
    ALWAYS = "Always"


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """Where a value was written: `file` relative to the project, `line` and `column` 1-based."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One declared job.

    Attributes:
        name: Unique in the project.
        target: Name of the target it belongs to.
        spec: Request body, field for field the API's, without credentials and description. Never changed.
        credentials: JSON pointer within the body → environment variable that fills it at create time.
        description: Human text in front of the marker; None leaves it to people.
        state: The milestone to reach.
        generation: Raised by a person to run again what has cost money.
        restart_policy: What may be started again without being asked.
        attempts: Tries and resumes after which a person is asked.
        max_pu: Do not start above this estimate, in processing units.
        depends_on: Names of jobs that must be DONE before this one is started.
        protect: Never stop it.
        samples: Data samples per pixel for the estimate; None leaves them to the script and the time range.
        adopt: Id of a request to take over instead of creating one.
        previous_names: Names that its requests and ledger lines may still carry.
        labels: For selection.
        local_copy: The GeoPackage of its areas as it lies in the project, where the manifest names it.
        origin: Where the manifest stands.
    """

    name: str
    target: str
    spec: Mapping[str, Any]
    origin: Origin
    credentials: Mapping[str, str] = field(default_factory=dict)
    description: str | None = None
    state: DeclaredState = DeclaredState.CREATED
    generation: int = 1
    restart_policy: RestartPolicy = RestartPolicy.NEVER
    attempts: int = 3
    max_pu: float | None = None
    depends_on: tuple[str, ...] = ()
    protect: bool = False
    samples: float | None = None
    adopt: str | None = None
    previous_names: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    local_copy: LocalCopy | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The name, and those it had before."""
        return tuple(dict.fromkeys((self.name, *self.previous_names)))

    @cached_property
    def digest(self) -> str:
        """Fingerprint of the spec as written, and of its local copy: what the marker carries."""
        if self.local_copy is None:
            return self.body_digest
        return digest(self.spec, self.local_copy.sha256)

    @cached_property
    def body_digest(self) -> str:
        """Fingerprint of the spec as written, whatever areas lie in the local copy."""
        return digest(self.spec)

    @cached_property
    def norm_digest(self) -> str:
        """Fingerprint of the normalised spec, and of its local copy: the same for two spellings of one request."""
        return with_copy(digest(normalize(self.spec)), self.local_copy)
