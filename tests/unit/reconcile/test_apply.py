from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shbatch_sync.clock import SystemClock
from shbatch_sync.emulator import Lost, Status
from shbatch_sync.errors import ApiError, ExitCode, LedgerError, TargetRefusedError
from shbatch_sync.job import DeclaredState
from shbatch_sync.ledger_line import Event
from shbatch_sync.marker import Commit, Marker, Retired, new_nonce, parse
from shbatch_sync.plan import Action, Gate
from shbatch_sync.reconcile import Outcome, apply_plan
from shbatch_sync.reconcile.interrupt import Interrupt
from shbatch_sync.reconcile.looking import look
from shbatch_sync.reconcile.recording import take_in
from tests.unit.reconcile.conftest import EPOCH, description, job, paid

GONE = "11111111-0000-4000-8000-000000000000"


def foreign_marker() -> str:
    return str(
        Marker(project="crop", job="a", generation=1, digest="1.0123456789ab", nonce=new_nonce())
    )


def test_applying_again_does_nothing(world):
    w = world()
    w.apply(job("a"), job("b", state=DeclaredState.CREATED), wait=True)
    before = w.tasks(), w.ledger.read()
    result = w.apply(job("a"), job("b", state=DeclaredState.CREATED), wait=True)
    assert result.exit_code == 0
    assert result.steps == ()
    assert (w.tasks(), w.ledger.read()) == before


def test_without_wait_it_ends_when_nothing_is_left_for_it(world):
    w = world()
    result = w.apply(job("a"), job("b", state=DeclaredState.ANALYSED))
    assert result.exit_code == 0
    assert w.phases("a") == [("CREATED", "START")]
    assert [change.action for change in result.plan.changes] == [Action.WAIT, Action.WAIT]


def test_an_unsealed_request_of_another_run_is_left_alone_for_the_settle(world, faults):
    w = world()
    id_ = w.put(job(), sealed=False)
    began = w.time.seconds
    sealed_at = []
    faults.plan("update", lambda _: sealed_at.append(w.time.seconds))
    assert w.apply(job(), settle=120.0, poll=10.0).exit_code == 0
    assert sealed_at[0] >= began + 120.0
    assert parse(description(w.service.task(id_))).seal == id_[:8]


def test_a_settle_that_is_shorter_than_the_poll_is_waited_for_and_no_longer(world):
    w = world()
    told = []
    run = w.run(job(), settle=3.0, poll=30.0)
    run.settling = told.append
    began = w.time.seconds
    assert apply_plan(run).exit_code == 0
    assert w.time.seconds - began < 10.0
    assert told
    assert 0 < told[0] <= 3.0


def test_a_sealed_one_needs_no_settle(world):
    w = world()
    w.put(job())
    assert w.apply(job(), settle=120.0).exit_code == 0
    assert w.time.seconds - EPOCH < 10.0


def test_a_place_is_waited_for_whoever_has_it(world):
    w = world()
    w.client().start_job(w.put(job("gone")))
    w.pass_time(100.0)
    assert w.apply(job(), wait=True, max_running=1).exit_code == 0
    assert w.phases("a") == [("DONE", "START")]


def test_timeout_in_processing(world):
    w = world()
    result = w.apply(job(), wait=True, timeout=60.0, poll=7.0)
    assert result.exit_code == 4
    assert result.timed_out
    assert w.time.seconds - EPOCH < 70.0


def test_timeout_in_the_settle_starts_nothing(world, faults):
    w = world()
    result = w.apply(job(), timeout=60.0, settle=120.0)
    assert result.exit_code == 4
    assert faults.calls.count("start") == 0
    assert w.apply(job(), wait=True).exit_code == 0
    assert len(w.tasks()) == 1


@pytest.mark.parametrize("operation", ["create", "get", "update", "start", "list"])
def test_an_interrupt_finishes_the_call_in_flight_and_begins_no_other(world, faults, operation):
    w = world()
    run = w.run(job("a"), job("b"), wait=True)
    faults.plan(operation, lambda _: run.interrupt.set(), after=True)
    result = apply_plan(run)
    assert result.exit_code == 130
    assert result.interrupted
    changing = [call for call in faults.calls if call not in {"list", "get", "token"}]
    assert changing[-1:] == ([operation] if operation not in {"list", "get"} else changing[-1:])
    assert w.apply(job("a"), job("b"), wait=True).exit_code == 0
    assert paid(w.tasks()) == len(w.tasks()) == 2


