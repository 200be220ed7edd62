"""`processRequest`: data sets, responses, evalscript."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from shbatch_sync.emulator.checks.bounds import check_bounds
from shbatch_sync.emulator.datasets import RESAMPLING, Dataset, find_dataset

if TYPE_CHECKING:
    from shbatch_sync.emulator.checks.shape import Node

_FORMATS = frozenset({"image/tiff", "application/json", "zarr/array"})
_DATE = 10
_WINDOW = (1, 7)


def check_process(parent: Node, *, bounds_required: bool) -> list[tuple[str, str]]:
    """Check `processRequest`; return identifier and format of each response that can be read."""
    process = parent.object("processRequest", required=True)
    if process is None:
        return []
    process.text("evalscript", required=True)
    source = process.object("input", required=True)
    if source is not None:
        check_bounds(source, required=bounds_required)
        for entry in source.items("data", required=True):
            _check_data(entry)
    target = process.object("output", required=True)
    return _check_responses(target) if target is not None else []


def _check_responses(target: Node) -> list[tuple[str, str]]:
    responses: list[tuple[str, str]] = []
    for node in target.items("responses", required=True):
        if not isinstance(node.value, dict):
            node.fault("must be an object")
            continue
        response = _check_response(node)
        if response is not None and response[0] in {name for name, _ in responses}:
            node.blame("identifier", f"{response[0]!r} stands twice")
        elif response is not None:
            responses.append(response)
    return responses


def _check_response(node: Node) -> tuple[str, str] | None:
    identifier = node.text("identifier") or "default"
    form = node.object("format", required=True)
    kind = form.choice("type", _FORMATS, required=True) if form else None
    if kind is None:
        return None
    if kind == "application/json" and identifier != "userdata":
        node.blame("format", "is application/json, which only userdata can be")
    return identifier, kind


def _check_data(entry: Node) -> None:
    if not isinstance(entry.value, dict):
        entry.fault("must be an object")
        return
    entry.text("id")
    name = entry.text("type", required=True)
    dataset = find_dataset(name) if name is not None else None
    if name is not None and dataset is None:
        entry.blame("type", f"{name!r} is not a known data set")
    if dataset is None:
        return
    _check_filter(entry, dataset)
    _check_processing(entry, dataset)


def _check_filter(entry: Node, dataset: Dataset) -> None:
    chosen = entry.object("dataFilter")
    if chosen is None:
        return
    orders = {"mostRecent", "leastRecent"} | ({"leastCC"} if dataset.clouds else set())
    chosen.choice("mosaickingOrder", orders)
    chosen.number("maxCloudCoverage", 0, 100)
    for key, allowed in dataset.filters.items():
        chosen.choice(key, allowed)
    span = chosen.object("timeRange")
    if span is not None:
        _check_span(span)


def _check_span(span: Node) -> None:
    begin, end = (_instant(span, key) for key in ("from", "to"))
    if begin is not None and end is not None and begin > end:
        span.blame("from", "is after to")


def _instant(span: Node, key: str) -> datetime | None:
    text = span.text(key)
    if text is None:
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        value = None
    if value is None or value.tzinfo is None or len(text) <= _DATE:
        span.blame(key, "must be a date and time with an offset, such as 2024-05-01T00:00:00Z")
        return None
    return value


def _check_processing(entry: Node, dataset: Dataset) -> None:
    chosen = entry.object("processing")
    if chosen is None:
        return
    for key, allowed in (RESAMPLING | dataset.processing).items():
        chosen.choice(key, allowed)
    for key, (low, high) in dataset.ranges.items():
        chosen.number(key, low, high)
    for key in sorted(dataset.switches):
        chosen.flag(key)
    _check_speckle(chosen)


def _check_speckle(chosen: Node) -> None:
    speckle = chosen.object("speckleFilter")
    if speckle is None:
        return
    if speckle.choice("type", {"LEE", "NONE"}, required=True) == "LEE":
        for key in ("windowSizeX", "windowSizeY"):
            speckle.number(key, *_WINDOW, required=True, whole=True)
