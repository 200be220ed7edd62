"""Requests that were made by hand, written as the manifests that declare them.

What the service adds to a body on its own is left out again, evalscripts and large areas go into files beside the
manifest, and secrets are never taken over: where one stood, masked or not, the name of an environment variable
stands. Pure: what is to be written is returned.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shbatch_sync.allow import is_new
from shbatch_sync.geojson import AREA_TYPES
from shbatch_sync.import_body import at, escaped, ordered, refer_to_secrets, without_service
from shbatch_sync.import_names import name_all
from shbatch_sync.marker import human_text
from shbatch_sync.merge import REFERENCES
from shbatch_sync.phase import Phase, phase_of
from shbatch_sync.pointer import to_pointer
from shbatch_sync.project import API_VERSION
from shbatch_sync.request import BatchProcessRequest
from shbatch_sync.schema import Schema
from shbatch_sync.yamldump import dump

MOST_POINTS = 8
_HEAD = ("apiVersion", "name", "target", "description", "adopt", "state", "x-allow")
_STATES = {
    Phase.CREATED: "created",
    Phase.UNKNOWN: "created",
    Phase.ANALYSING: "analysed",
    Phase.ANALYSIS_DONE: "analysed",
    Phase.STARTING: "started",
    Phase.PROCESSING: "started",
    Phase.DONE: "started",
    Phase.STOPPING: "stopped",
    Phase.STOPPED: "stopped",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A request body that is to become a manifest.

    Attributes:
        body: As it was sent, or as the service gives it back.
        description: The part of its description that belongs to people.
        request_id: Of the live request; None for a body from elsewhere.
        state: The milestone it has reached; None leaves the default.
        label: What to call it in messages.
    """

    body: Mapping[str, Any]
    label: str
    description: str = ""
    request_id: str | None = None
    state: str | None = None

    @property
    def hex(self) -> str:
        """Digits that tell it from others: of its id, or of its content."""
        if self.request_id is not None:
            return self.request_id.replace("-", "").lower()
        return hashlib.sha256(json.dumps(self.body, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Variables:
    """Names of the environment variables that hold secrets."""

    access_key: str = "S3_ACCESS_KEY"
    secret_access_key: str = "S3_SECRET_ACCESS_KEY"  # noqa: S105 - a name
    credentials: str = "GS_CREDENTIALS"

    def of(self, member: str) -> str:
        """Return the variable for a member of a storage object."""
        names = {"accessKey": self.access_key, "secretAccessKey": self.secret_access_key}
        return names.get(member, self.credentials)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How manifests are to be written.

    Attributes:
        schema: Path of the JSON Schema, seen from the manifest.
        variables: For secrets.
        target: Name to write into each; None where it is the project's default.
        defaults: The project's, which must not change what is imported.
    """

    schema: str
    variables: Variables = field(default_factory=Variables)
    target: str | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A manifest that was made.

    Attributes:
        subject: What it was made of.
        name: Of the job, and of the file.
        data: The manifest.
        files: Path beside the manifest → text, for what it names.
        schema: Path of the JSON Schema, seen from the manifest.
    """

    subject: Subject
    name: str
    data: Mapping[str, Any]
    files: Mapping[str, str]
    schema: str

    @property
    def path(self) -> str:
        """Where it belongs, within the folder of the import."""
        return f"{self.name}.yaml"

    @property
    def text(self) -> str:
        """Its YAML."""
        return f"# yaml-language-server: $schema={self.schema}\n{dump(dict(self.data))}"


def subject_of(request: BatchProcessRequest) -> Subject:
    """Return a live request as the subject of an import."""
    return Subject(
        body=request.request,
        label=request.request_id,
        description=human_text(request.description),
        request_id=request.request_id,
        state=_STATES.get(phase_of(request)),
    )


def import_all(
    subjects: Sequence[Subject], taken: Collection[str], manner: Manner
) -> list[Imported]:
    """Return a manifest for each of `subjects`; those with one evalscript or area share its file.

    Args:
        subjects: What to import.
        taken: Names that jobs have already.
        manner: How to write them.
    """
    shelf = _Shelf()
    return [
        _import(subject, name, manner, shelf)
        for subject, name in zip(subjects, name_all(subjects, taken), strict=True)
    ]


def letting_through(imported: Imported, schema: Schema) -> Imported:
    """Return `imported` with `x-allow` for the members of the API that `schema` does not know yet."""
    faults = schema.faults(imported.data)
    new = [to_pointer(fault.steps) for fault in faults if is_new(fault)]
    if not new:
        return imported
    data = {**imported.data, "x-allow": list(dict.fromkeys(new))}
    return replace(imported, data=ordered(data, *_HEAD))


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Files that manifests name: each content is kept once, under the name it was first seen with."""

    paths: dict[str, str] = field(default_factory=dict)

    def put(self, path: str, text: str, files: dict[str, str]) -> dict[str, str]:
        """Return the reference to `text`, and add it to `files`."""
        kept = self.paths.setdefault(text, path)
        files[kept] = text
        return {"fromFile": kept}


def _import(subject: Subject, name: str, manner: Manner, shelf: _Shelf) -> Imported:
    files: dict[str, str] = {}
    request = escaped(without_service(subject.body))
    process = request.get("processRequest", {})
    script = at(subject.body, "processRequest", "evalscript")
    if isinstance(script, str):
        process["evalscript"] = (
            shelf.put(f"evalscripts/{name}.js", script, files)
            if _survives_a_file(script)
            else escaped(script)
        )
    bounds = process.get("input", {}).get("bounds", {})
    if _is_large(bounds.get("geometry")):
        text = json.dumps(bounds["geometry"]) + "\n"
        bounds["geometry"] = shelf.put(f"areas/{name}.geojson", text, files)
    refer_to_secrets(request, subject.body, manner.variables)
    return Imported(
        subject=subject,
        name=name,
        data=_manifest(subject, name, request, manner),
        files=files,
        schema=manner.schema,
    )


def _manifest(
    subject: Subject, name: str, request: dict[str, Any], manner: Manner
) -> dict[str, Any]:
    head = {
        "target": manner.target,
        "description": escaped(subject.description) or None,
        "adopt": subject.request_id,
        "state": subject.state,
    }
    return {
        "apiVersion": API_VERSION,
        "name": name,
        **{
            key: value
            for key, value in head.items()
            if value is not None or manner.defaults.get(key) is not None
        },
        "request": _undoing(manner.defaults.get("request"), request),
    }


def _undoing(defaults: Any, given: Any) -> Any:
    """Return `given` with null for every member that only the project's defaults have."""
    if not isinstance(defaults, Mapping) or not isinstance(given, Mapping):
        return given
    if REFERENCES & (defaults.keys() | given.keys()):
        return given
    kept = {key: _undoing(defaults.get(key), value) for key, value in given.items()}
    return {**kept, **dict.fromkeys(key for key in defaults if key not in given)}


def _survives_a_file(text: str) -> bool:
    """Return whether reading a file gives back `text`: its line ends are made one kind, its byte order mark goes."""
    return bool(text.strip()) and "\r\n" not in text and "\0" not in text and text[0] != "\ufeff"


def _is_large(geometry: Any) -> bool:
    if not isinstance(geometry, dict) or geometry.keys() != {"type", "coordinates"}:
        return False
    return geometry["type"] in AREA_TYPES and _points(geometry["coordinates"]) > MOST_POINTS


def _points(value: Any) -> int:
    if not isinstance(value, list):
        return 0
    if value and not any(isinstance(item, list) for item in value):
        return 1
    return sum(map(_points, value))
