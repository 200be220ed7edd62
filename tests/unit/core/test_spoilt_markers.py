"""Markers that people spoil at the moment that matters: before a new try, before a start, before a clean-up."""

from __future__ import annotations

import pytest

from shbatch_sync.marker import Retired
from shbatch_sync.plan import Gate, Policy
from shbatch_sync.restart import start_was_refused
from tests.unit.core.factories import (
    OTHER,
    ago,
    entry,
    job,
    ledger,
    live,
    mark,
    plan,
    request,
    rid,
    steps,
)

TRYING = {"state": "started", "restart_policy": "OnFailure"}


def test_no_new_try_while_a_copy_says_it_is_the_job():
    failed = request(1, "FAILED", "START")
    pasted = request(3, "PROCESSING", "START", marker=mark(2, attempt=2))
    made = plan(job(**TRYING), [failed, pasted])
    assert steps(made) == ["attention copy"]
    assert made.changes[0].request_id == rid(3)


def test_no_new_try_beside_one_whose_marker_is_damaged():
    broken = str(mark(2, attempt=2)).replace("r1", "r2")
    tried = request(2, "DONE", "START", marker=None, text=broken)
    made = plan(job(**TRYING), [request(1, "FAILED", "START"), tried], [entry("created", 2)])
    assert [step for step in steps(made) if "try" in step] == ["create new_try !twin"]
    held = next(change.withheld for change in made.changes if change.withheld)
    assert "`shbatch-sync repair` mends its marker" in str(held)


def test_no_start_beside_our_own_request_under_another_ones_marker():
    overwritten = request(2, "DONE", "START", marker=mark(9, job="evi"))
    lines = [entry("created", 2)]
    made = plan(job(state="started"), [request(1), overwritten], lines)
    assert steps(made) == ["start declared !twin"]
    assert "take the marker out of its description" in str(made.changes[0].withheld)
    lifted = Policy(allow=frozenset({Gate.TWIN}))
    assert steps(plan(job(state="started"), [request(1), overwritten], lines, lifted)) == [
        "start declared"
    ]


@pytest.mark.parametrize(
    ("seal", "lines", "left"),
    [
        ("own", [], ["update superseded"]),
        (None, [entry("intent", 2, body=OTHER)], ["update superseded"]),
        (None, [], []),
    ],
)
def test_only_what_proves_to_be_ours_is_retired(seal, lines, left):
    marker = mark(2, OTHER) if seal else mark(2, OTHER, seal=None)
    old = request(2, body=OTHER, marker=marker)
    made = plan(job(state="created"), [request(1), old], lines)
    assert steps(made) == left


def test_going_on_beside_what_lies_at_rest_is_not_asked_about_again():
    stopped = request(2, "STOPPED", "START", stoppedStatusReason="UNHEALTHY", updated=ago(days=1))
    made = plan(job(**TRYING), [request(1, "DONE", "START", marker=None), stopped])
    assert steps(made) == ["start resume"]
    made = plan(job(**TRYING), [request(1, "PROCESSING", "START", marker=None), stopped])
    assert steps(made) == ["start resume !twin"]
    assert "or stop it" in str(made.changes[0].withheld)


def test_a_start_that_was_refused_is_no_cost_once_its_request_is_retired():
    old = request(1, body=OTHER, marker=mark(1, OTHER, retired=Retired.OLD))
    lines = [entry("created", 1, body=OTHER), entry("start", 1, body=OTHER)]
    assert steps(plan(job(state="started"), [old, request(2)], lines)) == ["start declared"]


def test_what_has_lines_under_its_new_name_is_no_twin_of_its_old_one():
    lines = [
        entry(event, 1, job=name, status="DONE" if event == "final" else None)
        for name in ("old", "ndvi")
        for event in ("created", "start", "final")
    ]
    made = plan(job(state="started", generation=2), [request(1, "DONE", "START")], lines)
    assert steps(made) == ["replace generation_raised", "start declared"]
    only = [line for line in lines if line.job == "old"]
    assert "!twin" in steps(plan(job(state="started"), [], only))[0]


def test_what_was_stopped_as_declared_goes_on_without_another_word():
    first = entry("final", 1, body=OTHER, status="DONE", cost_pu=5.0, at=ago(days=2))
    begun = entry("start", 2, at=ago(hours=3))
    stopped = request(
        2, "STOPPED", "STOP", marker=mark(2, stopped=True), costPU=0.0, updated=ago(hours=2)
    )
    lines = [first, begun, entry("stop", 2, at=ago(hours=2))]
    made = plan(job(state="started"), [stopped], lines)
    assert steps(made) == ["start resume"]


def test_a_spec_whose_rival_never_ran_had_no_turn_before_it():
    mine = request(1, marker=mark(1, retired=Retired.OLD))
    rival = request(2, body=OTHER, marker=mark(2, OTHER))
    lines = [
        entry("created", 1, at=ago(hours=9)),
        entry("created", 2, body=OTHER, at=ago(hours=8)),
        entry("start", 2, body=OTHER, at=ago(hours=7)),
    ]
    assert steps(plan(job(state="created"), [mine, rival], lines))[0].startswith("replace")
    ran = request(2, "DONE", "START", body=OTHER, marker=mark(2, OTHER), costPU=5.0)
    assert steps(plan(job(state="created"), [mine, ran], lines)) == ["attention reverted"]


def test_a_generation_whose_create_was_refused_was_never_used():
    lines = [
        entry("intent", None, generation=2, nonce="refusedx"),
        entry("retired", None, generation=2, nonce="refusedx"),
    ]
    assert steps(plan(job(state="created"), [request(1)], lines)) == []
    assert steps(plan(job(state="created"), [request(1)], lines[:1])) == [
        "attention generation_lower"
    ]


def test_no_first_start_beside_what_another_checkout_started_under_another_name():
    renamed = request(2, "PROCESSING", "START", marker=mark(2, job="ndvi-x"))
    made = plan(job(state="started"), [request(1), renamed])
    assert "start declared !twin" in steps(made)
    assert "write previousNames: [ndvi-x]" in str(made.changes[0].withheld)
    idle = request(2, marker=mark(2, job="ndvi-x"))
    assert steps(plan(job(state="started"), [request(1), idle])) == ["start declared"]


def test_what_was_only_about_to_be_taken_over_is_not_ours_once_nobody_wants_it():
    foreign = request(1, "DONE", "START", marker=None)
    lines = [entry("adopted", 1), entry("start", 1)]
    assert steps(plan([], [foreign], lines)) == []
    assert steps(plan([], [foreign], [*lines, entry("sealed", 1)])) == ["attention damaged"]


def test_of_two_starts_of_one_try_the_first_one_tells_whether_it_was_taken_in():
    lines = [entry("start", 1, at=ago(minutes=90)), entry("start", 1, at=ago(minutes=20))]
    assert not start_was_refused(
        live(1, "STOPPED", "STOP", asked=ago(minutes=50), updated=ago(minutes=40)),
        ledger(*lines).of_request(rid(1)),
    )
    assert start_was_refused(
        live(1, "STOPPED", "STOP", asked=ago(minutes=50), updated=ago(minutes=40)),
        ledger(lines[1]).of_request(rid(1)),
    )
