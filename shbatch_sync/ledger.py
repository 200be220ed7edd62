"""The ledger: what was done, for the time when the service has forgotten it.

The service's sister APIs delete finished requests after some weeks. A reconciler that only compares declared with
live would then buy every old job again, month after month. So every costly step leaves a line before it is taken,
and every end leaves one after it was seen. Lines are facts: they are appended, never changed, and mean the same in
any order and when repeated, so that two branches or two machines can be merged by union.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from shbatch_sync.job import Job
from shbatch_sync.ledger_key import lines_of_key
from shbatch_sync.ledger_line import Entry, Event, in_order
from shbatch_sync.local_copy import may_be_same, parts
from shbatch_sync.record import Record

_ENDINGS = frozenset({Event.FINAL, Event.RETIRED})
_MAKING = frozenset({Event.CREATED, Event.SEALED, Event.ADOPTED})


@dataclass(frozen=True)
class Ledger:
    """The lines of one project on one account, each fact once.

    Attributes:
        entries: Oldest first.
        declared: Names of all declared jobs, where they are known.
    """

    entries: tuple[Entry, ...] = field(default=())
    declared: frozenset[str] = frozenset()

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

        ours = in_order(entry for entry in entries if concerns(entry))
        return cls(tuple({entry.identity: entry for entry in ours}.values()))

    def among(self, declared: frozenset[str]) -> Ledger:
        """Return the same ledger for what is declared now."""
        return self if declared == self.declared else replace(self, declared=declared)

    @cached_property
    def _by_job(self) -> dict[str, list[Entry]]:
        jobs: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            jobs[entry.job].append(entry)
        return dict(jobs)

    @cached_property
    def holders(self) -> dict[str, set[str]]:
        """Request id → names of the jobs that have lines of it."""
        holders: dict[str, set[str]] = defaultdict(set)
        for entry in self.entries:
            if entry.request_id:
                holders[entry.request_id].add(entry.job)
        return dict(holders)

    @cached_property
    def created_ids(self) -> frozenset[str]:
        """Ids of the requests that we know to be ours because their create call answered, or they were adopted."""
        return self._ids_of({Event.CREATED, Event.ADOPTED})

    @cached_property
    def _shared(self) -> dict[str, list[Entry]]:
        """Request id → its lines, of each request that has some under several names."""
        shared: dict[str, list[Entry]] = {
            id_: [] for id_, names in self.holders.items() if len(names) > 1
        }
        for entry in self.entries if shared else ():
            if entry.request_id in shared:
                shared[entry.request_id].append(entry)
        return shared

    @cached_property
    def made_ids(self) -> frozenset[str]:
        """Ids of the requests whose making, election or adoption is written down, not only what was seen of them later."""
        return self._ids_of(_MAKING)

    @cached_property
    def intended(self) -> frozenset[str]:
        """Nonces of the create calls that were announced."""
        return frozenset(
            entry.nonce for entry in self.entries if entry.event is Event.INTENT and entry.nonce
        )

    @cached_property
    def last_starts(self) -> dict[str, datetime]:
        """Request id → when it was started last."""
        starts = (entry for entry in self.entries if entry.event is Event.START)
        return {entry.request_id: entry.at for entry in starts if entry.request_id}

    def _ids_of(self, events: Collection[Event]) -> frozenset[str]:
        return frozenset(
            entry.request_id for entry in self.entries if entry.event in events and entry.request_id
        )

    @cached_property
    def drawn(self) -> frozenset[str]:
        """Nonces of the create calls that any line is about."""
        return frozenset(entry.nonce for entry in self.entries if entry.nonce)

    @cached_property
    def marked_ids(self) -> frozenset[str]:
        """Ids of the requests that are known to have carried a marker of ours.

        Taking one over is written down before its marker is, so that line alone does not say it.
        """
        return frozenset(
            entry.request_id for entry in self.entries if entry.marks and entry.request_id
        )

    @cached_property
    def unmarked_ids(self) -> frozenset[str]:
        """Ids of requests that were about to be taken over, and of which no line says that their marker was written."""
        begun = {entry.request_id for entry in self.entries if entry.event is Event.ADOPTED}
        return frozenset(id_ for id_ in begun if id_ and id_ not in self.marked_ids)

    @cached_property
    def makers(self) -> dict[str, set[str]]:
        """Nonce → ids of the requests that are known to carry it in their markers."""
        makers: dict[str, set[str]] = defaultdict(set)
        for entry in self.entries:
            if entry.nonce and entry.request_id:
                makers[entry.nonce].add(entry.request_id)
        return dict(makers)

    @cached_property
    def nonces(self) -> dict[str, set[str]]:
        """Request id → nonces that its marker is known to have carried."""
        nonces: dict[str, set[str]] = defaultdict(set)
        for nonce, ids in self.makers.items():
            for id_ in ids:
                nonces[id_].add(nonce)
        return dict(nonces)

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
    def unended(self) -> dict[str, Entry]:
        """Request id → first line of each request that was made and of which no end is known.

        Not of those that were put away: what counts no more matters only if it is started all the same.
        """
        open_: dict[str, Entry] = {}
        ended: set[str] = set()
        for entry in self.entries:
            id_ = entry.request_id
            if id_ is None:
                continue
            if entry.event in _ENDINGS:
                open_.pop(id_, None)
                ended.add(id_)
            # An end is dated by the service, so what was written down later need not have come later; a start has.
            elif entry.event is Event.START or (entry.event in _MAKING and id_ not in ended):
                open_.setdefault(id_, entry)
        return open_

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
        """Return all lines of a job, under whatever name it had, oldest first.

        What any line of it names a request of is told by all lines of that request, but for those of a job that is
        declared beside it: a rename may have been taken back.
        """
        if not job.previous_names and not self._shared:
            return tuple(self._by_job.get(job.name, ()))
        lines = [entry for name in job.names for entry in self._by_job.get(name, ())]
        ids = {entry.request_id for entry in lines if entry.request_id in self._shared}
        others = self.declared.union(job.names)
        lines += [entry for id_ in ids for entry in self._shared[id_] if entry.job not in others]
        return tuple(sorted(lines, key=lambda entry: entry.at))

    def of_request(self, request_id: str) -> Record:
        """Return what is known of one request, under whatever key."""
        return Record(tuple(entry for entry in self.entries if entry.request_id == request_id))

    def renamed(self, job: Job) -> list[Entry]:
        """Return the lines of a job's key that stand under an earlier name only, under its present one."""
        known = {entry.identity for entry in self._by_job.get(job.name, ())}
        lines = (
            replace(entry, job=job.name)
            for entry in self.record(job).entries
            if entry.job != job.name
        )
        new = {line.identity: line for line in lines}
        return [line for identity, line in new.items() if identity not in known]

    def record(self, job: Job, strangers: Collection[str] = ()) -> Record:
        """Return what is known of a job's key; another spelling of the same request is the same key.

        Args:
            job: As declared.
            strangers: Nonces of requests that are known to be of another local copy than the job's.
        """
        lines = (entry for entry in self.of_job(job) if entry.generation == job.generation)
        return Record(tuple(lines_of_key(job, lines, strangers)))

    def generation(self, job: Job) -> int:
        """Return the highest generation of a job that was ever made, or may have been; 0 for none.

        A create that was refused for good made nothing.
        """
        lines = self.of_job(job)
        refused = {
            line.nonce for line in lines if line.event is Event.RETIRED and not line.request_id
        }
        made = (
            line.generation
            for line in lines
            if line.request_id is not None or line.nonce not in refused
        )
        return max(made, default=0)

    def twin(self, norm_digest: str, declared: frozenset[str]) -> str | None:
        """Return an undeclared job that had the same request and got as far as costing, or None.

        What a declared job has lines of is its own, whatever it was called before.
        """
        return next(
            (
                entry.job
                for entry in self._ran.get(parts(norm_digest)[0], ())
                if entry.job not in declared
                and self.holders.get(entry.request_id or "", frozenset()).isdisjoint(declared)
                and may_be_same(entry.norm_digest or "", norm_digest)
            ),
            None,
        )

    def ran(self, declared: frozenset[str]) -> list[str]:
        """Return the undeclared jobs that got as far as costing."""
        return sorted({entry.job for entries in self._ran.values() for entry in entries} - declared)

    @cached_property
    def _ran(self) -> dict[str, list[Entry]]:
        """Normalised digest, without a local copy → lines that say that it got as far as costing."""
        ran: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            if entry.event in {Event.START, Event.FINAL} and entry.norm_digest is not None:
                ran[parts(entry.norm_digest)[0]].append(entry)
        return dict(ran)
