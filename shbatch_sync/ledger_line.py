"""A line of the ledger: what it says, how it is written, and how it is read again."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import groupby
from typing import Any

FORMAT = 1
# Behind a line that was torn while it was written, put there by the next one to write.
TORN = " #torn"
_MERGING = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")


class Event(StrEnum):
    """What a line says; `intent`, `start` and `stop` are written before their call, the others after its answer."""

    INTENT = "intent"
    CREATED = "created"
    SEALED = "sealed"
    RETIRED = "retired"
    START = "start"
    STOP = "stop"
    FINAL = "final"
    ADOPTED = "adopted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line.

    Attributes:
        at: When it happened: an end as the service tells it, anything else by our clock when it was written.
        event: What happened.
        target: The target's name in shbatch.yaml.
        account: `domainAccountId`, where it was known.
        project: Ownership scope.
        job: Name of the job.
        generation: The job's generation.
        digest: Fingerprint of the spec.
        norm_digest: Fingerprint of the normalised spec: equal for two spellings of one request.
        attempt: Which try or resume, from 1.
        nonce: Name of the create call.
        request_id: The service's id, where one is known.
        status: With `final`: DONE, FAILED or STOPPED.
        cost_pu: With `final`: processing units charged.
        lag: With `sealed`: seconds after its create call that a list still missed the request, if any did.
        commit: Commit of the manifests.
    """

    at: datetime
    event: Event
    target: str
    project: str
    job: str
    generation: int
    digest: str
    account: str | None = None
    norm_digest: str | None = None
    attempt: int = 1
    nonce: str | None = None
    request_id: str | None = None
    status: str | None = None
    cost_pu: float | None = None
    commit: str | None = None
    lag: float | None = None

    @property
    def identity(self) -> tuple[Any, ...]:
        """What makes two lines the same fact, however often it was written down."""
        if self.event is Event.FINAL:
            return (self.job, self.request_id, self.event, self.status, self.attempt)
        if self.event in {Event.START, Event.STOP}:
            return (self.job, self.request_id, self.event, self.attempt, self.at)
        return (self.job, self.request_id or self.nonce, self.event)

    @property
    def marks(self) -> bool:
        """Whether the request is known by this line to have carried a marker of ours."""
        return self.event in {Event.CREATED, Event.SEALED, Event.RETIRED, Event.FINAL}


_NAMES = {
    "norm_digest": "normDigest",
    "attempt": "try",
    "request_id": "requestId",
    "cost_pu": "costPU",
}
_FIELDS = {_NAMES.get(name, name): name for name in Entry.__dataclass_fields__}


def dump(entry: Entry) -> str:
    """Write one line, without its end; members that say nothing are left out."""
    members: dict[str, Any] = {"v": FORMAT}
    for key, name in _FIELDS.items():
        value = getattr(entry, name)
        if value is not None:
            members[key] = (
                value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
            )
    return json.dumps(members, separators=(",", ":"), ensure_ascii=True)


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that says nothing we understand.

    Attributes:
        number: 1-based.
        harmless: Whether nothing that was paid for can be hidden in it: it was torn before the step that it was to
            announce was taken, or is a mark of an unresolved git merge.
        newer: Whether a later release wrote it.
    """

    number: int
    harmless: bool = False
    newer: bool = False

    def __str__(self) -> str:
        return f"line {self.number}" + (" (of a newer shbatch-sync)" if self.newer else "")


def parse(text: str) -> tuple[list[Entry], list[Unread]]:
    """Read lines; return the entries, and the lines that say nothing we understand.

    The facts around such a line still hold; whether it may be left out is for whoever would spend money to decide.
    """
    entries: list[Entry] = []
    unread: list[Unread] = []
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        entry = _read(line)
        if entry is not None:
            entries.append(entry)
        else:
            harmless = number == len(lines) or line.endswith(TORN) or line.startswith(_MERGING)
            unread.append(Unread(number, harmless, newer=_is_newer(line)))
    return entries, unread


def _is_newer(line: str) -> bool:
    try:
        members = json.loads(line)
    except (ValueError, RecursionError):
        return False
    version = members.get("v") if isinstance(members, dict) else None
    return isinstance(version, int) and version > FORMAT


def _read(line: str) -> Entry | None:
    try:
        members = _DECODER.decode(line)
        if members["v"] != FORMAT:
            return None
        values = {name: members[key] for key, name in _FIELDS.items() if key in members}
        at = datetime.fromisoformat(values["at"])
        values["at"] = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        values["event"] = Event(values["event"])
        entry = Entry(**values)
        return entry if _well_typed(entry) else None
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def _no_constant(name: str) -> None:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def _well_typed(entry: Any) -> bool:
    """Say whether a line holds what its members promise; a dataclass takes anything."""
    texts = (entry.target, entry.project, entry.job, entry.digest)
    optional = (
        entry.account,
        entry.norm_digest,
        entry.nonce,
        entry.request_id,
        entry.status,
        entry.commit,
    )
    return (
        all(isinstance(text, str) for text in texts)
        and all(text is None or isinstance(text, str) for text in optional)
        and entry.request_id != ""
        and isinstance(entry.generation, int)
        and isinstance(entry.attempt, int)
        and all(
            number is None or (isinstance(number, (int, float)) and math.isfinite(number))
            for number in (entry.cost_pu, entry.lag)
        )
    )


def in_order(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield lines in an order of their own, so that of two lines of one fact it never depends on the file which counts."""
    for _, same in groupby(sorted(entries, key=_rank), key=_rank):
        lines = list(same)
        yield from sorted(lines, key=dump) if len(lines) > 1 else lines


def _rank(entry: Entry) -> tuple[datetime, str, str, str]:
    return (entry.at, entry.event, entry.job, entry.request_id or "")
