"""What our calls do, judged at the moment the service takes them in: what is wrong then may not show at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Any

from shbatch_sync import marker as markers
from shbatch_sync.job import Job
from shbatch_sync.ledger_line import Event
from shbatch_sync.marker import Marker
from shbatch_sync.plan import Action, Gate, Plan, Policy
from tests.campaign.ledger import Sheet

Key = tuple[str, int, str]
Tasks = dict[str, dict[str, Any]]


@dataclass
class Caller:
    """One apply, as its calls are judged by.

    Attributes:
        jobs: What it declares.
        sheet: The ledger that it writes.
        policy: What it may do.
        prices: Job name → high estimate, None where there is no telling.
        alone: Whether nothing else can start or stop a request of ours meanwhile.
        slack: Seconds that what it reads may be behind.
        parallelism: How many calls it may make at once.
        listed_at: When its last list began.
        flying: The calls that it waits for.
        proven: Whether it has read back anything.
        begun: Requests that it started.
    """

    name: str
    jobs: Sequence[Job]
    sheet: Sheet
    policy: Policy
    prices: dict[str, float | None]
    alone: bool
    slack: float
    parallelism: int = 1
    listed_at: float = 0.0
    flying: list[str] = field(default_factory=list)
    proven: bool = False
    begun: set[str] = field(default_factory=set)

    def job(self, mark: Marker | None) -> Job | None:
        """Return the job that a request is for; another checkout may have renamed it a moment ago."""
        if mark is None:
            return None
        same = (job for job in self.jobs if mark.job in job.names)
        renamed = (job for job in self.jobs if root(mark.job) == root(job.name))
        return next(chain(same, renamed), None)


@dataclass
class Watch:
    """What we have done to requests so far.

    Attributes:
        tasks: Returns the truth.
        done_ids: Returns the ids of all requests that ever came to DONE.
        theirs: Ids that are not ours to touch.
        wanted: Ids that a job may take over.
        marks: Request id → the last marker that we wrote on it.
        origins: Request id → the marker that it was made with.
        begun: Ids that we started.
        mended: Ids whose marker a person broke.
        untold: Returns the ids that nothing tells from ours; what is written on them is a person's own doing.
        wrong: What must not be.
        judged: How often each thing was looked at.
    """

    tasks: Callable[[], Tasks]
    done_ids: Callable[[], frozenset[str]]
    theirs: Callable[[], Set[str]]
    wanted: frozenset[str] = frozenset()
    marks: dict[str, Marker] = field(default_factory=dict)
    origins: dict[str, Marker] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)
    mended: Collection[str] = ()
    untold: Callable[[], Set[str]] = frozenset
    wrong: list[str] = field(default_factory=list)
    judged: Counter[str] = field(default_factory=Counter)

    def sent(self, caller: Caller, what: str) -> None:
        """Judge that a call is made now: never too many at once, and the first create goes alone."""
        if what == "create" and "create" in caller.flying and not caller.proven:
            self.wrong.append(f"{caller.name} made a second request before the first was read back")
        caller.flying.append(what)
        if len(caller.flying) > 1:
            self.judged["calls at once"] += 1
        if len(caller.flying) > caller.parallelism:
            self.wrong.append(f"{caller.name} has {len(caller.flying)} calls at once")

    def done(self, caller: Caller, what: str, id_: str, description: str | None) -> None:
        """Judge a call that was taken in."""
        mark = markers.parse(description) if description else None
        if what == "create":
            self.wrong += _made(caller, id_, mark, self.marks)
            if isinstance(mark, Marker):
                self.origins[id_] = mark
        elif id_ in self.theirs() and not (what == "update" and id_ in self.wanted | self.untold()):
            self.wrong.append(f"{caller.name}: {what} of {id_[:8]}, which is not ours")
        if isinstance(mark, Marker):
            self.marks[id_] = mark
        if what == "start":
            self.wrong += self._started(caller, id_)
            self.begun.add(id_)
            caller.begun.add(id_)

    def refused(self, caller: Caller, what: str, id_: str) -> None:
        """Judge a call that was refused: even that must not be tried on what is not ours."""
        if id_ in self.theirs() and id_ not in self.wanted | self.untold():
            self.wrong.append(f"{caller.name}: {what} of {id_[:8]} was tried, which is not ours")

    def _started(self, caller: Caller, id_: str) -> Iterator[str]:
        mark = self.marks.get(id_)
        job, who = caller.job(mark), f"{caller.name} started {id_[:8]}"
        if mark is None or job is None:
            yield f"{who}, which is of no declared job"
            return
        self.judged["starts"] += 1
        tasks = self.tasks()
        if not caller.sheet.says(Event.START, id_):
            yield f"{who} before the ledger knew"
        yield from self._right(job, id_, who)
        yield from self._first(caller, job, who)
        yield from self._room(caller, tasks, id_, who)
        yield from self._beside(caller, tasks, id_, who)
        yield from self._price(caller, job, id_, who)

    def _right(self, job: Job, id_: str, who: str) -> Iterator[str]:
        """What was made for one job is never started as another, nor with another spec than declared."""
        made = self.origins.get(id_)
        if made is not None and id_ in self.mended:
            made = replace(
                made, generation=job.generation
            )  # a body alone does not tell whose generation it is
        if made is not None and key_of(made) != key_of_job(job):
            yield f"{who} as {key_of_job(job)}, but it was made as {key_of(made)}"

    def _first(self, caller: Caller, job: Job, who: str) -> Iterator[str]:
        """What a job depends on is DONE before."""
        done = {key_of(self.marks[id_]) for id_ in self.done_ids() if id_ in self.marks}
        for name in job.depends_on:
            self.judged["starts after another"] += 1
            before = next(one for one in caller.jobs if one.name == name)
            if key_of_job(before) not in done:
                yield f"{who}, but {name} is not DONE"

    def _room(self, caller: Caller, tasks: Tasks, id_: str, who: str) -> Iterator[str]:
        """One apply alone never has more at work than it may."""
        most = caller.policy.max_running
        if most is None or not caller.alone:
            return
        self.judged["starts within maxRunning"] += 1
        others = [
            other
            for other, task in tasks.items()
            if other in self.marks and other != id_ and at_work(task)
        ]
        if len(others) >= most:
            names = ", ".join(other[:8] for other in others)
            yield f"{who} beside {names}, at most {most} may run"

    def _beside(self, caller: Caller, tasks: Tasks, id_: str, who: str) -> Iterator[str]:
        """Nothing is started beside a request of its key that was at work or done when the last list began."""
        limit = caller.listed_at - caller.slack
        for other, task in tasks.items():
            same = other in self.marks and key_of(self.marks[other]) == key_of(self.marks[id_])
            if not same or other == id_ or not (at_work(task) or task["status"] == "DONE"):
                continue
            since = task.get("userActionUpdated")
            if since and datetime.fromisoformat(since).timestamp() < limit:
                yield f"{who} beside {other[:8]}, which was {task['status']} already"

    def _price(self, caller: Caller, job: Job, id_: str, who: str) -> Iterator[str]:
        """One apply starts nothing above what it may cost, and not more in all."""
        policy = caller.policy
        if Gate.COST in policy.allow:
            return
        prices = {one: self._price_of(caller, one) for one in {*caller.begun, id_}}
        if job.max_pu is not None:
            self.judged["starts within maxPU"] += 1
            if (prices[id_] or float("inf")) > job.max_pu:
                yield f"{who} for up to {prices[id_]} PU, at most {job.max_pu}"
        if policy.max_start_pu is not None:
            self.judged["starts within maxStartPU"] += 1
            total = sum(float("inf") if price is None else price for price in prices.values())
            if total > policy.max_start_pu:
                yield f"{who}, which makes {total} PU, at most {policy.max_start_pu}"

    def ended(self, caller: Caller, plan: Plan) -> None:
        """Judge what the cost gate held back at the end: only what would have gone above the limit."""
        most = caller.policy.max_start_pu
        starts = [change for change in plan.changes if change.action is Action.START]
        held = [one for one in starts if one.withheld and one.withheld.gate is Gate.COST]
        jobs = {one.name: one for one in caller.jobs}
        own = any(jobs[one.job].max_pu is not None for one in held)
        if most is None or not held or own or not caller.alone:
            return
        self.judged["starts held back"] += 1
        begun = {job.name for id_ in caller.begun if (job := caller.job(self.marks[id_]))}
        prices = [caller.prices.get(name) for name in {one.job for one in starts} | begun]
        total = sum(float("inf") if price is None else price for price in prices)
        if total <= most:
            self.wrong.append(
                f"{caller.name} holds back {total} PU for nothing, {most} may be spent"
            )

    def _price_of(self, caller: Caller, id_: str) -> float | None:
        job = caller.job(self.marks[id_])
        return caller.prices.get(job.name) if job is not None else None


def _made(caller: Caller, id_: str, mark: Any, marks: dict[str, Marker]) -> Iterator[str]:
    """A request is made only after it was written down, with a marker, and not beside what is to be adopted."""
    who = f"{caller.name} made {id_[:8]}"
    if not isinstance(mark, Marker):
        yield f"{who} without a marker"
        return
    if not caller.sheet.says(Event.INTENT, mark.nonce):
        yield f"{who} before the ledger knew"
    job = caller.job(mark)
    if job is not None and job.adopt is not None and job.adopt not in marks:
        yield f"{who} though {mark.job} is to adopt {job.adopt[:8]}"


def key_of(mark: Marker) -> Key:
    """Return what is paid for once; a rename buys nothing again, whether it was said or not."""
    return (root(mark.job), mark.generation, mark.digest)


def key_of_job(job: Job) -> Key:
    """Return the key that a job declares."""
    return (root(job.name), job.generation, job.digest)


def root(name: str) -> str:
    """Return the name that a job had first: edits rename by adding letters."""
    return name.rstrip("xy")


def at_work(task: dict[str, Any]) -> bool:
    """Say whether a request costs, or will without another call."""
    if task["status"] == "PROCESSING":
        return True
    if task["userAction"] != "START":
        return False
    if task["status"] == "STOPPED":
        return bool(task["userActionUpdated"] == task["lastUpdated"])  # resumed, not yet at work
    return task["status"] in {"CREATED", "ANALYSING", "ANALYSIS_DONE"}
