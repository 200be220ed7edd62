"""A rename that was not said, of a job whose name is part of where it delivers: it asks for another request.

Nothing in the new spec tells that it was the old one. But what it would be under the old name can be written down:
the same with that name in the place. If that was made before, what looks new is what is there already.
"""

from __future__ import annotations

import json
import re
from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from shbatch_sync.digest import canonical_text, fingerprint
from shbatch_sync.inventory import delivery_url
from shbatch_sync.job import Job
from shbatch_sync.local_copy import with_copy
from shbatch_sync.normalize import normalize
from shbatch_sync.witness import witness

_BUCKET = re.compile(r"[A-Za-z0-9]+://[^/]*")
_MOST = 100

# A place with a name cut out of it; the name joins the pieces.
Mould = tuple[str, ...]


class Names:
    """Names that a new one may have come of; of many, those are asked for that begin or end most like it."""

    def __init__(self, names: Iterable[str]) -> None:
        self._forward = sorted(names)
        self._backward = sorted(name[::-1] for name in self._forward)

    def near(self, name: str) -> list[str]:
        """Return at most a hundred from either side."""
        ends = (one[::-1] for one in _around(self._backward, name[::-1]))
        return list(dict.fromkeys((*_around(self._forward, name), *ends)))


def _around(ordered: Sequence[str], text: str) -> Sequence[str]:
    low = min(bisect(ordered, text) - _MOST // 2, len(ordered) - _MOST)
    return ordered[max(0, low) : max(0, low) + _MOST]


def moulds(spec: Mapping[str, Any], name: str) -> list[Mould]:
    """Return the place of a spec with a name cut out, everywhere and at each single spot; none where it is no part."""
    url = delivery_url(spec) or ""
    # A bucket is not called after a job, and a part of a longer word is not the name.
    bucket = _BUCKET.match(url)
    word = re.compile(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])")
    spots = [spot.span() for spot in word.finditer(url, bucket.end() if bucket else 0)]
    if not spots:
        return []
    edges = [0, *(edge for spot in spots for edge in spot), len(url)]
    whole = tuple(url[left:right] for left, right in zip(edges[::2], edges[1::2], strict=True))
    single = [(url[:left], url[right:]) for left, right in spots]
    return list(dict.fromkeys([whole, *single]))


def spec_at(spec: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Return a spec with another place to deliver to."""
    moved = {
        kind: {**storage, "url": place} if isinstance(storage, Mapping) else storage
        for kind, storage in spec["output"]["delivery"].items()
    }
    return {**spec, "output": {**spec["output"], "delivery": moved}}


def work(spec: Mapping[str, Any]) -> str:
    """Return a fingerprint of what a spec computes, wherever it delivers that."""
    return witness(spec_at(spec, ""))


def digests_under(job: Job, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield places with the normalised digest that `job` would have there: those it would have under other names."""
    cut = moulds(job.spec, job.name)
    if not cut:
        return
    text, own = canonical_text(normalize(job.spec)), json.dumps(delivery_url(job.spec))
    for name in names:
        for mould in cut:
            place = name.join(mould)
            moved = fingerprint(text.replace(own, json.dumps(place)))
            yield place, with_copy(moved, job.local_copy)
