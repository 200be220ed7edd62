from __future__ import annotations

from dataclasses import replace

import pytest

from shbatch_sync.emulator import Cut, Html, Lost, Status
from shbatch_sync.errors import LedgerError
from shbatch_sync.job import DeclaredState, RestartPolicy
from shbatch_sync.ledger_line import Event
from shbatch_sync.marker import Retired, describe, parse
from shbatch_sync.plan import Estimate, Gate
from tests.unit.reconcile.conftest import description, job, paid

LOST = [Lost(), Status(503), Status(408), Html(502), Status(429)]
REFUSED = (
    b'{"error": {"status": 400, "message": "the account is frozen", "code": "COMMON_BAD_PAYLOAD"}}'
)


def started(w, wanted=None):
    """Apply until it is processing; return its id."""
    w.apply(wanted or job())
    w.pass_time(100.0)
    (task,) = w.tasks()
    assert task["status"] == "PROCESSING"
    return task["id"]


def test_what_another_run_starts_though_it_was_retired_is_stopped(world, faults):
    w = world(accept_seconds=20.0, analysis_seconds=500.0)
    old = w.put(job(), retired=Retired.DUPLICATE)
    new = w.put(job())
    faults.plan("list", None, lambda _: w.client().start_job(old) or None)
    assert w.apply(job(), wait=True, poll=5.0).exit_code == 0
    assert [(task["id"], task["status"], task["costPU"] > 0) for task in w.tasks()] == [
        (old, "STOPPED", False),
        (new, "DONE", True),
    ]


@pytest.mark.parametrize("operation", ["update", "start", "get", "analyse"])
@pytest.mark.parametrize("fault", LOST)
def test_a_lost_call_is_decided_by_the_state(world, faults, operation, fault):
    for after in (False, True):
        w = world()
        faults.plan(operation, *[fault] * 5, after=after)
        result = w.apply(job("a"), job("b", state=DeclaredState.ANALYSED), wait=True)
        assert result.exit_code == 0
        assert w.phases("a") == [("DONE", "START")]
        assert w.phases("b") == [("ANALYSIS_DONE", "ANALYSE")]


def test_a_cut_answer_is_no_answer(world, faults):
    w = world()
    for operation in ("list", "get", "create", "token"):
        faults.plan(operation, Cut(7), after=True)
    assert w.apply(job(), wait=True).exit_code == 0
    assert paid(w.tasks()) == len(w.tasks()) == 1


def test_a_start_that_did_not_arrive_is_not_counted_twice(world, faults):
    w = world()
    price = Estimate(tiles=1, pixels=1, pu=100.0, low=100.0, high=100.0)
    faults.plan("start", *[Lost()] * 3)
    result = w.apply(job(), wait=True, estimates={"a": price}, max_start_pu=150.0)
    assert result.exit_code == 0
    assert w.phases() == [("DONE", "START")]


@pytest.mark.parametrize("operation", ["update", "start"])
def test_what_is_not_found_yet_is_waited_for(world, faults, operation):
    w = world()
    faults.plan(operation, *[Status(404)] * 3)
    result = w.apply(job(), wait=True)
    assert result.exit_code == 0
    assert any("not accepted yet" in text for text in w.told("waiting"))
    assert w.phases() == [("DONE", "START")]


def test_but_not_for_ever(world, faults):
    w = world()
    faults.plan("start", *[Status(404)] * 2000)
    result = w.apply(job(), poll=60.0)
    assert result.exit_code == 1
    assert "404" in result.failures["a"]
    assert w.phases() == [("CREATED", "NONE")]


@pytest.mark.parametrize("operation", ["update", "start", "analyse"])
def test_an_unexplained_refusal_fails_the_job_and_no_other(world, faults, operation):
    w = world()
    state = DeclaredState.ANALYSED if operation == "analyse" else DeclaredState.STARTED
    faults.plan(operation, Status(400, REFUSED))
    result = w.apply(job("a", state=state), job("b", state=state), wait=True)
    assert result.exit_code == 1
    assert "the account is frozen" in result.failures["a"]
    assert result.failures.keys() == {"a"}
    assert w.phases("a") == [("CREATED", "NONE")]
    assert w.phases("b") != [("CREATED", "NONE")]


