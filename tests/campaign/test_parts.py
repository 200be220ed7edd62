"""What schedules are made of: replicas that lag, threads that take turns, ledgers as objects, and the mix of kinds."""

from __future__ import annotations

from collections import Counter

import pytest

from shbatch_sync.errors import LedgerError
from shbatch_sync.ledger_line import Entry, Event
from tests.campaign.dice import Dice
from tests.campaign.draw import draw
from tests.campaign.ledger import Objects, Sheet, Store, merged
from tests.campaign.people import KINDS
from tests.campaign.pool import Pool
from tests.campaign.schedule import Weather
from tests.campaign.timeline import EPOCH, Actor, Crash, Timeline
from tests.campaign.view import REPLICAS, View

T0 = "2025-06-15T15:06:40Z"  # the timeline's own beginning


class At:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = EPOCH

    def __call__(self) -> float:
        return self.seconds


def task(status: str, changed: str = T0) -> dict:
    return {"id": "1", "status": status, "lastUpdated": changed}


def shown(view: View, truth: dict) -> set[str]:
    return {view.shown(truth, replica)["status"] for replica in range(REPLICAS)}


def test_after_a_call_some_replicas_show_what_was_before():
    clock = At()
    view = View(Weather(stale=100.0), Dice(1), clock)
    view.note(task("CREATED"))
    clock.seconds += 1
    view.note(task("ANALYSING"), called=True)
    assert "CREATED" in shown(view, task("ANALYSING"))
    clock.seconds += 101
    assert shown(view, task("ANALYSING")) == {"ANALYSING"}


def test_nothing_older_than_the_lag_is_shown():
    clock = At()
    view = View(Weather(stale=100.0), Dice(1), clock)
    view.note(task("CREATED"))
    clock.seconds += 5000
    assert shown(view, task("DONE", "2025-06-15T16:30:00Z")) == {"DONE"}


def test_without_lag_the_truth_is_shown():
    clock = At()
    view = View(Weather(), Dice(1), clock)
    view.note(task("CREATED"))
    assert shown(view, task("DONE")) == {"DONE"}


# --- threads -----------------------------------------------------------------------------------------------------


def played(workers: int, naps: tuple[float, ...]) -> tuple[list[str], float]:
    timeline = Timeline(1e6)
    actor, told = Actor(timeline, "a"), []

    def one(number: int, nap: float) -> int:
        told.append(f"+{number}")
        actor.sleep(nap)
        told.append(f"-{number}")
        return number

    def work() -> None:
        with Pool(timeline, max_workers=workers) as pool:
            tasks = [pool.submit(one, *given) for given in enumerate(naps)]
            assert [task.result() for task in tasks] == list(range(len(naps)))

    timeline.begin(work, timeline.seconds)
    timeline.drive()
    return told, timeline.seconds - EPOCH


def test_one_worker_does_one_thing_after_the_other():
    assert played(1, (3.0, 1.0)) == (["+0", "-0", "+1", "-1"], 4.0)


def test_two_workers_overlap_the_same_way_every_time():
    first = played(2, (3.0, 1.0, 1.0))
    assert first == (["+0", "+1", "-1", "+2", "-2", "-0"], 3.0)
    assert played(2, (3.0, 1.0, 1.0)) == first


def test_what_a_worker_raises_comes_out_at_the_end():
    timeline = Timeline(1e6)
    actor, told = Actor(timeline, "a"), []

    def fails() -> None:
        actor.sleep(1.0)
        message = "no"
        raise LedgerError(message)

    def work() -> None:
        try:
            with Pool(timeline, max_workers=2) as pool:
                tasks = [pool.submit(fails), pool.submit(told.append, "other")]
                for task in tasks:
                    task.result()
        except LedgerError:
            told.append("caught")

    timeline.begin(work, timeline.seconds)
    timeline.drive()
    assert told == ["other", "caught"]


# --- ledgers -----------------------------------------------------------------------------------------------------


def lines(number: int) -> list[Entry]:
    at = Actor(Timeline(1.0), "a").now()
    return [
        Entry(at=at, event=Event.INTENT, target="eu", project="p", job=f"j{n}", generation=1, digest="d")
        for n in range(number)
    ]  # fmt: skip


def store(kind: type[Store], weather: Weather, seed: int) -> tuple[Store, Sheet]:
    sheet = Sheet()
    return kind(sheet, Actor(Timeline(1.0), "a"), weather, Dice(seed)), sheet


def test_a_file_may_be_torn_and_an_object_is_there_or_not():
    torn = {}
    for kind in (Store, Objects):
        sheets = []
        for seed in range(40):
            ledger, sheet = store(kind, Weather(crashes=1.0), seed)
            with pytest.raises(Crash):
                ledger.append(*lines(3))
            sheets.append(sheet)
        torn[kind] = sum(bool(sheet.text) and not sheet.text.endswith("\n") for sheet in sheets)
        assert {len(sheet.read()) for sheet in sheets} >= {0, 1, 2}
    assert torn[Store] > 0
    assert torn[Objects] == 0


def test_objects_are_listed_in_any_order():
    ledger, _ = store(Objects, Weather(), 1)
    ledger.append(*lines(6))
    names = [line.job for line in ledger.read()]
    assert sorted(names) == [f"j{n}" for n in range(6)]
    assert names != sorted(names)


def test_a_write_that_fails_may_have_been_written():
    kept = set()
    for seed in range(20):
        ledger, sheet = store(Store, Weather(unwritable=1.0), seed)
        with pytest.raises(LedgerError):
            ledger.append(*lines(2))
        kept.add(len(sheet.read()))
    assert kept == {0, 2}


def test_a_ledger_that_nobody_began_takes_nothing():
    ledger, sheet = store(Store, Weather(), 1)
    sheet.begun = False
    with pytest.raises(LedgerError):
        ledger.append(*lines(1))
    ledger.begin()
    ledger.append(*lines(1))
    assert ledger.exists()
    assert len(ledger.read()) == 1


def test_a_sheet_reads_what_is_added_later():
    sheet = Sheet()
    ledger = Store(sheet, Actor(Timeline(1.0), "a"), Weather(), Dice(1))
    ledger.append(*lines(1))
    sheet.append('{"v": 1, "torn')
    assert len(sheet.read()) == 1
    ledger.append(*lines(2)[1:])
    assert [line.job for line in sheet.read()] == ["j0", "j1"]
    other = sheet.copy()
    other.cut(1)
    assert len(other.read()) == 1
    assert len(merged(other, [sheet]).read()) == 2


# --- the mix -----------------------------------------------------------------------------------------------------


def test_a_third_of_the_schedules_are_plain_and_every_kind_is_drawn():
    drawn = [draw(seed, Dice(seed)) for seed in range(600)]
    kinds = Counter(kind for schedule in drawn for kind in schedule.extras.kinds or ("plain",))
    assert 0.27 < kinds["plain"] / len(drawn) < 0.4
    assert min(kinds.values()) > 50
    assert len(kinds) == 8
    acts = {fate.kind for one in drawn for stage in one.stages for fate in stage.fates}
    assert acts > KINDS


def test_a_hasty_schedule_is_plain():
    assert all(draw(seed, Dice(seed), hasty=True).extras.kinds == () for seed in range(50))