def test_an_interrupt_ends_a_pause(world):
    w = world()
    interrupt = Interrupt()

    class Impatient(type(w.time)):
        def sleep(self, seconds):
            super().sleep(seconds)
            interrupt.set()

    clock = Impatient()
    run = w.run(job(), interrupt=interrupt, clock=clock)
    run.pause(1000.0)
    assert clock.seconds - EPOCH < 1.0


def test_fail_fast_stops_at_the_first_failure(world, faults):
    w = world()
    faults.plan("create", Status(400))
    result = w.apply(job("a"), job("b"), fail_fast=True)
    assert result.exit_code == 1
    assert w.tasks() == []


def test_without_it_the_others_go_on(world, faults):
    w = world()
    faults.plan("start", Status(400))
    result = w.apply(job("a"), job("b"), wait=True)
    assert result.failures.keys() == {"a"}
    assert w.phases("b") == [("DONE", "START")]


def test_many_jobs_side_by_side(world):
    w = world()
    result = w.apply(*[job(f"j{n:02}") for n in range(25)], wait=True, parallelism=8)
    assert result.exit_code == 0
    assert paid(w.tasks()) == len(w.tasks()) == 25
    assert {line.event for line in w.ledger.read()} == {
        Event(e) for e in ("intent", "created", "sealed", "start", "final")
    }


def test_selection_acts_on_some_and_judges_all(world):
    w = world()
    result = w.apply(job("a"), job("b"), wait=True, selected=frozenset({"b"}))
    assert result.exit_code == 0
    assert w.tasks("a") == []
    assert w.phases("b") == [("DONE", "START")]


def test_another_runs_request_of_another_spec_holds_the_job(world, faults):
    w = world()
    faults.plan("list", None, lambda _: bool(w.put(job("a", 2))) and None)
    result = w.apply(job("a"), job("b"), wait=True, settle=10.0)
    assert result.exit_code == 3
    assert "plan again" in result.held["a"]
    assert [phase for phase, _ in w.phases("a")] == ["CREATED", "CREATED"]
    assert w.phases("b") == [("DONE", "START")]
    assert w.apply(job("a"), job("b"), wait=True).exit_code == 0
    assert paid(w.tasks("a")) == 1


def test_what_a_higher_generation_needs_is_not_done_by_an_older_checkout(world):
    w = world()
    w.put(job(generation=2))
    result = w.apply(job(), wait=True)
    assert result.exit_code == 4
    assert w.phases() == [("CREATED", "NONE")]


def test_replacing_what_has_cost_money_is_withheld(world, faults):
    w = world()
    w.apply(job())
    w.pass_time(200.0)
    result = w.apply(job(version=2))
    assert result.exit_code == 3
    assert len(w.tasks()) == 1
    result = w.apply(job(version=2, generation=2), wait=True)
    assert result.exit_code == 0
    old, new = w.tasks()
    assert (old["status"], parse(description(old)).retired) == ("STOPPED", "old")
    assert new["status"] == "DONE"
    calls = [call for call in faults.calls if call in {"create", "stop", "start"}]
    assert calls == ["create", "start", "create", "stop", "start"]


def test_a_refused_replacement_leaves_the_old_one_running(world, faults):
    w = world()
    w.apply(job())
    w.pass_time(100.0)
    faults.plan("create", Status(400))
    assert w.apply(job(version=2, generation=2)).exit_code == 1
    assert w.phases() == [("PROCESSING", "START")]


