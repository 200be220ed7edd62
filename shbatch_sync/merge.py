"""Layers of a job: the project's defaults under its manifest, and a target's credentials in the gaps.

The rules, shown by `render`:

* mappings merge key by key; text, numbers and lists replace as a whole
* null removes a member, whether a default set it or not
* `{fromFile}` and `{fromEnv}` replace as a whole, and are replaced as a whole
* a credential form replaces another one as a group: a role never stays beside a key, nor `s3` beside `gs`
* an expression alone in its place takes part with its value: a mapping merges, null removes
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

REFERENCES = frozenset({"fromFile", "fromEnv"})
S3_CREDENTIALS = frozenset({"iamRoleARN", "accessKey", "secretAccessKey"})
GS_CREDENTIALS = frozenset({"credentials"})
STORAGES = (("input", "features"), ("output", "delivery"))


def merge(base: Any, over: Any, key: str = "") -> Any:
    """Return `over` laid upon `base`; neither is changed.

    Args:
        base: The lower layer.
        over: The upper layer; its null members are gone from the result.
        key: Name of the member both are the value of.
    """
    if not isinstance(over, dict):
        return over
    if not isinstance(base, dict) or _is_reference(base) or _is_reference(over):
        base = {}
    dropped = _replaced_group(over, key)
    result = {
        name: value for name, value in base.items() if name not in dropped and value is not None
    }
    for name, value in over.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = (
                merge(result.get(name), value, name) if isinstance(value, dict) else value
            )
    return result


def settle(before: Any, after: Any, base: Any) -> Any:
    """Return `after`, where expressions of `before` have become values, by the same rules as if these had been written.

    Args:
        before: With expressions.
        after: The same with their values.
        base: The lower layer.
    """
    if isinstance(before, str) and isinstance(after, dict):
        return merge(base, after)
    if isinstance(before, dict):
        below = base if isinstance(base, dict) else {}
        return {
            key: settle(old, after[key], below.get(key))
            for key, old in before.items()
            if after[key] is not None or old is None
        }
    if isinstance(before, list):
        return [settle(old, new, None) for old, new in zip(before, after, strict=True)]
    return after


def _is_reference(value: Mapping[str, Any]) -> bool:
    return not REFERENCES.isdisjoint(value)


def _replaced_group(over: Mapping[str, Any], key: str) -> frozenset[str]:
    if key not in ("s3", "delivery", "features"):
        return frozenset()
    given = {name for name, value in over.items() if value is not None}
    if key == "s3" and given & S3_CREDENTIALS:
        return S3_CREDENTIALS
    if key in ("delivery", "features") and given & {"s3", "gs"}:
        return frozenset({"s3", "gs"}) - given
    return frozenset()


def fill_credentials(
    request: dict[str, Any], s3: Mapping[str, Any] | None, gs: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return `request` with a target's credentials in every storage object that has none of its own.

    The target's region goes with them where the object names none.
    """
    for part, member in STORAGES:
        holder = request.get(part)
        storage = holder.get(member) if isinstance(holder, dict) else None
        if isinstance(storage, dict):
            filled = {
                kind: _filled(place, s3 if kind == "s3" else gs) if kind in ("s3", "gs") else place
                for kind, place in storage.items()
            }
            request = {**request, part: {**request[part], member: filled}}
    return request


def _filled(place: Any, credentials: Mapping[str, Any] | None) -> Any:
    if (
        not credentials
        or not isinstance(place, dict)
        or (S3_CREDENTIALS | GS_CREDENTIALS) & place.keys()
    ):
        return place
    return {**credentials, **place}
