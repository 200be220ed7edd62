"""Which files a request would write, as far as that decides its fate.

The emulator has no bucket. It remembers what finished requests have delivered, and a later one that delivers the
same outputs of the same area to the same url meets those files. A url with `<requestId>`, or a plain raster url,
which stands for `…/<requestId>/…`, is always a place of its own.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from shbatch_sync.emulator.lifecycle import Survey

_NOBODY = "<requestId>"


@dataclass(frozen=True, slots=True)
class Errand:
    """What a request does to its delivery place.

    Attributes:
        place: Names it; None where no other request can meet its files.
        outputs: Identifiers that it writes.
        overwrite: Existing files are replaced.
        skip: Tiles that are all there are left out.
        evalscript_fault: What the analysis will find wrong with the script.
    """

    place: str | None
    outputs: tuple[str, ...]
    overwrite: bool
    skip: bool
    evalscript_fault: str | None


@dataclass(frozen=True, slots=True)
class Files:
    """What lies at a place: which outputs, of how much of the area (0 to 1)."""

    outputs: frozenset[str]
    share: float


def errand_of(body: dict[str, Any]) -> Errand:
    """Return what an accepted body will do."""
    output = body["output"]
    responses = body["processRequest"]["output"]["responses"]
    return Errand(
        place=_place(body),
        outputs=tuple(response.get("identifier", "default") for response in responses),
        overwrite=bool(output.get("overwrite")),
        skip=bool(output.get("skipExisting")),
        evalscript_fault=_evalscript_fault(body["processRequest"]["evalscript"]),
    )


def _place(body: dict[str, Any]) -> str | None:
    output = body["output"]
    storage = output["delivery"]
    url = next(iter(storage.values()))["url"]
    raster = output["type"] == "raster"
    if _NOBODY in url or (raster and "<" not in url):
        return None
    source = {key: body["input"].get(key) for key in ("type", "id")}
    features = body["input"].get("features", {})
    source["features"] = [place["url"] for place in features.values()]
    area = body["processRequest"]["input"].get("bounds") if raster else None
    text = json.dumps([url, source if raster else None, area], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _evalscript_fault(text: str) -> str | None:
    # Scripts of the first version have no setup() and just return; nothing more can be told without running it.
    if "return" in text or ("setup" in text and "evaluatePixel" in text):
        return None
    return "Failed to evaluate script!"


def survey(errand: Errand, files: Files | None) -> Survey:
    """Return what the analysis of a request finds at its place."""
    if errand.evalscript_fault is not None:
        return Survey(error=errand.evalscript_fault)
    present = frozenset(errand.outputs) & files.outputs if files else frozenset()
    if files is None or not present:
        return Survey()
    if errand.skip and present == frozenset(errand.outputs):
        return Survey(skip=files.share)
    if errand.overwrite:
        return Survey()
    return Survey(error="Output files already exist at the delivery location")