def test_words_that_were_refused_where_a_request_no_longer_stands_are_written_later(world, faults):
    w = world()
    idle = job(state=DeclaredState.CREATED)
    w.apply(idle, wait=True)

    def while_it_was_processed(call):
        done = {"status": "DONE", "action": "START", "cost": 100.0, "share": 1.0}
        return w.service.force(call.request_id, **done) or Status(409)

    faults.plan("update", while_it_was_processed)
    assert w.apply(replace(idle, description="July"), wait=True).exit_code == 0
    assert "it went on meanwhile" in w.told("waiting")[0]
    assert description(w.tasks()[0]).startswith("July [")


def test_what_somebody_started_meanwhile_is_sealed_when_it_is_at_rest(world, faults):
    w = world()
    faults.plan(
        "update",
        lambda call: w.service.force(
            call.request_id, status="PROCESSING", action="START", due=None, since=None
        ),
    )
    result = w.apply(job())
    assert result.exit_code == 0
    assert "when it is at rest" in w.told("waiting")[0]
    (task,) = w.tasks()
    assert parse(description(task)).seal is None
    w.service.force(task["id"], status="DONE", cost=100.0, share=1.0)
    assert w.apply(job(), wait=True).exit_code == 0
    assert parse(description(w.tasks()[0])).seal == task["id"][:8]
    assert faults.calls.count("start") == 0
    assert w.events() == ["intent", "created", "start", "final", "sealed"]


def test_a_text_that_comes_back_otherwise_is_said_and_not_written_for_ever(world, faults):
    w = world()

    def drop(call):
        text = description(w.tasks()[0])
        w.service.describe(call.request_id, text.replace("May", "Mai"))

    faults.plan("update", *[drop] * 500, after=True)
    result = w.apply(job(description="May"), poll=30.0, wait=True)
    assert result.exit_code == 0
    assert w.phases() == [("DONE", "START")]
    assert sum("in other words" in step.detail for step in result.steps) == 1


def test_a_marker_that_does_not_come_back_is_put_back_as_it_was(world, faults):
    w = world()
    w.apply(job(description="May", state="created"))
    before = description(w.tasks()[0])

    def cut(call):
        w.service.describe(call.request_id, description(w.tasks()[0])[:40])

    faults.plan("update", cut, after=True)
    result = w.apply(job(description="May, and a text that is far too long", state="created"))
    assert result.exit_code == 1
    assert "is there a limit to its length?" in "".join(result.failures.values())
    assert description(w.tasks()[0]) == before


@pytest.mark.parametrize(("event", "calls"), [("start", 0), ("sealed", 0)])
def test_without_a_line_nothing_is_started(world, faults, event, calls):
    w = world()
    w.ledger.fails_at = {Event(event)}
    with pytest.raises(LedgerError):
        w.apply(job("a"), job("b"))
    assert faults.calls.count("start") == calls
    assert w.phases() == [("CREATED", "NONE")] * 2


def test_nor_is_anything_stopped(world, faults):
    w = world()
    started(w)
    w.ledger.fails_at = {Event.STOP}
    with pytest.raises(LedgerError):
        w.apply(job(state=DeclaredState.STOPPED))
    assert faults.calls.count("stop") == 0


def test_a_stop_is_offered_until_the_start_is_taken_in(world, faults):
    w = world(accept_seconds=60.0)
    w.apply(job())
    assert w.phases() == [("CREATED", "START")]
    result = w.apply(job(state=DeclaredState.STOPPED), poll=10.0, wait=True)
    assert result.exit_code == 0
    assert faults.calls.count("stop") > 3
    assert any(
        "Illegal to change userAction from START to STOP" in text for text in w.told("waiting")
    )
    assert w.phases() == [("STOPPED", "STOP")]
    assert w.tasks()[0]["costPU"] == 0


