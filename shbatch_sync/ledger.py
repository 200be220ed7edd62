"""The ledger: what was done, for the time when the service has forgotten it.

The service's sister APIs delete finished requests after some weeks. A reconciler that only compares declared with
live would then buy every old job again, month after month. So every costly step leaves a line before it is taken,
and every end leaves one after it was seen. Lines are facts: they are appended, never changed, and mean the same in
any order and when repeated, so that two branches or two machines can be merged by union.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from shbatch_sync.job import Job

FORMAT = 1


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
        at: When it was written, by this machine's clock.
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


def parse(text: str) -> tuple[list[Entry], list[int]]:
    """Read lines; return the entries and the 1-based numbers of lines that say nothing we understand.

    A torn tail (the machine died while the last line was written) and the markers of an unresolved git merge are
    among the latter: they are reported, never fatal, for the facts around them still hold.
    """
    entries: list[Entry] = []
    unreadable: list[int] = []
    for index, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        entry = _read(line)
        if entry is None:
            unreadable.append(index)
        else:
            entries.append(entry)
    return entries, unreadable


def _read(line: str) -> Entry | None:
    try:
        members = json.loads(line, parse_constant=_no_constant)
        if members["v"] != FORMAT:
            return None
        values = {name: members[key] for key, name in _FIELDS.items() if key in members}
        at = datetime.fromisoformat(values["at"])
        values["at"] = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        values["event"] = Event(values["event"])
        entry = Entry(**values)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    return entry if _well_typed(entry) else None


def _no_constant(name: str) -> None:
    raise ValueError(name)


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
        and isinstance(entry.generation, int)
        and isinstance(entry.attempt, int)
        and all(
            number is None or isinstance(number, (int, float))
            for number in (entry.cost_pu, entry.lag)
        )
    )


@dataclass(frozen=True)
class Record:
    """All that the ledger says of one key: a job in one generation with one spec.

    Attributes:
        entries: Its lines, oldest first.
    """

    entries: tuple[Entry, ...]

    @cached_property
    def done(self) -> Entry | None:
        """The line that says it finished; it bars every further try."""
        return next((entry for entry in self._of(Event.FINAL) if entry.status == "DONE"), None)

    @cached_property
    def paid(self) -> Entry | None:
        """The last line that says money may have been spent."""
        spent = [
            *self._of(Event.START),
            *(entry for entry in self._of(Event.FINAL) if (entry.cost_pu or 0) > 0),
        ]
        return max(spent, key=lambda entry: entry.at, default=None)

    @cached_property
    def final(self) -> Entry | None:
        """The last end that was seen."""
        return max(self._of(Event.FINAL), key=lambda entry: entry.at, default=None)

    @property
    def ended_or_paid(self) -> bool:
        """Whether the key got as far as costing, or to an end."""
        return self.paid is not None or self.final is not None

    def end_of_other(self, listed: Collection[str], attempt: int) -> Entry | None:
        """Return the last end of a request that is not listed, of this try or a later one, or None.

        One that was stopped before it cost anything made room for another, so it does not count.
        """
        return max(
            (
                entry
                for entry in self._of(Event.FINAL)
                if entry.request_id not in listed
                and entry.attempt >= attempt
                and (entry.status != "STOPPED" or entry.cost_pu != 0)
            ),
            key=lambda entry: entry.at,
            default=None,
        )

    @cached_property
    def attempt(self) -> int:
        """The highest try that was started or ended; creating alone uses no try up."""
        return max(
            (entry.attempt for entry in self.entries if entry.event in {Event.START, Event.FINAL}),
            default=0,
        )

    def created(self, listed: Collection[str]) -> Iterator[Entry]:
        """Yield the create calls that answered with a request which is not listed and not known to have ended."""
        ended = {entry.request_id for entry in self._of(Event.FINAL)}
        for entry in self._of(Event.CREATED):
            if entry.request_id not in listed and entry.request_id not in ended:
                yield entry

    def unfinished(self, listed: Collection[str]) -> int:
        """Return the highest try that was started, of which no end is known and whose request is not listed; or 0."""
        ended = {(entry.request_id, entry.attempt) for entry in self._of(Event.FINAL)}
        return max(
            (
                entry.attempt
                for entry in self._of(Event.START)
                if entry.request_id not in listed and (entry.request_id, entry.attempt) not in ended
            ),
            default=0,
        )

    def words(self, request_id: str, event: Event) -> list[datetime]:
        """Return when we asked a request to start, or to stop."""
        return [entry.at for entry in self._of(event) if entry.request_id == request_id]

    def unanswered(self) -> Iterator[Entry]:
        """Yield the create calls of which no answer is recorded, neither a request nor a definite no."""
        answered = {entry.nonce for entry in self.entries if entry.event in _ANSWERS}
        yield from (entry for entry in self._of(Event.INTENT) if entry.nonce not in answered)

    def _of(self, event: Event) -> Iterator[Entry]:
        return (entry for entry in self.entries if entry.event is event)


# A `retired` line that names a nonce and no request says that its create call was refused.
_ANSWERS = frozenset({Event.CREATED, Event.RETIRED})


@dataclass(frozen=True)
class Ledger:
    """The lines of one project on one account, each fact once.

    Attributes:
        entries: Oldest first.
    """

    entries: tuple[Entry, ...] = field(default=())

    @classmethod
    def of(
        cls, entries: Iterable[Entry], *, project: str, target: str, account: str | None
    ) -> Ledger:
        """Select what concerns a project on an account.

        The account is part of every key, the target's name is only where to connect: two names of one account see
        the same lines. A line without an account was written before it was known, so the target's name decides,
        and so it does while the account is still unknown.
        """

        def concerns(entry: Entry) -> bool:
            if entry.project != project:
                return False
            if account is None or entry.account is None:
                return entry.target == target
            return entry.account == account

        # In an order of their own, so that of two lines of one fact it never depends on the file which one counts.
        ours = sorted((entry.at, dump(entry), entry) for entry in entries if concerns(entry))
        return cls(tuple({entry.identity: entry for _, _, entry in ours}.values()))

    @cached_property
    def _by_job(self) -> dict[str, list[Entry]]:
        jobs: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            jobs[entry.job].append(entry)
        return dict(jobs)

    @cached_property
    def created_ids(self) -> frozenset[str]:
        """Ids of the requests that we know to be ours because their create call answered, or they were adopted."""
        ours = {Event.CREATED, Event.ADOPTED}
        return frozenset(
            entry.request_id for entry in self.entries if entry.event in ours and entry.request_id
        )

    @cached_property
    def ids(self) -> frozenset[str]:
        """Ids of all requests that any line names."""
        return frozenset(entry.request_id for entry in self.entries if entry.request_id)

    @cached_property
    def finals(self) -> frozenset[tuple[str, str | None, str | None, int]]:
        """(job, request id, status, try) of every end that was written down."""
        return frozenset(
            (entry.job, entry.request_id, entry.status, entry.attempt)
            for entry in self.entries
            if entry.event is Event.FINAL
        )

    @cached_property
    def account(self) -> str | None:
        """The first account that a line names: the pin of a target without one."""
        return next((entry.account for entry in self.entries if entry.account), None)

    def spent_since(self, instant: datetime) -> float:
        """Return the processing units of all requests whose end was seen since; each once, at its last cost."""
        costs = {
            entry.request_id: entry.cost_pu or 0.0
            for entry in self.entries
            if entry.event is Event.FINAL and entry.at >= instant
        }
        return sum(costs.values())

    @cached_property
    def longest_lag(self) -> float:
        """Seconds that a new request was seen missing from a list, at the most."""
        return max((entry.lag for entry in self.entries if entry.lag is not None), default=0.0)

    def jobs(self) -> frozenset[str]:
        """Return the names of all jobs that any line names."""
        return frozenset(self._by_job)

    def of_job(self, job: Job) -> tuple[Entry, ...]:
        """Return all lines of a job, under whatever name it had, oldest first."""
        if not job.previous_names:
            return tuple(self._by_job.get(job.name, ()))
        lines = [entry for name in job.names for entry in self._by_job.get(name, ())]
        return tuple(sorted(lines, key=lambda entry: entry.at))

    def of_request(self, request_id: str) -> Record:
        """Return what is known of one request, under whatever key."""
        return Record(tuple(entry for entry in self.entries if entry.request_id == request_id))

    def renamed(self, job: Job) -> list[Entry]:
        """Return the lines of a job's key that stand under an earlier name only, under its present one."""
        known = {entry.identity for entry in self._by_job.get(job.name, ())}
        lines = [
            replace(entry, job=job.name)
            for entry in self.record(job).entries
            if entry.job != job.name
        ]
        return [line for line in lines if line.identity not in known]

    def record(self, job: Job) -> Record:
        """Return what is known of a job's key; another spelling of the same request is the same key."""
        return Record(
            tuple(
                entry
                for entry in self.of_job(job)
                if entry.generation == job.generation
                and (entry.digest == job.digest or entry.norm_digest == job.norm_digest)
            )
        )

    def generation(self, job: Job) -> int:
        """Return the highest generation of a job that was ever recorded, or 0."""
        return max((entry.generation for entry in self.of_job(job)), default=0)

    def twin(self, norm_digest: str, declared: frozenset[str]) -> str | None:
        """Return an undeclared job that had the same request and got as far as costing, or None."""
        for entry in self.entries:
            costly = entry.event in {Event.START, Event.FINAL}
            if costly and entry.norm_digest == norm_digest and entry.job not in declared:
                return entry.job
        return None
