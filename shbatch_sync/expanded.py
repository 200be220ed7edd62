"""A job written out: every value it ended up with, and where each of them was written."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shbatch_sync.merge import GS_CREDENTIALS, S3_CREDENTIALS
from shbatch_sync.pointer import Steps, leaves, lookup, to_pointer, to_steps
from shbatch_sync.project import API_VERSION

if TYPE_CHECKING:
    from shbatch_sync.job import Job
    from shbatch_sync.layers import Layers
    from shbatch_sync.manifest import Declaration
    from shbatch_sync.project import Target

BUILT_IN = "default"
_FROM_TARGET = S3_CREDENTIALS | GS_CREDENTIALS | {"region"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expanded:
    """One job as a manifest without expressions, files or defaults.

    Attributes:
        data: The manifest; secrets stand as `{fromEnv: NAME}`.
        places: JSON pointer of each value → `file:line` it was written at, or `default`.
    """

    data: Mapping[str, Any]
    places: Mapping[str, str]


def expanded(declaration: Declaration, target: Target) -> Expanded:
    """Return the job of `declaration`, which belongs to `target`, written out."""
    data = as_manifest(declaration.job)
    places: dict[str, str] = {}
    for steps, _ in leaves(data):
        known = steps[: steps.index("coordinates") + 1] if "coordinates" in steps else steps
        pointer = to_pointer(known)
        if pointer not in places:
            places[pointer] = _place(known, declaration.layers, target)
    return Expanded(data=data, places=places)


def as_manifest(job: Job) -> dict[str, Any]:
    """Return `job` in the form of a manifest."""
    optional = {
        "description": job.description,
        "maxPU": job.max_pu,
        "estimate": {} if job.samples is None else {"samples": job.samples},
        "dependsOn": list(job.depends_on),
        "localCopy": _beside(job),
        "labels": dict(job.labels),
        "adopt": job.adopt,
        "previousNames": list(job.previous_names),
    }
    return {
        "apiVersion": API_VERSION,
        "name": job.name,
        "target": job.target,
        "state": job.state.value,
        "generation": job.generation,
        "restartPolicy": job.restart_policy.value,
        "attempts": job.attempts,
        "protect": job.protect,
        **{key: value for key, value in optional.items() if value not in (None, [], {})},
        "request": _with_references(job.spec, job.credentials),
    }


def _beside(job: Job) -> str | None:
    """Return the path of the local copy as a manifest in the job's place would write it."""
    if job.local_copy is None:
        return None
    folder = posixpath.dirname(job.origin.file)
    return posixpath.relpath(job.local_copy.path, folder or ".")


def _with_references(spec: Mapping[str, Any], credentials: Mapping[str, str]) -> Any:
    result: Any = spec
    for pointer, variable in credentials.items():
        result = _put(result, to_steps(pointer), {"fromEnv": variable})
    return result


def _put(data: Any, steps: Steps, value: Any) -> Any:
    if not steps:
        return value
    return {**data, steps[0]: _put(data.get(steps[0], {}), steps[1:], value)}


def _place(steps: Steps, layers: Layers, target: Target) -> str:
    """Return where the value at `steps` was written: itself, or the reference or expression it came out of."""
    for length in range(len(steps), 0, -1):
        document, way = layers.owner(steps[:length])
        found, value = lookup(document.data, way)
        if not found:
            continue
        here = f"{document.source.file}:{document.locate(way)[0]}"
        if isinstance(value, dict) and "fromFile" in value:
            return f"{here} ({value['fromFile']})"
        if length == len(steps) or isinstance(value, str):
            return here
        break
    return str(target.origin) if _FROM_TARGET.intersection(steps) else BUILT_IN
