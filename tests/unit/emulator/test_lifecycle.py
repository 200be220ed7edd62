from __future__ import annotations

from dataclasses import replace

import pytest

from shbatch_sync.emulator.lifecycle import (
    SECOND,
    IllegalActionError,
    State,
    Survey,
    Timing,
    advance,
    analyse,
    can_update,
    start,
    stop,
)

TIMING = Timing(
    accept=5 * SECOND,
    accept_analyse=0,
    analysis=30 * SECOND,
    processing=600 * SECOND,
    charges=4,
    stopping=5 * SECOND,
    restart=1800 * SECOND,
    start_in_analysing=True,
)
NOW = 10_000 * SECOND
DUE = NOW + 1
ACTIONS = {"analyse": analyse, "start": start, "stop": stop}


def state(status: str, action: str = "NONE", due: int | None = None, **members) -> State:
    members = {"action_at": NOW - 1, "updated": NOW - 1, "price": 100.0, **members}
    return State(status=status, action=action, due=due, **members)


# status, action, due → what analyse, start and stop lead to; None is refused
TABLE = [
    ("CREATED", "NONE", None, ("ANALYSING", "ANALYSE"), ("CREATED", "START"), None),
    ("CREATED", "ANALYSE", DUE, None, ("CREATED", "START"), None),
    ("CREATED", "START", DUE, None, None, None),
    ("ANALYSING", "ANALYSE", DUE, None, ("ANALYSING", "START"), ("ANALYSING", "STOP")),
    ("ANALYSING", "START", DUE, None, None, ("ANALYSING", "STOP")),
    ("ANALYSING", "STOP", DUE, None, None, None),
    ("ANALYSIS_DONE", "ANALYSE", None, None, ("ANALYSIS_DONE", "START"), ("STOPPED", "STOP")),
    ("ANALYSIS_DONE", "START", DUE, None, None, ("STOPPED", "STOP")),
    ("PROCESSING", "START", DUE, None, None, ("PROCESSING", "STOP")),
    ("PROCESSING", "STOP", DUE, None, None, None),
    ("STOPPED", "STOP", None, None, ("STOPPED", "START"), None),
    ("STOPPED", "START", None, None, ("STOPPED", "START"), None),
    ("STOPPED", "START", DUE, None, None, None),
    ("DONE", "START", None, None, None, None),
    ("DONE", "ANALYSE", None, None, None, None),
    ("FAILED", "START", None, None, None, None),
]


@pytest.mark.parametrize(
    ("status", "action", "due", "name", "outcome"),
    [
        (status, action, due, name, outcome)
        for status, action, due, *outcomes in TABLE
        for name, outcome in zip(ACTIONS, outcomes, strict=True)
    ],
)
def test_action(status, action, due, name, outcome):
    before = state(status, action, due)
    if outcome is None:
        with pytest.raises(IllegalActionError) as refusal:
            ACTIONS[name](before, NOW, TIMING)
        expected = f"Illegal to change userAction from {action} to {name.upper()} with task status {status}"
        assert str(refusal.value) == expected
    else:
        after = ACTIONS[name](before, NOW, TIMING)
        assert (after.status, after.action) == outcome
        assert (after.action_at, after.updated) == (NOW, NOW)


def test_start_in_analysing_can_be_refused():
    strict = replace(TIMING, start_in_analysing=False)
    with pytest.raises(IllegalActionError):
        start(state("ANALYSING", "ANALYSE", DUE), NOW, strict)


def test_analyse_can_take_a_while_to_be_accepted():
    slow = replace(TIMING, accept_analyse=7)
    asked = analyse(state("CREATED"), NOW, slow)
    assert (asked.status, asked.action, asked.due) == ("CREATED", "ANALYSE", NOW + 7)
    assert advance(asked, slow, survey=Survey(), balance=0).status == "ANALYSING"


def test_a_start_during_the_analysis_does_not_prolong_it():
    assert start(state("ANALYSING", "ANALYSE", DUE), NOW, TIMING).due == DUE


@pytest.mark.parametrize(("after", "refused"), [(0, True), (1799, True), (1800, False)])
def test_restart_waits_thirty_minutes_after_a_users_stop(after, refused):
    stopped = state("STOPPED", "STOP", action_at=NOW, reason="USER_ACTION")
    if refused:
        with pytest.raises(IllegalActionError, match="30 minutes"):
            start(stopped, NOW + after * SECOND, TIMING)
    else:
        assert start(stopped, NOW + after * SECOND, TIMING).action == "START"


