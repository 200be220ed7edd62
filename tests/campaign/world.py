"""The service of one schedule, and what fate does to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from uuid import UUID

from shbatch_sync import marker as markers
from shbatch_sync.emulator import Options
from shbatch_sync.emulator import service as emulated
from shbatch_sync.emulator.backstage import Backstage
from shbatch_sync.emulator.service import BatchService
from shbatch_sync.emulator.store import Store
from shbatch_sync.marker import Marker
from shbatch_sync.reconcile import apply as applying
from shbatch_sync.reconcile import creating
from shbatch_sync.reconcile import run as running
from tests.campaign import people
from tests.campaign.body import spec
from tests.campaign.dice import Dice
from tests.campaign.front import Front
from tests.campaign.ledger import Sheet
from tests.campaign.pool import Pool
from tests.campaign.schedule import Fate, Schedule
from tests.campaign.timeline import EPOCH, Timeline
from tests.campaign.view import View
from tests.campaign.watch import Watch

PROJECT, TARGET = "crops", "eu"
PRICE = 100.0
FATES_OF_REST = frozenset({"forget", "person writes", "foreign"})


@dataclass
class Seen:
    """What is known of a request that the service may have forgotten since.

    Attributes:
        marker: The last one that we wrote on it.
        paid: Whether it ever cost anything.
        ended: DONE, FAILED or STOPPED, where it came to rest like that.
    """

    marker: Marker | None
    paid: bool
    ended: str | None
    created: str


@dataclass
class World:
    """One schedule's world.

    Attributes:
        back: The service's operations.
        service: What fate and people do behind its API's back.
        seen: Every request of ours there ever was.
        foreign: Requests of others, as they were made.
        hands: Place → id of the request that is to be taken over.
        struck: Ids of requests of ours → what a person did to their description.
        copies: Ids of requests → the marker that a person put on them, which was made for another one.
        twins: Ids of requests that people made of a job's spec.
        started_by_hand: Ids of requests that a person started.
        paid_by_hand: Those of them that had cost nothing then.
        renames: (name, earlier name) of every job that an apply has planned with.
        forgot: Whether the service forgot any request.
        lost: Whether the ledger lost any line.
        created: (apply, request id) of every create that was answered.
        stopped: Ids of requests that came to rest without our doing.
        blows: How often a request failed or was stopped, by whomever.
        log: What happened, for a person who looks for the reason.
    """

    schedule: Schedule
    timeline: Timeline
    back: BatchService
    dice: Dice
    sheet: Sheet = field(default_factory=Sheet)
    seen: dict[str, Seen] = field(default_factory=dict)
    foreign: dict[str, dict[str, Any]] = field(default_factory=dict)
    hands: dict[str, str] = field(default_factory=dict)
    struck: dict[str, str] = field(default_factory=dict)
    copies: dict[str, Marker] = field(default_factory=dict)
    twins: set[str] = field(default_factory=set)
    started_by_hand: set[str] = field(default_factory=set)
    paid_by_hand: set[str] = field(default_factory=set)
    renames: set[tuple[str, str]] = field(default_factory=set)
    log: list[str] = field(default_factory=list)
    forgot: bool = False
    lost: bool = False
    created: list[tuple[str, str]] = field(default_factory=list)
    stopped: set[str] = field(default_factory=set)
    blows: int = 0

    @cached_property
    def service(self) -> Backstage:
        return Backstage(self.back)

    @cached_property
    def front(self) -> Front:
        return Front(self.back)

    @cached_property
    def view(self) -> View:
        return View(self.schedule.weather, self.dice, lambda: self.timeline.seconds)

    @cached_property
    def watch(self) -> Watch:
        """Return what judges our calls."""
        return Watch(
            tasks=self.observe,
            done_ids=lambda: frozenset(
                id_ for id_, seen in self.seen.items() if seen.ended == "DONE"
            ),
            theirs=lambda: self.foreign.keys() - self.watch.marks.keys(),
            mended=self.struck,
            untold=self._untold,
        )

    def _untold(self) -> set[str]:
        """Return the copies that nothing tells from what is ours: never sealed, and no line names what they are of."""
        named = {line.nonce for line in self.sheet.read() if line.request_id}
        copies = self.copies.items()
        return {id_ for id_, mark in copies if mark.seal is None and mark.nonce not in named}

    def say(self, who: str, number: int, *words: object) -> None:
        at = self.timeline.seconds - EPOCH
        self.log.append(f"{at:10.1f} {who}#{number} {' '.join(str(word) for word in words)}")

    def glance(self, id_: str, *, called: bool = False) -> None:
        """Let the replicas know what is true of a request, before and after it is changed."""
        if self.schedule.weather.stale > 0 and id_:
            try:
                self.view.note(self.service.task(id_), called=called)
            except KeyError:
                return

    def observe(self) -> dict[str, Any]:
        """Look at everything, and remember what may be forgotten."""
        tasks = {task["id"]: task for task in self.service.tasks()}
        for id_, task in tasks.items():
            mark = self.watch.marks.get(id_)
            if mark is not None:
                self.foreign.pop(id_, None)
            elif id_ in self.foreign:
                continue
            old = self.seen.get(id_)
            paid = task.get("costPU", 0) > 0
            ended = task["status"] if task["status"] in {"DONE", "FAILED", "STOPPED"} else None
            self.seen[id_] = Seen(mark, paid or bool(old and old.paid), ended, task["created"])
        return tasks

    # --- requests of others --------------------------------------------------------------------------------------

    def put(self, place: str, version: int, text: str | None = None) -> str:
        """Make a request as a person does."""
        body = {**spec(place, version), **({"description": text} if text else {})}
        id_ = self.service.create(body)
        self.foreign[id_] = self.service.task(id_)
        if text is None:
            self.twins.add(id_)
        return id_

    def put_foreign(self, number: int) -> None:
        """Make requests of other people: a plain one, one of another project, one with a link in its words."""
        other = Marker(
            project="crop", job="j0", generation=1, digest="1.0123456789ab", nonce="aaaaaaaa"
        )
        for n in range(number):
            text = ("", str(other), "see github.com/us/shbatch-sync")[n % 3]
            self.put(f"theirs{len(self.foreign)}", 1, text)

    def put_hands(self) -> None:
        """Make the requests that jobs are to take over."""
        for hand in self.schedule.extras.hands:
            id_ = str(UUID(int=self.dice.of(f"id of {hand.place}").getrandbits(128), version=4))
            if hand.state != "missing":
                id_ = self.put(hand.place, hand.version)
                self._bring(id_, hand.state)
                self.foreign[id_] = self.service.task(id_)
            self.hands[hand.place] = id_
        self.watch.wanted = frozenset(self.hands.values())

    def _bring(self, id_: str, state: str) -> None:
        at = round(self.timeline.seconds * 1e6)
        if state == "PROCESSING":
            people.start_by_hand(self, id_)
        elif state == "FAILED":
            self.service.fail(id_)
        elif state == "DONE":
            self.service.force(
                id_, status=state, action="START", action_at=at, share=1.0, cost=PRICE
            )

    # --- fate --------------------------------------------------------------------------------------------------

    def befall(self, fate: Fate) -> None:
        """Let fate, or a person, do something to one request."""
        dice = self.dice.of(f"which {fate.name}")
        tasks = self.observe()
        for id_ in tasks:
            self.glance(id_)
        mine = [task for id_, task in tasks.items() if id_ not in self.foreign]
        running = [task for task in mine if task["status"] == "PROCESSING"]
        resting = [
            task for task in mine if task["status"] in {"DONE", "FAILED", "STOPPED", "CREATED"}
        ]
        if fate.kind in people.KINDS:
            id_ = people.visit(self, fate.kind, dice)
        else:
            chosen = {"forget": resting, "person writes": mine, "foreign": [{"id": ""}]}
            among = chosen.get(fate.kind, running)
            id_ = dice.choice(among)["id"] if among else None
            self._strike(fate.kind, id_)
        if id_ is None:
            return
        self.say("fate", 0, fate.kind, id_)
        self.glance(id_, called=True)

    def _strike(self, kind: str, id_: str | None) -> None:
        if id_ is None:
            return
        if kind not in FATES_OF_REST:
            self.stopped.add(id_)
            self.blows += 1
        match kind:
            case "OUT_OF_PU" | "UNHEALTHY":
                self.service.stop(id_, kind)
            case "fail":
                self.service.fail(id_)
            case "person stops":
                at = round(self.timeline.seconds * 1e6)
                asked = {"action": "STOP", "action_at": at, "reason": "USER_ACTION"}
                self.service.force(id_, status="STOPPED", **asked)
            case "forget":
                self.service.forget(id_)
                self.forgot = True
            case "person writes":
                words = people.text_of(self.service.task(id_))
                self.service.describe(id_, f"looked at by Ana {words}")
            case _:
                self.put_foreign(1)


@contextmanager
def world_of(schedule: Schedule, dice: Dice) -> Iterator[World]:
    """Make the world of a schedule; ids and nonces follow from the seed, and waits are not cut into naps."""
    timeline = Timeline(60 * 86400.0)
    ids = dice.of("ids")
    fixed = SimpleNamespace(uuid4=lambda: UUID(int=ids.getrandbits(128), version=4))
    nonces = dice.of("nonces")
    options = Options(
        page_size=schedule.page_size,
        put_body=schedule.puts,
        put_in_analysing=schedule.put_in_analysing,
        start_in_analysing=schedule.start_in_analysing,
        pu_per_job=PRICE,
        accept_seconds=min(schedule.analysis, 8.0),
        analysis_seconds=schedule.analysis,
        processing_seconds=400.0,
        charges=4,
    )
    pool = partial(Pool, timeline)
    store = Store(":memory:")
    with (
        patch.object(emulated, "uuid", fixed),
        patch.object(markers, "secrets", SimpleNamespace(choice=nonces.choice)),
        patch.object(running, "MAX_NAP", 1e9),
        patch.object(applying, "ThreadPoolExecutor", pool),
        patch.object(creating, "ThreadPoolExecutor", pool),
    ):
        service = BatchService(store, options, lambda: timeline.seconds)
        sheet = Sheet(begun=schedule.extras.begun)
        yield World(schedule, timeline, service, dice, sheet)
    store.close()
