"""The witness: what still tells a request when its marker is gone.

The service keeps some members of a body to the letter: the evalscript, where it delivers, the grid, the area, the
times. Two requests that agree on all of them would compute and deliver the same files, whoever owns them, so a
create that has such a twin is a question to a person before it is a bill.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from shbatch_sync.inventory import delivery_url
from shbatch_sync.normalize import normalize


def witness(spec: Mapping[str, Any]) -> str:
    """Return a fingerprint of the members that the service keeps to the letter; equal means the same work."""
    body = normalize(spec)
    process = _object(body, "processRequest")
    source = _object(process, "input")
    data = source.get("data")
    leaves = [
        process.get("evalscript"),
        delivery_url(body),
        body.get("input"),
        source.get("bounds"),
        [
            [item.get("type"), _object(item, "dataFilter").get("timeRange")]
            for item in data
            if isinstance(item, dict)
        ]
        if isinstance(data, list)
        else None,
    ]
    return hashlib.sha256(json.dumps(leaves, sort_keys=True).encode()).hexdigest()


def _object(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, Mapping) else {}