def test_a_finished_job_that_the_service_has_forgotten_is_not_bought_again(world):
    w = world()
    w.apply(job(), wait=True)
    w.service.forget(w.tasks()[0]["id"])
    result = w.apply(job(), wait=True)
    assert result.exit_code == 0
    assert w.tasks() == []


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("status", ["DONE", "FAILED", "STOPPED"])
def test_nor_is_a_duplicate_of_it_that_turns_up(world, faults, sealed, status):
    w = world()
    w.remember("start", job(), GONE)
    w.remember("final", job(), GONE, status=status, cost_pu=100.0)
    w.pass_time(1e6)
    w.put(job(), sealed=sealed)
    result = w.apply(job(), wait=True)
    assert faults.calls.count("start") == 0
    assert int(result.exit_code) in ({0} if status == "DONE" else {3, 4})


def test_a_start_without_an_end_that_is_gone_is_withheld(world):
    w = world()
    w.remember("start", job(), GONE)
    assert w.apply(job(), wait=True).exit_code == 3
    assert w.tasks() == []


def test_foreign_requests_are_not_touched(world):
    w = world()
    ids = [
        w.service.create({**job(name).spec, "description": text})
        for name, text in (("x", "mine"), ("y", foreign_marker()))
    ]
    before = [w.service.task(id_) for id_ in ids]
    assert w.apply(job("a"), wait=True, prune=True).exit_code == 0
    assert [w.service.task(id_) for id_ in ids] == before


def test_pruning_stops_what_no_manifest_declares(world):
    w = world()
    w.apply(job("a"), job("b"))
    w.pass_time(20.0)
    assert w.apply(job("a"), prune=True).exit_code == 3
    assert w.apply(job("a"), prune=True, allow=frozenset({Gate.STOP}), wait=True).exit_code == 0
    assert w.phases("b") == [("STOPPED", "STOP")]
    assert w.phases("a") == [("DONE", "START")]


# --- the ledger and the account ------------------------------------------------------------------------------


def test_without_a_ledger_nothing_is_created(world, faults):
    w = world()
    w.ledger.begun = False
    w.put(job("old"))
    w.service.force(w.tasks()[0]["id"], status="DONE", cost=100.0)
    with pytest.raises(TargetRefusedError, match="has no ledger"):
        w.apply(job("a"))
    assert faults.calls.count("create") == 0
    assert w.ledger.read() == ()
    assert not w.ledger.begun


def test_a_plan_warns_of_what_an_apply_would_refuse(world):
    w = world()
    w.ledger.begun = False

    def warnings(*jobs, **members):
        return look(w.run(*jobs, **members), record=False).plan.warnings

    assert "has no ledger" in warnings(job("a"))[0]
    assert warnings() == ()
    assert warnings(job("a"), must_have_ledger=False) == ()
    w.ledger.begun = True
    w.put(job("old", state=DeclaredState.CREATED))
    w.pass_time(2 * 86400.0)
    old = job("old", state=DeclaredState.CREATED)
    assert "not saved" in warnings(old, job("a"))[0]
    assert warnings(old) == ()


@pytest.mark.parametrize("state", [DeclaredState.STARTED, DeclaredState.ANALYSED])
def test_nor_is_anything_else_done(world, faults, state):
    w = world()
    w.ledger.begun = False
    w.put(job(), sealed=False)
    with pytest.raises(TargetRefusedError, match="has no ledger"):
        w.apply(job(state=state))
    with pytest.raises(TargetRefusedError, match="has no ledger"):
        w.apply(job("b", state=state, adopt=w.service.create(dict(job("b").spec))))
    assert set(faults.calls) == {"token", "list"}


def test_unless_the_project_does_without(world):
    w = world()
    w.ledger.begun = False
    assert w.apply(job("a"), must_have_ledger=False, wait=True).exit_code == 0
    assert w.ledger.begun


@pytest.mark.parametrize("status", ["CREATED", "DONE", "PROCESSING"])
def test_a_ledger_that_was_not_saved_is_noticed(world, faults, status):
    w = world()
    w.service.force(w.put(job("old")), status=status)
    w.pass_time(2 * 86400.0)
    for _ in range(
        2
    ):  # what the first one wrote down of its end or start does not make the ledger whole
        with pytest.raises(TargetRefusedError, match="not saved"):
            w.apply(job("old"), job("a"))
    assert faults.calls.count("create") == 0
    run = w.run(job("old"), job("a"))
    assert take_in(run, look(run)) == 1
    assert take_in(run, look(run)) == 0
    w.apply(job("old"), job("a"))
    assert faults.calls.count("create") == 1


