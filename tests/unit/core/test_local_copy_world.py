"""Local copies that are named, changed and taken away while requests run, end and are forgotten: nothing is paid twice.

The world of `test_world`, stricter in one thing: nobody lifts a gate, so whatever is done to a job's local copy, a
generation of it is paid once for each time that it failed and once more.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shbatch_sync import marker as markers
from shbatch_sync.digest import digest
from shbatch_sync.job import DeclaredState
from shbatch_sync.ledger_line import Entry, Event
from shbatch_sync.marker import Marker
from shbatch_sync.normalize import normalize
from tests.unit.core.factories import rid
from tests.unit.core.test_local_copy import A, B
from tests.unit.core.test_world import OFTEN, Task, World, begin, settle

_DECLARED = {Event.INTENT, Event.CREATED, Event.START}


@dataclass
class CopyWorld(World):
    """A world of jobs with local copies."""

    def on_copy(self) -> None:
        self.change(local_copy=self.dice.choice([None, A, B]))

    def write(self, event: Event, marker: Marker, task: Task | None = None, **members: Any) -> None:
        """Write a line as a run does: what is declared where it acts on it, what is echoed where it only sees it."""
        body = task.body if task is not None else members.pop("body")
        super().write(
            event, marker, task, **members, **({} if task is not None else {"body": body})
        )
        line = self.lines.pop()
        norm = self.norm_digest(event, marker, body)
        self.lines.append(Entry(**{**_members(line), "norm_digest": norm}))

    def norm_digest(self, event: Event, marker: Marker, body: dict[str, Any]) -> str | None:
        declared = next(job for job in self.jobs if job.name == marker.job)
        if event in _DECLARED or (event is Event.FINAL and declared.digest == marker.digest):
            return declared.norm_digest
        return digest(normalize(body)) if event is Event.FINAL else None

    def judge_start(self, marker: Marker, task: Task) -> None:
        assert marker.seal == markers.seal_of(rid(task.number)), "started without a seal"
        assert marker.retired is None, "started though retired"
        mine = (marker.job, marker.generation)
        assert mine not in {key[:2] for key in self.done}, "started though its results exist"
        others = {number for key, number in self.begun if key[:2] == mine} - {task.number}
        failures = sum(key[:2] == mine for key in self.failed)
        assert len(others) <= failures, "a second paid request without a failure of the first"


def _members(line: Entry) -> dict[str, Any]:
    return {name: getattr(line, name) for name in Entry.__dataclass_fields__}


def begin_with_copies(seed: int) -> CopyWorld:
    world = begin(seed)
    made = CopyWorld(random.Random(seed), world.jobs)
    made.on_copy()
    return made


@settings(max_examples=150)
@given(st.lists(st.sampled_from([*OFTEN, *["copy"] * 6]), max_size=40), st.integers(0, 2**32))
def test_whatever_happens_to_copies_nothing_is_paid_twice_and_it_ends(events, seed):
    world = begin_with_copies(seed)
    for name in events:
        world.event(name)
    last = settle(world)
    assert world.plan() == last
    for declared in world.jobs:
        changes = [change for change in last.changes if change.job == declared.name]
        if not changes and declared.state is DeclaredState.STARTED:
            assert (declared.name, declared.generation) in {key[:2] for key in world.done}


@settings(max_examples=50)
@given(st.lists(st.sampled_from(["copy", "round", "forget"]), max_size=12), st.integers(0, 2**32))
def test_what_is_done_stays_done_whatever_its_copy_becomes(events, seed):
    world = begin_with_copies(seed)
    settle(world)
    paid = list(world.begun)
    for name in events:
        world.event(name)
    settle(world)
    assert world.begun == paid
