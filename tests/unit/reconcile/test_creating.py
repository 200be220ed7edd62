from __future__ import annotations

import pytest

from shbatch_sync.emulator import Cut, Html, Lost, Status
from shbatch_sync.errors import LedgerError, TargetRefusedError
from shbatch_sync.job import DeclaredState
from shbatch_sync.ledger_line import Event
from shbatch_sync.marker import describe, parse
from shbatch_sync.plan import Action
from shbatch_sync.reconcile.creating import MangledError
from tests.unit.reconcile.conftest import description, job, paid

UNANSWERED = [Lost(), Status(503), Status(408), Html(502), Html(200)]


def test_a_job_is_created_sealed_started_and_its_end_remembered(world):
    w = world()
    result = w.apply(job("a"), job("b"), wait=True)
    assert result.exit_code == 0
    assert w.phases() == [("DONE", "START")] * 2
    assert w.events("a") == ["intent", "created", "sealed", "start", "final"]
    assert result.done == {Action.CREATE: 2, Action.START: 2}


@pytest.mark.parametrize("fault", UNANSWERED)
def test_an_unanswered_create_that_was_not_taken_in_is_made_again_after_the_settle(
    world, faults, fault
):
    w = world()
    faults.plan("create", fault)
    began = w.time.seconds
    result = w.apply(job(), wait=True, settle=60.0)
    assert result.exit_code == 0
    assert paid(w.tasks("a")) == len(w.tasks("a")) == 1
    assert w.events().count("intent") == 2
    created = next(line for line in w.ledger.read() if line.event is Event.CREATED)
    assert created.at.timestamp() >= began + 60.0
    assert "looked for before it is made again" in w.told("waiting")[0]


@pytest.mark.parametrize("fault", [*UNANSWERED, Cut(5)])
def test_an_unanswered_create_that_was_taken_in_is_found_by_its_marker(world, faults, fault):
    w = world()
    faults.plan("create", fault, after=True)
    result = w.apply(job(), wait=True, settle=60.0)
    assert result.exit_code == 0
    assert w.phases() == [("DONE", "START")]
    assert w.events() == ["intent", "sealed", "start", "final"]
    assert faults.calls.count("create") == 1


def test_each_create_call_has_a_nonce_of_its_own(world, faults):
    w = world()
    faults.plan("create", Lost())
    w.apply(job(), wait=True, settle=10.0)
    intents = [line.nonce for line in w.ledger.read() if line.event is Event.INTENT]
    assert len(set(intents)) == 2
    assert f"t={intents[1]}" in description(w.tasks()[0])


def test_nothing_is_created_while_another_runs_create_may_still_show(world):
    w = world()
    w.remember("intent", job(), None, nonce="aaaaaaaa")
    began = w.time.seconds
    assert w.apply(job(), settle=90.0).exit_code == 0
    created = next(line for line in w.ledger.read() if line.event is Event.CREATED)
    assert created.at.timestamp() >= began + 90.0


@pytest.mark.parametrize("lag", [2.0, 100.0])
def test_a_request_that_no_list_shows_yet_is_not_made_again(world, lag):
    w = world(lag=lag)
    result = w.apply(job("a"), job("b"), wait=True, settle=120.0)
    assert result.exit_code == 0
    assert len(w.tasks()) == paid(w.tasks()) == 2


def test_nor_is_one_that_another_run_made_just_now(world):
    w = world(lag=100.0)
    id_ = w.put(job(), sealed=False, nonce="aaaaaaaa")
    w.remember("intent", job(), None, nonce="aaaaaaaa")
    w.remember("created", job(), id_, nonce="aaaaaaaa")
    assert w.apply(job(), wait=True, settle=120.0).exit_code == 0
    assert [task["id"] for task in w.tasks()] == [id_]


def test_one_that_the_ledger_knows_is_asked_for_before_another_is_made(world, faults):
    w = world(lag=1e6)
    id_ = w.put(job())
    w.remember("created", job(), id_, nonce="aaaaaaaa")
    w.pass_time(5000.0)
    result = w.apply(job(), settle=60.0, poll=30.0)
    assert faults.calls.count("create") == 0
    assert "no list shows it" in result.failures["a"]


def test_one_that_is_gone_before_it_cost_anything_is_made_again(world):
    w = world()
    w.remember("created", job(), "11111111-0000-4000-8000-000000000000", nonce="aaaaaaaa")
    w.pass_time(5000.0)
    assert w.apply(job(), settle=60.0, wait=True).exit_code == 0
    assert w.phases() == [("DONE", "START")]


