"""Plans carried out in the abstract: whatever happens in between, no key is paid twice, and it ends.

A small service stands in for the real one: it keeps requests, moves them on, forgets them. Its list is complete and
up to date, as the settle time makes it, and one run acts at a time; what many runs and a lagging list do is not the
plan's business.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shbatch_sync import marker as markers
from shbatch_sync.decision import build_plan
from shbatch_sync.digest import digest
from shbatch_sync.job import DeclaredState, Job, RestartPolicy
from shbatch_sync.ledger import Ledger
from shbatch_sync.ledger_line import Entry, Event
from shbatch_sync.marker import Marker
from shbatch_sync.normalize import normalize
from shbatch_sync.phase import Phase, phase_of
from shbatch_sync.plan import Action, Change, Facts, Plan, Policy
from shbatch_sync.request import BatchProcessRequest
from tests.unit.core.factories import ACCOUNT, NOW, PROJECT, TARGET, echo, job, rid, spec, stamp

WRITABLE = {"CREATED", "ANALYSIS_DONE", "DONE", "STOPPED"}
ENDED = {"DONE", "FAILED", "STOPPED"}


@dataclass
class Task:
    """A request of the service."""

    number: int
    body: dict[str, Any]
    description: str
    created: datetime
    status: str = "CREATED"
    action: str = "NONE"
    asked: datetime = NOW
    updated: datetime = NOW
    cost: float = 0.0
    reason: str | None = None

    @property
    def marker(self) -> Marker | None:
        found = markers.parse(self.description)
        return found if isinstance(found, Marker) else None

    def listed(self) -> BatchProcessRequest:
        known = {} if self.reason is None else {"stoppedStatusReason": self.reason}
        return BatchProcessRequest.from_dict(
            {
                "id": rid(self.number),
                "request": echo(self.body) | {"description": self.description},
                "domainAccountId": ACCOUNT,
                "status": self.status,
                "userAction": self.action,
                "userActionUpdated": stamp(self.asked),
                "created": stamp(self.created),
                "lastUpdated": stamp(self.updated),
                "costPU": self.cost,
                **known,
            }
        )


@dataclass
class World:
    """The service, the ledger, the manifests, and what must never happen."""

    dice: random.Random
    jobs: list[Job]
    policy: Policy = field(default_factory=Policy)
    tasks: dict[int, Task] = field(default_factory=dict)
    lines: list[Entry] = field(default_factory=list)
    now: datetime = NOW
    made: int = 0
    begun: list[tuple[tuple[str, int, str], int]] = field(default_factory=list)
    done: set[tuple[str, int, str]] = field(default_factory=set)
    failed: list[tuple[str, int, str]] = field(default_factory=list)

    # --- the service

    def create(self, body: dict[str, Any], description: str) -> Task:
        self.made += 1
        task = Task(self.made, body, description, self.now, asked=self.now, updated=self.now)
        self.tasks[task.number] = task
        return task

    def move(self, task: Task, status: str, reason: str | None = None) -> None:
        task.status, task.reason, task.updated = status, reason, self.now
        marker = task.marker
        if marker is None:
            return
        key = key_of(marker)
        if status == "DONE":
            self.done.add(key)
        if status == "FAILED":
            self.failed.append(key)

    def progress(self, task: Task, luck: float = 1.0) -> None:
        """Let the service go one step on with a request."""
        asked = task.action
        if task.status == "CREATED" and asked in {"ANALYSE", "START"}:
            self.move(task, "ANALYSING")
        elif task.status == "ANALYSING":
            self.move(
                task,
                "FAILED"
                if self.dice.random() > luck
                else "STOPPED"
                if asked == "STOP"
                else "ANALYSIS_DONE",
            )
        elif (
            task.status in {"ANALYSIS_DONE", "STOPPED"} and asked == "START" and self.resumed(task)
        ):
            self.move(task, "PROCESSING")
            self.paid(task)
        elif task.status in {"ANALYSIS_DONE", "PROCESSING"} and asked == "STOP":
            task.cost += 1 if task.status == "PROCESSING" else 0
            self.move(task, "STOPPED", "USER_ACTION")
        elif task.status == "PROCESSING":
            task.cost += 5
            ends = ["FAILED", "OUT_OF_PU", "UNHEALTHY"]
            end = self.dice.choice(ends) if self.dice.random() > luck else "DONE"
            self.move(task, *(("STOPPED", end) if end in ends[1:] else (end, None)))

    def resumed(self, task: Task) -> bool:
        return task.status != "STOPPED" or task.asked >= task.updated

    def paid(self, task: Task) -> None:
        marker = task.marker
        if marker is None:
            return
        key = key_of(marker)
        rivals = [
            other
            for other in self.tasks.values()
            if other is not task
            and other.status == "PROCESSING"
            and other.marker
            and key_of(other.marker) == key
        ]
        assert not rivals, "two requests of one key are being paid for"
        self.begun.append((key, task.number))

    # --- what the plan is given

    def plan(self) -> Plan:
        facts = Facts(project=PROJECT, target=TARGET, account=ACCOUNT, now=self.now)
        memory = Ledger.of(self.lines, project=PROJECT, target=TARGET, account=ACCOUNT)
        listed = [task.listed() for task in self.tasks.values()]
        made = build_plan(self.jobs, listed, memory, self.policy, facts)
        self.dice.shuffle(listed)
        shuffled = list(self.lines)
        self.dice.shuffle(shuffled)
        memory = Ledger.of(shuffled, project=PROJECT, target=TARGET, account=ACCOUNT)
        again = build_plan(self.jobs[::-1], listed, memory, self.policy, facts)
        assert tuple(map(str, again.changes)) == tuple(map(str, made.changes))
        return made

    # --- one run

    def round(self, dies: float = 0.0) -> bool:
        """Take the steps of one plan; `dies` is how likely the run is killed before each call."""
        self.now += timedelta(minutes=self.dice.choice([1, 40, 90]))
        self.record_ends()
        plan = self.plan()
        acted, stuck = False, set()
        for change in plan.changes:
            if not change.effective or change.job in stuck:
                continue
            if self.dice.random() < dies:
                return True
            done = self.take(change)
            acted |= done
            if not done:
                stuck.add(change.job)
        return acted

    def record_ends(self) -> None:
        known = Ledger.of(self.lines, project=PROJECT, target=TARGET, account=ACCOUNT)
        for task in self.tasks.values():
            marker = task.marker
            if (
                marker is None
                or task.status not in ENDED
                or phase_of(task.listed()) is Phase.STARTING
            ):
                continue
            if not any(
                (line.request_id, line.status, line.attempt)
                == (rid(task.number), task.status, marker.attempt)
                for line in known.entries
                if line.event is Event.FINAL
            ):
                self.write(Event.FINAL, marker, task, status=task.status, cost_pu=task.cost)

    def write(self, event: Event, marker: Marker, task: Task | None = None, **members: Any) -> None:
        body = task.body if task is not None else members.pop("body")
        self.lines.append(
            Entry(
                at=self.now,
                event=event,
                target=TARGET,
                account=ACCOUNT,
                project=PROJECT,
                job=marker.job,
                generation=marker.generation,
                digest=marker.digest,
                norm_digest=digest(normalize(body)),
                attempt=marker.attempt,
                nonce=marker.nonce,
                request_id=rid(task.number) if task is not None else None,
                **members,
            )
        )
        self.now += timedelta(seconds=10)

    def take(self, change: Change) -> bool:
        if change.action in {Action.CREATE, Action.REPLACE}:
            self.take_create(change)
            return False  # its next steps are of the next round
        if change.live is None:
            return False
        task = self.tasks[int(change.live.id[:8], 16)]
        return {
            Action.UPDATE: self.take_update,
            Action.ANALYSE: self.take_analyse,
            Action.START: self.take_start,
            Action.STOP: self.take_stop,
        }[change.action](change, task)

    def take_create(self, change: Change) -> None:
        assert change.marker is not None
        assert change.declared is not None
        marker = replace(
            change.marker, nonce=f"{self.made:08d}".translate(str.maketrans("0189", "abcd"))
        )
        body = dict(change.declared.spec)
        self.write(Event.INTENT, marker, body=body)
        fate = self.dice.choice(["answered", "answered", "lost", "refused", "killed"])
        if fate in {"answered", "lost"}:
            task = self.create(body, markers.describe(change.text, marker))
            if fate == "answered":
                self.write(Event.CREATED, marker, task)
        elif fate == "refused":
            self.write(Event.RETIRED, marker, body=body)

    def take_update(self, change: Change, task: Task) -> bool:
        assert change.marker is not None
        if task.status not in WRITABLE or (
            task.action == "START" and task.status != "DONE" and self.resumed(task)
        ):
            return False
        task.description = markers.describe(change.text, change.marker)
        if change.marker.retired:
            self.write(Event.RETIRED, change.marker, task)
        return True

    def take_analyse(self, _: Change, task: Task) -> bool:
        assert task.marker is not None
        assert task.marker.seal == markers.seal_of(rid(task.number)), "analysed without a seal"
        if task.status != "CREATED" or task.action != "NONE":
            return False
        task.action, task.asked = "ANALYSE", self.now
        return True

    def take_start(self, change: Change, task: Task) -> bool:
        if change.marker is not None and change.marker.attempt != task.marker.attempt:
            assert self.take_update(change, task)
        marker = task.marker
        assert marker is not None
        self.judge_start(marker, task)
        self.write(Event.START, marker, task)
        if self.dice.random() < 0.1:
            return False  # refused
        task.action, task.asked = "START", self.now
        return True

    def judge_start(self, marker: Marker, task: Task) -> None:
        key = key_of(marker)
        assert marker.seal == markers.seal_of(rid(task.number)), "started without a seal"
        assert marker.retired is None, "started though retired"
        assert key not in self.done, "started though its results exist"
        others = {number for found, number in self.begun if found == key} - {task.number}
        assert len(others) <= self.failed.count(key), (
            "a second paid request without a failure of the first"
        )
        spent = [
            found
            for found, number in self.begun
            if found[0] == key[0] and found[1] == key[1] and found[2] != key[2]
        ]
        assert not spent, "another spec of this generation was paid for, and nobody raised it"

    def take_stop(self, change: Change, task: Task) -> bool:
        assert change.live is not None
        assert task.status not in ENDED or change.live.phase is Phase.STARTING
        assert not (task.marker and task.marker.protected)
        self.write(Event.STOP, task.marker or change.live.marker, task)
        if task.status == "CREATED":
            return False
        task.action, task.asked = "STOP", self.now
        if task.status == "STOPPED":
            self.move(task, "STOPPED", "USER_ACTION")
        return True

    # --- what happens in between

    def event(self, name: str) -> None:
        getattr(self, f"on_{name}")()

    def pick(self, *statuses: str) -> Task | None:
        found = [task for task in self.tasks.values() if task.status in statuses]
        return self.dice.choice(found) if found else None

    def on_progress(self) -> None:
        for task in list(self.tasks.values()):
            self.progress(task, luck=0.6)

    def on_success(self) -> None:
        for task in list(self.tasks.values()):
            self.progress(task)

    def on_round(self) -> None:
        self.round()

    def on_killed(self) -> None:
        self.round(dies=0.4)

    def on_forget(self) -> None:
        """The service forgets a request that has ended."""
        if (task := self.pick("DONE", "FAILED", "STOPPED")) and phase_of(
            task.listed()
        ) is not Phase.STARTING:
            del self.tasks[task.number]

    def on_person_stops(self) -> None:
        if (task := self.pick("PROCESSING", "ANALYSING", "ANALYSIS_DONE")) is not None:
            task.action, task.asked = "STOP", self.now

    def on_other_run(self) -> None:
        """Another run, whose ledger is not ours, makes a request of the same key."""
        declared = self.dice.choice(self.jobs)
        marker = Marker(
            project=PROJECT,
            job=declared.name,
            generation=declared.generation,
            digest=declared.digest,
            nonce="otherrun",
        )
        self.create(dict(declared.spec), str(marker))

    def on_copied(self) -> None:
        """Somebody posts a body again, marker and all."""
        if (task := self.pick("DONE", "CREATED", "PROCESSING")) is not None:
            self.create(task.body, task.description)

    def on_damaged(self) -> None:
        if (task := self.pick("DONE", "CREATED", "STOPPED", "PROCESSING")) is not None:
            task.description = self.dice.choice(
                ["", "mine now", task.description.replace("[", "(", 1)]
            )

    def on_text(self) -> None:
        if (task := self.pick("DONE", "CREATED", "STOPPED")) is not None:
            task.description = f"ask Ana {task.description}"

    def change(self, **members: Any) -> None:
        at = self.dice.randrange(len(self.jobs))
        self.jobs[at] = replace(self.jobs[at], **members)

    def on_spec(self) -> None:
        at = self.dice.randrange(len(self.jobs))
        script = f"//VERSION=3\n// {self.dice.choice('xyz')}\n"
        body = spec(url=f"s3://bucket/{self.jobs[at].name}", evalscript=script)
        self.jobs[at] = replace(self.jobs[at], spec=body)

    def on_cosmetic(self) -> None:
        at = self.dice.randrange(len(self.jobs))
        self.jobs[at] = replace(
            self.jobs[at], spec=dict(self.jobs[at].spec) | {"instanceType": "normal"}
        )

    def on_generation(self) -> None:
        at = self.dice.randrange(len(self.jobs))
        self.jobs[at] = replace(self.jobs[at], generation=self.jobs[at].generation + 1)

    def on_state(self) -> None:
        self.change(state=self.dice.choice(list(DeclaredState)))

    def on_policy(self) -> None:
        self.change(restart_policy=self.dice.choice(list(RestartPolicy)))

    def on_describe(self) -> None:
        self.change(description=self.dice.choice([None, "ours", "new"]))


def key_of(marker: Marker) -> tuple[str, int, str]:
    """Return a key; digests that say the same request are one."""
    return (marker.job, marker.generation, SAME.get(marker.digest, marker.digest))


def same_digests() -> dict[str, str]:
    found = {}
    for name in ("a", "b"):
        for script in ("one", "x", "y", "z"):
            body = spec(url=f"s3://bucket/{name}", evalscript=f"//VERSION=3\n// {script}\n")
            found[digest(body | {"instanceType": "normal"})] = digest(body)
    return found


SAME = same_digests()
EVENTS = sorted(name.removeprefix("on_") for name in vars(World) if name.startswith("on_"))
# Rounds and progress are what mostly happens.
OFTEN = [*EVENTS, *(["round", "progress", "success"] * 6), *(["killed"] * 3)]


def begin(seed: int) -> World:
    dice = random.Random(seed)
    jobs = [
        job(
            "a",
            state="started",
            spec=spec(url="s3://bucket/a"),
            restart_policy=dice.choice(list(RestartPolicy)),
        ),
        job(
            "b",
            state="started",
            spec=spec(url="s3://bucket/b"),
            depends_on=dice.choice([(), ("a",)]),
            attempts=9,
        ),
    ]
    return World(dice, jobs)


def settle(world: World) -> Plan:
    """Let everything come to rest; return the last plan."""
    for _ in range(60):
        acted = world.round()
        before = [(task.status, task.action) for task in world.tasks.values()]
        world.on_success()
        moved = before != [(task.status, task.action) for task in world.tasks.values()]
        plan = world.plan()
        if not acted and not moved and not any(change.effective for change in plan.changes):
            return plan
    raise AssertionError([str(change)[:200] for change in plan.changes if change.effective])


@settings(max_examples=200)
@given(st.lists(st.sampled_from(OFTEN), max_size=40), st.integers(0, 2**32))
def test_whatever_happens_nothing_is_paid_twice_and_it_ends(events, seed):
    world = begin(seed)
    for name in events:
        world.event(name)
    last = settle(world)
    assert world.plan() == last
    for declared in world.jobs:
        changes = [change for change in last.changes if change.job == declared.name]
        if not changes and declared.state is DeclaredState.STARTED:
            assert (
                declared.name,
                declared.generation,
                SAME.get(declared.digest, declared.digest),
            ) in world.done


@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_a_plain_project_is_done_with_one_request_a_job(seed):
    world = begin(seed)
    settle(world)
    assert {key[0] for key, _ in world.begun} == {"a", "b"}
    assert len(world.begun) == 2
    assert len(world.done) == 2
    counting = [task for task in world.tasks.values() if task.marker and not task.marker.retired]
    assert {task.status for task in counting} == {"DONE"}


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(["round", "killed", "success"]), max_size=30), st.integers(0, 2**32)
)
def test_what_is_done_stays_done_when_the_service_forgets_it(events, seed):
    world = begin(seed)
    settle(world)
    paid = list(world.begun)
    world.tasks.clear()
    for name in events:
        world.event(name)
    settle(world)
    assert world.begun == paid
