"""The last step of a manifest: files put in, credentials taken out, and a Job made of the rest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shbatch_sync.expressions import ExpressionError, Scope, expand_text
from shbatch_sync.files import FileReader, FileRefusedError
from shbatch_sync.geojson import read_area
from shbatch_sync.job import DeclaredState, Job, Origin, RestartPolicy
from shbatch_sync.marker import mentions_marker
from shbatch_sync.merge import STORAGES, fill_credentials
from shbatch_sync.pointer import Steps, to_pointer
from shbatch_sync.salvage import HARMLESS_AREA, HARMLESS_SCRIPT

if TYPE_CHECKING:
    from shbatch_sync.errors import Problem
    from shbatch_sync.layers import Layers
    from shbatch_sync.local_copy import LocalCopy
    from shbatch_sync.project import Target

SECRET_MEMBERS = {"s3": ("accessKey", "secretAccessKey"), "gs": ("credentials",)}
LOCAL_COPY: Steps = ("localCopy",)
_EVALSCRIPT: Steps = ("request", "processRequest", "evalscript")
_GEOMETRY: Steps = ("request", "processRequest", "input", "bounds", "geometry")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A valid manifest without expressions, about to become a job.

    Attributes:
        data: The manifest, defaults included.
        target: Where the job belongs.
        layers: Where its values stand.
        scope: For files that are to be expanded.
        problems: What came up on the way.
        unsound: Ways to the values that it came up with.
    """

    data: Mapping[str, Any]
    target: Target
    layers: Layers
    scope: Scope
    problems: list[Problem] = field(default_factory=list)
    unsound: list[Steps] = field(default_factory=list)

    def problem(self, steps: Steps, message: str, code: str) -> None:
        """Keep a problem with the value at `steps`."""
        self.unsound.append(steps)
        self.problems.append(self.layers.problem(steps, message, code))


def assemble(draft: Draft, files: FileReader, areas: dict[str, Any]) -> tuple[Job, list[Steps]]:
    """Return the job of `draft`, and the ways to what is wrong with it.

    Each way is a problem of the draft's; something harmless stands there in the job.

    Args:
        draft: The manifest.
        files: Reads what it names.
        areas: Geometries that have been read, by path; more are added.
    """
    request = fill_credentials(dict(draft.data["request"]), draft.target.s3, draft.target.gs)
    request = _with_files(draft, request, files, areas)
    request, credentials = _without_secrets(request)
    description = _description(draft, request.pop("description", None))
    job = _job(draft, request, credentials, description, _local_copy(draft, files))
    return job, list(draft.unsound)


def _local_copy(draft: Draft, files: FileReader) -> LocalCopy | None:
    path = draft.data.get("localCopy")
    if path is None:
        return None
    try:
        return files.package(path, beside=_beside(draft, LOCAL_COPY))
    except FileRefusedError as error:
        draft.problem(LOCAL_COPY, str(error), "file")
    return None


def _job(
    draft: Draft,
    spec: Mapping[str, Any],
    credentials: Mapping[str, str],
    description: str | None,
    local_copy: LocalCopy | None,
) -> Job:
    data, manifest = draft.data, draft.layers.manifest
    return Job(
        name=data["name"],
        target=draft.target.name,
        spec=spec,
        credentials=credentials,
        description=description,
        origin=Origin(manifest.source.file, manifest.line),
        state=DeclaredState(data.get("state", "created")),
        generation=data.get("generation", 1),
        restart_policy=RestartPolicy(data.get("restartPolicy", "Never")),
        attempts=data.get("attempts", 3),
        max_pu=data.get("maxPU", draft.target.max_pu),
        depends_on=tuple(data.get("dependsOn", ())),
        protect=data.get("protect", False),
        samples=data.get("estimate", {}).get("samples"),
        adopt=data.get("adopt"),
        previous_names=tuple(data.get("previousNames", ())),
        labels={key: _text(value) for key, value in data.get("labels", {}).items()},
        local_copy=local_copy,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _description(draft: Draft, pasted: str | None) -> str | None:
    own: str | None = draft.data.get("description")
    if own is not None and pasted is not None and own != pasted:
        draft.problem(
            ("request", "description"),
            "differs from the manifest's own description: keep one",
            "description",
        )
    text = pasted if own is None else own
    if text is not None and mentions_marker(text):
        steps: Steps = ("description",) if own is not None else ("request", "description")
        draft.problem(
            steps,
            "must contain neither '[shbatch-sync' nor 'shbatch-sync/1 ': the ownership marker is known by them",
            "description",
        )
    return text


def _with_files(
    draft: Draft, request: dict[str, Any], files: FileReader, areas: dict[str, Any]
) -> dict[str, Any]:
    """Return `request` with evalscript and geometry read from the files it names; `request` is not changed."""
    process = request["processRequest"]
    script = process["evalscript"]
    if isinstance(script, dict):
        process = {**process, "evalscript": _script(draft, script, files)}
    bounds = process["input"].get("bounds")
    geometry = bounds.get("geometry") if isinstance(bounds, dict) else None
    if isinstance(geometry, dict) and "fromFile" in geometry:
        bounds = {**bounds, "geometry": _area(draft, geometry, files, areas)}
        process = {**process, "input": {**process["input"], "bounds": bounds}}
    return {**request, "processRequest": process}


def _script(draft: Draft, reference: Mapping[str, Any], files: FileReader) -> str:
    steps = (*_EVALSCRIPT, "fromFile")
    try:
        file = files.read(reference["fromFile"], beside=_beside(draft, steps))
        if not file.text.strip():
            draft.problem(steps, f"{file.path} is empty", "file")
        return str(expand_text(file.text, draft.scope)) if reference.get("expand") else file.text
    except FileRefusedError as error:
        draft.problem(steps, str(error), "file")
    except ExpressionError as error:
        if str(error):
            draft.problem(steps, f"in {reference['fromFile']}: {error}", "expression")
        else:
            draft.unsound.append(steps)
    return HARMLESS_SCRIPT


def _area(
    draft: Draft, reference: Mapping[str, Any], files: FileReader, areas: dict[str, Any]
) -> Any:
    steps = (*_GEOMETRY, "fromFile")
    try:
        file = files.read(reference["fromFile"], beside=_beside(draft, steps))
        if file.path not in areas:
            areas[file.path] = read_area(file)
        return areas[file.path]
    except FileRefusedError as error:
        draft.problem(steps, str(error), "file")
    return HARMLESS_AREA


def _beside(draft: Draft, steps: Steps) -> str:
    """Return the file that a path is relative to: the one it stands in."""
    document, _ = draft.layers.owner(steps)
    return document.source.file


def _without_secrets(request: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return `request` without its secrets, and the variable that fills each of the gaps."""
    credentials: dict[str, str] = {}
    for part, member in STORAGES:
        storage = request[part].get(member) if isinstance(request.get(part), dict) else None
        if not isinstance(storage, dict):
            continue
        kept = {}
        for kind, place in storage.items():
            secrets = [name for name in SECRET_MEMBERS.get(kind, ()) if name in place]
            for name in secrets:
                credentials[to_pointer((part, member, kind, name))] = place[name]["fromEnv"]
            kept[kind] = (
                {name: value for name, value in place.items() if name not in secrets}
                if secrets
                else place
            )
        request = {**request, part: {**request[part], member: kept}}
    return request, credentials
