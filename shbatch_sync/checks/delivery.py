"""Where to: storage, path templates and what lies there already."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shbatch_sync.checks.catalogue import Finding
from shbatch_sync.merge import STORAGES
from shbatch_sync.pointer import Steps, to_pointer

_PLACEHOLDER = re.compile(r"<[^<>]*>|\{[^{}]*\}")
_KNOWN = ("<requestId>", "<tileName>", "<tileId>", "<outputId>", "<format>")
_ZARR_KNOWN = ("<requestId>",)
_STRANGE = re.compile(r"[^A-Za-z0-9/_.():<> -]")
_CDSE = "https://sh.dataspace.copernicus.eu"

Credentials = Mapping[str, str]


def storages(body: Mapping[str, Any]) -> Iterator[tuple[Steps, str, Mapping[str, Any]]]:
    """Yield place, kind (`s3`, `gs`) and content of every storage object of `body`."""
    for part, member in STORAGES:
        for kind, place in body[part].get(member, {}).items():
            yield (part, member, kind), kind, place


def check_credentials(
    body: Mapping[str, Any], credentials: Credentials, base_url: str | None, *, sandbox: bool
) -> Iterator[Finding]:
    """Yield what is wrong with how storage is reached.

    Args:
        body: Without its secrets.
        credentials: Where they go, by JSON pointer.
        base_url: Of the target.
        sandbox: Whether the target is an emulator, which reads and writes no bucket.
    """
    for steps, kind, place in storages(body):
        names = ("accessKey", "secretAccessKey", "credentials")
        given = {"iamRoleARN"} & place.keys()
        if credentials:
            given |= {name for name in names if to_pointer((*steps, name)) in credentials}
        fault = _form_fault(kind, given, sandbox=sandbox)
        if fault:
            yield Finding(code="credentials", steps=steps, message=fault)
        elif base_url == _CDSE and (kind == "gs" or "iamRoleARN" in given):
            what = "Google Cloud Storage" if kind == "gs" else "iamRoleARN"
            message = (
                f"Copernicus Data Space knows no {what}: use s3 with accessKey and secretAccessKey"
            )
            yield Finding(code="credentials-deployment", steps=steps, message=message)


def _form_fault(kind: str, given: set[str], *, sandbox: bool) -> str:
    if not given:
        form = "credentials" if kind == "gs" else "iamRoleARN, or accessKey with secretAccessKey"
        return "" if sandbox else f"has no credentials: give it {form}, or the target"
    if kind == "gs" or given in ({"iamRoleARN"}, {"accessKey", "secretAccessKey"}):
        return ""
    if "iamRoleARN" in given:
        return "has a role and an access key: exactly one credential form"
    missing = ({"accessKey", "secretAccessKey"} - given).pop()
    return f"has no {missing}: accessKey and secretAccessKey belong together"


def delivery_place(body: Mapping[str, Any]) -> tuple[Steps, str]:
    """Return the place and the text of the URL that results go to; empty if there is none."""
    for kind, place in body["output"]["delivery"].items():
        if "url" in place:
            return ("output", "delivery", kind, "url"), place["url"]
    return ("output", "delivery"), ""


def check_path(body: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with the path template."""
    steps, url = delivery_place(body)
    known = _ZARR_KNOWN if body["output"]["type"] == "zarr" else _KNOWN
    used = _PLACEHOLDER.findall(url)
    for name in used:
        if name not in known:
            message = f"{name} is no placeholder here (known: {', '.join(known)})"
            yield Finding(code="path-placeholder", steps=steps, message=message)
    if used and body["output"]["type"] == "raster":
        yield from _check_raster_path(
            used, len(body["processRequest"]["output"]["responses"]), steps
        )
    strange = sorted(set(_STRANGE.findall(url.partition("://")[2])) - {"{", "}"})
    if strange:
        message = (
            f"has the characters {' '.join(strange)}, which tools around the service do not take"
        )
        yield Finding(code="path-characters", steps=steps, message=message)


def _check_raster_path(used: list[str], outputs: int, steps: Steps) -> Iterator[Finding]:
    if "<tileName>" not in used and "<tileId>" not in used:
        yield Finding(
            code="path-tile",
            steps=steps,
            message="must contain <tileName>, or no placeholder at all",
        )
    if outputs > 1 and "<outputId>" not in used:
        message = f"must contain <outputId>, for there are {outputs} outputs"
        yield Finding(code="path-output", steps=steps, message=message)


def shared_place(body: Mapping[str, Any]) -> str:
    """Return where two requests of `body` would meet; empty if each has a place of its own.

    A URL without placeholders counts as `<url>/<requestId>/…`, as the service has it.
    """
    _, url = delivery_place(body)
    plain = body["output"]["type"] == "raster" and not _PLACEHOLDER.search(url)
    return "" if plain or "<requestId>" in url else url.rstrip("/")


def check_old_files(
    body: Mapping[str, Any], generation: int, *, retries: bool
) -> Iterator[Finding]:
    """Yield that a further request of the job would meet the files of an earlier one."""
    output = body["output"]
    if not (generation > 1 or retries) or output.get("overwrite") or output.get("skipExisting"):
        return
    if shared_place(body):
        why = f"generation {generation}" if generation > 1 else "restartPolicy"
        cure = "" if output["type"] == "zarr" else "overwrite or skipExisting, or "
        message = f"{why}: a new request meets the files of the old one here: set {cure}<requestId> in the path"
        yield Finding(code="delivery-old-files", steps=delivery_place(body)[0], message=message)
