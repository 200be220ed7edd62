"""A rename that was not said, of a job whose name is part of where it delivers: it asks for another request.

Nothing in the new spec tells that it was the old one. But what it would be under the old name can be written down:
the same with that name in the place. If that was made before, what looks new is what is there already.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from shbatch_sync.digest import canonical_text, fingerprint
from shbatch_sync.inventory import delivery_url
from shbatch_sync.job import Job
from shbatch_sync.local_copy import with_copy
from shbatch_sync.normalize import normalize

_BUCKET = re.compile(r"[A-Za-z0-9]+://[^/]*")


def place_under(job: Job, name: str) -> str | None:
    """Return where `job` would deliver if it were called `name`; None where its name is no part of the path."""
    url = delivery_url(job.spec)
    pieces = _pieces(url, job.name) if url is not None else ()
    return name.join(pieces) if len(pieces) > 1 else None


def spec_at(job: Job, place: str) -> dict[str, Any]:
    """Return the spec of `job` with another place to deliver to."""
    delivery = job.spec["output"]["delivery"]
    moved = {
        kind: {**storage, "url": place} if isinstance(storage, Mapping) else storage
        for kind, storage in delivery.items()
    }
    return {**job.spec, "output": {**job.spec["output"], "delivery": moved}}


def digests_under(job: Job, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each name with the normalised digest that `job` would have if it were called that; none where it is no part."""
    url = delivery_url(job.spec)
    if url is None or len(_pieces(url, job.name)) < 2:  # noqa: PLR2004 - nothing stands between less than two pieces
        return
    text = canonical_text(normalize(job.spec))
    for name in names:
        place = json.dumps(place_under(job, name))
        yield name, with_copy(fingerprint(text.replace(json.dumps(url), place)), job.local_copy)


@lru_cache(maxsize=4096)
def _pieces(url: str, name: str) -> tuple[str, ...]:
    """Return what stands before, between and behind the name in the path, where it is no part of a longer word."""
    bucket = _BUCKET.match(url)
    at = bucket.end() if bucket is not None else 0
    first, *rest = re.split(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", url[at:])
    return (url[:at] + first, *rest)
