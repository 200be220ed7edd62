"""Smaller parts of the core: phases, elections, inventories, standings, plan files, errors, the clock."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shbatch_sync.clock import SystemClock
from shbatch_sync.election import elect
from shbatch_sync.errors import (
    AnswerLostError,
    ApiError,
    BadRequestError,
    ConflictError,
    ExitCode,
    LedgerError,
    ManifestError,
    Problem,
    RateLimitedError,
    ServerError,
    ServiceUnreachableError,
    ShbatchError,
    StalePlanError,
    TargetRefusedError,
    UnreadableAnswerError,
)
from shbatch_sync.inventory import delivery_url
from shbatch_sync.marker import Commit, Retired
from shbatch_sync.ownership import survey
from shbatch_sync.phase import Phase, phase_of, stopped_at
from shbatch_sync.plan import Gate, Policy
from shbatch_sync.planfile import (
    Terms,
    estimate_to_json,
    file_digest,
    from_json,
    terms_from_json,
    to_json,
)
from shbatch_sync.standing import standings
from tests.unit.core.factories import (
    ACCOUNT,
    BODY,
    NOW,
    OTHER,
    PROJECT,
    ago,
    entry,
    facts,
    job,
    ledger,
    live,
    mark,
    plan,
    price,
    request,
    rid,
    spec,
    table,
)

# --- phases --------------------------------------------------------------------------------------------------

PHASES = """
# status       | none          | NONE          | ANALYSE       | START         | STOP
CREATED        | created       | created       | analysing     | starting      | stopping
ANALYSING      | analysing     | analysing     | analysing     | starting      | stopping
ANALYSIS_DONE  | analysis done | analysis done | analysis done | starting      | stopping
PROCESSING     | processing    | processing    | processing    | processing    | stopping
DONE           | done          | done          | done          | done          | done
FAILED         | failed        | failed        | failed        | failed        | failed
STOPPED        | stopped       | stopped       | stopped       | stopped       | stopped
NEW_STATE      | unknown       | unknown       | unknown       | unknown       | unknown
"""


@pytest.mark.parametrize("row", table(PHASES), ids=lambda row: row[0])
def test_pairs_make_phases(row):
    status, *expected = row
    actions = (None, "NONE", "ANALYSE", "START", "STOP")
    assert [phase_of(request(1, status, action)).value for action in actions] == expected


def test_a_resumed_request_whose_times_are_not_known_is_taken_for_stopped():
    stopped = request(1, "STOPPED", "START", stoppedStatusReason="UNHEALTHY").to_dict()
    for missing in ("lastUpdated", "userActionUpdated"):
        assert phase_of(type(request()).from_dict(stopped | {missing: None})) is Phase.STOPPED


def test_when_a_request_came_to_rest():
    known = request(1, "STOPPED", "STOP", asked=ago(hours=2), updated=ago(hours=1))
    assert stopped_at(known) == ago(hours=1)
    asked = type(known).from_dict(known.to_dict() | {"lastUpdated": None})
    assert stopped_at(asked) == ago(hours=2)


# --- elections -----------------------------------------------------------------------------------------------


def test_the_order_of_an_election():
    claimants = [
        live(1, "DONE", "START", marker=mark(1, seal=None)),
        live(2, "PROCESSING", "START", marker=mark(2, seal=None)),
        live(3, "CREATED", "START", marker=mark(3, seal=None)),
        live(4, "STOPPED", "STOP"),
        live(5, "CREATED", created=ago(days=9)),
        live(6, "CREATED", created=ago(days=9), marker=mark(6, seal=None)),
        live(7, "CREATED", created=ago(days=9), marker=mark(7, seal=None)),
        live(8, "CREATED", created=ago(days=1), marker=mark(8, seal=None)),
    ]
    # Sealed before unsealed; among the sealed 5 is older than 4.
    expected = [1, 2, 3, 5, 4, 6, 7, 8]
    for _ in range(len(expected)):
        claimants.append(claimants.pop(0))
        assert [found.id for found in elect(claimants).claimants] == [
            rid(number) for number in expected
        ]


def test_a_claimant_without_a_date_is_the_youngest():
    undated = live(1, marker=mark(1, seal=None))
    undated.request.created = None
    dated = live(2, marker=mark(2, seal=None))
    assert elect([undated, dated]).winner is dated


def test_outcomes_are_stable():
    both = [live(1, "PROCESSING", "START"), live(2, "PROCESSING", "START")]
    outcome = elect(both[::-1])
    assert [found.id for found in outcome.conflict] == [rid(1), rid(2)]
    assert (outcome.losers, outcome.surplus) == ((), ())


# --- inventories ---------------------------------------------------------------------------------------------


def test_an_inventory_of_everything():
    listed = [
        request(1),
        request(2, marker=mark(2, retired=Retired.OLD)),
        request(3, marker=mark(1)),
        request(4, marker=str(mark(4)).replace("r1", "r7")),
        request(5, marker=None),
        request(6, marker=None, body=spec(url="s3://elsewhere")),
        request(7, marker=mark(7, project="fields")),
        request(8, marker=None),
    ]
    made = survey([job()], iter(listed), ledger(entry("created", 8)), facts())
    assert [found.id for found in made.of_job(job())] == [rid(1)]
    assert [found.id for found in made.retired(job())] == [rid(2)]
    assert [found.request.request_id for found in made.copies] == [rid(3)]
    assert [found.request.request_id for found in made.damaged] == [rid(4), rid(8)]
    assert [found.job for found in made.damaged] == ["ndvi", "ndvi"]
    assert [found.request.request_id for found in made.lookalikes] == [rid(5), rid(7)]
    assert made.foreign == 3
    assert made.accounts == {ACCOUNT}
    assert made.ids == {rid(1), rid(2), rid(3), rid(4), rid(8)}
    assert made.of_job(job("none")) == ()


def test_an_account_that_is_not_told_is_none():
    nameless = type(request()).from_dict(request(1).to_dict() | {"domainAccountId": None})
    assert survey([], [nameless], ledger(), facts()).accounts == frozenset()


@pytest.mark.parametrize("description", [7, None, ["x"]])
def test_a_description_that_is_no_text_is_none(description):
    odd = request(1).to_dict()
    odd["request"]["description"] = description
    made = survey([], [type(request()).from_dict(odd)], ledger(), facts())
    assert made.foreign == 1


@pytest.mark.parametrize(
    ("body", "url"),
    [
        (BODY, "s3://bucket/ndvi/<tileName>/<outputId>.tif"),
        ({"output": {"delivery": {"gs": {"url": "gs://b"}}}}, "gs://b"),
        ({"output": {"delivery": {"s3": {}, "gs": {"url": 7}}}}, None),
        ({"output": {"delivery": "odd"}}, None),
        ({"output": []}, None),
        ({}, None),
    ],
)
def test_where_a_body_delivers(body, url):
    assert delivery_url(body) == url


# --- standings -----------------------------------------------------------------------------------------------


def rows(jobs, requests=(), lines=(), **known):
    memory = ledger(*lines)
    inventory = survey(jobs, requests, memory, facts(**known))
    return standings(jobs, inventory, memory, plan(jobs, requests, lines, **known))


def test_one_row_a_job():
    done = request(1, "DONE", "START", cost=7.5)
    (row,) = rows([job(state="started")], [done])
    assert (row.job, row.declared, row.state, row.request_id) == ("ndvi", "started", "done", rid(1))
    assert (row.status, row.user_action, row.cost_pu, row.next) == ("DONE", "START", 7.5, "")
    assert (row.results, row.updated) == (delivery_url(BODY), ago(hours=20))


def test_what_comes_next():
    assert rows([job(state="started")])[0].next == "create, start"
    assert rows([job(state="started")])[0].state == "none"
    waits = rows([job(state="started")], [request(1, "PROCESSING", "START")])
    assert waits[0].next == "wait: processing, 0 %"
    failed = rows([job(state="started")], [request(1, "FAILED", "START", error="no")])
    assert failed[0].next.startswith("! FAILED: no; mend the job")
    assert (failed[0].error, failed[0].state) == ("no", "failed")
    held = rows([job(state="started", max_pu=1)], [request(1)], estimates={"ndvi": price(5)})
    lift = "set a higher maxPU in jobs/ndvi.yaml:3, or --allow cost"
    assert held[0].next == f"withheld (cost); {lift}"
    stopped = rows(
        [job(state="started")], [request(1, "STOPPED", "STOP", stoppedStatusReason="USER_ACTION")]
    )
    assert stopped[0].stop_reason == "USER_ACTION"


def test_what_only_the_ledger_knows():
    lines = [entry("final", 3, status="DONE", cost_pu=9.0, at=ago(days=40))]
    (row,) = rows([job(state="started")], [], lines)
    assert (row.state, row.request_id, row.progress) == ("done earlier", rid(3), 100.0)
    assert (row.cost_pu, row.updated, row.next) == (9.0, ago(days=40), "")


@pytest.mark.parametrize("status", ["FAILED", "STOPPED"])
def test_an_end_that_only_the_ledger_knows(status):
    lines = [entry("start", 3), entry("final", 3, status=status, cost_pu=80.0)]
    (row,) = rows([job(state="started")], [], lines)
    assert (row.state, row.cost_pu, row.progress) == (f"{status.lower()} earlier", 80.0, None)
    assert row.next.startswith("! ")


def test_a_job_declared_anew_stands_where_the_old_request_does():
    (row,) = rows([job(state="created", spec=OTHER)], [request(1, "DONE", "ANALYSE")])
    assert (row.state, row.request_id, row.next) == ("done", rid(1), "replace")


def test_orphans_have_rows_and_retired_ones_none():
    listed = [
        request(1, "DONE", "START", marker=mark(1, job="gone")),
        request(2, "DONE", "START", marker=mark(2, job="gone", retired=Retired.OLD)),
    ]
    made = rows([job(state="stopped")], listed)
    assert [(row.job, row.declared, row.next) for row in made] == [
        ("gone", None, "no manifest declares it"),
        ("ndvi", "stopped", ""),
    ]
    assert [row.job for row in rows([job()], listed, selected=frozenset({"ndvi"}))] == ["ndvi"]


@pytest.mark.parametrize(
    ("url", "results"),
    [
        ("s3://b/ndvi", f"s3://b/ndvi/{rid(1)}/"),
        ("s3://b/ndvi/", f"s3://b/ndvi/{rid(1)}/"),
        ("s3://b/<requestId>/<tileName>", f"s3://b/{rid(1)}/<tileName>"),
    ],
)
def test_where_the_results_are(url, results):
    body = spec(url=url)
    assert rows([job(spec=body)], [request(1, body=body)])[0].results == results


def test_a_request_that_delivers_nowhere_has_no_results():
    bare = request(1).to_dict()
    del bare["request"]["output"]["delivery"]
    assert rows([job()], [type(request()).from_dict(bare)])[0].results is None
    nothing_asked = request(1, "CREATED", None)
    assert rows([job()], [nothing_asked])[0].user_action is None


# --- plan files ----------------------------------------------------------------------------------------------


def test_a_plan_as_json():
    listed = [request(1, "DONE", "START", cost=5.0, text="old")]
    known = {
        "commit": Commit("3f9c2ab", NOW),
        "estimates": {"ndvi": price(5)},
    }
    made = to_json(plan(job(state="started", spec=OTHER), listed, **known))
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert {
        key: made[key] for key in ("formatVersion", "project", "target", "account", "commit")
    } == {
        "formatVersion": "1.0",
        "project": PROJECT,
        "target": "eu",
        "account": ACCOUNT,
        "commit": "3f9c2ab",
    }
    replaced, started = made["changes"]
    assert {
        key: replaced[key] for key in ("job", "action", "reason", "requestId", "file", "line")
    } == {
        "job": "ndvi",
        "action": "replace",
        "reason": "spec_changed",
        "requestId": rid(1),
        "file": "jobs/ndvi.yaml",
        "line": 3,
    }
    script = next(field for field in replaced["fields"] if not field["reason"])
    assert script == {
        "path": "/processRequest/evalscript",
        "kind": "changed",
        "before": "//VERSION=3\n// one\n",
        "after": "//VERSION=3\n// two\n",
        "reason": "",
    }
    assert replaced["withheld"]["gate"] == "replace"
    assert set(replaced["withheld"]) == {"gate", "number", "limit", "lift"}
    assert started["estimate"]["high"] == 5
    assert made["summary"]["withheld"] == 1
    assert made["summary"]["create"] == 0


def test_a_plan_says_where_a_new_request_delivers():
    url, other = BODY["output"]["delivery"]["s3"]["url"], "s3://other/<tileName>.tif"
    made = to_json(plan([job("evi", state="started"), job("ndvi", spec=spec(other))], [request(1)]))
    assert [
        (change["job"], change["action"], change["delivery"]) for change in made["changes"]
    ] == [
        ("evi", "create", url),
        ("evi", "start", None),
        ("ndvi", "replace", other),
    ]
    orphans = to_json(plan([], [request(1, "PROCESSING", "START")], policy=Policy(prune=True)))
    assert [(change["action"], change["delivery"]) for change in orphans["changes"]] == [
        ("stop", None)
    ]


def test_the_digest_of_a_plan_file_covers_the_rest():
    made = to_json(plan(job(state="started")))
    assert made["digest"] == file_digest(made)
    assert len(made["digest"]) == 64
    for change in ({"target": "cdse"}, {"changes": []}, {"warnings": ["x"]}):
        assert file_digest(made | change) != made["digest"]
    assert file_digest(dict(reversed(made.items()))) == made["digest"]


def test_a_plan_file_is_read_as_it_was_written():
    listed = [
        request(1, "DONE", "START", cost=5.0),
        request(2, "PROCESSING", "START", marker=mark(2, job="gone")),
    ]
    known = {"commit": Commit("3f9c2ab", NOW), "estimates": {"ndvi": price(5)}}
    made = plan([job(state="started", spec=OTHER), job("evi")], listed, **known)
    written = to_json(made)
    found = from_json(json.loads(json.dumps(written)))
    assert (found.in_sync, found.orphans, found.warnings) == (
        made.in_sync,
        made.orphans,
        made.warnings,
    )
    assert [
        (change.job, change.action, change.reason, change.detail) for change in found.changes
    ] == [(change.job, change.action, change.reason, change.detail) for change in made.changes]
    assert [change.withheld for change in found.changes] == [
        change.withheld for change in made.changes
    ]
    assert [change.estimate for change in found.changes] == [
        change.estimate for change in made.changes
    ]
    assert [change.origin for change in found.changes] == [change.origin for change in made.changes]
    again = to_json(found)
    assert [change["fields"] for change in again["changes"]] == [
        change["fields"] for change in written["changes"]
    ]
    assert again["summary"] == written["summary"]
    assert from_json(to_json(plan([]))).facts.commit is None


def test_the_terms_of_a_plan_are_read_as_they_were_written():
    for names in (None, ("ndvi",)):
        terms = Terms(
            service="https://example.org",
            policy=Policy(
                prune=True, allow=frozenset({Gate.COST}), restart=frozenset({"a"}), max_start_pu=5
            ),
            prune=True,
            allow=("cost",),
            restart=("a*",),
            max_pu=5.0,
            paths=("jobs",),
            globs=("nd*",),
            labels=("a=b",),
            names=names,
            variables={"x": "y"},
        )
        document = to_json(plan([]), terms)
        assert terms_from_json(json.loads(json.dumps(document))) == terms
        assert document["digest"] != to_json(plan([]))["digest"]


def test_an_area_that_changed_is_written_in_a_few_words():
    moved = spec()
    moved["processRequest"]["input"]["bounds"]["geometry"]["coordinates"] = [
        [[14, 46], [16, 46], [16, 48], [14, 46]]
    ]
    (change, _) = to_json(plan(job(state="started", spec=moved), [request(1)]))["changes"]
    (field,) = [field for field in change["fields"] if not field["reason"]]
    assert field["path"] == "/processRequest/input/bounds/geometry"
    assert (field["before"]["box"], field["after"]["box"]) == ([14, 46, 15, 47], [14, 46, 16, 48])
    assert (field["after"]["newPoints"], field["after"]["gonePoints"]) == (2, 2)
    assert "coordinates" not in json.dumps(field)
    # Half a degree squared at 46.33 N, by hand: 0.5 * 111.19² * cos(46.33°).
    assert abs(field["before"]["areaKm2"] / 4268 - 1) < 0.01


def test_an_orphan_has_no_place():
    orphan = request(1, "PROCESSING", "START", marker=mark(1, job="gone"))
    made = to_json(
        plan([], [orphan], policy=Policy(prune=True, allow=frozenset({Gate.STOP, Gate.MANY})))
    )
    assert (made["changes"][0]["file"], made["changes"][0]["line"]) == (None, None)
    assert made["commit"] is None
    assert made["summary"]["stop"] == 1
    assert estimate_to_json(None) is None


def test_suppressed_differences_stand_in_json_with_their_reason():
    made = to_json(plan(job(state="started", spec=OTHER), [request(1)]))
    reasons = {field["path"]: field["reason"] for field in made["changes"][0]["fields"]}
    assert reasons["/instanceType"] == "filled in by the service"


# --- errors --------------------------------------------------------------------------------------------------


def test_exit_codes():
    assert ShbatchError.exit_code is ExitCode.ERROR
    assert LedgerError.exit_code is ExitCode.ERROR
    assert {TargetRefusedError.exit_code, StalePlanError.exit_code} == {ExitCode.WITHHELD}


def test_problems_are_sorted_and_told_one_a_line():
    late = Problem("b.yaml", 1, 1, "", "is empty", "empty")
    early = Problem("a.yaml", 12, 7, "/request/input/resolution", "15 is none", "grid", "warning")
    error = ManifestError([late, early])
    assert error.problems == (early, late)
    assert str(error) == (
        "a.yaml:12:7: /request/input/resolution: warning: 15 is none [grid]\nb.yaml:1:1: is empty [empty]"
    )


def test_which_calls_may_have_taken_effect():
    lost = (ServerError, UnreadableAnswerError, AnswerLostError)
    kept = (ApiError, BadRequestError, ConflictError, ServiceUnreachableError, RateLimitedError)
    assert all(error.outcome_unknown for error in lost)
    assert not any(error.outcome_unknown for error in kept)


def test_what_an_api_error_says():
    error = BadRequestError(
        "Invalid request",
        status=400,
        code="COMMON_BAD_PAYLOAD",
        method="POST",
        path="/process",
        violations=[("input.id", "must be known"), ("x", " Invalid request ")],
        hint="see the grids",
    )
    assert str(error) == (
        "POST /process: 400 COMMON_BAD_PAYLOAD: Invalid request\n  input.id: must be known\n  see the grids"
    )
    assert str(ApiError("gone")) == "gone"
    assert str(ApiError("gone", method="GET", path="/x")) == "GET /x: gone"
    assert str(ApiError("gone", status=500)) == ": 500: gone".removeprefix(": ")


def test_a_rate_limit_knows_how_long():
    error = RateLimitedError("slow down", retry_after=1.5, request_id="r")
    assert (error.retry_after, error.status, error.request_id) == (1.5, 429, "r")
    assert str(error) == "429: slow down"


# --- the clock -----------------------------------------------------------------------------------------------


def test_the_machines_clock():
    clock = SystemClock()
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert clock.now().tzinfo is UTC
    begun, ticks = clock.monotonic(), time.monotonic()
    clock.sleep(-1)
    clock.sleep(0)
    clock.sleep(0.01)
    assert clock.monotonic() - begun >= 0.01
    assert time.monotonic() >= ticks


def test_markers_of_replaced_requests_compare_by_value():
    assert replace(mark(1)) == mark(1)
