"""A request body as a person would have written it: without what the service adds, without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shbatch_sync.digest import CREDENTIAL_MEMBERS
from shbatch_sync.expressions import MARK
from shbatch_sync.geojson import CRS84, canonical_crs
from shbatch_sync.jsontext import MAX_INTEGER
from shbatch_sync.merge import STORAGES
from shbatch_sync.normalize import normalize

if TYPE_CHECKING:
    from shbatch_sync.importing import Variables


def without_service(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body without what the service adds to it, in the order that its documentation has.

    Secrets and the description are gone. What is left out is what the comparison of two bodies drops as a default,
    so the result differs from `body` in nothing that counts.
    """
    plain = _with_required(_finite(normalize(body)), body)
    process = ordered(plain.get("processRequest", {}), "input", "output", "evalscript")
    source = process.get("input", {})
    if isinstance(source.get("data"), list):
        process["input"] = {**source, "data": [_dataset(item) for item in source["data"]]}
    return ordered({**plain, "processRequest": process}, "processRequest", "input", "output")


def _dataset(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    if isinstance(item.get("dataFilter"), dict):
        item = {**item, "dataFilter": ordered(item["dataFilter"], "timeRange")}
    return ordered(item, "type", "id")


def ordered(members: Mapping[str, Any], *first: str) -> dict[str, Any]:
    """Return `members` with the keys `first` in front."""
    front = {key: members[key] for key in first if key in members}
    return {**front, **{key: value for key, value in members.items() if key not in front}}


def _with_required(plain: dict[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """Put back what has a default, or is empty, and must be written nevertheless."""
    bounds = at(body, "processRequest", "input", "bounds")
    crs = at(bounds, "properties", "crs")
    if isinstance(crs, str) and canonical_crs(crs) != CRS84:
        source = plain.setdefault("processRequest", {}).setdefault("input", {})
        source.setdefault("bounds", {})["properties"] = {"crs": canonical_crs(crs)}
    if at(body, "output", "type") == "zarr":
        plain["output"].setdefault("group", {})
        order = at(body, "output", "arrayParameters", "order")
        if order is not None:
            plain["output"].setdefault("arrayParameters", {})["order"] = order
    return plain


def at(value: Any, *steps: str) -> Any:
    """Return what `steps` lead to within `value`; None if they lead nowhere."""
    for step in steps:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _finite(value: Any) -> Any:
    """Return `value` with numbers that are whole but too large for an integer written as they came."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) > MAX_INTEGER else value


def escaped(value: Any) -> Any:
    """Return `value` with every `${{` in its texts written so that it stays one."""
    if isinstance(value, dict):
        return {key: escaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [escaped(item) for item in value]
    return value.replace(MARK, f"${MARK}") if isinstance(value, str) else value


def refer_to_secrets(
    request: dict[str, Any], body: Mapping[str, Any], variables: Variables
) -> None:
    """Write references into `request` for the secrets that `body` has, masked or not."""
    for part, member in STORAGES:
        kinds = at(request, part, member)
        for kind in kinds if isinstance(kinds, dict) else ():
            given = at(body, part, member, kind)
            if isinstance(given, Mapping):
                secrets = sorted(CREDENTIAL_MEMBERS & given.keys())
                references = {name: {"fromEnv": variables.of(name)} for name in secrets}
                kinds[kind] = {**ordered(kinds[kind], "url"), **references}