def test_where_it_cannot_be_asked_for_nothing_is_made(world, faults):
    w = world()
    w.remember("created", job(), "11111111-0000-4000-8000-000000000000", nonce="aaaaaaaa")
    w.pass_time(5000.0)
    faults.plan("get", *[Status(503)] * 4)
    result = w.apply(job(), settle=0.0, wait=True)
    assert result.exit_code == 0
    assert len(w.tasks()) == 1


def test_a_request_that_is_never_listed_is_given_up_and_said(world):
    w = world(lag=1e6)
    result = w.apply(job(), wait=True, settle=60.0, poll=30.0)
    assert result.exit_code == 1
    assert w.tasks()[0]["id"] in result.failures["a"]
    assert len(w.tasks()) == 1


def test_a_definite_no_fails_that_job_only(world, faults):
    w = world()
    faults.plan("create", Status(400, b'{"error": {"status": 400, "message": "no such grid"}}'))
    result = w.apply(job("a"), job("b"), wait=True)
    assert result.exit_code == 1
    assert "no such grid" in result.failures["a"]
    assert result.failures.keys() == {"a"}
    assert w.phases("b") == [("DONE", "START")]
    assert w.events("a") == ["intent", "retired"]


def test_too_few_processing_units_stop_creating(world, faults):
    w = world(pu_balance=500.0)
    result = w.apply(job("a"), job("b"), job("c"), parallelism=2)
    assert result.exit_code == 1
    assert result.failures.keys() == {"a"}
    assert result.held.keys() == {"b", "c"}
    assert faults.calls.count("create") == 1
    assert w.tasks() == []


def test_a_throttled_create_waits_as_long_as_it_is_told(world, faults):
    w = world()
    faults.plan("create", Status(429, headers={"Retry-After": "45000"}))
    began = w.time.seconds
    assert w.apply(job()).exit_code == 0
    assert 45.0 <= w.time.seconds - began < 60.0
    assert len(w.tasks()) == 1


def test_a_create_that_is_throttled_for_ever_fails_in_the_end(world, faults):
    w = world()
    faults.plan("create", *[Status(429)] * 2000)
    result = w.apply(job(), poll=30.0)
    assert result.exit_code == 1
    assert "429" in result.failures["a"]
    assert w.tasks() == []


def test_a_new_request_that_is_not_found_yet_is_waited_for(world, faults):
    w = world(get_lag=40.0)
    assert w.apply(job(), wait=True, settle=60.0).exit_code == 0
    assert faults.calls.count("get") < 12
    assert w.phases() == [("DONE", "START")]


def test_one_that_cannot_be_read_back_does_not_prove_the_service(world, faults):
    w = world()
    faults.plan("get", *[Status(500)] * 3)
    alone = []
    faults.plan("create", None, lambda _: alone.append(len(w.tasks())))
    result = w.apply(job("a"), job("b"), job("c"), wait=True)
    assert result.exit_code == 0
    assert alone == [1]
    assert len(w.tasks()) == 3


def test_reading_back_ends_at_some_time(world):
    w = world(get_lag=1e6)
    result = w.apply(job(), timeout=400.0, settle=0.0)
    assert result.exit_code == 4
    assert len(w.tasks()) == 1
    assert w.events() == ["intent", "created"]


def test_a_description_that_is_not_kept_stops_everything_before_a_start(world, faults):
    w = world()

    def cut(_):
        task = w.tasks()[-1]
        w.service.describe(task["id"], description(task)[:60])

    faults.plan("create", cut, after=True)
    with pytest.raises(MangledError, match="did not come back"):
        w.apply(job("a"), job("b"))
    assert w.phases() == [("CREATED", "NONE")]
    assert "start" not in w.events()


def test_another_run_may_have_sealed_it_before_it_is_read_back(world, faults):
    w = world()

    def seal(call):
        mark = parse(description(w.tasks()[0]))
        w.service.describe(call.request_id, describe("", mark.sealed_for(call.request_id)))

    faults.plan("get", seal)
    assert w.apply(job(), wait=True).exit_code == 0
    assert w.phases() == [("DONE", "START")]


