"""Markers that people spoil at the moment that matters: before a new try, before a start, before a clean-up."""

from __future__ import annotations

import pytest

from shbatch_sync.plan import Gate, Policy
from tests.unit.core.factories import OTHER, entry, job, mark, plan, request, rid, steps

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