def test_a_stop_that_comes_too_late_is_done(world, faults):
    w = world()
    started(w)
    faults.plan(
        "stop", lambda call: w.service.force(call.request_id, status="DONE", cost=100.0, share=1.0)
    )
    result = w.apply(job(state=DeclaredState.STOPPED))
    assert result.exit_code == 0
    assert w.told("already") == ["another call had done it already"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("Illegal to change userAction from START to START with task status ANALYSING", 0),
        ("no", 1),
    ],
)
def test_a_start_that_another_run_has_made_and_no_read_shows_yet(world, faults, words, code):
    w = world()
    w.put(job())
    faults.plan("start", Status(400, REFUSED.replace(b"the account is frozen", words.encode())))
    result = w.apply(job(), wait=True, poll=10.0)
    assert result.exit_code == code
    assert w.phases("a") == [("DONE", "START") if code == 0 else ("CREATED", "NONE")]


def test_a_stop_that_is_refused_at_rest_fails(world, faults):
    w = world()
    id_ = started(w)
    faults.plan(
        "stop", lambda call: w.service.force(call.request_id, status="CREATED", action="NONE")
    )
    result = w.apply(job(state=DeclaredState.STOPPED))
    assert "Illegal to change userAction" in result.failures["a"]
    assert w.service.task(id_)["status"] == "CREATED"


def test_what_we_stopped_goes_on_when_it_is_declared_started_and_waits_its_half_hour(world, faults):
    w = world()
    started(w)
    assert w.apply(job(state=DeclaredState.STOPPED), wait=True).exit_code == 0
    assert parse(description(w.tasks()[0])).stopped
    stopped = w.time.seconds
    result = w.apply(job(), wait=True, poll=60.0)
    assert result.exit_code == 0
    assert w.time.seconds > stopped + 1700.0
    assert faults.calls.count("start") < 15
    assert w.phases() == [("DONE", "START")]
    mark = parse(description(w.tasks()[0]))
    assert (mark.attempt, mark.stopped) == (2, False)
    ends = [(line.status, line.attempt) for line in w.ledger.read() if line.event is Event.FINAL]
    assert ends == [("STOPPED", 1), ("DONE", 2)]


def test_without_wait_an_apply_does_not_stay_for_the_half_hour(world):
    w = world()
    started(w)
    w.apply(job(state=DeclaredState.STOPPED), wait=True)
    stopped = w.time.seconds
    assert w.apply(job()).exit_code == 0
    assert w.time.seconds < stopped + 60.0
    assert w.phases() == [("STOPPED", "STOP")]


def test_a_start_that_is_refused_is_not_counted_as_spent(world):
    w = world()
    started(w)
    w.apply(job(state=DeclaredState.STOPPED), wait=True)
    price = Estimate(tiles=1, pixels=1, pu=100.0, low=100.0, high=100.0)
    result = w.apply(job(), wait=True, poll=60.0, max_start_pu=150.0, estimates={"a": price})
    assert result.exit_code == 0
    assert w.phases() == [("DONE", "START")]


def test_what_is_started_later_counts_with_what_is_started_now(world, faults):
    w = world()
    price = Estimate(tiles=1, pixels=1, pu=100.0, low=100.0, high=100.0)
    jobs = [job("a"), job("b", depends_on=("a",))]
    prices = {"a": price, "b": price}
    result = w.apply(*jobs, wait=True, max_start_pu=150.0, estimates=prices)
    assert result.exit_code == 3
    assert faults.calls.count("start") == 0
    assert {change.withheld.gate for change in result.plan.changes} == {Gate.COST}
    assert w.apply(*jobs, wait=True, max_start_pu=200.0, estimates=prices).exit_code == 0
    assert w.phases() == [("DONE", "START")] * 2