@pytest.mark.parametrize("reason", ["OUT_OF_PU", "UNHEALTHY"])
def test_restart_does_not_wait_after_the_services_own_stop(reason):
    stopped = state("STOPPED", "START", reason=reason)
    assert start(stopped, NOW, TIMING).due == NOW + TIMING.accept


def step(before: State, *, survey: Survey = Survey(), balance: float = 1e9) -> State:  # noqa: B008
    return advance(before, TIMING, survey=survey, balance=balance)


def test_nothing_happens_at_rest():
    resting = state("DONE", "START")
    assert step(resting) is resting


def test_a_start_goes_through_to_the_end():
    seen = []
    current = start(state("CREATED"), NOW, TIMING)
    while current.due is not None:
        current = step(current)
        seen.append((current.status, (current.updated - NOW) // SECOND, current.cost))
    assert seen == [
        ("ANALYSING", 5, 0.0),
        ("ANALYSIS_DONE", 35, 0.0),
        ("PROCESSING", 40, 0.0),
        ("PROCESSING", 190, 25.0),
        ("PROCESSING", 340, 50.0),
        ("PROCESSING", 490, 75.0),
        ("DONE", 640, 100.0),
    ]


def test_an_analysis_alone_ends_at_rest():
    done = step(state("ANALYSING", "ANALYSE", DUE))
    assert (done.status, done.action, done.due, done.updated) == (
        "ANALYSIS_DONE",
        "ANALYSE",
        None,
        DUE,
    )


def test_a_stop_lets_the_analysis_finish():
    done = step(state("ANALYSING", "STOP", DUE))
    assert (done.status, done.reason, done.cost) == ("STOPPED", "USER_ACTION", 0.0)


def test_a_failed_analysis_says_why():
    failed = step(state("ANALYSING", "START", DUE), survey=Survey(error="bad script"))
    assert (failed.status, failed.error, failed.due) == ("FAILED", "bad script", None)


def test_nothing_left_to_do_is_done_for_nothing():
    done = step(state("ANALYSING", "START", DUE), survey=Survey(skip=1.0))
    assert (done.status, done.action, done.cost, done.share) == ("DONE", "START", 0.0, 1.0)


def test_what_is_there_is_not_paid_for():
    assert step(state("ANALYSING", "START", DUE), survey=Survey(skip=0.25)).price == 75.0


def test_a_stop_charges_what_is_in_flight():
    halted = step(state("PROCESSING", "STOP", DUE, since=DUE - 60 * SECOND, share=0.25, cost=25.0))
    assert (halted.status, halted.reason, halted.due) == ("STOPPED", "USER_ACTION", None)
    assert halted.cost == pytest.approx(35.0)


def test_a_stop_just_before_the_end_is_done():
    halted = step(state("PROCESSING", "STOP", DUE, since=DUE - 150 * SECOND, share=0.75, cost=75.0))
    assert (halted.status, halted.cost, halted.reason) == ("DONE", 100.0, None)


def test_out_of_units():
    stopped = step(state("PROCESSING", "START", DUE, since=NOW, share=0.5, cost=50.0), balance=24.9)
    assert (stopped.status, stopped.reason, stopped.cost) == ("STOPPED", "OUT_OF_PU", 50.0)
    assert stopped.action == "START"


def test_a_resumed_request_goes_on_where_it_was():
    resumed = start(
        state("STOPPED", "START", reason="OUT_OF_PU", share=0.5, cost=50.0), NOW, TIMING
    )
    seen = []
    while resumed.due is not None:
        resumed = step(resumed)
        seen.append((resumed.status, resumed.cost, resumed.reason))
    assert seen == [
        ("ANALYSIS_DONE", 50.0, None),
        ("PROCESSING", 50.0, None),
        ("PROCESSING", 75.0, None),
        ("DONE", 100.0, None),
    ]


@pytest.mark.parametrize(
    ("status", "action", "due", "possible"),
    [
        ("CREATED", "NONE", None, True),
        ("CREATED", "START", DUE, False),
        ("ANALYSING", "ANALYSE", DUE, True),
        ("ANALYSING", "START", DUE, False),
        ("ANALYSING", "STOP", DUE, True),
        ("ANALYSIS_DONE", "ANALYSE", None, True),
        ("ANALYSIS_DONE", "START", DUE, False),
        ("PROCESSING", "START", DUE, False),
        ("PROCESSING", "STOP", DUE, False),
        ("STOPPED", "STOP", None, True),
        ("STOPPED", "START", None, True),
        ("STOPPED", "START", DUE, False),
        ("DONE", "START", None, True),
        ("FAILED", "START", None, True),
    ],
)
def test_description_may_change(status, action, due, possible):
    assert can_update(state(status, action, due)) is possible
