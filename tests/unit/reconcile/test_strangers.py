"""Another run is at work on the same job with another spec."""

from __future__ import annotations

import pytest

from shbatch_sync.plan import Gate
from tests.unit.reconcile.conftest import job

PATIENT = {"wait": True, "poll": 5.0}


def started_by_another(w, other):
    """Return a fault of a list call: another run has made and started a request just before."""

    def arrive(_):
        w.client().start_job(w.put(other))

    return arrive


def by_version(w):
    """Return where the requests of version 1 and 2 stand, and whether they cost anything."""
    return {
        task["request"]["processRequest"]["evalscript"][-2]: (task["status"], task["costPU"] > 0)
        for task in w.tasks()
    }


@pytest.mark.parametrize(("generation", "code"), [(1, 3), (2, 4)])
def test_what_another_run_starts_meanwhile_makes_ours_give_way(world, faults, generation, code):
    w = world()
    faults.plan("list", None, None, started_by_another(w, job(version=2, generation=generation)))
    result = w.apply(job(), **PATIENT)
    assert result.exit_code == code
    assert faults.calls.count("stop") >= 1
    w.pass_time(2000.0)
    assert by_version(w) == {"1": ("STOPPED", False), "2": ("DONE", True)}


@pytest.mark.parametrize(
    ("ours", "members"),
    [
        ({"generation": 2}, {}),
        ({}, {"allow": frozenset({Gate.REPLACE})}),
        ({"protect": True}, {}),
    ],
)
def test_unless_it_was_meant_or_must_not_be_stopped(world, faults, ours, members):
    w = world()
    faults.plan("list", None, None, started_by_another(w, job(version=2)))
    result = w.apply(job(**ours), **PATIENT, **members)
    assert result.held.keys() == {"a"}
    assert faults.calls.count("stop") == 0


def test_what_is_only_made_is_no_reason_to_stop_ours(world, faults):
    w = world()
    faults.plan("list", None, None, lambda _: w.put(job(version=2)) and None)
    assert w.apply(job(), **PATIENT).exit_code == 3
    w.pass_time(2000.0)
    assert by_version(w) == {"1": ("DONE", True), "2": ("CREATED", False)}


def test_a_duplicate_of_ours_is_stopped_all_the_same(world, faults):
    w = world()

    def arrive(_):
        w.put(job(version=2))
        w.client().start_job(w.put(job()))

    faults.plan("list", None, None, arrive)
    assert w.apply(job(), **PATIENT).exit_code == 3
    w.pass_time(2000.0)
    assert sorted(task["status"] for task in w.tasks()) == ["CREATED", "DONE", "STOPPED"]


def test_what_gave_way_is_not_gone_on_with_beside_what_was_paid_for(world, faults):
    w = world()
    faults.plan("list", None, None, started_by_another(w, job(version=2)))
    w.apply(job(), **PATIENT)
    w.pass_time(4000.0)
    result = w.apply(job(), wait=True)
    assert result.exit_code == 3
    assert {change.withheld.gate for change in result.plan.changes if change.withheld} == {
        Gate.REPLACE
    }
    assert by_version(w) == {"1": ("STOPPED", False), "2": ("DONE", True)}
    assert w.apply(job(), wait=True, allow=frozenset({Gate.REPLACE})).exit_code == 0
    assert by_version(w)["1"] == ("DONE", True)