@pytest.mark.parametrize(
    ("reason", "policy", "pause"),
    [
        ("OUT_OF_PU", "OnFailure", 3600.0),
        ("UNHEALTHY", "OnFailure", 0.0),
        ("OUT_OF_PU", "Always", 3600.0),
    ],
)
def test_what_the_service_stopped_goes_on_where_the_policy_says_so(world, reason, policy, pause):
    w = world()
    wanted = job(restart_policy=RestartPolicy(policy))
    w.service.stop(started(w, wanted), reason)
    stopped = w.time.seconds
    assert w.apply(wanted, wait=True, poll=60.0).exit_code == 0
    again = [line for line in w.ledger.read() if line.event is Event.START][-1]
    assert again.at.timestamp() >= stopped + pause - 2.0
    assert again.attempt == 2
    assert w.phases() == [("DONE", "START")]


@pytest.mark.parametrize("reason", ["OUT_OF_PU", "UNHEALTHY", "USER_ACTION"])
def test_and_is_for_a_person_where_it_does_not(world, faults, reason):
    w = world()
    id_ = started(w)
    w.service.stop(id_, reason)
    if reason == "USER_ACTION":
        w.service.force(id_, action="STOP", action_at=round(w.time.seconds * 1e6))
    result = w.apply(job(), wait=True)
    assert result.exit_code == 4
    assert "--restart a" in result.plan.changes[0].detail
    assert faults.calls.count("start") == 1
    w.pass_time(3600.0)
    assert w.apply(job(), wait=True, restart=frozenset({"a"})).exit_code == 0
    assert w.phases() == [("DONE", "START")]


def test_a_failed_job_is_tried_again_as_a_new_request_and_not_too_often(world):
    w = world()
    wanted = job(restart_policy=RestartPolicy.ON_FAILURE, attempts=2)
    w.service.fail(started(w, wanted))
    w.apply(wanted)
    w.pass_time(100.0)
    second = w.tasks()[1]
    assert second["status"] == "PROCESSING"
    assert parse(description(second)).attempt == 2
    w.service.fail(second["id"], "no bucket")
    result = w.apply(wanted, wait=True)
    assert result.exit_code == 4
    assert "2 of 2 attempts" in result.plan.changes[0].detail
    assert len(w.tasks()) == 2


def test_a_resume_keeps_what_was_written_in_the_same_round(world):
    w = world()
    wanted = job(restart_policy=RestartPolicy.ALWAYS, description="May")
    id_ = w.put(wanted, sealed=False, text="x")
    w.service.force(
        id_,
        status="STOPPED",
        action="STOP",
        reason="USER_ACTION",
        action_at=round(w.time.seconds * 1e6),
    )
    w.pass_time(4000.0)
    assert w.apply(wanted, wait=True).exit_code == 0
    text = description(w.tasks()[0])
    assert text.startswith("May [")
    assert (parse(text).seal, parse(text).attempt) == (id_[:8], 2)


def test_a_resume_whose_number_cannot_be_written_is_not_started(world, faults):
    w = world()
    wanted = job(restart_policy=RestartPolicy.ALWAYS)
    w.service.stop(started(w, wanted), "UNHEALTHY")
    faults.plan("update", Status(400, REFUSED))
    result = w.apply(wanted)
    assert result.exit_code == 1
    assert faults.calls.count("start") == 1


def test_an_end_is_written_once_even_where_two_runs_repeat_a_start(world):
    w = world()
    wanted = job()
    id_ = started(w, wanted)
    w.remember("start", wanted, id_)
    w.pass_time(30.0)
    w.service.stop(id_, "OUT_OF_PU")
    w.apply(wanted)
    w.apply(wanted)
    assert w.events().count("final") == 1


def test_the_younger_of_two_started_ones_is_stopped_before_it_costs(world):
    w = world(analysis_seconds=300.0)
    older, younger = w.put(job()), w.put(job())
    for id_ in (older, younger):
        w.service.force(
            id_, status="ANALYSING", action="START", due=round((w.time.seconds + 300) * 1e6)
        )
    result = w.apply(job(), wait=True, poll=10.0)
    assert result.exit_code == 0
    assert w.service.task(older)["status"] == "DONE"
    assert w.service.task(younger)["costPU"] == 0
    assert parse(description(w.service.task(younger))).retired == "dup"


