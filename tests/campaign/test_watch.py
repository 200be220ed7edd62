"""What our calls do is judged when they are taken in: each judgement by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from shbatch_sync.ledger_line import Entry, Event, dump
from shbatch_sync.marker import Marker
from shbatch_sync.plan import Gate, Policy
from tests.campaign.declared import job_of
from tests.campaign.ledger import Sheet
from tests.campaign.schedule import Declared
from tests.campaign.timeline import Actor, Timeline
from tests.campaign.watch import Caller, Watch

NOW = "2025-06-15T12:00:00Z"
LATER = 1_760_000_000.0
JOB = job_of(Declared("j0", "j0"))
NEXT = replace(job_of(Declared("j1", "j1")), depends_on=("j0",))
MARK = Marker(
    project="crops", job="j0", generation=1, digest=JOB.digest, nonce="aaaaaaaa", seal="00000001"
)
NEXT_MARK = replace(MARK, job="j1", digest=NEXT.digest, nonce="bbbbbbbb")


def task(status: str, action: str = "START", changed: str = NOW) -> dict:
    return {
        "status": status,
        "userAction": action,
        "userActionUpdated": NOW,
        "lastUpdated": changed,
    }


def sheet(*names: tuple[Event, str]) -> Sheet:
    at = Actor(Timeline(1.0), "a").now()
    lines = [
        Entry(at=at, event=event, target="eu", project="crops", job="j0", generation=1,
              digest=JOB.digest, nonce=name, request_id=None if event is Event.INTENT else name)
        for event, name in names
    ]  # fmt: skip
    return Sheet("".join(f"{dump(line)}\n" for line in lines))


def caller(*known: tuple[Event, str], policy: Policy | None = None, **how: object) -> Caller:
    given = {"prices": {}, "alone": True, "slack": 0.0, "listed_at": LATER, **how}
    written = sheet(*(known or ((Event.START, "1"),)))
    return Caller(name="a", jobs=[JOB, NEXT], sheet=written, policy=policy or Policy(), **given)


def watch(
    tasks: dict[str, dict], marks: dict[str, Marker], done: Iterable[str] = (), **how: object
) -> Watch:
    return Watch(
        tasks=lambda: tasks, done_ids=lambda: frozenset(done), theirs=lambda: {"theirs"}, marks=marks, **how
    )  # fmt: skip


def started(looked: Watch, who: Caller, id_: str = "1") -> str:
    looked.done(who, "start", id_, None)
    return "; ".join(looked.wrong)


def test_a_start_as_it_should_be_is_no_violation():
    assert started(watch({"1": task("CREATED")}, {"1": MARK}), caller()) == ""


def test_a_start_that_the_ledger_does_not_know_is_found():
    assert "before the ledger knew" in started(watch({}, {"1": MARK}), caller((Event.STOP, "1")))


def test_a_start_of_nobodys_job_is_found():
    assert "no declared job" in started(watch({}, {}), caller())


def test_a_start_as_another_job_is_found():
    found = started(watch({}, {"1": MARK}, origins={"1": NEXT_MARK}), caller())
    assert "but it was made as" in found


@pytest.mark.parametrize(("done", "found"), [(["1"], ""), ([], "j0 is not DONE")])
def test_a_start_before_its_dependency_is_found(done, found):
    looked = watch({"1": task("DONE")}, {"1": MARK, "2": NEXT_MARK}, done)
    assert found in started(looked, caller((Event.START, "2")), "2")
    assert bool(looked.wrong) == bool(found)


@pytest.mark.parametrize(
    ("status", "action", "changed", "crowded"),
    [
        ("PROCESSING", "START", NOW, True),
        ("PROCESSING", "STOP", NOW, True),
        ("ANALYSING", "START", NOW, True),
        ("STOPPED", "START", NOW, True),
        ("STOPPED", "START", "2025-06-15T13:00:00Z", False),
        ("ANALYSING", "ANALYSE", NOW, False),
        ("DONE", "START", NOW, False),
    ],
)
def test_more_at_work_than_allowed_is_found(status, action, changed, crowded):
    looked = watch({"2": task(status, action, changed)}, {"1": MARK, "2": NEXT_MARK})
    assert ("may run" in started(looked, caller(policy=Policy(max_running=1)))) == crowded


def test_two_applies_at_once_may_crowd():
    looked = watch({"2": task("PROCESSING")}, {"1": MARK, "2": NEXT_MARK})
    assert started(looked, caller(policy=Policy(max_running=1), alone=False)) == ""


@pytest.mark.parametrize(
    ("listed_at", "slack", "seen"), [(LATER, 0.0, True), (0.0, 0.0, False), (LATER, 1e9, False)]
)
def test_a_start_beside_what_the_last_list_showed_is_found(listed_at, slack, seen):
    looked = watch({"2": task("PROCESSING")}, {"1": MARK, "2": MARK})
    found = started(looked, caller(listed_at=listed_at, slack=slack))
    assert ("beside" in found) == seen


@pytest.mark.parametrize(
    ("policy", "price", "found"),
    [
        (Policy(max_start_pu=100.0), 100.0, ""),
        (Policy(max_start_pu=100.0), 101.0, "at most 100.0"),
        (Policy(max_start_pu=100.0), None, "at most 100.0"),
        (Policy(max_start_pu=1.0, allow=frozenset({Gate.COST})), 101.0, ""),
    ],
)
def test_a_start_above_the_limit_is_found(policy, price, found):
    looked = watch({}, {"1": MARK})
    said = started(looked, caller(policy=policy, prices={"j0": price}))
    assert found in said
    assert bool(said) == bool(found)


def test_starts_add_up():
    looked = watch({}, {"1": MARK, "2": NEXT_MARK}, ["1"])
    who = caller(
        (Event.START, "1"), (Event.START, "2"),
        policy=Policy(max_start_pu=150.0), prices={"j0": 100.0, "j1": 100.0},
    )  # fmt: skip
    assert started(looked, who) == ""
    assert "200.0 PU" in started(looked, who, "2")


def test_a_job_above_its_own_limit_is_found():
    who = caller(prices={"j0": 100.0})
    who.jobs = [replace(JOB, max_pu=99.0)]
    assert "at most 99.0" in started(watch({}, {"1": MARK}), who)


@pytest.mark.parametrize("what", ["update", "start", "stop", "analyse"])
def test_touching_what_is_not_ours_is_found(what):
    looked = watch({}, {})
    looked.done(caller(), what, "theirs", None)
    looked.refused(caller(), what, "theirs")
    assert sum("not ours" in one for one in looked.wrong) == 2


def test_only_what_is_to_be_adopted_may_be_written_on():
    looked = watch({}, {}, wanted=frozenset({"theirs"}))
    looked.done(caller(), "update", "theirs", str(MARK))
    assert looked.wrong == []
    looked.done(caller(), "stop", "theirs", None)
    assert "not ours" in looked.wrong[0]


def test_a_request_that_was_not_written_down_is_found():
    looked = watch({}, {})
    looked.done(caller((Event.INTENT, "aaaaaaaa")), "create", "1", str(MARK))
    assert looked.wrong == []
    looked.done(caller(), "create", "2", str(MARK))
    looked.done(caller(), "create", "3", "words")
    assert "before the ledger knew" in looked.wrong[0]
    assert "without a marker" in looked.wrong[1]


def test_more_calls_at_once_than_allowed_are_found():
    looked, who = watch({}, {}), caller(parallelism=2)
    for _ in range(3):
        looked.sent(who, "get")
    assert looked.wrong == ["a has 3 calls at once"]


def test_a_second_request_before_the_first_is_proven_is_found():
    looked, who = watch({}, {}), caller(parallelism=4)
    looked.sent(who, "create")
    looked.sent(who, "create")
    assert "before the first was read back" in looked.wrong[0]
    who.proven = True
    looked.sent(who, "create")
    assert len(looked.wrong) == 1


def test_a_request_beside_what_is_to_be_adopted_is_found():
    who = caller((Event.INTENT, "aaaaaaaa"))
    who.jobs = [replace(JOB, adopt="theirs")]
    looked = watch({}, {})
    looked.done(who, "create", "1", str(MARK))
    assert "is to adopt" in looked.wrong[0]
