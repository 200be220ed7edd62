"""Requests that come from elsewhere: adopted, renamed, made by a newer checkout, mended."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shbatch_sync.emulator import Status
from shbatch_sync.errors import LedgerError
from shbatch_sync.job import DeclaredState
from shbatch_sync.ledger_line import Event
from shbatch_sync.marker import Commit, parse
from shbatch_sync.plan import Action, Gate
from shbatch_sync.reconcile.looking import look
from shbatch_sync.reconcile.mending import mend
from shbatch_sync.repair import mends
from tests.unit.reconcile.conftest import description, job, paid


def by_hand(w, wanted=None, text="made by Ana"):
    return w.service.create({**(wanted or job()).spec, "description": text})


def test_a_request_made_by_hand_is_taken_over_and_started(world, faults):
    w = world()
    id_ = by_hand(w)
    result = w.apply(job(adopt=id_), wait=True)
    assert result.exit_code == 0
    (task,) = w.tasks()
    assert (task["id"], task["status"]) == (id_, "DONE")
    assert description(task).startswith("made by Ana [")
    assert parse(description(task)).seal == id_[:8]
    assert w.events() == ["adopted", "sealed", "start", "final"]
    assert faults.calls.count("create") == 0


def test_one_that_is_done_is_never_started_again(world, faults):
    w = world()
    id_ = by_hand(w)
    w.service.force(id_, status="DONE", action="START", cost=100.0, share=1.0)
    assert w.apply(job(adopt=id_), wait=True).exit_code == 0
    assert faults.calls.count("start") == 0
    w.service.forget(id_)
    assert w.apply(job(adopt=id_), wait=True).exit_code == 0
    assert w.tasks() == []


def test_one_that_is_another_is_shown_and_left_alone(world):
    w = world()
    id_ = by_hand(w, job(version=2))
    result = w.apply(job(adopt=id_), wait=True)
    assert result.exit_code == 4
    assert description(w.service.task(id_)) == "made by Ana"
    assert len(w.tasks()) == 1


def test_one_that_is_not_there_is_never_replaced_by_a_new_one(world):
    w = world()
    result = w.apply(job(adopt="11111111-0000-4000-8000-000000000000"), wait=True)
    assert result.exit_code == 4
    assert w.tasks() == []


def test_without_a_line_nothing_is_taken_over(world):
    w = world()
    id_ = by_hand(w)
    w.ledger.fails_at = {Event.ADOPTED}
    with pytest.raises(LedgerError):
        w.apply(job(adopt=id_))
    assert description(w.service.task(id_)) == "made by Ana"


def test_one_whose_marker_was_written_and_no_line_said_so_is_known_from_the_list_on(world):
    w = world()
    id_ = by_hand(w)
    w.ledger.fails_at = {Event.SEALED}
    with pytest.raises(LedgerError):
        w.apply(job(adopt=id_, state=DeclaredState.CREATED))
    w.ledger.fails_at = set()
    w.apply(job("b", state=DeclaredState.CREATED))
    assert (Event.SEALED, id_) in {(line.event, line.request_id) for line in w.ledger.read()}
    w.service.describe(id_, "made by Ana")
    plan = w.apply(job("b", state=DeclaredState.CREATED)).plan
    assert [change.request_id for change in plan.changes] == [id_]


def test_an_adoption_that_is_refused_fails(world, faults):
    w = world()
    id_ = by_hand(w)
    faults.plan("update", Status(400))
    assert w.apply(job(adopt=id_)).exit_code == 1
    assert w.apply(job(adopt=id_), wait=True).exit_code == 0
    assert paid(w.tasks()) == 1


def test_a_renamed_job_keeps_its_request(world, faults):
    w = world()
    w.apply(job("a"), wait=True)
    renamed = replace(job("a2", previous_names=("a",)), spec=job("a").spec)
    assert w.apply(renamed, wait=True).exit_code == 0
    assert faults.calls.count("create") == 1
    assert parse(description(w.tasks()[0])).job == "a2"


def test_and_what_is_remembered_of_it_when_the_service_has_forgotten_it(world):
    w = world()
    w.apply(job("a"), wait=True)
    w.service.forget(w.tasks()[0]["id"])
    renamed = replace(job("a2", previous_names=("a",)), spec=job("a").spec)
    assert w.apply(renamed, wait=True).exit_code == 0
    assert w.apply(replace(renamed, previous_names=()), wait=True).exit_code == 0
    assert w.tasks() == []
    assert "a2" in {line.job for line in w.ledger.read()}


def test_a_rename_holds_though_it_is_taken_out_before_the_marker_can_be_rewritten(world, faults):
    w = world()
    w.apply(job("a"))  # started, and not waited for
    renamed = replace(job("a2", previous_names=("a",)), spec=job("a").spec)
    assert w.apply(renamed).exit_code == 0
    (task,) = w.tasks()
    assert parse(description(task)).job == "a"  # the service takes no words while it is at work
    plain = replace(renamed, previous_names=())
    w.service.force(task["id"], status="DONE", cost=100.0, share=1.0)
    assert w.apply(plain, wait=True).exit_code == 0
    w.service.forget(task["id"])
    assert w.apply(plain, wait=True).exit_code == 0
    assert faults.calls.count("create") == faults.calls.count("start") == 1


@pytest.mark.parametrize("started_under", ["a", "a2"])
def test_a_rename_that_is_taken_back_when_the_request_is_forgotten(world, faults, started_under):
    w = world()
    idle = DeclaredState.CREATED
    renamed = replace(job("a2", previous_names=("a",)), spec=job("a").spec)
    w.apply(job("a", state=idle), wait=True)
    w.apply(replace(renamed, state=idle), wait=True)
    w.apply(renamed if started_under == "a2" else job("a", previous_names=("a2",)), wait=True)
    w.service.forget(w.tasks()[0]["id"])
    for declared in (job("a"), renamed, replace(renamed, previous_names=())):
        assert w.apply(declared, wait=True).exit_code == 0
    assert faults.calls.count("create") == faults.calls.count("start") == 1


def test_an_older_checkout_leaves_what_was_renamed_since_alone(world, faults):
    w = world()
    w.apply(job("a", state=DeclaredState.CREATED), wait=True)
    w.apply(replace(job("a2", previous_names=("a",)), spec=job("a").spec))
    w.service.force(w.tasks()[0]["id"], status="PROCESSING", cost=40.0)
    w.apply(job("a", state=DeclaredState.STOPPED))
    assert "stop" not in faults.calls


def test_a_rename_that_is_not_said_is_withheld(world):
    w = world()
    w.apply(job("a"), wait=True)
    result = w.apply(replace(job("a2"), spec=job("a").spec), wait=True)
    assert result.exit_code == 3
    assert {change.withheld.gate for change in result.plan.changes} == {Gate.TWIN}
    assert len(w.tasks()) == 1


def test_an_older_checkout_does_not_act_on_what_a_newer_one_made(world):
    w = world()
    now = w.time.now()
    newer, older = Commit("bbbbbbb", now), Commit("aaaaaaa", now - timedelta(days=1))
    w.apply(job(version=2), commit=newer)
    seen = {"aaaaaaa"}
    result = w.apply(job(version=1), commit=older, in_history=seen.__contains__, wait=True)
    assert result.exit_code == 3
    assert {change.withheld.gate for change in result.plan.changes if change.withheld} == {
        Gate.STALE
    }
    assert len(w.tasks()) == 1


def test_a_newer_one_in_its_history_is_no_stranger(world):
    w = world()
    now = w.time.now()
    w.apply(job(), commit=Commit("bbbbbbb", now))
    merged = Commit("ccccccc", now - timedelta(hours=1))
    assert w.apply(job(), commit=merged, in_history=lambda _: True, wait=True).exit_code == 0
    assert w.phases() == [("DONE", "START")]


def test_the_longest_lag_is_learnt_and_lengthens_the_settle(world):
    w = world(lag=100.0)
    assert w.apply(job(), settle=10.0, wait=True, poll=5.0).exit_code == 0
    assert max(line.lag or 0.0 for line in w.ledger.read()) > 60.0
    began = w.time.seconds
    assert w.apply(job(), job("b"), settle=10.0, poll=5.0).exit_code == 0
    start = next(line for line in w.ledger.read() if line.job == "b" and line.event is Event.START)
    assert start.at.timestamp() > began + 150.0


def test_a_request_of_ours_that_vanishes_unlisted_ends_the_wait(world, faults):
    w = world(lag=1e6)
    result = w.apply(job("a"), job("b"), poll=60.0, settle=30.0)
    assert result.exit_code == 1
    assert result.failures.keys() == {"a", "b"}
    assert faults.calls.count("create") == 2


def broken(w, wanted):
    w.apply(wanted, wait=True)
    (task,) = w.tasks()
    w.service.describe(task["id"], description(task)[:60])
    run = w.run(wanted)
    seen = look(run, record=False)
    assert [change.action for change in seen.plan.changes] == [Action.ATTENTION] * len(
        seen.plan.changes
    )
    (one,) = mends([wanted], seen.inventory, seen.ledger, seen.plan.facts)
    return run, one


def test_a_damaged_marker_is_written_back(world):
    w = world()
    run, one = broken(w, job())
    assert mend(run, one) is None
    assert parse(description(w.tasks()[0])).seal == one.request_id[:8]
    assert w.events()[-1] == "adopted"
    assert w.apply(job(), wait=True).steps == ()


def test_a_mend_that_is_refused_says_why(world, faults):
    w = world()
    run, one = broken(w, job())
    faults.plan("update", Status(400))
    assert "400" in mend(run, one)


def test_a_mend_that_does_not_stick_says_so(world, faults):
    w = world()
    run, one = broken(w, job())
    faults.plan("update", lambda call: w.service.describe(call.request_id, "no"), after=True)
    assert "did not come back" in mend(run, one)


def test_a_mend_without_a_ledger_begins_none(world):
    w = world()
    run, one = broken(w, job())
    w.ledger.begun = False
    before = len(w.events())
    assert mend(run, one) is None
    assert len(w.events()) == before