def test_another_account_is_refused_at_the_first_answer(world, faults):
    w = world()
    with pytest.raises(TargetRefusedError, match="belongs to account other"):
        w.apply(job("a"), job("b"), account="other")
    assert faults.calls.count("create") == 1
    assert w.phases() == [("CREATED", "NONE")]
    (created,) = [line for line in w.ledger.read() if line.event is Event.CREATED]
    assert created.account == w.tasks()[0]["domainAccountId"]


def test_a_credential_is_posted_and_never_written_down(world):
    w = world()
    keys = {"/output/delivery/s3/accessKey": "KEY", "/output/delivery/s3/secretAccessKey": "SECRET"}
    wanted = job(credentials=keys)
    del wanted.spec["output"]["delivery"]["s3"]["iamRoleARN"]
    env = {"KEY": "AKIAVERYOPEN", "SECRET": "hush-hush-hush"}
    result = w.apply(wanted, env=env, wait=True)
    assert result.exit_code == 0
    told = f"{w.ledger.read()} {w.steps} {result} {wanted}"
    assert "hush-hush-hush" not in told
    assert "AKIAVERYOPEN" not in told


@pytest.mark.parametrize("env", [{}, {"KEY": ""}])
def test_an_unset_credential_fails_its_job_before_anything_is_sent(world, env):
    w = world()
    result = w.apply(
        job("a", credentials={"/output/delivery/s3/accessKey": "KEY"}), job("b"), env=env
    )
    assert result.exit_code == 1
    assert "environment variable KEY is not set" in result.failures["a"]
    assert w.events("a") == []
    assert len(w.tasks("b")) == 1


def test_a_credential_may_stand_in_a_list(world):
    w = world()
    wanted = job(credentials={"/processRequest/input/data/0/id": "KEY"})
    assert w.apply(wanted, env={"KEY": "mine"}).exit_code == 0
    assert w.tasks()[0]["request"]["processRequest"]["input"]["data"][0]["id"] == "mine"


@pytest.mark.parametrize(("event", "made"), [("intent", 0), ("created", 1)])
def test_without_a_line_nothing_is_created_nor_goes_on(world, event, made):
    w = world()
    w.ledger.fails_at = {Event(event)}
    with pytest.raises(LedgerError):
        w.apply(job("a"), job("b"))
    assert w.phases() == [("CREATED", "NONE")] * made
    w.ledger.fails_at = set()
    assert w.apply(job("a"), job("b"), wait=True).exit_code == 0
    assert len(w.tasks()) == 2


def test_creates_run_side_by_side_after_the_first(world):
    w = world()
    jobs = [job(f"j{n}") for n in range(12)]
    result = w.apply(*jobs, wait=True, parallelism=4)
    assert result.exit_code == 0
    assert paid(w.tasks()) == len(w.tasks()) == 12


@pytest.mark.parametrize(("refusals", "code"), [(1, 0), (2, 1)])
def test_a_create_that_is_refused_for_its_token_is_tried_once_more(world, faults, refusals, code):
    w = world()
    faults.plan("create", *[Status(401)] * refusals)
    assert w.apply(job(), wait=True).exit_code == code
    assert len(w.tasks()) == 2 - refusals


# --- what was made long ago ----------------------------------------------------------------------------------

LONG = 40 * 86400.0


def made_long_ago(w):
    """Remember a create of so long ago that lists are not expected to show it any more."""
    id_ = w.put(job(state=DeclaredState.CREATED))
    w.remember("created", job(state=DeclaredState.CREATED), id_)
    w.pass_time(LONG)
    return id_


def test_what_was_made_long_ago_and_is_gone_is_made_again(world):
    w = world()
    w.service.forget(made_long_ago(w))
    assert w.apply(job(state=DeclaredState.CREATED)).exit_code == 0
    assert len(w.tasks()) == 1


def test_but_not_while_nobody_can_say_that_it_is_gone(world, faults):
    w = world()
    w.service.forget(made_long_ago(w))
    faults.plan("get", *[Status(503)] * 400)
    result = w.apply(job(state=DeclaredState.CREATED), poll=60.0)
    assert w.tasks() == []
    assert "no list shows it; look for it before applying again" in result.failures["a"]


def test_nor_while_it_is_there_and_only_the_list_lacks_it(world, faults):
    w = world()
    id_ = made_long_ago(w)
    faults.plan("list", *[Status(200, b'{"data": [], "links": {}}')] * 30)
    result = w.apply(job(state=DeclaredState.CREATED), poll=60.0)
    assert [task["id"] for task in w.tasks()] == [id_]
    assert "no list shows it" in result.failures["a"]
