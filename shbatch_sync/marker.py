"""The marker: the ownership text inside a request's description, written and parsed here alone.

    Monthly NDVI [shbatch-sync/1 crops/ndvi r1 h=1.3f9c2ab17d04 t=k7q2m7xa i=1b9d6bcd #pu2ks4]

It travels inside the create call, so no request of ours is ever born without it. A checksum tells an edited
marker from a whole one; the *seal* (`i=`, the first eight hex digits of the request's own id) tells a marker
that stands where it was put from one that somebody copied. Tokens are compared whole, never by prefix.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from shbatch_sync.digest import DIGEST

MAX_LENGTH = 199
MAX_TRY = 99
MAX_GENERATION = 9999

_OPENING = "[shbatch-sync"
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"

PROJECT = r"[a-z][a-z0-9-]{0,31}"
JOB = r"[a-z0-9][a-z0-9._-]{0,62}"
_MARKER = re.compile(
    rf"\[shbatch-sync/1 (?P<project>{PROJECT})/(?P<job>{JOB}) r(?P<generation>[1-9][0-9]{{0,3}})"
    rf" h=(?P<digest>{DIGEST}) t=(?P<nonce>[a-z2-7]{{8}})"
    r"(?: i=(?P<seal>[0-9a-f]{8}))?"
    r"(?: n=(?P<attempt>[1-9][0-9]?))?"
    r"(?: c=(?P<commit>[0-9a-f]{7})@(?P<committed>[0-9a-z]{1,7}))?"
    r"(?P<stopped> s)?"
    r"(?P<protected> p)?"
    r"(?: x=(?P<retired>dup|old))?"
    r" #(?P<checksum>[a-z2-7]{6})\]"
)
# What an edit may leave behind: enough of the opening to say that a marker stood here. A link to a page of this
# name is none, hence the digit and the space where the bracket is missing.
_NAME = "shbatch-sync"
_REMAINS = re.compile(r"\[?\s*shbatch-sync(?:/[^\]]*)?\]?", re.IGNORECASE)
_TRACE = re.compile(r"\[\s*shbatch-sync|shbatch-sync/\d+ ", re.IGNORECASE)


class Retired(StrEnum):
    """Why a request no longer counts."""

    DUPLICATE = "dup"
    OLD = "old"


@dataclass(frozen=True, slots=True)
class Commit:
    """The commit a request was created from: seven hex digits and the commit's time."""

    sha: str
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What a description says about who owns the request.

    Attributes:
        project: Ownership scope.
        job: Name of the job.
        generation: The job's generation when the request was created.
        digest: Fingerprint of the spec that was posted, with its version: `1.3f9c2ab17d04`.
        nonce: Random name of the one create call that made it.
        seal: First eight hex digits of the request's own id, once it won its election.
        attempt: Which try or resume of the key this is, from 1.
        commit: Where the manifest came from, if it stood in git.
        stopped: We stopped it.
        protected: It must not be stopped.
        retired: Set once the request no longer counts.
    """

    project: str
    job: str
    generation: int
    digest: str
    nonce: str
    seal: str | None = None
    attempt: int = 1
    commit: Commit | None = None
    stopped: bool = False
    protected: bool = False
    retired: Retired | None = None

    def __str__(self) -> str:
        body = f"{_OPENING[1:]}/1 {self.project}/{self.job} r{self.generation} h={self.digest} t={self.nonce}"
        body += f" i={self.seal}" if self.seal else ""
        body += f" n={self.attempt}" if self.attempt > 1 else ""
        body += f" c={self.commit.sha}@{_to_base36(self.commit.time)}" if self.commit else ""
        body += " s" if self.stopped else ""
        body += " p" if self.protected else ""
        body += f" x={self.retired}" if self.retired else ""
        return f"[{body} #{_checksum(body)}]"

    def sealed_for(self, request_id: str) -> Marker:
        """Return this marker with the seal of `request_id`."""
        seal = seal_of(request_id)
        return self if self.seal == seal else replace(self, seal=seal)


@dataclass(frozen=True, slots=True)
class Absent:
    """A description without a trace of a marker."""


_ABSENT = Absent()


@dataclass(frozen=True, slots=True)
class Damaged:
    """A description with something that was a marker, or with several.

    Attributes:
        why: For people, in a few words.
    """

    why: str


def parse(description: str | None) -> Marker | Absent | Damaged:
    """Read the marker of a description.

    Valid means: the grammar holds, the checksum agrees, and there is exactly one.
    """
    text = description or ""
    if _NAME not in text.casefold():
        return _ABSENT  # nearly all of a list, and much faster told so
    matches = list(_MARKER.finditer(text))
    rest = _MARKER.sub(" ", text)
    if len(matches) > 1 or (matches and _TRACE.search(rest)):
        return Damaged("more than one marker")
    if not matches:
        return Damaged("not the form of a marker") if _TRACE.search(rest) else Absent()
    match = matches[0]
    body = match.group(0)[1 : match.group(0).rindex(" #")]
    if _checksum(body) != match["checksum"]:
        return Damaged("its checksum does not match")
    return _from_match(match)


def _from_match(match: re.Match[str]) -> Marker:
    sha = match["commit"]
    return Marker(
        project=match["project"],
        job=match["job"],
        generation=int(match["generation"]),
        digest=match["digest"],
        nonce=match["nonce"],
        seal=match["seal"],
        attempt=int(match["attempt"] or 1),
        commit=Commit(sha, _from_base36(match["committed"])) if sha else None,
        stopped=bool(match["stopped"]),
        protected=bool(match["protected"]),
        retired=Retired(match["retired"]) if match["retired"] else None,
    )


def human_text(description: str | None) -> str:
    """Return what stands around the marker: the part of a description that belongs to people."""
    text = description or ""
    match = _MARKER.search(text)
    if match is None:
        return text.strip()
    return f"{text[: match.start()].rstrip()} {text[match.end() :].lstrip()}".strip()


def without_remains(description: str | None) -> str:
    """Return the people's text of a description, without what may be left of a marker that was damaged."""
    text = human_text(description)
    return " ".join(_REMAINS.sub(" ", text).split()) if mentions_marker(text) else text


