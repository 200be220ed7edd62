"""What plan decides, cell by cell; the outcomes are written down by hand, not computed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shbatch_sync.marker import Commit, Retired
from shbatch_sync.plan import Action, Gate, Policy, Reason
from tests.unit.core.factories import (
    ACCOUNT,
    BODY,
    COSMETIC,
    NOW,
    OTHER,
    ago,
    entry,
    job,
    mark,
    plan,
    request,
    rid,
    spec,
    steps,
    table,
    told,
)

DECLARED = ("created", "analysed", "started", "stopped")

# --- where a request stands × what is declared ---------------------------------------------------------------
# Policy Never, sealed, same spec, nothing in the ledger.

PAIRS = """
# status        action   stop reason  | created         | analysed          | started           | stopped
CREATED         NONE     -            | -               | analyse declared  | start declared    | -
CREATED         -        -            | -               | analyse declared  | start declared    | -
# sent to analysis, and not yet seen to be analysed
CREATED         ANALYSE  -            | -               | wait analysing    | wait analysing    | stop declared
CREATED         START    -            | -               | -                 | wait starting     | stop declared
CREATED         STOP     -            | wait stopping   | wait stopping     | wait stopping     | wait stopping
ANALYSING       ANALYSE  -            | -               | wait analysing    | wait analysing    | stop declared
ANALYSING       NONE     -            | -               | wait analysing    | wait analysing    | stop declared
ANALYSING       START    -            | -               | -                 | wait starting     | stop declared
ANALYSING       STOP     -            | wait stopping   | wait stopping     | wait stopping     | wait stopping
ANALYSIS_DONE   ANALYSE  -            | -               | -                 | start declared    | -
ANALYSIS_DONE   NONE     -            | -               | -                 | start declared    | -
ANALYSIS_DONE   START    -            | -               | -                 | wait starting     | stop declared
ANALYSIS_DONE   STOP     -            | wait stopping   | wait stopping     | wait stopping     | wait stopping
PROCESSING      START    -            | -               | -                 | wait processing   | stop declared
PROCESSING      ANALYSE  -            | -               | -                 | wait processing   | stop declared
PROCESSING      -        -            | -               | -                 | wait processing   | stop declared
PROCESSING      STOP     -            | wait stopping   | wait stopping     | wait stopping     | wait stopping
DONE            START    -            | -               | -                 | -                 | -
DONE            ANALYSE  -            | -               | -                 | -                 | -
DONE            STOP     -            | -               | -                 | -                 | -
FAILED          START    -            | attention failed| attention failed  | attention failed  | -
FAILED          ANALYSE  -            | attention failed| attention failed  | attention failed  | -
FAILED          STOP     -            | attention failed| attention failed  | attention failed  | -
STOPPED         STOP     USER_ACTION  | -               | -                 | attention stopped | -
STOPPED         STOP     -            | -               | -                 | attention stopped | -
STOPPED         START    OUT_OF_PU    | -               | -                 | attention stopped | -
STOPPED         START    UNHEALTHY    | -               | -                 | attention stopped | -
STOPPED         START    FULL_MOON    | -               | -                 | attention stopped | -
# a START after a person's stop: it is being taken up again
STOPPED         START    USER_ACTION  | -               | -                 | wait starting     | stop declared
PAUSED          START    -            | wait unknown_state | wait unknown_state | wait unknown_state | wait unknown_state
PAUSED          NONE     -            | wait unknown_state | wait unknown_state | wait unknown_state | wait unknown_state
-               NONE     -            | wait unknown_state | wait unknown_state | wait unknown_state | wait unknown_state
CREATED         RERUN    -            | wait unknown_state | wait unknown_state | wait unknown_state | wait unknown_state
ANALYSIS_DONE   RERUN    -            | wait unknown_state | wait unknown_state | wait unknown_state | wait unknown_state
PROCESSING      RERUN    -            | wait unknown_state | wait unknown_state | wait unknown_state | wait unknown_state
STOPPED         RERUN    OUT_OF_PU    | wait unknown_state | wait unknown_state | wait unknown_state | wait unknown_state
FAILED          RERUN    -            | wait unknown_state | wait unknown_state | wait unknown_state | wait unknown_state
DONE            RERUN    -            | wait unknown_state | wait unknown_state | wait unknown_state | wait unknown_state
"""


def pair_cells():
    for pair, *cells in table(PAIRS):
        status, action, why = pair.split()
        for state, cell in zip(DECLARED, cells, strict=True):
            name = f"{status}-{action}-{why}-{state}"
            yield pytest.param(status, action, why, state, cell, id=name)


@pytest.mark.parametrize(("status", "action", "why", "state", "cell"), list(pair_cells()))
def test_each_pair_under_each_declared_state(status, action, why, state, cell):
    known = {} if why == "-" else {"stoppedStatusReason": why}
    listed = request(1, status.strip("-"), action.strip("-") or None, **known)
    made = plan(job(state=state), [listed])
    assert steps(made) == told(cell)
    assert made.in_sync == (cell == "-")
    assert all(change.request_id == rid(1) for change in made.changes)


@pytest.mark.parametrize(
    ("state", "cell"),
    [
        ("created", "create missing"),
        ("analysed", "create missing, analyse declared"),
        ("started", "create missing, start declared"),
        ("stopped", "-"),
    ],
)
def test_nothing_is_live(state, cell):
    made = plan(job(state=state))
    assert steps(made) == told(cell)
    assert made.in_sync == (cell == "-")


def test_done_after_analysis_that_cost_nothing_is_success():
    made = plan(job(state="started"), [request(1, "DONE", "ANALYSE", cost=0.0)])
    assert (steps(made), made.in_sync) == ([], 1)


@pytest.mark.parametrize(
    ("why", "asked", "cell"),
    [
        # The last action is older than the stop: it is the start that it was run by.
        ("OUT_OF_PU", {"asked": ago(hours=9), "updated": ago(hours=5)}, "attention stopped"),
        # The stop changed the request last, and the start came after: it is being taken up again.
        ("OUT_OF_PU", {"asked": ago(hours=4), "updated": ago(hours=5)}, "wait starting"),
        ("UNHEALTHY", {"asked": ago(hours=4), "updated": ago(hours=5)}, "wait starting"),
        ("UNHEALTHY", {"asked": ago(hours=9), "updated": ago(hours=5)}, "attention stopped"),
    ],
)
def test_a_start_later_than_the_stop_is_resuming(why, asked, cell):
    listed = request(1, "STOPPED", "START", stoppedStatusReason=why, **asked)
    assert steps(plan(job(state="started"), [listed])) == told(cell)


# --- restart? ------------------------------------------------------------------------------------------------

RESTART = """
# request                 | Never             | OnFailure           | Always              | Never, --restart
FAILED START -            | attention failed  | create new_try, start declared | create new_try, start declared | create new_try, start declared
STOPPED START OUT_OF_PU   | attention stopped | start resume        | start resume        | start resume
STOPPED START UNHEALTHY   | attention stopped | start resume        | start resume        | start resume
STOPPED START FULL_MOON   | attention stopped | attention stopped   | start resume        | start resume
STOPPED STOP  USER_ACTION | attention stopped | attention stopped   | start resume        | start resume
STOPPED STOP  -           | attention stopped | attention stopped   | start resume        | start resume
"""
POLICIES = (("Never", False), ("OnFailure", False), ("Always", False), ("Never", True))


def restart_cells():
    for pair, *cells in table(RESTART):
        for (policy, asked), cell in zip(POLICIES, cells, strict=True):
            yield pytest.param(pair.split(), policy, asked, cell, id=f"{pair}-{policy}-{asked}")


@pytest.mark.parametrize(("pair", "restart_policy", "asked", "cell"), list(restart_cells()))
def test_restart(pair, restart_policy, asked, cell):
    status, action, why = pair
    known = {} if why == "-" else {"stoppedStatusReason": why}
    policy = Policy(restart=frozenset({"ndvi"}) if asked else frozenset())
    made = plan(
        job(state="started", restart_policy=restart_policy),
        [request(1, status, action, **known)],
        policy=policy,
    )
    assert steps(made) == told(cell)


@pytest.mark.parametrize("state", ["created", "analysed", "stopped"])
def test_restart_is_for_what_is_declared_started(state):
    policy = Policy(restart=frozenset({"ndvi"}))
    made = plan(job(state=state, restart_policy="Always"), [request(1, "FAILED")], policy=policy)
    assert steps(made) == ([] if state == "stopped" else ["attention failed"])


def test_a_new_try_and_a_resume_are_counted_before_they_cost():
    failed = plan(job(state="started", restart_policy="OnFailure"), [request(1, "FAILED", "START")])
    assert failed.changes[0].marker.attempt == 2
    assert failed.changes[0].detail == f"try 2 after {rid(1)} failed"
    stopped = plan(job(state="started", restart_policy="Always"), [request(1, "STOPPED", "STOP")])
    (resume,) = stopped.changes
    assert resume.marker == replace(mark(1), attempt=2)


@pytest.mark.parametrize(
    ("attempt", "attempts", "cell"),
    [
        (1, 1, "attention attempts_used"),
        (1, 2, "create new_try, start declared"),
        (2, 3, "create new_try, start declared"),
        (3, 3, "attention attempts_used"),
        (4, 3, "attention attempts_used"),
    ],
)
@pytest.mark.parametrize("asked", [False, True])
def test_attempts_of_what_failed(attempt, attempts, cell, asked):
    declared = job(
        state="started", restart_policy="Never" if asked else "OnFailure", attempts=attempts
    )
    policy = Policy(restart=frozenset({"ndvi"}) if asked else frozenset())
    listed = request(1, "FAILED", "START", marker=mark(1, attempt=attempt))
    assert steps(plan(declared, [listed], policy=policy)) == told(cell)


@pytest.mark.parametrize(
    ("attempt", "cell"),
    [(1, "start resume"), (2, "start resume"), (3, "attention attempts_used")],
)
def test_attempts_of_what_stopped(attempt, cell):
    listed = request(
        1, "STOPPED", "START", stoppedStatusReason="UNHEALTHY", marker=mark(1, attempt=attempt)
    )
    assert steps(plan(job(state="started", restart_policy="OnFailure"), [listed])) == told(cell)


def test_attention_says_what_to_do():
    dry = request(1, "STOPPED", "START", stoppedStatusReason="OUT_OF_PU")
    (change,) = plan(job(state="started"), [dry]).changes
    assert change.detail == (
        "STOPPED, the account ran out of processing units; buy PU, then apply --restart ndvi"
    )
    person = request(1, "STOPPED", "STOP", stoppedStatusReason="USER_ACTION")
    (change,) = plan(job(state="started"), [person]).changes
    assert change.detail == "STOPPED by a person; to go on, apply --restart ndvi"
    (change,) = plan(job(state="started"), [request(1, "STOPPED", "STOP")]).changes
    assert "the service does not say why" in change.detail
    (change,) = plan(job(state="started"), [request(1, "FAILED", error="no such band")]).changes
    assert change.detail == "FAILED: no such band; mend the job, or apply --restart ndvi"
    (change,) = plan(job(state="created"), [request(1, "FAILED")]).changes
    assert change.detail == "FAILED, and the service does not say why"
    used = job(state="started", restart_policy="OnFailure", attempts=1)
    (change,) = plan(used, [request(1, "FAILED")]).changes
    assert change.detail.endswith("1 of 1 attempts are used; raise `attempts` to try again")


@pytest.mark.parametrize(
    ("minutes", "asked", "cell"),
    [
        (59, False, "wait too_soon"),
        (60, False, "start resume"),
        (59, True, "wait too_soon"),
        (61, True, "start resume"),
    ],
)
def test_an_account_that_ran_dry_rests_for_an_hour(minutes, asked, cell):
    listed = request(
        1, "STOPPED", "START", stoppedStatusReason="OUT_OF_PU", updated=ago(minutes=minutes)
    )
    declared = job(state="started", restart_policy="Never" if asked else "OnFailure")
    policy = Policy(restart=frozenset({"ndvi"}) if asked else frozenset())
    made = plan(declared, [listed], policy=policy)
    assert steps(made) == told(cell)
    if "wait" in cell:
        assert made.changes[0].detail == (
            "out of PU; may be started again from 2024-06-10 12:01 UTC"
            + (" by --wait, or --restart ndvi again" if asked else "")
        )


def test_an_hour_that_cannot_be_counted_is_not_waited_for():
    listed = request(1, "STOPPED", "STOP", stoppedStatusReason="OUT_OF_PU")
    known = listed.to_dict() | {"lastUpdated": None, "userActionUpdated": None}
    listed = type(listed).from_dict(known)
    assert steps(plan(job(state="started", restart_policy="Always"), [listed])) == ["start resume"]


STOP_LINES = [entry("start", at=ago(hours=40)), entry("stop", at=ago(hours=31))]
BY_US = [
    pytest.param("STOP", "USER_ACTION", True, [], "start resume", id="marker"),
    pytest.param("STOP", "USER_ACTION", False, STOP_LINES, "start resume", id="ledger"),
    pytest.param("STOP", None, False, STOP_LINES, "start resume", id="ledger, no reason given"),
    pytest.param(
        "STOP",
        "USER_ACTION",
        False,
        [entry("stop", at=ago(hours=60)), entry("start", at=ago(hours=50), attempt=2)],
        "attention stopped",
        id="our later start, then a person",
    ),
    pytest.param(
        "START",
        "OUT_OF_PU",
        True,
        [],
        "attention stopped",
        id="marker, but started again later",
    ),
    pytest.param(
        "START",
        "OUT_OF_PU",
        False,
        STOP_LINES,
        "attention stopped",
        id="ledger, but started again later",
    ),
]


@pytest.mark.parametrize(("action", "why", "marked", "lines", "cell"), BY_US)
def test_what_we_stopped_goes_on_when_it_is_declared_started(action, why, marked, lines, cell):
    known = {"stoppedStatusReason": why} if why else {}
    listed = request(1, "STOPPED", action, marker=mark(1, stopped=marked), **known)
    made = plan(job(state="started"), [listed], lines)
    # That it was ours may be noted on the way.
    assert steps(made)[-1:] == told(cell)
    assert set(steps(made)[:-1]) <= {"update stopped_by_us"}
    if cell == "start resume":
        assert not made.changes[-1].marker.stopped


def test_our_stop_is_written_into_the_marker():
    listed = request(1, "STOPPED", "STOP", stoppedStatusReason="USER_ACTION")
    made = plan(job(state="stopped"), [listed], STOP_LINES)
    (change,) = made.changes
    assert change.action is Action.UPDATE
    assert change.marker == mark(1, stopped=True)


def test_our_stop_goes_along_with_any_other_update():
    listed = request(1, "STOPPED", "STOP", stoppedStatusReason="USER_ACTION")
    made = plan(job(state="stopped", description="May"), [listed], STOP_LINES)
    assert steps(made) == ["update description_changed"]
    assert made.changes[0].marker == mark(1, stopped=True)


def test_a_start_that_was_refused_has_not_used_its_number_up():
    listed = request(1, "STOPPED", "STOP", asked=ago(hours=2), marker=mark(1, attempt=2))
    lines = [
        entry("stop", at=ago(hours=2)),
        entry("start", at=ago(hours=1), attempt=2),
    ]
    change = plan(job(state="started", restart_policy="Always"), [listed], lines).changes[-1]
    assert (change.action, change.marker.attempt) == (Action.START, 2)


@pytest.mark.parametrize("case", ["text", "seal", "digest"])
def test_a_resume_keeps_what_the_update_before_it_wrote(case):
    before = {"text": mark(1), "seal": mark(1, seal=None), "digest": mark(1)}[case]
    declared = job(
        state="started",
        restart_policy="Always",
        description="new" if case == "text" else None,
        spec=COSMETIC if case == "digest" else BODY,
    )
    listed = request(1, "STOPPED", "STOP", marker=before, text="old")
    made = plan(declared, [listed])
    update, start = made.changes
    assert (update.action, start.action) == (Action.UPDATE, Action.START)
    assert start.marker == replace(update.marker, attempt=2)
    assert start.text == update.text


# --- spec and description ------------------------------------------------------------------------------------

SPECS = {
    "same": BODY,
    "cosmetic": COSMETIC,
    "changed": OTHER,
}
WRITING = """
# request            spec     | unowned            | same               | changed
CREATED NONE         same     | -                  | -                  | update description_changed
CREATED NONE         cosmetic | update cosmetic    | update cosmetic    | update description_changed
ANALYSING ANALYSE    same     | -                  | -                  | wait deferred
ANALYSING ANALYSE    cosmetic | wait deferred      | wait deferred      | wait deferred
ANALYSIS_DONE NONE   same     | -                  | -                  | update description_changed
ANALYSIS_DONE NONE   cosmetic | update cosmetic    | update cosmetic    | update description_changed
CREATED START        same     | -                  | -                  | wait deferred
CREATED START        cosmetic | wait deferred      | wait deferred      | wait deferred
PROCESSING START     same     | -                  | -                  | wait deferred
PROCESSING START     cosmetic | wait deferred      | wait deferred      | wait deferred
DONE START           same     | -                  | -                  | update description_changed
DONE START           cosmetic | update cosmetic    | update cosmetic    | update description_changed
STOPPED STOP         same     | -                  | -                  | update description_changed
STOPPED STOP         cosmetic | update cosmetic    | update cosmetic    | update description_changed
FAILED START         same     | attention failed   | attention failed   | attention failed
FAILED START         cosmetic | attention failed   | attention failed   | attention failed
"""


def writing_cells():
    for pair, *cells in table(WRITING):
        for text, cell in zip((None, "ours", "other"), cells, strict=True):
            yield pytest.param(*pair.split(), text, cell, id=f"{pair}-{text}")


@pytest.mark.parametrize(("status", "action", "kind", "text", "cell"), list(writing_cells()))
def test_spec_and_description(status, action, kind, text, cell):
    listed = request(1, status, action, text="ours")
    made = plan(job(state="created", description=text, spec=SPECS[kind]), [listed])
    assert steps(made) == told(cell)
    for change in made.changes:
        if change.action is Action.UPDATE:
            assert change.marker == mark(1, SPECS[kind])
            assert change.text == (text or "ours")
            shown = [
                (field.path, field.before, field.after)
                for field in change.fields
                if not field.reason
            ]
            assert shown == ([("/description", "ours", "other")] if text == "other" else [])


@pytest.mark.parametrize("state", ["created", "analysed", "started", "stopped"])
def test_a_seal_is_written_before_anything_else_is_done(state):
    made = plan(job(state=state), [request(1, marker=mark(1, seal=None))])
    then = {"analysed": ["analyse declared"], "started": ["start declared"]}.get(state, [])
    assert steps(made) == ["update unsealed", *then]
    assert made.changes[0].marker == mark(1)


@pytest.mark.parametrize("protect", [False, True])
def test_protection_is_written_and_taken_away(protect):
    listed = request(1, "DONE", "START", marker=mark(1, protected=not protect))
    made = plan(job(protect=protect), [listed])
    assert steps(made) == ["update protect_changed"]
    assert made.changes[0].marker == mark(1, protected=protect)


REPLACED = """
# old request        cost | created | analysed | started
CREATED NONE         0    | replace spec_changed | replace spec_changed, analyse declared | replace spec_changed, start declared
ANALYSING ANALYSE    0    | replace spec_changed | replace spec_changed, analyse declared | replace spec_changed, start declared
ANALYSIS_DONE NONE   0    | replace spec_changed | replace spec_changed, analyse declared | replace spec_changed, start declared
FAILED START         0    | replace spec_changed | replace spec_changed, analyse declared | replace spec_changed, start declared
STOPPED STOP         0    | replace spec_changed | replace spec_changed, analyse declared | replace spec_changed, start declared
DONE ANALYSE         0    | replace spec_changed | replace spec_changed, analyse declared | replace spec_changed, start declared
CREATED START        0    | replace spec_changed !replace | replace spec_changed !replace, analyse declared !replace | replace spec_changed !replace, start declared !replace
PROCESSING START     0    | replace spec_changed !replace | replace spec_changed !replace, analyse declared !replace | replace spec_changed !replace, start declared !replace
PROCESSING START     7    | replace spec_changed !replace | replace spec_changed !replace, analyse declared !replace | replace spec_changed !replace, start declared !replace
DONE START           7    | replace spec_changed !replace | replace spec_changed !replace, analyse declared !replace | replace spec_changed !replace, start declared !replace
STOPPED STOP         7    | replace spec_changed !replace | replace spec_changed !replace, analyse declared !replace | replace spec_changed !replace, start declared !replace
FAILED START         7    | replace spec_changed !replace | replace spec_changed !replace, analyse declared !replace | replace spec_changed !replace, start declared !replace
"""


def replaced_cells():
    for pair, *cells in table(REPLACED):
        for state, cell in zip(DECLARED, cells, strict=False):
            yield pytest.param(*pair.split(), state, cell, id=f"{pair}-{state}")


@pytest.mark.parametrize(("status", "action", "cost", "state", "cell"), list(replaced_cells()))
def test_the_spec_changed(status, action, cost, state, cell):
    listed = request(1, status, action, cost=float(cost))
    made = plan(job(state=state, spec=OTHER), [listed])
    assert steps(made) == told(cell)
    first = made.changes[0]
    assert first.request_id == rid(1)
    real = [field.path for field in first.fields if not field.reason]
    assert real == ["/processRequest/evalscript"]
    allowed = plan(
        job(state=state, spec=OTHER), [listed], policy=Policy(allow=frozenset({Gate.REPLACE}))
    )
    assert steps(allowed) == told(cell.replace(" !replace", ""))


@pytest.mark.parametrize("status", ["PROCESSING", "DONE"])
def test_a_raised_generation_means_the_replacement(status):
    listed = request(1, status, "START", cost=7.0)
    made = plan(job(state="started", spec=OTHER, generation=2), [listed])
    assert steps(made) == ["replace generation_raised", "start declared"]
    again = plan(job(state="started", generation=2), [listed])
    assert steps(again) == ["replace generation_raised", "start declared"]
    assert not [field for field in again.changes[0].fields if not field.reason]


@pytest.mark.parametrize(
    ("status", "action"),
    [
        ("PAUSED", "START"),
        ("PROCESSING", "RERUN"),
    ],
)
@pytest.mark.parametrize("generation", [1, 2])
def test_an_unknown_state_blocks_a_create(status, action, generation):
    made = plan(
        job(state="started", spec=OTHER, generation=generation), [request(1, status, action)]
    )
    assert not any(change.effective for change in made.changes)


def test_what_is_stopping_is_still_processing_to_the_gate():
    made = plan(job(state="started", spec=OTHER), [request(1, "PROCESSING", "STOP")])
    assert not any(change.effective for change in made.changes)


def test_mending_what_failed_without_cost_needs_no_leave():
    failed = request(1, "FAILED", "START", error="no such band")
    assert steps(plan(job(state="started", spec=OTHER), [failed])) == [
        "replace spec_changed",
        "start declared",
    ]


@pytest.mark.parametrize("listed", [True, False])
def test_the_ledger_knows_that_the_failure_cost_nothing(listed):
    failed = [request(1, "FAILED", "START")] if listed else []
    lines = [entry("start"), entry("final", status="FAILED", cost_pu=0.0, at=ago(hours=3))]
    made = plan(job(state="started", spec=OTHER), failed, lines)
    assert not any(change.withheld for change in made.changes)


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        ([entry("final", status="DONE", cost_pu=40.0)], "an earlier request has cost 40 PU"),
        ([entry("start")], "an earlier request has cost 0 PU"),
        (
            [entry("start"), entry("final", status="STOPPED", cost_pu=1234.0)],
            "an earlier request has cost 1,234 PU",
        ),
    ],
)
def test_the_replace_gate_remembers_what_the_service_has_forgotten(lines, number):
    made = plan(job(state="started", spec=OTHER), [], lines)
    assert steps(made) == ["create missing !replace", "start declared !replace"]
    assert made.changes[0].withheld.number == number
    raised = plan(job(state="started", spec=OTHER, generation=2), [], lines)
    assert steps(raised) == ["create missing", "start declared"]


# --- replacing, step by step ---------------------------------------------------------------------------------

OLD, NEW = mark(1), mark(2, OTHER)
FRESH = replace(NEW, seal=None)
REPLACING = [
    # what is live, and what then happens, while `started` is declared with the gate lifted
    ([("PROCESSING", "START")], None, "replace spec_changed, start declared"),
    (
        [("PROCESSING", "START")],
        ("CREATED", "NONE", FRESH),
        "update unsealed, stop superseded, wait old_active",
    ),
    ([("PROCESSING", "START")], ("CREATED", "NONE", NEW), "stop superseded, wait old_active"),
    ([("CREATED", "START")], ("CREATED", "NONE", NEW), "stop superseded, wait old_active"),
    ([("ANALYSING", "ANALYSE")], ("CREATED", "NONE", NEW), "stop superseded, wait old_active"),
    ([("PROCESSING", "STOP")], ("CREATED", "NONE", NEW), "wait stopping, wait old_active"),
    ([("PAUSED", "STOP")], ("CREATED", "NONE", NEW), "wait unknown_state, wait old_active"),
    ([("STOPPED", "STOP")], ("CREATED", "NONE", NEW), "start declared, update superseded"),
    ([("DONE", "START")], ("CREATED", "NONE", NEW), "start declared, update superseded"),
    ([("FAILED", "START")], ("CREATED", "NONE", NEW), "start declared"),
    ([("STOPPED", "STOP")], ("PROCESSING", "START", NEW), "wait processing, update superseded"),
    ([("PROCESSING", "START")], ("PROCESSING", "START", NEW), "stop superseded, wait processing"),
    ([("STOPPED", "STOP")], ("DONE", "START", NEW), "update superseded"),
    (
        [("PROCESSING", "START"), ("STOPPED", "STOP")],
        ("CREATED", "NONE", NEW),
        "stop superseded, wait old_active, update superseded",
    ),
]


@pytest.mark.parametrize(("old", "new", "cell"), REPLACING)
def test_replacing_step_by_step(old, new, cell):
    listed = [
        request(10 + number, status, action, marker=mark(10 + number))
        for number, (status, action) in enumerate(old)
    ]
    if new:
        status, action, marker = new
        listed.append(request(2, status, action, body=OTHER, marker=marker))
    policy = Policy(allow=frozenset({Gate.REPLACE}))
    made = plan(job(state="started", spec=OTHER), listed, policy=policy)
    assert steps(made) == told(cell)
    for change in made.changes:
        if change.reason is Reason.SUPERSEDED and change.action is Action.UPDATE:
            assert change.marker.retired is Retired.OLD


def test_a_held_replacement_touches_nothing_but_its_own_seal():
    old = request(1, "DONE", "START", cost=5.0)
    new = request(2, body=OTHER, marker=FRESH)
    made = plan(job(state="started", spec=OTHER), [old, new])
    assert steps(made) == [
        "update unsealed",
        "start declared !replace",
        "update superseded !replace",
    ]


def test_a_replacement_that_was_started_needs_no_second_leave():
    old = request(1, "PROCESSING", "START", cost=5.0)
    new = request(2, "PROCESSING", "START", body=OTHER, marker=NEW)
    assert steps(plan(job(state="started", spec=OTHER), [old, new])) == [
        "stop superseded",
        "wait processing",
    ]
    stopped = request(2, "ANALYSIS_DONE", "NONE", body=OTHER, marker=NEW)
    started = [entry("start", 2, body=OTHER)]
    assert steps(plan(job(state="started", spec=OTHER), [old, stopped], started)) == [
        "stop superseded",
        "wait old_active",
    ]


def test_only_what_is_echoed_differently_is_no_other_spec():
    listed = request(1, "DONE", "START", cost=5.0, body=COSMETIC)
    assert steps(plan(job(state="started"), [listed])) == ["update cosmetic"]


# --- generations, and going back -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listed", "lines"),
    [
        ([request(1, marker=mark(1, generation=3))], []),
        ([request(1, "DONE", marker=mark(1, generation=3, retired=Retired.OLD))], []),
        ([], [entry("created", generation=3)]),
    ],
)
@pytest.mark.parametrize("state", DECLARED)
def test_a_lower_generation_is_refused(listed, lines, state):
    made = plan(job(state=state, generation=2), listed, lines)
    assert steps(made) == ["attention generation_lower"]
    assert "declare 3 or more" in made.changes[0].detail


MINE_THEN_OTHER = [
    entry("start", 1, at=ago(days=9)),
    entry("final", 1, status="DONE", cost_pu=5.0, at=ago(days=8)),
    entry("start", 2, body=OTHER, at=ago(days=5)),
]


def test_going_back_after_another_spec_ran():
    made = plan(job(state="started"), [], MINE_THEN_OTHER)
    assert steps(made) == ["attention reverted"]
    assert "declare generation 2" in made.changes[0].detail
    ahead = plan(job(state="started", generation=2), [], MINE_THEN_OTHER)
    assert steps(ahead) == ["create missing", "start declared"]


@pytest.mark.parametrize(
    ("status", "action", "cell"),
    [
        ("PROCESSING", "START", "attention reverted"),
        ("DONE", "START", "attention reverted"),
        ("PAUSED", "NONE", "attention reverted"),
        ("CREATED", "NONE", "replace spec_changed, start declared"),
        ("ANALYSIS_DONE", "NONE", "replace spec_changed, start declared"),
    ],
)
def test_going_back_as_the_list_shows_it(status, action, cell):
    mine = request(1, "STOPPED", "STOP", marker=mark(1, retired=Retired.OLD))
    other = request(2, status, action, body=OTHER, marker=mark(2, OTHER))
    assert steps(plan(job(state="started"), [mine, other])) == told(cell)


def test_the_other_ran_first():
    other = request(1, "DONE", "START", body=OTHER, marker=mark(1, OTHER))
    mine = request(2, "STOPPED", "STOP", marker=mark(2, retired=Retired.DUPLICATE))
    made = plan(job(state="created"), [mine, other])
    assert steps(made) == ["replace spec_changed"]


# --- the ledger ----------------------------------------------------------------------------------------------

FINAL = {
    "DONE": [entry("start"), entry("final", status="DONE", cost_pu=9.0, at=ago(hours=3))],
    "FAILED": [entry("start"), entry("final", status="FAILED", cost_pu=9.0, at=ago(hours=3))],
    "STOPPED": [entry("start"), entry("final", status="STOPPED", cost_pu=9.0, at=ago(hours=3))],
}
LINES = {
    "none": [],
    "intent": [entry("intent", None)],
    "refused": [entry("intent", None), entry("retired", None)],
    "created": [entry("intent", None), entry("created")],
    "sealed": [entry("intent", None), entry("created"), entry("sealed")],
    "start": [entry("intent", None), entry("created"), entry("start")],
    "DONE": FINAL["DONE"],
    "DONE other words": [
        entry("final", status="DONE", cost_pu=9.0, digest="1.000000000000"),
    ],
    "FAILED": FINAL["FAILED"],
    "STOPPED": FINAL["STOPPED"],
    "STOPPED by us": [*FINAL["STOPPED"], entry("stop", at=ago(hours=5))],
}
REMEMBERED = """
# lines           | created                 | analysed                                 | started | stopped
none              | create missing          | create missing, analyse declared         | create missing, start declared | -
intent            | create missing          | create missing, analyse declared         | create missing, start declared | -
refused           | create missing          | create missing, analyse declared         | create missing, start declared | -
created           | create missing          | create missing, analyse declared         | create missing, start declared | -
sealed            | create missing          | create missing, analyse declared         | create missing, start declared | -
start             | -                       | -                                        | create forgotten !recreate, start declared !recreate | -
DONE              | -                       | -                                        | - | -
DONE other words  | -                       | -                                        | - | -
FAILED            | attention failed        | attention failed                         | attention failed | -
STOPPED           | -                       | -                                        | attention stopped | -
STOPPED by us     | -                       | -                                        | create forgotten !recreate, start declared !recreate | -
"""


def remembered_cells():
    for name, *cells in table(REMEMBERED):
        for state, cell in zip(DECLARED, cells, strict=True):
            yield pytest.param(name, state, cell, id=f"{name}-{state}")


@pytest.mark.parametrize(("name", "state", "cell"), list(remembered_cells()))
def test_what_the_ledger_remembers_of_a_request_that_is_gone(name, state, cell):
    assert steps(plan(job(state=state), [], LINES[name])) == told(cell)


@pytest.mark.parametrize("policy", ["OnFailure", "Always"])
def test_a_failure_that_is_forgotten_may_be_tried_anew_where_that_is_allowed(policy):
    made = plan(job(state="started", restart_policy=policy), [], FINAL["FAILED"])
    assert steps(made) == ["create new_try", "start declared"]
    assert made.changes[0].marker.attempt == 2
    spent = plan(job(state="started", restart_policy=policy, attempts=1), [], FINAL["FAILED"])
    assert steps(spent) == ["attention attempts_used"]


def test_a_failure_without_a_start_line_is_still_a_failure():
    lines = [entry("created"), entry("final", status="FAILED", cost_pu=0.0)]
    assert steps(plan(job(state="started"), [], lines)) == ["attention failed"]


def test_recreate_is_lifted_and_counts_as_a_try():
    policy = Policy(allow=frozenset({Gate.RECREATE}))
    made = plan(job(state="started"), [], LINES["start"], policy=policy)
    assert steps(made) == ["create forgotten", "start declared"]
    assert made.changes[0].marker.attempt == 2
    # The next round sees the new request: it is started without being asked about again.
    listed = request(2, marker=mark(2, attempt=2))
    assert steps(plan(job(state="started"), [listed], LINES["start"])) == ["start declared"]


def test_never_paid_keeps_the_number_of_the_try():
    lines = [*FINAL["FAILED"], entry("intent", None, attempt=2, nonce="nonceaab")]
    declared = job(state="started", restart_policy="OnFailure")
    assert plan(declared, [], lines).changes[0].marker.attempt == 2


def test_no_other_request_of_a_key_is_started_beside_one_that_is_gone():
    rival = request(2)
    made = plan(job(state="started"), [rival], [entry("start", 1)])
    assert steps(made) == ["start declared !recreate"]
    lifted = plan(
        job(state="started"), [rival], [entry("start", 1)], Policy(allow=frozenset({Gate.RECREATE}))
    )
    assert steps(lifted) == ["start declared"]


def test_an_end_that_cost_nothing_frees_the_other():
    lines = [entry("start", 1), entry("final", 1, status="STOPPED", cost_pu=0.0, at=ago(hours=2))]
    assert steps(plan(job(state="started"), [request(2)], lines)) == ["start declared"]


def test_a_resume_without_an_end_bars_the_other():
    lines = [
        entry("start", 1, at=ago(days=9)),
        entry("final", 1, status="STOPPED", at=ago(days=8)),
        entry("start", 1, at=ago(days=7), attempt=2),
    ]
    made = plan(job(state="started"), [request(2)], lines)
    assert not any(change.effective and change.action is Action.START for change in made.changes)


@pytest.mark.parametrize(
    ("status", "action"),
    [("CREATED", "NONE"), ("ANALYSIS_DONE", "NONE"), ("STOPPED", "STOP"), ("FAILED", "START")],
)
def test_done_bars_every_further_try(status, action):
    declared = job(state="started", restart_policy="Always")
    made = plan(declared, [request(2, status, action)], FINAL["DONE"])
    costly = {Action.CREATE, Action.REPLACE, Action.START}
    assert not any(change.effective and change.action in costly for change in made.changes)


PUT_AWAY = [
    # what is left beside a request that is known as done → what happens to it
    (("CREATED", "NONE"), "update duplicate"),
    (("STOPPED", "STOP"), "update duplicate"),
    (("CREATED", "START"), "stop started_twice"),
    (("PROCESSING", "START"), "attention paid_twice"),
    (("PROCESSING", "STOP"), "wait stopping"),
    (("ANALYSING", "ANALYSE"), "wait analysing"),
    (("PAUSED", "NONE"), "wait unknown_state"),
    (("FAILED", "START"), "-"),
]


@pytest.mark.parametrize(("pair", "cell"), PUT_AWAY, ids=range(len(PUT_AWAY)))
def test_what_is_left_beside_a_request_that_is_known_as_done(pair, cell):
    assert steps(plan(job(state="started"), [request(2, *pair)], FINAL["DONE"])) == told(cell)


def test_a_lost_second_try_is_not_followed_by_a_third():
    lines = [
        entry("start", 1, at=ago(days=9)),
        entry("final", 1, status="FAILED", at=ago(days=8)),
        entry("start", 2, at=ago(days=7), attempt=2),
    ]
    made = plan(job(state="started", restart_policy="OnFailure", attempts=9), [], lines)
    assert not any(change.effective for change in made.changes)


def test_a_lost_second_try_is_not_followed_by_a_third_while_the_first_is_listed():
    lines = [
        entry("start", 1, at=ago(days=9)),
        entry("final", 1, status="FAILED", at=ago(days=8)),
        entry("start", 2, at=ago(days=7), attempt=2),
    ]
    declared = job(state="started", restart_policy="OnFailure", attempts=9)
    made = plan(declared, [request(1, "FAILED", "START")], lines)
    assert not any(change.effective for change in made.changes)


PAID_ENDS = [("STOPPED", 5.0), ("FAILED", 5.0), ("FAILED", 0.0)]


@pytest.mark.parametrize(("status", "cost"), PAID_ENDS)
def test_a_paid_end_of_a_lost_request_bars_the_other(status, cost):
    lines = [entry("start", 1), entry("final", 1, status=status, cost_pu=cost, at=ago(hours=2))]
    made = plan(job(state="started"), [request(2)], lines)
    assert not any(change.effective and change.action is Action.START for change in made.changes)


# --- markers -------------------------------------------------------------------------------------------------


def test_a_damaged_marker_is_attention_and_a_twin():
    broken = str(mark(1)).replace("r1", "r2")
    made = plan(job(state="started"), [request(1, "PROCESSING", "START", marker=broken)])
    assert steps(made) == ["create missing !twin", "start declared !twin", "attention damaged"]
    assert made.changes[-1].job == "ndvi"
    assert made.changes[-1].request_id == rid(1)
    assert "its checksum does not match" in made.changes[-1].detail


def test_a_damaged_marker_whose_body_is_another_bars_nothing():
    broken = str(mark(1)).replace("r1", "r2")
    made = plan(job(state="created"), [request(1, body=OTHER, marker=broken)])
    assert steps(made) == ["create missing", "attention damaged"]


@pytest.mark.parametrize("marker", [None, "", "May, for the boss"])
def test_a_marker_that_is_gone_but_in_the_ledger_is_damaged(marker):
    listed = request(1, "PROCESSING", "START", marker=marker or None)
    made = plan(job(state="started"), [listed], [entry("created")])
    assert steps(made) == ["create missing !twin", "start declared !twin", "attention damaged"]
    # It is there, so "the service no longer lists it" comes only after that is lifted.
    for allowed, gate in ((frozenset(), Gate.TWIN), (frozenset({Gate.TWIN}), Gate.RECREATE)):
        policy = Policy(allow=allowed)
        paid = plan(job(state="started"), [listed], [entry("start")], policy)
        held = [change.withheld for change in paid.changes if change.withheld]
        assert [withheld.gate for withheld in held] == [gate] * 2


def test_two_markers_in_one_description_are_damaged():
    made = plan(job(), [request(1, marker=f"{mark(1)} {mark(1)}")])
    assert steps(made) == ["create missing !twin", "attention damaged"]


def test_a_damaged_marker_of_another_project_is_none_of_our_business():
    other = str(mark(1, project="fields")).replace("r1", "r2")
    assert steps(plan(job(), [request(1, body=OTHER, marker=other)])) == ["create missing"]


def test_one_whose_owner_cannot_be_read_might_be_ours():
    made = plan(job(), [request(1, body=OTHER, marker="[shbatch-sync/1 ???]")])
    assert steps(made) == ["create missing", "attention damaged"]
    assert made.changes[-1].job == "(unknown)"


def test_a_copied_marker_is_never_ours_and_bars_a_create():
    copied = request(2, "PROCESSING", "START", marker=mark(1))
    made = plan(job(state="started"), [copied])
    assert steps(made) == ["attention copy"]
    assert made.changes[0].request_id == rid(2)


def test_a_copy_beside_the_original_is_warned_of():
    made = plan(job(state="started"), [request(1, "DONE", "START"), request(2, marker=mark(1))])
    assert (steps(made), made.in_sync) == ([], 1)
    assert made.warnings == (
        (
            f"request {rid(2)} carries the marker of job ndvi: its marker was made for another request; "
            "it is left alone"
        ),
    )


def test_a_copy_of_a_marker_without_a_seal_shows_in_its_body():
    copied = request(2, "CREATED", "NONE", body=OTHER, marker=mark(1, seal=None))
    made = plan(job(state="started"), [copied])
    assert steps(made) == ["attention copy"]
    assert "its body is not the one its marker was made for" in made.changes[0].detail
    # That our own create call made it is proof enough, whatever the service did to the body.
    known = plan(job(state="started"), [copied], [entry("created", 2, nonce=mark(1).nonce)])
    assert steps(known) == ["update unsealed", "start declared"]


@pytest.mark.parametrize("body", [BODY, OTHER])
@pytest.mark.parametrize("known", ["created", "sealed", "start"])
def test_a_marker_that_was_pasted_over_another_of_ours_is_a_copy(body, known):
    pasted = request(1, body=body, marker=mark(2, seal=None))
    made = plan(job(state="started"), [pasted], [entry(known, 1, job="evi")])
    assert steps(made) == ["attention copy"]
    made = plan(job(state="started"), [pasted, request(2)], [entry(known, 1, job="evi")])
    assert steps(made) == ["start declared"]
    assert any(rid(1) in warning for warning in made.warnings)


@pytest.mark.parametrize(
    ("original", "lines"),
    [
        ([request(1, body=OTHER, marker=mark(1, OTHER, seal=None))], []),
        ([request(9, body=OTHER, marker=mark(1, OTHER, seal=None))], []),
        ([request(3, body=OTHER, marker=mark(3, OTHER, nonce=mark(1).nonce))], []),
        ([], [entry("created", 1, body=OTHER)]),
    ],
)
def test_a_copy_of_a_marker_is_not_touched_whatever_is_declared_now(original, lines):
    copied = request(2, marker=mark(1, OTHER, seal=None))
    for declared in (
        job(state="created"),
        job("evi", state="created", spec=spec("s3://x/<tileName>")),
    ):
        made = plan(declared, [*original, copied], lines, Policy(prune=True))
        assert rid(2) not in {change.request_id for change in made.changes}
        assert any(rid(2) in warning for warning in made.warnings)


def test_which_of_two_with_one_marker_came_first_proves_nothing():
    both = [request(n, marker=mark(1, seal=None), text=f"May {n}") for n in (1, 2)]
    made = plan(job(state="started"), both)
    assert steps(made) == ["attention copy"]
    assert len(made.warnings) == 1
    assert steps(plan(job(state="started"), both, [entry("created", 2, nonce=mark(1).nonce)])) == [
        "update unsealed",
        "start declared",
    ]


def test_of_two_that_carry_one_calls_marker_one_wins_and_the_other_may_be_anybodys():
    both = [request(n, marker=mark(1, seal=None)) for n in (1, 2)]
    made = plan(job(state="started"), both, [entry("intent", None, nonce=mark(1).nonce)])
    assert steps(made) == ["update unsealed", "start declared"]
    assert {change.request_id for change in made.changes} == {rid(1)}
    assert any(rid(2) in warning for warning in made.warnings)
    # The same of two that lose against a third.
    won = request(9, marker=mark(9))
    made = plan(job(state="started"), [won, *both])
    assert steps(made) == ["start declared"]
    assert len(made.warnings) == 2


@pytest.mark.parametrize("lines", [[], [entry("start", 9), entry("final", 9, status="DONE")]])
def test_several_of_one_calls_marker_that_are_paid_for_are_told_and_left_alone(lines):
    both = [request(n, "PROCESSING", "START", marker=mark(1, seal=None)) for n in (1, 2)]
    idle, begun = request(3, marker=mark(1, seal=None)), request(4, "CREATED", "START")
    begun = request(4, "CREATED", "START", marker=mark(1, seal=None))
    made = plan(job(state="started"), [*both, idle, begun], lines)
    assert steps(made) == ["attention paid_twice"]
    assert rid(2) in made.changes[0].detail
    stopped = plan(job(state="stopped"), [*both, idle, begun], lines)
    assert [change.request_id for change in stopped.changes if change.effective] == [rid(1)]


def test_a_name_that_is_also_an_earlier_one_counts_once():
    back = job(state="started", previous_names=("ndvi", "old"))
    assert back.names == ("ndvi", "old")
    assert steps(plan(back, [request(1)])) == ["start declared"]


def test_what_is_to_be_adopted_and_is_another_jobs_is_never_made_again():
    lines = [entry("final", 5, status="DONE", job="evi")]
    others = request(5, "DONE", "START", marker=mark(5, job="evi"))
    assert steps(plan(job(adopt=ADOPTED), [others], lines))[0] == "attention adopt"


def test_what_carries_a_copied_marker_may_be_a_twin():
    copied = request(2, "PROCESSING", "START", marker=mark(1, job="evi"))
    made = plan(job(state="created"), [copied])
    assert steps(made) == ["create missing !twin"]
    assert "was made for another request" in made.changes[0].withheld.number


def test_members_that_only_the_echo_has_are_no_proof_of_a_copy():
    listed = request(1, marker=mark(1, seal=None)).to_dict()
    listed["request"]["newMember"] = 1
    made = plan(job(state="started"), [type(request()).from_dict(listed)])
    assert steps(made) == ["update unsealed", "start declared"]


def test_a_copy_with_another_body_beside_the_original_is_warned_of():
    copied = request(2, body=OTHER, marker=mark(1, seal=None))
    made = plan(job(state="started"), [request(1, "DONE", "START"), copied])
    assert any(rid(2) in warning for warning in made.warnings)


@pytest.mark.parametrize(
    "marker",
    [mark(1, OTHER), mark(1, OTHER, retired=Retired.OLD), mark(1, OTHER, generation=1, attempt=2)],
)
def test_a_copy_of_another_key_bars_nothing(marker):
    made = plan(job(state="started"), [request(2, body=OTHER, marker=marker)])
    assert steps(made) == ["create missing", "start declared"]


def test_copies_matter_no_more_once_the_job_is_done():
    copied = request(2, body=OTHER, marker=mark(1))
    assert steps(plan(job(state="started"), [copied], FINAL["DONE"])) == []


@pytest.mark.parametrize("retired", list(Retired))
def test_a_retired_request_counts_no_more(retired):
    listed = request(1, "DONE", "START", marker=mark(1, retired=retired))
    assert steps(plan(job(state="created"), [listed])) == ["create missing"]


@pytest.mark.parametrize(
    "listed",
    [
        request(1, "DONE", "START", body=OTHER, marker=None),
        request(1, "DONE", "START", body=OTHER, marker=mark(1, project="fields")),
        request(1, "DONE", "START", body=OTHER, marker="see shbatch-sync.example for more"),
    ],
)
def test_what_is_foreign_is_not_touched(listed):
    made = plan(job(state="created"), [listed])
    assert steps(made) == ["create missing"]
    assert made.orphans == 0


TWINS = [
    (request(1, "DONE", "START", marker=None), "it is not marked as ours"),
    (request(1, "DONE", "START", marker=mark(1, project="fields")), "it is not marked as ours"),
    (request(1, "DONE", "START", marker=mark(1, job="old")), "job old, not declared any more"),
]


@pytest.mark.parametrize(("listed", "why"), TWINS)
def test_the_same_work_under_another_name_is_a_twin(listed, why):
    made = plan(job(state="started"), [listed])
    assert steps(made) == ["create missing !twin", "start declared !twin"]
    assert made.changes[0].withheld.number == f"looks like request {rid(1)} ({why})"
    allowed = plan(job(state="started"), [listed], policy=Policy(allow=frozenset({Gate.TWIN})))
    assert steps(allowed) == ["create missing", "start declared"]


@pytest.mark.parametrize("name", ["start", "DONE", "FAILED"])
def test_a_ledger_line_under_a_name_that_is_gone_is_a_twin(name):
    lines = [replace(line, job="old") for line in LINES[name]]
    made = plan(job(state="started"), [], lines)
    assert steps(made) == ["create missing !twin", "start declared !twin"]
    assert made.changes[0].withheld.number == "looks like job old, which the ledger knows as run"
    # The other one is declared: two jobs with one body are the checks' business.
    both = [job("old", state="created"), job(state="created")]
    assert "!twin" not in " ".join(steps(plan(both, [], lines)))


@pytest.mark.parametrize("name", ["intent", "created"])
def test_what_was_never_paid_is_no_twin(name):
    lines = [replace(line, job="old") for line in LINES[name]]
    assert steps(plan(job(state="started"), [], lines)) == ["create missing", "start declared"]


@pytest.mark.parametrize(
    "changes",
    [{"url": "s3://other/<tileName>"}, {"resolution": 20}, {"to": "2024-05-30T00:00:00Z"}],
)
def test_other_work_is_no_twin(changes):
    listed = request(1, "DONE", "START", marker=None, body=spec(**changes))
    assert steps(plan(job(), [listed])) == ["create missing"]


UNMARKED = [
    (request(1, "CREATED", marker=None), []),
    (request(1, "PROCESSING", "START", marker=None), []),
    (request(1, "PROCESSING", "START", marker="gone"), [entry("created", 1)]),
    (request(1, "DONE", "START", marker=str(mark(1)).replace("r1", "r2")), []),
]


@pytest.mark.parametrize(("twin", "lines"), UNMARKED)
def test_nothing_is_started_beside_a_twin_that_has_lost_its_marker(twin, lines):
    made = plan(job(state="started"), [twin, request(2)], lines)
    assert steps(made)[0] == "start declared !twin"
    assert made.changes[0].withheld.number.startswith(f"looks like request {rid(1)}")
    assert made.changes[0].withheld.lift.endswith("--allow twin")
    allowed = Policy(allow=frozenset({Gate.TWIN}))
    made = plan(job(state="started"), [twin, request(2)], lines, allowed)
    assert steps(made)[0] == "start declared"


@pytest.mark.parametrize(
    "beside",
    [
        request(1, "PROCESSING", "START", marker=mark(1, project="fields")),
        request(1, "PROCESSING", "START", marker=None, body=OTHER),
        request(1, "FAILED", "START", marker=mark(1)),
    ],
)
def test_but_beside_other_work_and_beside_what_says_whose_it_is(beside):
    made = plan(
        job(state="started", restart_policy="OnFailure"),
        [beside, request(2, marker=mark(2, attempt=2))],
    )
    assert "start declared" in steps(made)


def test_nor_is_anything_gone_on_with_or_tried_again_beside_it():
    twin = request(1, "PROCESSING", "START", marker=None)
    stopped = request(2, "STOPPED", "START", stoppedStatusReason="UNHEALTHY", updated=ago(days=1))
    again = job(state="started", restart_policy="OnFailure")
    assert steps(plan(again, [stopped])) == ["start resume"]
    assert steps(plan(again, [twin, stopped])) == ["start resume !twin"]
    end = entry("final", 3, status="STOPPED", cost_pu=9.0)
    allowed = Policy(allow=frozenset({Gate.RECREATE}))
    assert steps(plan(again, [twin, request(2)], [end])) == ["start declared !recreate"]
    assert steps(plan(again, [twin, request(2)], [end], allowed)) == ["start declared !twin"]


@pytest.mark.parametrize("status", ["FAILED", "STOPPED"])
def test_what_ended_and_lost_its_marker_is_not_said_to_be_forgotten(status):
    end = [entry("final", 1, status=status, at=ago(hours=1))]
    for state in ("created", "started") if status == "FAILED" else ("started",):
        made = plan(job(state=state), [request(1, status, "START", marker=None)], end)
        assert "and its marker is gone" in made.changes[0].detail
        made = plan(job(state=state), [], end)
        assert "and the service has forgotten it" in made.changes[0].detail


def test_what_is_to_be_taken_over_is_a_twin_of_what_was_made_instead():
    twin = request(1, "PROCESSING", "START", marker=None)
    made = plan(job(state="started", adopt=rid(1)), [twin, request(2)])
    assert steps(made) == ["start declared !twin"]


# --- what counts no more, and was started all the same -------------------------------------------------------


def gone(number: int, status: str, body: dict | None = None, **members):
    members.setdefault("retired", Retired.OLD)
    return request(number, status, "START", body=body, marker=mark(number, body, **members))


@pytest.mark.parametrize("retired", list(Retired))
def test_a_retired_request_that_was_started_is_stopped_before_it_costs_anything(retired):
    made = plan(job(state="started"), [gone(1, "CREATED", retired=retired), request(2)])
    assert steps(made) == ["stop superseded", "wait old_active"]
    assert made.changes[0].request_id == rid(1)
    made = plan(job(state="created"), [gone(1, "CREATED", OTHER, retired=retired)])
    assert steps(made) == ["stop superseded", "create missing"]


def test_one_that_is_processing_goes_on_and_nothing_is_started_beside_it():
    made = plan(job(state="started"), [gone(1, "PROCESSING"), request(2)])
    assert steps(made) == ["wait old_active"]
    assert steps(plan(job(state="created"), [gone(1, "PROCESSING"), request(2)])) == []


@pytest.mark.parametrize("declared", [{"protect": True}, {"generation": 1}])
def test_unless_it_is_protected(declared):
    protected = gone(1, "CREATED", protected=True)
    made = plan(job(state="created", **declared), [protected, request(2)])
    assert steps(made)[0] == "stop superseded" + (" !protect" if "protect" in declared else "")
    assert steps(plan(job("other"), [protected])) == ["create missing", "stop superseded !protect"]


@pytest.mark.parametrize("known", [{}, {"elsewhere": frozenset({"ndvi"})}])
def test_whoever_declares_it(known):
    made = plan([], [gone(1, "CREATED")], **known)
    assert steps(made) == ["stop superseded"]
    assert steps(plan([], [gone(1, "CREATED")], selected=frozenset({"other"}))) == []


def test_no_gate_but_protection_holds_that_stop():
    commit = Commit("abcdef0", ago(hours=1))
    later = {"commit": Commit("1234567", NOW), "retired": Retired.OLD}
    jobs = [job(f"j{n:02}", state="created") for n in range(20)]
    listed = [gone(n, "CREATED", job=f"j{n:02}", **later) for n in range(10)]
    listed += [
        request(n + 20, marker=mark(n + 20, job=f"j{n:02}", commit=later["commit"]))
        for n in range(20)
    ]
    made = plan(jobs, listed, commit=commit, strange_commits=frozenset({"1234567"}))
    stops = [change for change in made.changes if change.action is Action.STOP]
    assert len(stops) == 10
    assert not [change for change in stops if change.withheld]


# --- several claimants ---------------------------------------------------------------------------------------

SEVERAL = [
    # two that were only created: the sealed one, else the oldest; the other is retired
    (
        [("CREATED", "NONE", True), ("CREATED", "NONE", False)],
        "start declared@1, update duplicate@2",
    ),
    (
        [("CREATED", "NONE", False), ("CREATED", "NONE", False)],
        "update unsealed@1, start declared@1, update duplicate@2",
    ),
    (
        [("CREATED", "NONE", False), ("CREATED", "NONE", True)],
        "start declared@2, update duplicate@1",
    ),
    (
        [("CREATED", "NONE", False), ("CREATED", "START", True)],
        "wait starting@2, update duplicate@1",
    ),
    (
        [("CREATED", "NONE", True), ("PROCESSING", "START", False)],
        "wait deferred@2, wait processing@2, update duplicate@1",
    ),
    ([("DONE", "START", True), ("CREATED", "NONE", True)], "update duplicate@2"),
    ([("DONE", "START", True), ("DONE", "START", True)], "update duplicate@2"),
    ([("DONE", "START", True), ("FAILED", "START", True)], "-"),
    ([("DONE", "START", True), ("CREATED", "START", True)], "stop started_twice@2"),
    # both started: the younger goes, before it costs
    (
        [("CREATED", "START", True), ("ANALYSING", "START", True)],
        "stop started_twice@2, wait starting@1",
    ),
    (
        [("PROCESSING", "START", True), ("CREATED", "START", True)],
        "stop started_twice@2, wait processing@1",
    ),
    # one that alone is processing is never stopped by this rule, though it is the younger
    (
        [("CREATED", "START", True), ("PROCESSING", "START", True)],
        "stop started_twice@1, wait processing@2",
    ),
    # both are being paid for: neither is touched
    ([("PROCESSING", "START", True), ("PROCESSING", "START", True)], "attention paid_twice@1"),
    ([("DONE", "START", True), ("PROCESSING", "START", True)], "attention paid_twice@1"),
    (
        [("PAUSED", "START", True), ("CREATED", "NONE", True)],
        "wait unknown_state@1, update duplicate@2",
    ),
    (
        [("PROCESSING", "STOP", True), ("CREATED", "NONE", True)],
        "wait stopping@1, update duplicate@2",
    ),
]


@pytest.mark.parametrize(("claimants", "cell"), SEVERAL)
def test_several_requests_of_one_key(claimants, cell):
    listed = [
        request(number, status, action, marker=mark(number) if sealed else mark(number, seal=None))
        for number, (status, action, sealed) in enumerate(claimants, 1)
    ]
    for order in (listed, listed[::-1]):
        made = plan(job(state="started"), order)
        at = {rid(1): "@1", rid(2): "@2"}
        found = [
            step + at[change.request_id]
            for step, change in zip(steps(made), made.changes, strict=True)
        ]
        assert sorted(found) == sorted(told(cell))


def test_the_smaller_id_breaks_a_tie():
    listed = [request(n, created=ago(days=2), marker=mark(n, seal=None)) for n in (2, 1)]
    made = plan(job(state="created"), listed)
    assert [(change.reason, change.request_id) for change in made.changes] == [
        (Reason.UNSEALED, rid(1)),
        (Reason.DUPLICATE, rid(2)),
    ]


def test_a_later_try_counts_and_the_earlier_is_history():
    listed = [request(1, "FAILED", "START"), request(2, marker=mark(2, attempt=2))]
    assert steps(plan(job(state="started"), listed)) == ["start declared"]
    done = [request(1, "FAILED", "START"), request(2, "DONE", "START", marker=mark(2, attempt=2))]
    assert steps(plan(job(state="started"), done)) == []


def test_a_resumed_request_retires_its_duplicates_too():
    listed = [
        request(1, "PROCESSING", "START", marker=mark(1, attempt=2)),
        request(2, marker=mark(2, seal=None)),
    ]
    assert "update duplicate" in steps(plan(job(state="started"), listed))


def test_declared_stopped_stops_every_claimant():
    listed = [request(1, "PROCESSING", "START"), request(2, "PROCESSING", "START")]
    assert steps(plan(job(state="stopped"), listed)) == ["stop declared", "stop declared"]


def test_declared_stopped_stops_requests_of_earlier_specs_and_late_rivals():
    listed = [
        request(1, "CREATED", "START"),
        request(2, "ANALYSING", "START"),
        request(3, "PROCESSING", "START", body=OTHER),
        request(4, "PROCESSING", "STOP", body=OTHER),
        request(5, "DONE", "START", body=OTHER),
    ]
    made = plan(job(state="stopped"), listed)
    assert sorted(steps(made)) == [
        "stop declared",
        "stop declared",
        "stop declared",
        "wait stopping",
    ]
    accepted = [change.detail for change in made.changes if change.request_id == rid(1)]
    assert accepted == ["as soon as the service accepts it"]


# --- orphans -------------------------------------------------------------------------------------------------

ORPHANS = """
# request            | prune off   | prune on        | at rest
CREATED NONE         | -           | -               | 1
ANALYSIS_DONE NONE   | -           | -               | 1
DONE START           | -           | -               | 1
FAILED START         | -           | -               | 1
STOPPED STOP         | -           | -               | 1
ANALYSING ANALYSE    | wait orphan | stop orphan     | 0
CREATED START        | wait orphan | stop orphan !stop | 0
PROCESSING START     | wait orphan | stop orphan !stop | 0
PROCESSING STOP      | wait stopping | wait stopping | 0
PAUSED START         | wait orphan | wait orphan     | 0
"""


@pytest.mark.parametrize(("pair", "off", "on", "resting"), table(ORPHANS))
def test_orphans(pair, off, on, resting):
    listed = [request(1, *pair.split(), marker=mark(1, job="gone"))]
    declared = job(state="created", spec=OTHER)
    for cell, policy in ((off, Policy()), (on, Policy(prune=True))):
        made = plan(declared, [*listed, request(2, body=OTHER)], policy=policy)
        assert steps(made) == told(cell)
        assert (made.orphans, made.in_sync) == (int(resting), 1)
    lifted = plan(
        declared,
        [*listed, request(2, body=OTHER)],
        policy=Policy(prune=True, allow=frozenset({Gate.STOP})),
    )
    assert steps(lifted) == told(on.replace(" !stop", ""))


def test_retired_requests_are_no_orphans():
    listed = request(1, "DONE", marker=mark(1, job="gone", retired=Retired.OLD))
    assert plan(job(state="stopped"), [listed]).orphans == 0


def test_jobs_of_other_targets_are_no_orphans():
    listed = request(1, "PROCESSING", "START", marker=mark(1, job="cdse-job"))
    policy = Policy(prune=True)
    made = plan(job(state="stopped"), [listed], policy=policy, elsewhere=frozenset({"cdse-job"}))
    assert (steps(made), made.orphans) == ([], 0)


# --- adopting ------------------------------------------------------------------------------------------------

ADOPTED = rid(5)
ADOPT = [
    # what is listed → what happens; never a create
    ([request(5, marker=None)], "adopt adopt"),
    ([request(5, "DONE", "START", marker=None)], "adopt adopt"),
    ([request(5, marker="[shbatch-sync/1 torn")], "adopt adopt"),
    ([request(5, body=COSMETIC, marker=None)], "adopt adopt"),
    ([request(5, body=OTHER, marker=None)], "attention adopt"),
    ([request(5, marker=mark(5, project="fields"))], "attention adopt"),
    ([request(5, marker=mark(5, job="evi"))], "attention adopt"),
    ([request(5, "PROCESSING", "START", marker=None)], "wait processing"),
    ([], "attention adopt"),
    # it is ours already
    ([request(5, "DONE", "START")], "-"),
    ([request(5)], "start declared"),
]


@pytest.mark.parametrize(("listed", "cell"), ADOPT, ids=range(len(ADOPT)))
def test_adopting(listed, cell):
    made = plan(job(state="started", adopt=ADOPTED), listed)
    assert steps(made) == told(cell)
    if cell == "adopt adopt":
        assert replace(made.changes[0].marker, nonce=mark(5).nonce) == mark(5)
        assert made.changes[0].request_id == ADOPTED
        assert "shbatch-sync" not in made.changes[0].text


def test_adopting_is_done_once():
    raised = job(state="created", adopt=ADOPTED, generation=2)
    assert steps(plan(raised, [request(5, "DONE", "START")]))[0] == "replace generation_raised"
    lines = [entry("adopted", 5), entry("final", 5, status="DONE"), entry("retired", 5)]
    assert steps(plan(raised, [], lines)) == ["create missing"]
    # Written down, and the run was killed before the marker was.
    torn = job(state="created", adopt=ADOPTED)
    done = request(5, "DONE", "START", marker=f"{mark(5)} {mark(5)}")
    for listed, known in ((request(5, marker=None), 1), (done, 2)):
        lines = [entry("adopted", 5), entry("start", 5)][:known]
        assert steps(plan(torn, [listed], lines)) == ["adopt adopt"]
        stopped = replace(torn, state=torn.state.STOPPED)
        assert steps(plan(stopped, [listed], lines)) == ["adopt adopt"]
        assert steps(plan(torn, [listed], [*lines, entry("start", 6)])) == []


@pytest.mark.parametrize("marker", [None, "Ana's [shbatch-sync/1 torn"])
def test_what_was_adopted_and_lost_its_marker_is_damaged(marker):
    listed = request(5, "DONE", "START", marker=marker)
    lines = [entry("adopted", 5), entry("sealed", 5), entry("final", 5, status="DONE")]
    made = plan(job(state="started", adopt=ADOPTED), [listed], lines)
    assert steps(made) == ["attention damaged"]
    assert steps(plan(job(state="started", adopt=ADOPTED), [listed], lines[:2])) == [
        "create missing !twin",
        "start declared !twin",
        "attention damaged",
    ]


def test_adopting_keeps_the_text_of_people_or_takes_the_manifests():
    listed = request(5, marker="Ana's request ")
    assert plan(job(adopt=ADOPTED), [listed]).changes[0].text == "Ana's request"
    assert plan(job(adopt=ADOPTED, description=" ours "), [listed]).changes[0].text == "ours"


def test_what_differs_is_shown_before_anything_is_adopted():
    (change,) = plan(job(adopt=ADOPTED), [request(5, body=OTHER, marker=None)]).changes
    assert [field.path for field in change.fields if not field.reason] == [
        "/processRequest/evalscript"
    ]
    assert change.request_id == ADOPTED


def test_what_was_adopted_and_is_done_may_be_forgotten():
    lines = [entry("adopted", 5), entry("start", 5), entry("final", 5, status="DONE", cost_pu=3.0)]
    assert steps(plan(job(state="started", adopt=ADOPTED), [], lines)) == []


def test_what_failed_is_not_waited_for():
    made = plan(job(state="started", adopt=ADOPTED), [request(5, "FAILED", "START", marker=None)])
    assert [change.action for change in made.changes] == [Action.ATTENTION]


def test_an_unknown_request_of_another_spec_blocks_a_new_try():
    listed = [request(1, "FAILED", "START"), request(2, "PAUSED", "NONE", body=OTHER)]
    made = plan(job(state="started", restart_policy="OnFailure"), listed)
    assert not any(change.effective for change in made.changes)


# --- renaming ------------------------------------------------------------------------------------------------

RENAMED = [
    ([request(1, "DONE", "START")], [], "update renamed"),
    ([request(1)], [], "update renamed, start declared"),
    ([request(1, "PROCESSING", "START")], [], "wait deferred, wait processing"),
    ([request(1, marker=mark(1, job="new"))], [], "start declared"),
    ([], [entry("start"), entry("final", status="DONE")], "-"),
    ([], [entry("start")], "create forgotten !recreate, start declared !recreate"),
    (
        [request(1, "DONE", "START", body=OTHER, cost=3.0)],
        [],
        "replace spec_changed !replace, start declared !replace",
    ),
    ([request(2, marker=mark(1))], [], "attention copy"),
]


@pytest.mark.parametrize(("listed", "lines", "cell"), RENAMED, ids=range(len(RENAMED)))
def test_renaming(listed, lines, cell):
    made = plan(job("new", state="started", previous_names=("ndvi",)), listed, lines)
    assert steps(made) == told(cell)
    if cell.startswith("update renamed"):
        assert made.changes[0].marker == mark(1, job="new")


def test_a_rename_that_was_taken_out_too_early_says_how_to_write_it_back():
    # It is deferred while the request is at work; the ledger has the lines under both names.
    lines = [entry(event, job=name) for event in ("created", "start") for name in ("ndvi", "new")]
    made = plan(job("new", state="started"), [request(1, "PROCESSING", "START")], lines)
    assert steps(made) == ["create forgotten !twin", "start declared !twin", "wait orphan"]
    assert "previousNames: [ndvi]" in made.changes[0].withheld.lift


@pytest.mark.parametrize("known", ["created", "sealed", "adopted", "start"])
def test_what_happened_to_a_request_under_another_name_is_known_under_each(known):
    """A rename that was taken back, or one that another checkout has not heard of, pays for nothing again."""
    lines = [entry(known), entry("start", job="new"), entry("final", status="DONE", job="new")]
    assert steps(plan(job(state="started"), [], lines)) == []
    other = plan(job(state="started", spec=OTHER), [], lines)
    assert steps(other)[0] == "create missing !replace"
    elsewhere = [replace(line, request_id=rid(2)) if line.job == "new" else line for line in lines]
    assert steps(plan(job(state="started"), [], elsewhere)) != []


def test_but_not_where_that_name_is_declared_beside_it():
    lines = [entry("created", job=name) for name in ("ndvi", "new")]
    lines += [entry("start", job="new"), entry("final", status="DONE", job="new", cost_pu=9.0)]
    both = [job(state="started", spec=OTHER), job("new", state="started")]
    assert steps(plan(both, [], lines)) == ["create missing", "start declared"]


# --- what the plan knows of itself ---------------------------------------------------------------------------


def test_a_new_request_carries_what_the_next_run_needs():
    made = plan(job(state="created", generation=4, protect=True, description=" May "))
    (change,) = made.changes
    expected = mark(1, seal=None, generation=4, protected=True, nonce="aaaaaaaa")
    assert (change.marker, change.text) == (expected, "May")
    assert change.origin.file == "jobs/ndvi.yaml"


def test_text_of_people_moves_on_to_the_replacement():
    old = request(1, text="ask Ana before you stop it")
    assert plan(job(spec=OTHER), [old]).changes[0].text == "ask Ana before you stop it"
    assert plan(job(spec=OTHER, description="ours"), [old]).changes[0].text == "ours"
    failed = request(1, "FAILED", text="ask Ana")
    made = plan(job(state="started", restart_policy="OnFailure"), [failed])
    assert made.changes[0].text == "ask Ana"


def test_lines_of_others_say_nothing():
    strangers = [
        entry("start", project="fields"),
        entry("start", account="another"),
        entry("start", account=None, target="cdse"),
        entry("start", job="evi", digest="1.000000000000", norm_digest="1.000000000000"),
    ]
    made = plan([job(state="started"), job("evi", state="stopped", spec=OTHER)], [], strangers)
    assert steps(made) == ["create missing", "start declared"]
    unknown = [entry("start", account=None)]
    assert "!recreate" in steps(plan(job(state="started"), [], unknown))[0]
    named = [entry("start", target="eu-old", account=ACCOUNT)]
    assert "!recreate" in steps(plan(job(state="started"), [], named))[0]


def test_waiting_says_what_for():
    half = request(1, "PROCESSING", "START")
    half = type(half).from_dict(half.to_dict() | {"completionPercentage": 42.4})
    (change,) = plan(job(state="started"), [half]).changes
    assert change.detail == "processing, 42 %"
    (change,) = plan(job(state="started"), [request(1, "ANALYSING", "ANALYSE")]).changes
    assert change.detail == "the service analyses it, then it is started"
    (change,) = plan(job(state="started"), [request(1, "PAUSED", "START")]).changes
    assert change.detail == "state PAUSED is not known to this version"
    assert plan(job(), now=NOW).facts.now == NOW


def test_two_jobs_of_one_name_are_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="the same name"):
        plan([job(), job()], [])


def test_what_a_second_run_left_behind_is_a_new_try_where_the_first_one_failed_and_is_forgotten():
    lines = [entry("created", 1), entry("start", 1), entry("final", 1, status="FAILED")]
    made = plan(job(state="started", restart_policy="OnFailure"), [request(2)], lines)
    assert steps(made) == ["start new_try"]
    assert made.changes[0].marker.attempt == 2
    refused = plan(job(state="started"), [request(2)], lines)
    assert steps(refused) == ["attention failed"]
    assert "FAILED and is forgotten" in refused.changes[0].detail
    busy = request(3, "PROCESSING", "START", body=OTHER, marker=mark(3, OTHER))
    waits = plan(job(state="started", restart_policy="OnFailure"), [request(2), busy], lines)
    assert "wait old_active" in steps(waits)
