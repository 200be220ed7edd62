"""What: data sets, their times, and the evalscript of a request body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from shbatch_sync.checks.catalogue import Finding
from shbatch_sync.pointer import Steps

_DATA: Steps = ("processRequest", "input", "data")
_VERSION = "//VERSION=3"


class _TimeError(ValueError):
    pass


def check_times(body: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with the time ranges."""
    for index, source in enumerate(body["processRequest"]["input"]["data"]):
        wanted = source.get("dataFilter")
        times = wanted.get("timeRange") if isinstance(wanted, dict) else None
        if isinstance(times, dict):
            yield from _check_range(times, (*_DATA, index, "dataFilter", "timeRange"))


def _check_range(times: Mapping[str, Any], steps: Steps) -> Iterator[Finding]:
    ends: dict[str, datetime] = {}
    for key in ("from", "to"):
        if key in times:
            try:
                ends[key] = _instant(times[key])
            except _TimeError as error:
                yield Finding(code="time-range", steps=(*steps, key), message=str(error))
    if len(ends) == 2 and ends["from"] > ends["to"]:  # noqa: PLR2004 - both ends
        message = f"begins ({times['from']}) after its end ({times['to']})"
        yield Finding(code="time-range", steps=steps, message=message)


def _instant(text: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        message = f"{text!r} is no instant such as 2024-05-01T00:00:00Z"
        raise _TimeError(message) from None
    if "T" not in text.upper():
        message = f"{text!r} has no time: the service takes instants such as {text[:10]}T00:00:00Z"
        raise _TimeError(message)
    if moment.tzinfo is None:
        message = f"{text!r} has no time zone: end it with Z"
        raise _TimeError(message)
    return moment


def check_data(body: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what deserves a second look among the data sets."""
    data = body["processRequest"]["input"]["data"]
    ids = [source.get("id") for source in data]
    if len(data) > 1 and (None in ids or len(set(ids)) < len(ids)):
        yield Finding(
            code="fusion-id", steps=_DATA, message="several data sets: give each an id of its own"
        )
    for index, source in enumerate(data):
        processing = source.get("processing")
        if not isinstance(processing, dict):
            continue
        if processing.get("backCoeff") == "GAMMA0_TERRAIN" and not processing.get("orthorectify"):
            steps = (*_DATA, index, "processing", "backCoeff")
            yield Finding(
                code="terrain-correction",
                steps=steps,
                message="GAMMA0_TERRAIN needs orthorectify: true",
            )


def check_evalscript(body: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield that the evalscript does not begin with its version."""
    first = body["processRequest"]["evalscript"].partition("\n")[0]
    if first.rstrip() != _VERSION:
        steps = ("processRequest", "evalscript")
        yield Finding(
            code="evalscript-version", steps=steps, message=f"its first line is not {_VERSION}"
        )