def describe(text: str | None, marker: Marker, limit: int | None = None) -> str:
    """Write a description: the people's text in front, the marker behind.

    Args:
        text: The part that belongs to people.
        marker: Goes in whole, always.
        limit: Longest description the service keeps, in characters, where one is known; the text is trimmed first.
    """
    mark = str(marker)
    words = (text or "").strip()
    if limit is not None:
        words = words[: max(0, limit - len(mark) - 1)].rstrip()
    return f"{words} {mark}" if words else mark


def same_text(left: str, right: str) -> bool:
    """Say whether two texts of people are the same but for what services do to text: spaces, HTML escapes."""
    return left == right or _plain(left) == _plain(right)


def _plain(text: str) -> str:
    return " ".join(html.unescape(text).split())


def mentions_marker(text: str) -> bool:
    """Say whether a manifest's own description would be taken for a marker."""
    return _TRACE.search(text) is not None


def seal_of(request_id: str) -> str:
    """Return the seal of a request: the first eight hex digits of its id."""
    return request_id.replace("-", "").lower()[:8]


def new_nonce() -> str:
    """Return a fresh name for one create call: 40 random bits."""
    return "".join(secrets.choice(_BASE32) for _ in range(8))


def _checksum(body: str) -> str:
    return base64.b32encode(hashlib.sha256(body.encode()).digest()).decode().lower()[:6]


def _to_base36(instant: datetime) -> str:
    seconds = max(0, int(instant.timestamp()))
    digits = ""
    while seconds:
        seconds, digit = divmod(seconds, 36)
        digits = _BASE36[digit] + digits
    return digits or "0"


def _from_base36(digits: str) -> datetime:
    return datetime.fromtimestamp(int(digits, 36), tz=UTC)
