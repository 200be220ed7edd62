"""The service of one schedule, and what a person or fate does to it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from uuid import UUID

from shbatch_sync import marker as markers
from shbatch_sync.emulator import Emulator, Options
from shbatch_sync.emulator import service as emulated
from shbatch_sync.job import Job, Origin
from shbatch_sync.marker import Marker
from shbatch_sync.reconcile import run as running
from tests.campaign.dice import Dice
from tests.campaign.ledger import Sheet
from tests.campaign.schedule import Declared, Fate, Schedule
from tests.campaign.timeline import Timeline

PROJECT, TARGET = "crops", "eu"
PRICE = 100.0
_BODY: dict[str, Any] = {
    "processRequest": {
        "input": {
            "bounds": {
                "bbox": [14.0, 45.8, 14.2, 46.0],
                "properties": {"crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"},
            },
            "data": [{"type": "sentinel-2-l2a"}],
        },
        "evalscript": "//VERSION=3\nfunction setup() {}\nfunction evaluatePixel() { return [0]; }\n",
        "output": {"responses": [{"identifier": "default", "format": {"type": "image/tiff"}}]},
    },
    "input": {"type": "tiling-grid", "id": 0, "resolution": 10},
    "output": {
        "type": "raster",
        "delivery": {"s3": {"url": "s3://bucket", "iamRoleARN": "arn:aws:iam::0:role/r"}},
    },
}


@cache
def spec(place: str, version: int) -> dict[str, Any]:
    """Return the body of a job; only a comment of the script tells its versions apart."""
    body = copy.deepcopy(_BODY)
    body["output"]["delivery"]["s3"]["url"] += f"/{place}"
    body["processRequest"]["evalscript"] += f"// {version}\n"
    return body


@cache
def job_of(declared: Declared) -> Job:
    """Return the job that a manifest declares."""
    return Job(
        name=declared.name,
        target=TARGET,
        spec=spec(declared.place, declared.version),
        origin=Origin(f"jobs/{declared.name}.yaml", 1),
        description=declared.description,
        state=declared.state,
        generation=declared.generation,
        restart_policy=declared.restart,
        previous_names=declared.previous,
    )


@dataclass
class Seen:
    """What is known of a request that the service may have forgotten since.

    Attributes:
        marker: The last valid one that it carried.
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
        seen: Every request there ever was.
        foreign: Requests of others, as they were made.
        forgot: Whether the service forgot any request.
        created: (apply, request id) of every create that was answered.
        stopped: Ids of requests that came to rest without our doing.
        blows: How often a request failed or was stopped, by whomever.
        log: What happened, for a person who looks for the reason.
    """

    schedule: Schedule
    timeline: Timeline
    emulator: Emulator
    dice: Dice
    sheet: Sheet = field(default_factory=Sheet)
    seen: dict[str, Seen] = field(default_factory=dict)
    foreign: dict[str, dict[str, Any]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    forgot: bool = False
    created: list[tuple[str, str]] = field(default_factory=list)
    stopped: set[str] = field(default_factory=set)
    blows: int = 0

    @property
    def service(self) -> Any:
        return self.emulator.service

    def say(self, who: str, number: int, *words: object) -> None:
        at = self.timeline.seconds - 1_750_000_000.0
        self.log.append(f"{at:10.1f} {who}#{number} {' '.join(str(word) for word in words)}")

    def observe(self) -> dict[str, Any]:
        """Look at everything, and remember what may be forgotten."""
        tasks = {task["id"]: task for task in self.service.tasks()}
        for id_, task in tasks.items():
            if id_ in self.foreign:
                continue
            mark = markers.parse(task["request"].get("description"))
            old = self.seen.get(id_)
            paid = task.get("costPU", 0) > 0
            ended = task["status"] if task["status"] in {"DONE", "FAILED", "STOPPED"} else None
            self.seen[id_] = Seen(
                mark if isinstance(mark, Marker) else old.marker if old else None,
                paid or bool(old and old.paid),
                ended,
                task["created"],
            )
        return tasks

    def put_foreign(self, number: int) -> None:
        """Make requests of other people: a plain one, one of another project, one with a link in its words."""
        for n in range(number):
            body = spec(f"theirs{len(self.foreign)}", 1)
            other = Marker(
                project="crop", job="j0", generation=1, digest="1.0123456789ab", nonce="aaaaaaaa"
            )
            text = (None, str(other), "see github.com/us/shbatch-sync")[n % 3]
            id_ = self.service.create({**body, "description": text} if text else dict(body))
            self.foreign[id_] = self.service.task(id_)

    def befall(self, fate: Fate) -> None:
        """Let fate, or a person, do something to one request."""
        dice = self.dice.of(f"which {fate.name}")
        tasks = self.observe()
        mine = [task for id_, task in tasks.items() if id_ not in self.foreign]
        running = [task for task in mine if task["status"] == "PROCESSING"]
        resting = [
            task for task in mine if task["status"] in {"DONE", "FAILED", "STOPPED", "CREATED"}
        ]
        chosen = {"forget": resting, "person writes": mine, "foreign": [{"id": ""}]}.get(
            fate.kind, running
        )
        if not chosen:
            return
        id_ = dice.choice(chosen)["id"]
        self.say("fate", 0, fate.kind, id_)
        if fate.kind not in {"forget", "person writes", "foreign"}:
            self.stopped.add(id_)
            self.blows += 1
        self._strike(fate.kind, id_)

    def _strike(self, kind: str, id_: str) -> None:
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
                words = self.service.task(id_)["request"].get("description") or ""
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
        token_life=1e9,
        pu_per_job=PRICE,
        accept_seconds=min(schedule.analysis, 8.0),
        analysis_seconds=schedule.analysis,
        processing_seconds=400.0,
        charges=4,
    )
    with (
        patch.object(emulated, "uuid", fixed),
        patch.object(markers, "secrets", SimpleNamespace(choice=nonces.choice)),
        patch.object(running, "MAX_NAP", 1e9),
        Emulator(":memory:", options, time_source=lambda: timeline.seconds) as emulator,
    ):
        yield World(schedule, timeline, emulator, dice)