def test_two_that_are_processed_are_left_to_a_person(world, faults):
    w = world()
    for id_ in (w.put(job()), w.put(job())):
        w.service.force(id_, status="PROCESSING", action="START")
    result = w.apply(job(), wait=True)
    assert result.exit_code == 4
    assert not {"stop", "start", "update"} & set(faults.calls)


def test_losers_are_retired_by_whichever_run(world):
    w = world()
    first, second = w.put(job(), sealed=False), w.put(job(), sealed=False)
    assert w.apply(job(), wait=True).exit_code == 0
    assert w.service.task(first)["status"] == "DONE"
    assert parse(description(w.service.task(second))).retired == "dup"
    retired = next(line for line in w.ledger.read() if line.event is Event.RETIRED)
    assert retired.request_id == second
    assert describe("", parse(description(w.service.task(second)))) in description(
        w.service.task(second)
    )


def another_marker(w):
    """Write a marker that another run might have written."""

    def write(call):
        mark = parse(description(w.tasks()[0]))
        w.service.describe(call.request_id, describe("", replace(mark, protected=True)))

    return write


def test_a_marker_that_another_run_wrote_over_is_written_again(world, faults):
    w = world()
    faults.plan("update", another_marker(w), after=True)
    assert w.apply(job(), wait=True).exit_code == 0
    assert "another run may have written it" in w.told("waiting")[0]
    assert not parse(description(w.tasks()[0])).protected
    assert w.phases() == [("DONE", "START")]


def test_and_given_up_when_it_never_sticks(world, faults):
    w = world()
    faults.plan("update", *[another_marker(w)] * 500, after=True)
    assert w.apply(job(), poll=60.0).exit_code == 1
    assert w.phases() == [("CREATED", "NONE")]


def test_where_the_old_marker_cannot_be_put_back_that_is_said(world, faults):
    w = world()

    def cut(call):
        w.service.describe(call.request_id, description(w.tasks()[0])[:70])

    faults.plan("update", cut, after=True)
    faults.plan("update", None, Status(400, REFUSED))
    result = w.apply(job(), wait=True)
    assert "cannot be written back" in result.failures["a"]
    assert faults.calls.count("start") == 0


@pytest.mark.parametrize("state", [DeclaredState.STARTED, DeclaredState.ANALYSED])
def test_an_action_is_not_repeated_while_the_list_may_lag_behind_it(world, faults, state):
    w = world()
    operation = "start" if state is DeclaredState.STARTED else "analyse"

    def unseen(call):
        w.service.force(call.request_id, status="CREATED", action="NONE", due=None)

    def seen(_):
        if operation in faults.calls:
            w.service.force(w.tasks()[0]["id"], status="DONE", action="START", cost=100.0)

    faults.plan(operation, unseen, after=True)
    faults.plan("list", *[None] * 5, seen)
    assert w.apply(job(state=state), wait=True).exit_code == 0
    assert faults.calls.count(operation) == 1
    assert any("lags behind" in text for text in w.told("waiting"))


def test_a_refusal_without_a_state_to_read_fails(world, faults):
    w = world()
    faults.plan("start", Status(400, REFUSED))
    faults.plan("get", *[None] * 2, *[Status(503)] * 3)
    result = w.apply(job())
    assert "the account is frozen" in result.failures["a"]


def test_a_start_that_is_refused_so_soon_after_a_stop_is_tried_later(world, faults):
    w = world()
    wanted = job(restart_policy=RestartPolicy.ALWAYS)
    w.service.stop(started(w, wanted), "UNHEALTHY")
    faults.plan("start", Status(400, REFUSED))
    assert w.apply(wanted, wait=True, poll=120.0).exit_code == 0
    assert any("too soon after its stop" in text for text in w.told("waiting"))
    assert w.phases() == [("DONE", "START")]
