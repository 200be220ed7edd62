"""A person who was asked has agreed to what was shown, and to nothing that came later."""

from __future__ import annotations

from shbatch_sync.job import DeclaredState
from shbatch_sync.plan import Action
from shbatch_sync.reconcile import apply_plan
from shbatch_sync.reconcile.looking import look
from tests.unit.reconcile.conftest import job


def test_a_start_that_was_not_shown_is_held(world):
    w = world()
    run = w.run(job())
    run.agreed = frozenset()
    result = apply_plan(run)
    assert result.exit_code == 3
    assert result.done[Action.CREATE] == 1
    assert "not in the plan that was agreed to" in result.held["a"]
    assert w.phases("a") == [("CREATED", "NONE")]


def test_what_was_shown_is_started_now_or_later(world):
    w = world()
    first, second = job("a"), job("b", depends_on=("a",))
    run = w.run(first, second, wait=True)
    plan = look(run, record=False).plan
    run.agree(plan)
    assert run.agreed == {"a", "b"}
    assert apply_plan(run).exit_code == 0
    assert w.phases("b") == [("DONE", "START")]


def test_an_analysis_that_ends_in_a_start_is_a_start_to_agree_to(world):
    w = world()
    w.apply(job(state=DeclaredState.ANALYSED))
    plan = look(w.run(job()), record=False).plan
    assert [change.job for change in plan.later] == ["a"]
    waits = look(w.run(job(state=DeclaredState.ANALYSED)), record=False).plan
    assert waits.later == ()


def test_the_time_of_a_run_begins_when_it_is_agreed_to(world):
    w = world()
    run = w.run(job(), wait=True, timeout=3600.0)
    plan = look(run, record=False).plan
    w.pass_time(7200.0)
    run.agree(plan)
    assert not run.out_of_time


def test_where_nothing_was_asked_nothing_is_started(world):
    w = world()
    w.apply(job(state=DeclaredState.ANALYSED))
    run = w.run(job(), wait=True, poll=60.0)
    run.agree(None)
    assert apply_plan(run).exit_code == 3
    assert w.phases("a") == [("ANALYSIS_DONE", "ANALYSE")]