def test_and_mended_by_taking_in_what_is_listed(world):
    w = world()
    old, idle = w.put(job("old")), w.put(job("idle", state=DeclaredState.CREATED))
    w.service.force(old, status="PROCESSING", action="START")
    w.put(job("young"), sealed=False)
    w.pass_time(2 * 86400.0)
    run = w.run(job("a"))
    assert take_in(run, look(run, record=False)) == 2
    assert {(line.event, line.request_id) for line in w.ledger.read()} == {
        (Event.ADOPTED, old), (Event.START, old), (Event.ADOPTED, idle),
    }  # fmt: skip
    assert w.apply(job("a"), job("idle", state=DeclaredState.CREATED)).exit_code == 0


@pytest.mark.parametrize("end", ["DONE", "STOPPED"])
def test_what_a_person_started_is_not_made_again_when_nobody_saw_its_end(world, faults, end):
    w = world()
    declared = job(state=DeclaredState.CREATED)
    w.apply(declared, wait=True)
    (task,) = w.tasks()
    w.service.force(task["id"], status="PROCESSING", action="START")
    w.apply(declared)
    assert w.events()[-1] == "start"
    w.service.force(task["id"], status=end)
    w.service.forget(task["id"])
    again = w.apply(job(), wait=True)
    assert again.exit_code == 3
    assert {change.withheld.gate for change in again.plan.changes} == {Gate.RECREATE}
    assert faults.calls.count("create") == 1


def test_a_start_that_a_person_made_is_written_once_and_for_what_counts_alone(world):
    w = world()
    old = w.put(job("a"), sealed=False)
    retired = w.put(job("b"), retired=Retired.OLD)
    sealed = w.put(job("c"))
    for id_ in (old, retired, sealed):
        w.service.force(id_, status="PROCESSING", action="START")
    w.apply(job("a"), job("b", state=DeclaredState.CREATED), job("c"))
    w.apply(job("a"), job("c"))
    starts = [line for line in w.ledger.read() if line.event is Event.START]
    assert [line.request_id for line in starts] == [sealed]
    assert starts[0].norm_digest == job("c").norm_digest


@pytest.mark.parametrize(
    ("status", "action", "written"),
    [
        ("PROCESSING", "STOP", True),
        ("ANALYSING", "STOP", False),  # that is free
        ("PAUSED", "NONE", True),
        ("CREATED", "ANALYSE", False),
    ],
)
def test_what_may_cost_counts_as_started(world, status, action, written):
    w = world()
    w.service.force(w.put(job()), status=status, action=action, due=None, since=None)
    w.apply(job())
    w.apply(job())
    assert w.events().count("start") == written


def test_a_start_that_a_person_made_after_our_stop_is_no_leave_to_go_on(world, faults):
    w = world()
    w.apply(job())
    (task,) = w.tasks()
    w.service.force(task["id"], status="PROCESSING")
    w.apply(job(state=DeclaredState.STOPPED), wait=True)
    assert w.phases() == [("STOPPED", "STOP")]
    assert parse(description(w.tasks()[0])).stopped
    w.pass_time(3600.0)
    at = round(w.time.seconds * 1e6)
    w.service.force(task["id"], status="PROCESSING", action="START", action_at=at, due=None)
    w.apply(job())
    w.pass_time(3600.0)
    at = round(w.time.seconds * 1e6)
    reason = {"reason": "USER_ACTION", "due": None, "since": at}
    w.service.force(task["id"], status="STOPPED", action="STOP", action_at=at, **reason)
    w.pass_time(3600.0)
    respelled = replace(job(), spec={**job().spec, "instanceType": "normal"})
    for declared in (job(), respelled, respelled):
        assert w.apply(declared).exit_code == 4
    assert faults.calls.count("start") == 1


