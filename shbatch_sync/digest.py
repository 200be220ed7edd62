"""The digest: a short fingerprint of a spec that a new release of ours does not change.

SHA-256 over canonical JSON of the body that would be posted, without credentials and description. Numbers count
by value (10 is 10.0), times as instants, null and empty objects as absent. Defaults of the service are not
filled in: the digest says what was asked for, in our own words, so that no change of the service's defaults and
no release of ours makes it differ. Its version stands in front of it and in every marker.

Where a job names a local copy of its GeoPackage, the copy's own SHA-256 is part of it: the body says only where the
file lies, and other areas in that place are another request. Without one the digest is that of the body alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

VERSION = "1"
DIGEST = r"[1-9]\.[0-9a-f]{12}"

# The members of a body that hold storage objects; walking the rest for them would walk every coordinate.
_STORING = frozenset({"input", "output"})
CREDENTIAL_MEMBERS = frozenset({"accessKey", "secretAccessKey", "credentials"})

_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d+))?(?:[Zz]|([+-]\d\d:\d\d))",
    re.ASCII,
)


def digest(spec: Mapping[str, Any], local_copy: str = "") -> str:
    """Return the fingerprint of a spec, e.g. `1.3f9c2ab17d04`.

    Args:
        spec: The request body.
        local_copy: SHA-256 of the local copy of its GeoPackage, in hex; empty where it names none.
    """
    canonical = canonical_text(spec)
    # No JSON ends in a line feed and more, so no body alone has the fingerprint of a body with a copy.
    return fingerprint(f"{canonical}\n{local_copy}" if local_copy else canonical)


def canonical_text(spec: Mapping[str, Any]) -> str:
    """Return what the fingerprint of a spec is taken of: JSON in ASCII, each text as `json.dumps` writes it."""
    body = {
        key: without_credentials(value) if key in _STORING else value
        for key, value in spec.items()
        if key != "description"
    }
    return json.dumps(
        _canonical(body), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


def fingerprint(text: str) -> str:
    """Return the fingerprint of a canonical text."""
    return f"{VERSION}.{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def without_credentials(value: Any) -> Any:
    """Return a copy of a body without the members that hold secrets.

    Only inside a storage object (`s3`, `gs`), where the API defines them; elsewhere the names are the user's own.
    """
    if isinstance(value, Mapping):
        return {
            key: _storage(item) if key in {"s3", "gs"} else without_credentials(item)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [without_credentials(item) for item in value]
    return value


def _storage(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {key: item for key, item in value.items() if key not in CREDENTIAL_MEMBERS}


def instant(text: str) -> str | None:
    """Return an RFC 3339 date-time as a UTC instant with any fraction trimmed of zeros, or None if it is none."""
    match = _INSTANT.fullmatch(text)
    if match is None:
        return None
    day, time, fraction, offset = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{time}{offset or '+00:00'}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    digits = (fraction or "").rstrip("0")
    return moment.replace(tzinfo=None).isoformat() + (f".{digits}" if digits else "") + "Z"


def _canonical(value: Any, key: str = "") -> Any:
    # Most of a body are the numbers of its area, so these are told by their exact types first.
    kind = type(value)
    if kind is str or kind is int:
        return value
    if isinstance(value, (list, tuple)):
        return [number(item) if type(item) is float else _canonical(item) for item in value]
    if isinstance(value, Mapping):
        inner = _times if key == "timeRange" else _canonical
        members = {name: inner(item, name) for name, item in value.items()}
        return {name: item for name, item in members.items() if item is not None and item != {}}
    return number(value)


def _times(value: Any, key: str = "") -> Any:
    return (instant(value) or value) if isinstance(value, str) else _canonical(value, key)


def number(value: Any) -> Any:
    """Return a whole float as an int, so that 10 and 10.0 are written alike; anything else unchanged."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
