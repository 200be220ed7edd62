"""The request as the service gives it back: short data set names, defaults filled in, secrets masked.

The differences between what was sent and what came back are those of one recorded pair of sentinelhub-py's
Batch V2 notebook; the masks are those of a public fixture. The input is never changed.
"""

from __future__ import annotations

from typing import Any

from shbatch_sync.emulator.datasets import find_dataset

_CLEAR = frozenset({"url", "iamRoleARN", "region"})
_MASKS = {"secretAccessKey": "<REDACTED>"}
_MASK = "*****"
_SECRETS = frozenset({"accessKey", "secretAccessKey", "credentials"})
_CRS_OGC = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_CRS_EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
_GEOGRAPHIC = frozenset({_CRS_OGC, f"{_CRS_EPSG}4326"})
_RASTER_DEFAULTS = {
    "overwrite": False,
    "skipExisting": False,
    "cogOutput": False,
    "createCollection": False,
}


def echo(body: dict[str, Any]) -> dict[str, Any]:
    """Return the `request` member of the answers for a body that was accepted."""
    process = body["processRequest"]
    answer = {
        "instanceType": "normal",
        **body,
        "processRequest": {
            **process,
            "input": _process_input(process["input"]),
            "output": _process_output(process["output"]),
        },
        "input": _input(body["input"]),
        "output": _output(body["output"]),
    }
    return {key: _scrubbed(key, value) for key, value in answer.items()}


def _process_input(sent: dict[str, Any]) -> dict[str, Any]:
    answer = {**sent, "data": [_data(entry) for entry in sent["data"]]}
    if "bounds" in sent:
        answer["bounds"] = _bounds(sent["bounds"])
    return answer


def _bounds(sent: dict[str, Any]) -> dict[str, Any]:
    if "geometry" not in sent or "crs" in sent["geometry"]:
        return sent
    crs = sent.get("properties", {}).get("crs", _CRS_OGC)
    name = "OGC::CRS84" if crs in _GEOGRAPHIC else f"EPSG::{crs.removeprefix(_CRS_EPSG)}"
    member = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:{name}"}}
    return {**sent, "geometry": {**sent["geometry"], "crs": member}}


def _data(sent: dict[str, Any]) -> dict[str, Any]:
    dataset = find_dataset(sent["type"])
    assert dataset is not None, "the payload was checked"  # noqa: S101 - a fault of ours
    answer = {**sent, "type": dataset.alias or sent["type"]}
    if "dataFilter" in sent and dataset.filtered:
        defaults: dict[str, Any] = {"mosaickingOrder": "mostRecent", "maxCloudCoverage": 100.0}
        if dataset.optical:
            defaults["previewMode"] = "DETAIL"
        answer["dataFilter"] = _floats({**defaults, **sent["dataFilter"]}, "maxCloudCoverage")
    if "processing" in sent:
        answer["processing"] = _floats(sent["processing"], "radiometricTerrainOversampling")
    return answer


def _process_output(sent: dict[str, Any]) -> dict[str, Any]:
    return {**sent, "responses": [{"logo": False, **one} for one in sent["responses"]]}


def _input(sent: dict[str, Any]) -> dict[str, Any]:
    if sent["type"] == "tiling-grid":
        return _floats(sent, "resolution")
    answer = {**sent, "features": _storage(sent["features"])}
    if "defaults" in sent:
        answer["defaults"] = _floats(sent["defaults"], "resolution")
    return answer


def _output(sent: dict[str, Any]) -> dict[str, Any]:
    defaults = _RASTER_DEFAULTS if sent["type"] == "raster" else {}
    return {**defaults, **sent, "delivery": _storage(sent["delivery"])}


def _storage(sent: dict[str, Any]) -> dict[str, Any]:
    return {kind: _masked(place) for kind, place in sent.items()}


def _masked(place: Any) -> Any:
    # Everything that is not known to be harmless is masked, so no unknown kind of credential slips through.
    if not isinstance(place, dict):
        return _MASK
    return {key: value if key in _CLEAR else _MASKS.get(key, _MASK) for key, value in place.items()}


def _scrubbed(key: str, value: Any) -> Any:
    # A secret in the wrong place is one still, and unknown members are echoed.
    if key in _SECRETS and isinstance(value, str):
        return _MASKS.get(key, _MASK)
    if isinstance(value, dict):
        return {inner: _scrubbed(inner, item) for inner, item in value.items()}
    if isinstance(value, list) and key != "coordinates":
        return [_scrubbed("", item) for item in value]
    return value


def _floats(sent: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: float(value) if key in keys else value for key, value in sent.items()}
