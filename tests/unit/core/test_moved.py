"""What moves between a saved plan and the plan of now, and what only seems to."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from shbatch_sync.decision import decide
from shbatch_sync.job import Job
from shbatch_sync.ledger_line import Entry
from shbatch_sync.moved import moved
from shbatch_sync.now import Now
from shbatch_sync.ownership import survey
from shbatch_sync.plan import Gate, Policy
from shbatch_sync.planfile import to_json
from shbatch_sync.request import BatchProcessRequest
from tests.unit.core.factories import (
    BODY,
    OTHER,
    ago,
    entry,
    facts,
    job,
    ledger,
    mark,
    price,
    request,
    rid,
)


@dataclass
class World:
    """What a plan is made of."""

    jobs: tuple[Job, ...] = ()
    requests: tuple[BatchProcessRequest, ...] = ()
    lines: tuple[Entry, ...] = ()
    policy: Policy = field(default_factory=Policy)
    known: dict[str, Any] = field(default_factory=dict)

    def now(self) -> Now:
        given, memory = facts(**self.known), ledger(*self.lines)
        inventory = survey(self.jobs, self.requests, memory, given)
        made = decide(self.jobs, inventory, memory, self.policy, given)
        return Now(
            plan=made, jobs={one.name: one for one in self.jobs}, inventory=inventory, ledger=memory
        )


def between(before: World, after: World) -> list[str]:
    """Save the plan of one world, and hold it against another."""
    saved = json.loads(json.dumps(to_json(before.now().plan)))
    return moved(saved["changes"], after.now())


def world(*parts: Any, policy: Policy | None = None, **known: Any) -> World:
    return World(
        tuple(part for part in parts if isinstance(part, Job)),
        tuple(part for part in parts if isinstance(part, BatchProcessRequest)),
        tuple(part for part in parts if isinstance(part, Entry)),
        policy or Policy(),
        known,
    )


STARTED = job(state="started")
CREATED = job(state="created")
ANALYSED = job(state="analysed")
STOPPED = job(state="stopped")
SECOND = job("second", state="started", depends_on=("ndvi",), spec=OTHER)
NEW = job(state="started", spec=OTHER)
RAISED = job(state="started", spec=OTHER, generation=2)
UNSEALED = request(1, marker=mark(1, seal=None))
START = entry("start", 1)
PRUNE = Policy(prune=True, allow=frozenset({Gate.STOP, Gate.MANY}))
DEAR = job(state="started", max_pu=1.0)
PRICE = {"ndvi": price(5)}


def later(
    number: int = 2, body: dict[str, Any] | None = OTHER, generation: int = 1, **more: Any
) -> BatchProcessRequest:
    """Return a request of another spec or generation."""
    status, action = more.pop("state", ("CREATED", "NONE"))
    seal = {"seal": None} if more.pop("unsealed", False) else {}
    return request(
        number,
        status,
        action,
        body=body,
        marker=mark(number, body, generation=generation, **seal, **more),
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # the same world, whatever it is
        (world(STARTED), world(STARTED)),
        (world(STARTED, request(1)), world(STARTED, request(1))),
        (
            world(STARTED, request(1, "FAILED", "START")),
            world(STARTED, request(1, "FAILED", "START")),
        ),
        # its own steps: made, sealed, started, running, done
        (world(STARTED), world(STARTED, UNSEALED)),
        (world(STARTED), world(STARTED, request(1))),
        (world(STARTED), world(STARTED, request(1, "CREATED", "START"), START)),
        (world(STARTED), world(STARTED, request(1, "PROCESSING", "START"), START)),
        (world(STARTED), world(STARTED, request(1, "DONE", "START", cost=5.0), START)),
        (world(STARTED), world(STARTED, entry("final", 1, status="DONE", cost_pu=5.0))),
        (world(STARTED, request(1)), world(STARTED, request(1, "DONE", "START", cost=5.0))),
        (world(ANALYSED), world(ANALYSED, request(1))),
        (world(ANALYSED, request(1)), world(ANALYSED, request(1, "ANALYSING", "ANALYSE"))),
        (world(ANALYSED, request(1)), world(ANALYSED, request(1, "ANALYSIS_DONE", "ANALYSE"))),
        # it started it, and it failed or was stopped since: nothing is done about that
        (world(STARTED, request(1)), world(STARTED, request(1, "FAILED", "START"), START)),
        (world(STARTED, request(1)), world(STARTED, request(1, "STOPPED", "STOP"), START)),
        # a wait that it spoke of is over, or a new one has come
        (
            world(STARTED, request(1, "ANALYSING", "ANALYSE")),
            world(STARTED, request(1, "ANALYSIS_DONE", "ANALYSE")),
        ),
        (
            world(STARTED, SECOND),
            world(STARTED, SECOND, request(1, "DONE", "START", cost=5.0), later(2, job="second")),
        ),
        (
            world(STARTED, SECOND),
            world(
                STARTED,
                SECOND,
                entry("final", 1, status="DONE", cost_pu=5.0),
                later(2, job="second"),
            ),
        ),
        (world(STARTED, request(1)), world(STARTED, request(1), policy=Policy(max_running=0))),
        (world(STARTED, request(1), policy=Policy(max_running=0)), world(STARTED, request(1))),
        (
            world(
                job(state="started", description="new"),
                request(1, "PROCESSING", "START", text="old"),
            ),
            world(
                job(state="started", description="new"),
                request(1, "DONE", "START", text="old", cost=5.0),
            ),
        ),
        # replacing: made, the old one stopped, the new one started, the old one retired
        (world(NEW, request(1)), world(NEW, request(1), later(unsealed=True))),
        (world(NEW, request(1)), world(NEW, request(1), later())),
        (
            world(RAISED, request(1, "PROCESSING", "START")),
            world(RAISED, request(1, "PROCESSING", "START"), later(generation=2)),
        ),
        (
            world(RAISED, request(1, "PROCESSING", "START")),
            world(RAISED, request(1, "STOPPED", "STOP", cost=5.0), later(generation=2)),
        ),
        (
            world(RAISED, request(1, "PROCESSING", "START"), later(generation=2)),
            world(RAISED, request(1, "STOPPED", "STOP", cost=5.0), later(generation=2)),
        ),
        # what a gate held back is still held back, on the request that was made for it
        (world(DEAR, estimates=PRICE), world(DEAR, request(1), estimates=PRICE)),
        # words that say already what they were to say
        (
            world(job(description="new"), request(1, text="old")),
            world(job(description="new"), request(1, text="new")),
        ),
        # stopping: on its way, done, or gone
        (
            world(STOPPED, request(1, "PROCESSING", "START")),
            world(STOPPED, request(1, "PROCESSING", "STOP")),
        ),
        (
            world(STOPPED, request(1, "PROCESSING", "START")),
            world(STOPPED, request(1, "STOPPED", "STOP")),
        ),
        (
            world(
                CREATED,
                request(1),
                later(9, OTHER, job="gone", state=("PROCESSING", "START")),
                policy=PRUNE,
            ),
            world(CREATED, request(1), policy=PRUNE),
        ),
    ],
)
def test_what_only_seems_to_have_moved(before: World, after: World):
    assert between(before, after) == []


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (world(), world(STARTED), "ndvi: create was not planned (jobs/ndvi.yaml:3)"),
        (
            world(STARTED),
            world(),
            "ndvi: create was planned, but no manifest declares the job any more",
        ),
        (world(STARTED), world(NEW), "ndvi: create: jobs/ndvi.yaml:3 declares another request now"),
        (
            world(STARTED),
            world(CREATED),
            "ndvi: start was planned, but jobs/ndvi.yaml:3 declares created now",
        ),
        (
            world(CREATED, request(1)),
            world(STARTED, request(1)),
            f"ndvi: start request {rid(1)} was not planned",
        ),
        # the request is another, or stands elsewhere
        (world(STARTED, request(1)), world(STARTED), "ndvi: create was not planned"),
        (
            world(STARTED, request(1)),
            world(STARTED, request(1, "STOPPED", "STOP")),
            f"ndvi: start request {rid(1)} was planned, but the request is stopped now",
        ),
        (
            world(STARTED, request(1)),
            world(STARTED, request(1, "FAILED", "START")),
            f"ndvi: start request {rid(1)} was planned, but the request is failed now",
        ),
        (
            world(STOPPED, request(1, "PROCESSING", "START")),
            world(STARTED, request(1, "PROCESSING", "START")),
            "ndvi: stop request",
        ),
        (
            world(STARTED, request(1)),
            world(job(spec=OTHER), later(2)),
            f"ndvi: start request {rid(1)} was planned, but jobs/ndvi.yaml:3 declares another request now",
        ),
        # people's words
        (
            world(job(description="new"), request(1, text="old")),
            world(job(description="new"), request(1, text="by hand")),
            f"ndvi: update request {rid(1)}: /description: not what was planned",
        ),
        (
            world(job(description="new"), request(1, text="old")),
            world(job(description="old"), request(1, text="old")),
            f"ndvi: update request {rid(1)} was planned, but the request is created now",
        ),
        # tries
        (
            world(
                job(state="started", restart_policy="OnFailure"),
                request(1, "FAILED", "START"),
                START,
            ),
            world(
                job(state="started", restart_policy="OnFailure"),
                request(1, "FAILED", "START"),
                request(2, "FAILED", "START", marker=mark(2, attempt=2)),
                START,
                entry("start", 2, attempt=2),
            ),
            "ndvi: create: try 2 was planned, it would be try 3",
        ),
        # gates
        (
            world(DEAR, request(1), estimates={"ndvi": price(0.5)}),
            world(DEAR, request(1), estimates=PRICE),
            f"ndvi: start request {rid(1)}: held back by no gate when planned, by cost now",
        ),
        (
            world(DEAR, request(1), estimates=PRICE),
            world(DEAR, request(1), estimates={"ndvi": price(0.5)}),
            f"ndvi: start request {rid(1)}: held back by cost when planned, by none now",
        ),
        (
            world(DEAR, estimates=PRICE),
            world(DEAR, request(1), estimates={"ndvi": price(0.5)}),
            f"ndvi: start request {rid(1)} was not planned",
        ),
        # an orphan came back
        (
            world(later(9, OTHER, job="ndvi", state=("PROCESSING", "START")), policy=PRUNE),
            world(
                job(state="started", spec=OTHER),
                later(9, OTHER, job="ndvi", state=("PROCESSING", "START")),
                policy=PRUNE,
            ),
            "ndvi: stop request",
        ),
        (
            world(),
            world(later(9, state=("PROCESSING", "START")), policy=PRUNE),
            f"ndvi: stop request {rid(9)} was not planned",
        ),
        # a wait says what will be done to one request, not to another
        (
            world(STARTED, request(1, "ANALYSING", "ANALYSE")),
            world(STARTED, request(2, "ANALYSIS_DONE", "ANALYSE")),
            f"ndvi: start request {rid(2)} was not planned",
        ),
        # what was made was of another try than planned
        (
            world(STARTED),
            world(STARTED, request(1, marker=mark(1, attempt=2))),
            f"ndvi: start request {rid(1)} was not planned",
        ),
        # it was to wait for another one, and need not any more
        (
            world(STARTED, SECOND),
            world(STARTED, replace(SECOND, depends_on=())),
            "second: start was not planned",
        ),
        # a description and a protection that were edited after the create
        (
            world(ANALYSED),
            world(replace(ANALYSED, description="edited since"), request(1)),
            f"ndvi: update request {rid(1)} was not planned",
        ),
        (
            world(ANALYSED),
            world(replace(ANALYSED, protect=True), request(1)),
            f"ndvi: update request {rid(1)} was not planned",
        ),
        # a generation raised since
        (
            world(NEW, request(1)),
            world(RAISED, request(1)),
            "ndvi: replace request",
        ),
    ],
)
def test_what_has_moved(before: World, after: World, words: str):
    lines = between(before, after)
    assert any(line.startswith(words) for line in lines), lines


def test_the_services_own_words_do_not_count():
    """A default that the service begins to echo changes what is suppressed, not what is to be done."""
    old = request(1)
    new = request(1)
    new.request["output"]["overwrite"] = None
    assert between(world(NEW, old), world(NEW, new)) == []


def test_old_lines_do_not_count_as_done():
    known = world(STARTED, request(1), entry("created", 1, at=ago(days=3)))
    after = world(STARTED, request(1, "STOPPED", "STOP"), entry("created", 1, at=ago(days=3)))
    assert between(known, after)
    assert BODY is not OTHER