def test_a_start_in_the_far_future_is_one_that_is_known(world):
    w = world()
    id_ = w.put(job())
    w.remember("start", job(), id_, at=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
    w.service.force(id_, status="PROCESSING", action="START", due=None)
    w.apply(job())
    assert w.events().count("start") == 1


@pytest.mark.parametrize("lost", ["answer", "line"])
def test_a_request_whose_create_was_announced_is_no_sign_of_a_lost_ledger(world, faults, lost):
    w = world()
    faults.plan("create", Lost(), after=True)
    if lost == "line":
        w.ledger.fails_at = {Event.SEALED}
        with pytest.raises(LedgerError):
            w.apply(job("a"), wait=True)
        w.ledger.fails_at = set()
    w.apply(job("a"), wait=True)
    unwritten = {Event.CREATED, Event.SEALED}
    w.ledger._entries = [line for line in w.ledger.read() if line.event not in unwritten]
    w.pass_time(2 * 86400.0)
    assert w.apply(job("a"), job("n"), wait=True).exit_code == 0
    assert faults.calls.count("create") == 2


def test_looking_without_recording_writes_nothing(world):
    w = world()
    w.service.force(w.put(job()), status="DONE", cost=100.0)
    run = w.run(job())
    assert look(run, record=False).plan.in_sync == 1
    assert w.ledger.read() == ()
    look(run)
    look(run)
    (line,) = w.ledger.read()
    assert (line.event, line.status, line.cost_pu) == (Event.FINAL, "DONE", 100.0)
    assert line.norm_digest == job().norm_digest


def test_an_end_of_a_job_that_is_not_declared_is_written_with_its_own_digest(world):
    w = world()
    w.service.force(w.put(job("gone")), status="FAILED", error="no")
    w.apply(job("a", state=DeclaredState.CREATED))
    (line,) = [line for line in w.ledger.read() if line.event is Event.FINAL]
    assert (line.job, line.status) == ("gone", "FAILED")
    assert line.norm_digest == job("gone").norm_digest


@pytest.mark.parametrize("known", [True, False])
def test_of_a_copy_no_end_is_written(world, known):
    w = world()
    text = description(w.service.task(w.put(job(), sealed=False, nonce="aaaaaaaa")))
    w.service.forget(w.tasks()[0]["id"])
    theirs = w.service.create({**job("theirs").spec, "description": text})
    w.service.force(theirs, status="DONE", cost=100.0)
    if known:
        w.remember("created", job(), theirs, nonce="aaaaaaaa")
    w.apply(job(), job("b", depends_on=("a",)))
    ends = [line.request_id for line in w.ledger.read() if line.event is Event.FINAL]
    assert ends == ([theirs] if known else [])


def test_an_end_of_what_another_run_made_is_written_before_it_is_sealed(world):
    w = world()
    w.service.force(w.put(job(), sealed=False), status="FAILED")
    w.apply(job())
    assert w.events() == ["final"]


def test_an_end_that_cannot_be_written_ends_the_apply(world):
    w = world()
    w.ledger.fails_at = {Event.FINAL}
    with pytest.raises(LedgerError):
        w.apply(job(), wait=True)
    assert w.phases() == [("DONE", "START")]


def test_an_account_that_is_not_the_pinned_one_is_refused_before_anything_is_written(world, faults):
    w = world()
    w.put(job())
    with pytest.raises(TargetRefusedError, match="belongs to account other"):
        w.apply(job(), account="other")
    assert set(faults.calls) <= {"token", "list"}
    assert w.ledger.read() == ()


def test_the_ledgers_account_pins_a_target_without_one(world):
    w = world()
    w.put(job())
    w.remember("created", job("b"), GONE, account="the-old-one")
    with pytest.raises(TargetRefusedError, match="the-old-one"):
        w.apply(job())


def test_lines_carry_account_target_and_commit(world):
    w = world()
    commit = Commit("0123abc", w.time.now())
    w.apply(job(), commit=commit)
    lines = w.ledger.read()
    assert {line.commit for line in lines} == {"0123abc"}
    assert {line.target for line in lines} == {"eu"}
    assert {line.account for line in lines[1:]} == {w.tasks()[0]["domainAccountId"]}


# --- outages, results, small parts ---------------------------------------------------------------------------


def test_an_account_that_cannot_be_listed_at_all_is_an_error(world, faults):
    w = world()
    faults.plan("list", *[Status(503)] * 3)
    with pytest.raises(ApiError):
        w.apply(job())
    assert w.tasks() == []


def test_an_outage_in_the_middle_is_waited_out(world, faults):
    w = world()
    faults.plan("list", *[None] * 4, *[Status(503)] * 9)
    result = w.apply(job(), wait=True, poll=10.0)
    assert result.exit_code == 0
    assert result.outage is None
    assert w.phases() == [("DONE", "START")]


def test_but_not_for_ever_and_the_summary_stays(world, faults):
    w = world()
    faults.plan("list", *[None] * 3, *[Status(503)] * 9999)
    result = w.apply(job(), wait=True, poll=30.0)
    assert result.exit_code == 1
    assert "503" in result.outage
    assert result.done == {Action.CREATE: 1, Action.START: 1}


def test_an_outage_at_the_very_end_keeps_the_summary(world, faults):
    w = world()
    run = w.run(job(), timeout=1000.0)
    faults.plan("start", lambda _: w.pass_time(1000.0), after=True)
    faults.plan("list", *[None] * 2, *[Status(503)] * 9)
    result = apply_plan(run)
    assert result.done[Action.START] == 1
    assert result.exit_code != 0


def test_a_round_that_was_looked_at_is_taken(world, faults):
    w = world()
    run = w.run(job())
    assert apply_plan(run, look(run)).exit_code == 0
    assert faults.calls[:3] == ["token", "list", "create"]


def test_steps_and_rounds_are_told(world):
    w = world()
    plans = []
    result = w.apply(job(), wait=True, watch=plans.append)
    assert [step.action for step in w.steps] == [step.action for step in result.steps]
    assert [step.outcome for step in w.steps] == [Outcome.DONE] * 3
    assert plans[0].changes[0].action is Action.CREATE
    assert plans[-1].in_sync == 1


def test_pages_of_one_are_read_to_the_end(world):
    w = world(page_size=1, order="id")
    assert w.apply(*[job(f"j{n}") for n in range(5)], wait=True).exit_code == 0
    assert paid(w.tasks()) == len(w.tasks()) == 5


def test_retention_does_not_make_it_buy_again(world):
    w = world(retention_seconds=900.0)
    assert w.apply(job("a"), job("b"), wait=True).exit_code == 0
    w.pass_time(1e5)
    result = w.apply(job("a"), job("b"), job("c"), wait=True)
    assert result.exit_code == 0
    assert w.events("a").count("start") == 1
    assert len(w.tasks()) == 1


def test_what_this_run_made_and_the_service_forgot_blocks_nobody(world):
    w = world(retention_seconds=700.0)
    result = w.apply(job("a"), job("b", depends_on=("a",)), wait=True, settle=30.0)
    assert result.exit_code == 0
    assert w.events("b")[-1] == "final"


def test_the_services_time_counts_once_it_is_known(world):
    w = world()
    run = w.run(job())
    assert run.now() == w.time.now()
    w.time.seconds += 3600.0
    look(run)
    assert abs(run.now() - w.time.now()) < timedelta(seconds=2)


def test_a_run_has_the_machines_clock_unless_it_is_given_another(world):
    w = world()
    run = w.run(job())
    fields = {name: getattr(run, name) for name in ("client", "ledger", "jobs", "policy", "scope")}
    plain = type(run)(**fields)
    assert isinstance(plain.clock, SystemClock)
    assert not plain.halted
    assert plain.report(None) is None
    assert plain.watch(None) is None


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"interrupted": True, "failures": {"a": "x"}}, ExitCode.INTERRUPTED),
        ({"failures": {"a": "x"}, "timed_out": True}, ExitCode.ERROR),
        ({"outage": "503"}, ExitCode.ERROR),
        ({"timed_out": True, "held": {"a": "x"}}, ExitCode.ATTENTION),
        ({"held": {"a": "x"}}, ExitCode.WITHHELD),
        ({}, ExitCode.OK),
    ],
)
def test_the_worst_that_happened_decides_the_exit_code(world, members, code):
    w = world()
    result = w.apply()
    changed = type(result)(plan=result.plan, **members)
    assert changed.exit_code is code
