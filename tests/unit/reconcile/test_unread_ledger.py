"""A ledger that cannot be read whole may hide what was paid for: nothing is changed until a person has looked."""

from __future__ import annotations

import pytest

from shbatch_sync.errors import TargetRefusedError
from shbatch_sync.reconcile.looking import look
from tests.unit.reconcile.conftest import job


def test_nothing_is_changed_and_the_plan_says_why(world):
    w = world()
    w.ledger.lost = [f"line {number}" for number in range(1, 8)]
    with pytest.raises(TargetRefusedError, match=r"line 1, line 2, .* and 2 more cannot be read"):
        w.apply(job())
    assert w.tasks() == []
    (warning,) = look(w.run(job()), record=False).plan.warnings
    assert "nothing is changed while it may tell of what was paid for" in warning


def test_where_nothing_is_to_be_changed_it_is_no_reason_to_refuse(world):
    w = world()
    w.put(job())
    w.client().start_job(w.tasks()[0]["id"])
    w.pass_time(4000.0)
    w.ledger.lost = ["line 1"]
    assert w.apply(job()).exit_code == 0
