"""Gates and queues: what a plan shows and does not do, and what it says of it."""

from __future__ import annotations

import time

import pytest

from shbatch_sync.marker import Commit
from shbatch_sync.plan import ALLOWABLE, Action, Change, Gate, Policy, Reason, Withheld
from tests.unit.core.factories import (
    BODY,
    OTHER,
    ago,
    entry,
    job,
    mark,
    plan,
    price,
    request,
    rid,
    spec,
    steps,
)


def started(name: str, **members):
    """Return a job that is to be started, with a place of its own."""
    return job(name, state="started", spec=spec(url=f"s3://bucket/{name}"), **members)


def gate_of(change: Change) -> Withheld:
    assert change.withheld is not None
    return change.withheld


def many_replaced(count: int, of: int):
    """Return declared jobs and their requests, `count` of them free of cost and with another spec."""
    jobs, requests = [], []
    for number in range(of):
        name = f"j{number:02d}"
        old = spec(url=f"s3://bucket/{name}")
        new = spec(url=f"s3://bucket/{name}", evalscript="//VERSION=3\n// new\n")
        jobs.append(job(name, spec=new if number < count else old))
        requests.append(request(number + 1, body=old, marker=mark(number + 1, old, job=name)))
    return jobs, requests


# --- what they say -------------------------------------------------------------------------------------------


def scenes():
    replaced = plan(
        job(state="started", spec=OTHER), [request(1, "PROCESSING", "START", cost=4210.0)]
    )
    yield (
        replaced,
        (
            "withheld (replace): the current request has cost 4,210 PU, and it is being processed, limit 0 PU; "
            "declare generation 2 in jobs/ndvi.yaml:3, or --allow replace"
        ),
    )
    orphan = request(1, "PROCESSING", "START", cost=12.4, marker=mark(1, job="gone"))
    yield (
        plan(job(state="stopped", spec=OTHER), [orphan], policy=Policy(prune=True)),
        "withheld (stop): 1 request processing, 12 PU spent, limit 0 may be stopped; --allow stop",
    )
    yield (
        plan(job(state="started", max_pu=10), estimates={"ndvi": price(12345.6)}),
        "withheld (cost): up to 12,346 PU, limit 10 PU; set a higher maxPU in jobs/ndvi.yaml:3, or --allow cost",
    )
    yield (
        plan(job(state="started"), policy=Policy(max_start_pu=99), estimates={"ndvi": price(100)}),
        "withheld (cost): 1 start costs up to 100 PU, limit 99 PU; raise maxStartPU, or --max-pu, or --allow cost",
    )
    jobs, requests = many_replaced(4, 10)
    yield (
        plan(jobs, requests),
        "withheld (many): 4 of 10 jobs replaced or stopped, limit 30%; --allow many",
    )
    yield (
        plan(job(state="started"), [request(7, "DONE", marker=None)]),
        (
            f"withheld (twin): looks like request {rid(7)} (it is not marked as ours), "
            f"limit one request for the same files; write adopt: {rid(7)} in jobs/ndvi.yaml:3, or --allow twin"
        ),
    )
    yield (
        plan(job(state="started"), [], [entry("start")]),
        (
            f"withheld (recreate): started 2024-06-09 as request {rid(1)}, which the service no longer lists, "
            "limit one payment; --allow recreate pays again"
        ),
    )
    newer = mark(1, commit=Commit("3f9c2ab", ago(hours=1)))
    yield (
        plan(
            job(state="started"),
            [request(1, marker=newer)],
            commit=Commit("aaaaaaa", ago(days=3)),
            strange_commits=frozenset({"3f9c2ab"}),
        ),
        (
            f"withheld (stale): request {rid(1)} was made from commit 3f9c2ab of 2024-06-10 11:00 UTC, limit what this "
            "checkout, aaaaaaa of 2024-06-07 12:00 UTC, has seen; pull and apply again, or --allow stale"
        ),
    )
    kept = request(1, "PROCESSING", "START", marker=mark(1, protected=True))
    yield (
        plan(job(state="stopped", protect=True), [kept]),
        (
            "withheld (protect): 1 protected request, limit 0 may be stopped; "
            "declare the job with `protect: false`, apply, and stop it then"
        ),
    )


SCENES = list(scenes())


@pytest.mark.parametrize(("made", "text"), SCENES, ids=[text[10:50] for _, text in SCENES])
def test_a_gate_names_its_number_its_limit_and_what_lifts_it(made, text):
    texts = {str(change.withheld) for change in made.changes if change.withheld}
    assert texts == {text}


def test_every_gate_has_been_read_above():
    seen = {
        change.withheld.gate for made, _ in SCENES for change in made.changes if change.withheld
    }
    assert seen == set(Gate)


def test_all_but_protect_can_be_lifted():
    assert frozenset(Gate) - {Gate.PROTECT} == ALLOWABLE
    everything = Policy(prune=True, allow=frozenset(Gate))
    kept = request(1, "PROCESSING", "START", marker=mark(1, protected=True))
    for declared in (job(state="stopped", protect=True), job("other", state="stopped", spec=OTHER)):
        assert [
            gate_of(change).gate for change in plan(declared, [kept], policy=everything).changes
        ] == [Gate.PROTECT]


def test_the_texts_where_nothing_is_known():
    unknown = plan(job(state="started", max_pu=10))
    assert gate_of(unknown.changes[1]).number == "its cost cannot be told"
    both = plan(
        [started("a"), started("b")], policy=Policy(max_start_pu=99), estimates={"a": price(5)}
    )
    assert (
        gate_of(both.changes[1]).number == "2 starts cost up to 5 PU, and 1 of them cannot be told"
    )
    lost = plan(job(state="started"), [], [entry("start", None)])
    assert gate_of(lost.changes[0]).number.startswith("started 2024-06-09 as a request, which")
    ended = [entry("final", status="STOPPED", cost_pu=0.0)]
    stopped = plan(job(state="started", restart_policy="Always"), [], ended)
    assert (
        gate_of(stopped.changes[0]).number
        == "started earlier as a request, which the service no longer lists"
    )


# --- protect -------------------------------------------------------------------------------------------------

PROTECTED = [
    # in the marker, declared (None: no manifest) → held?
    (True, True, True),
    (True, False, False),
    (True, None, True),
    (False, True, True),
    (False, False, False),
    (False, None, False),
]


@pytest.mark.parametrize(("marked", "declared", "held"), PROTECTED)
def test_protect(marked, declared, held):
    listed = request(1, "PROCESSING", "START", marker=mark(1, protected=marked))
    jobs = [job("evi", state="stopped", spec=OTHER)]
    if declared is not None:
        jobs.append(job(state="stopped", protect=declared))
    policy = Policy(prune=True, allow=frozenset({Gate.STOP}))
    stops = [
        change
        for change in plan(jobs, [listed], policy=policy).changes
        if change.action is Action.STOP
    ]
    assert [change.withheld is not None for change in stops] == [held]


def test_a_protected_request_is_not_stopped_to_be_replaced():
    old = request(1, "PROCESSING", "START", marker=mark(1, protected=True))
    new = request(2, body=OTHER, marker=mark(2, OTHER, generation=2, protected=True))
    declared = job(state="started", spec=OTHER, generation=2, protect=True)
    assert steps(plan(declared, [old, new])) == ["stop superseded !protect", "wait old_active"]


def test_the_one_started_by_mistake_is_not_the_protected_one():
    listed = [
        request(number, "CREATED", "START", marker=mark(number, protected=True))
        for number in (1, 2)
    ]
    assert steps(plan(job(state="started", protect=True), listed)) == [
        "stop started_twice",
        "wait starting",
    ]


# --- many ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "of", "held"),
    [(3, 10, False), (4, 10, True), (9, 9, False), (6, 20, False), (7, 20, True)],
)
def test_many(count, of, held):
    jobs, requests = many_replaced(count, of)
    made = plan(jobs, requests)
    assert {change.withheld is not None for change in made.changes} == {held}
    assert made.withheld == (count if held else 0)
    allowed = plan(jobs, requests, policy=Policy(allow=frozenset({Gate.MANY})))
    assert not any(change.withheld for change in allowed.changes)


def test_many_counts_only_what_would_be_done():
    jobs, requests = many_replaced(10, 10)
    held = [
        request(
            number,
            "DONE",
            "START",
            cost=5.0,
            marker=mark(number, job.spec, job=job.name),
            body=job.spec,
        )
        for number, job in enumerate(many_replaced(0, 10)[0], 1)
    ]
    gates = {change.withheld.gate for change in plan(jobs, held).changes if change.withheld}
    assert gates == {Gate.REPLACE}
    assert plan(jobs, requests).withheld == 10


def test_many_does_not_count_what_is_declared_stopped_or_started_twice():
    declared = [job(f"j{number:02d}", state="stopped", spec=OTHER) for number in range(10)]
    running = [
        request(
            number,
            "PROCESSING",
            "START",
            body=OTHER,
            marker=mark(number, OTHER, job=f"j{number:02d}"),
        )
        for number in range(10)
    ]
    assert steps(plan(declared, running)) == ["stop declared"] * 10


def test_many_with_a_selection_counts_what_is_selected():
    jobs, requests = many_replaced(8, 10)
    made = plan(jobs, requests, selected=frozenset({"j01"}))
    assert steps(made) == ["replace spec_changed"]
    most = plan(jobs, requests, selected=frozenset(f"j{number:02d}" for number in range(4)))
    assert steps(most) == ["replace spec_changed !many"] * 4


@pytest.mark.parametrize(("status", "action"), [("PROCESSING", "START"), ("ANALYSING", "ANALYSE")])
def test_pruning_everything_while_nothing_is_declared(status, action):
    orphan = request(1, status, action, marker=mark(1, job="gone"))
    policy = Policy(prune=True, allow=frozenset({Gate.STOP}))
    (change,) = plan([], [orphan], policy=policy).changes
    assert str(change.withheld) == (
        "withheld (many): 1 of 0 jobs replaced or stopped, limit at least one job declared; --allow many"
    )
    both = Policy(prune=True, allow=frozenset({Gate.STOP, Gate.MANY}))
    assert steps(plan([], [orphan], policy=both)) == ["stop orphan"]


# --- stale -----------------------------------------------------------------------------------------------------

NEWER = Commit("3f9c2ab", ago(hours=1))
STRANGE = frozenset({"3f9c2ab"})


@pytest.mark.parametrize(
    ("strange", "allow", "held"),
    [
        (STRANGE, (), True),
        (STRANGE, (Gate.STALE,), False),
        (frozenset({"bbbbbbb"}), (), False),
        (frozenset(), (), False),
    ],
)
def test_a_newer_commit_is_at_work(strange, allow, held):
    policy = Policy(prune=True, allow=frozenset({Gate.STOP, *allow}))
    old = request(1, "CREATED", "START", marker=mark(1, commit=NEWER))
    orphan = request(2, "PROCESSING", "START", marker=mark(2, job="gone", commit=NEWER))
    made = plan(job(state="stopped"), [old, orphan], policy=policy, strange_commits=strange)
    assert [str(change.action) for change in made.changes] == ["stop", "stop"]
    assert {change.withheld is not None for change in made.changes} == {held}
    if held:
        assert "no commit" in gate_of(made.changes[0]).limit


def test_a_newer_commit_at_work_on_another_spec_holds_the_replacement():
    newer = request(1, body=OTHER, marker=mark(1, OTHER, commit=NEWER))
    made = plan(job(state="started"), [newer], strange_commits=STRANGE)
    assert steps(made) == ["replace spec_changed !stale", "start declared !stale"]


# --- cost ----------------------------------------------------------------------------------------------------

MAX_PU = [
    (100.0, 99.9, False),
    (100.0, 100.0, False),
    (100.0, 100.1, True),
    (100.0, None, True),
    (None, 1e9, False),
]


@pytest.mark.parametrize(("limit", "high", "held"), MAX_PU)
def test_max_pu_of_a_job(limit, high, held):
    known = {"ndvi": price(high)} if high is not None else {}
    made = plan(job(state="started", max_pu=limit), estimates=known)
    assert [change.withheld is not None for change in made.changes] == [False, held]


def test_an_estimate_without_an_upper_bound_cannot_be_told():
    made = plan(job(state="started", max_pu=1), estimates={"ndvi": price(None)})
    assert steps(made) == ["create missing", "start declared !cost"]


START_PU = [
    # limit, spent, prices → held; all or nothing
    (100, 0, (50, 50), False),
    (100, 0, (50, 51), True),
    (100, 1, (50, 50), True),
    (100, 0, (1, None), True),
    (None, 0, (1e9, None), False),
]


@pytest.mark.parametrize(("limit", "spent", "prices", "held"), START_PU)
def test_max_start_pu_is_all_or_nothing(limit, spent, prices, held):
    names = ["a", "b"]
    known = {
        name: price(high) for name, high in zip(names, prices, strict=True) if high is not None
    }
    made = plan(
        [started(name) for name in names],
        policy=Policy(max_start_pu=limit),
        estimates=known,
        spent_pu=spent,
    )
    starts = [change for change in made.changes if change.action is Action.START]
    assert [change.withheld is not None for change in starts] == [held, held]
    creates = [change for change in made.changes if change.action is Action.CREATE]
    assert not any(change.withheld for change in creates)


def test_what_another_gate_holds_costs_nothing():
    jobs = [started("a", max_pu=10), started("b")]
    known = {"a": price(1000), "b": price(90)}
    made = plan(jobs, policy=Policy(max_start_pu=100), estimates=known)
    assert steps(made) == [
        "create missing",
        "start declared !cost",
        "create missing",
        "start declared",
    ]
    assert gate_of(made.changes[1]).limit == "10 PU"


def test_no_starts_no_limit():
    assert steps(plan(job(state="created"), policy=Policy(max_start_pu=0))) == ["create missing"]


def test_a_resume_is_a_start_that_costs():
    listed = request(1, "STOPPED", "STOP")
    declared = job(state="started", restart_policy="Always", max_pu=1)
    assert steps(plan(declared, [listed], estimates={"ndvi": price(5)})) == ["start resume !cost"]


def test_allow_cost_lifts_both_limits():
    policy = Policy(max_start_pu=1, allow=frozenset({Gate.COST}))
    made = plan(job(state="started", max_pu=1), policy=policy, estimates={"ndvi": price(5)})
    assert steps(made) == ["create missing", "start declared"]


def test_with_a_selection_only_its_starts_cost():
    known = {"a": price(1000), "b": price(10)}
    made = plan(
        [started("a"), started("b")],
        policy=Policy(max_start_pu=100),
        estimates=known,
        selected=frozenset({"b"}),
    )
    assert steps(made) == ["create missing", "start declared"]


def test_a_limit_costs_no_time():
    jobs = [started(f"j{number:04d}") for number in range(1500)]

    def seconds(policy: Policy) -> float:
        begun = time.process_time()
        plan(jobs, policy=policy)
        return time.process_time() - begun

    assert seconds(Policy(max_start_pu=1)) < 3 * seconds(Policy()) + 0.2


# --- waiting is no gate --------------------------------------------------------------------------------------


def test_depends_on():
    first, then = started("a"), started("b", depends_on=("a",))
    made = plan([first, then])
    assert steps(made) == ["create missing", "start declared", "create missing", "wait depends_on"]
    assert made.changes[-1].detail == "after a"
    done = request(1, "DONE", "START", body=first.spec, marker=mark(1, first.spec, job="a"))
    assert steps(plan([first, then], [done])) == ["create missing", "start declared"]
    remembered = entry("final", status="DONE", job="a", body=first.spec)
    assert steps(plan([first, then], [], [remembered])) == ["create missing", "start declared"]
    unknown = started("c", depends_on=("x", "y"))
    assert plan(unknown).changes[-1].detail == "after x, y"


def test_depends_on_looks_at_the_whole_project():
    first, then = started("a"), started("b", depends_on=("a",))
    done = request(1, "DONE", "START", body=first.spec, marker=mark(1, first.spec, job="a"))
    made = plan([first, then], [done], selected=frozenset({"b"}))
    assert steps(made) == ["create missing", "start declared"]
    assert steps(plan([first, then], selected=frozenset({"b"})))[-1] == "wait depends_on"


def test_depends_on_what_the_ledger_knows_as_done():
    first, then = started("a"), started("b", depends_on=("a",))
    straggler = request(2, body=first.spec, marker=mark(2, first.spec, job="a", seal=None))
    lines = [entry("final", 1, status="DONE", job="a", body=first.spec)]
    assert steps(plan([first, then], [straggler], lines))[-1] == "start declared"


@pytest.mark.parametrize(
    ("status", "action", "waits"),
    [
        ("PROCESSING", "START", True),
        ("CREATED", "START", True),
        ("PAUSED", "START", True),
        ("DONE", "START", False),
        ("ANALYSING", "ANALYSE", False),
    ],
)
def test_max_running(status, action, waits):
    running = request(1, status, action, body=OTHER, marker=mark(1, OTHER, job="gone"))
    made = plan(started("a"), [running], policy=Policy(max_running=1))
    starts = [change for change in made.changes if change.job == "a"][1:]
    assert steps(starts) == ["wait max_running" if waits else "start declared"]
    if waits:
        assert starts[0].detail == "no more than 1 at once"


def test_max_running_fills_up_in_order():
    made = plan([started(name) for name in "cab"], policy=Policy(max_running=2))
    found = [
        (change.job, change.action) for change in made.changes if change.action is not Action.CREATE
    ]
    assert found == [("a", Action.START), ("b", Action.START), ("c", Action.WAIT)]


def test_what_is_not_selected_takes_no_place():
    made = plan(
        [started("a"), started("b")], policy=Policy(max_running=1), selected=frozenset({"b"})
    )
    assert steps(made) == ["create missing", "start declared"]


def test_what_is_withheld_takes_no_place():
    made = plan(
        [started("a", max_pu=1), started("b")],
        policy=Policy(max_running=1),
        estimates={"a": price(5), "b": price(5)},
    )
    assert steps(made) == [
        "create missing",
        "start declared !cost",
        "create missing",
        "start declared",
    ]


# --- selection -----------------------------------------------------------------------------------------------


def test_selection_narrows_what_is_acted_on_never_what_is_declared():
    gone = request(9, "PROCESSING", "START", marker=mark(9, job="gone"))
    other = request(2, "PROCESSING", "START", body=OTHER, marker=mark(2, OTHER, job="evi"))
    jobs = [job(state="started"), job("evi", state="stopped", spec=OTHER)]
    made = plan(jobs, [gone, other], selected=frozenset({"ndvi"}))
    assert {change.job for change in made.changes} == {"ndvi"}
    assert (made.orphans, made.in_sync) == (0, 0)
    whole = plan(jobs, [gone, other])
    assert {change.job for change in whole.changes} == {"ndvi", "evi", "gone"}


def test_in_sync_counts_selected_jobs():
    listed = [request(1), request(2, marker=mark(2, OTHER, job="evi"), body=OTHER)]
    jobs = [job(), job("evi", spec=OTHER)]
    assert plan(jobs, listed).in_sync == 2
    assert plan(jobs, listed, selected=frozenset({"evi"})).in_sync == 1


# --- sums ----------------------------------------------------------------------------------------------------


def test_sums_of_a_plan():
    jobs = [started("a"), started("b", max_pu=1), started("c")]
    made = plan(jobs, estimates={"a": price(100), "b": price(7)})
    assert made.has_changes
    assert (made.count(Action.CREATE), made.count(Action.START), made.withheld) == (3, 2, 1)
    assert made.estimate == {"pu": 100, "low": 100, "high": 100, "unknown": 1}
    quiet = plan(job(), [request(1)])
    assert (quiet.has_changes, quiet.estimate) == (False, {})
    waits = plan(job(state="started"), [request(1, "PROCESSING", "START")])
    assert not waits.has_changes
    failed = plan(job(state="started"), [request(1, "FAILED")])
    assert failed.has_changes
    held = plan(job(state="started"), [], [entry("start")])
    assert not held.has_changes
    assert {change.reason for change in held.changes} == {Reason.FORGOTTEN, Reason.DECLARED}
    assert job().spec == BODY
    assert ago(days=0) == made.facts.now


def test_the_price_counts_the_starts_that_wait_for_others():
    known = {"a": price(100), "b": price(30), "c": price(7)}
    first, second = job("a", state="started"), job("b", state="started", depends_on=("a",))
    made = plan([first, second], estimates=known)
    assert [change.job for change in made.later] == ["b"]
    assert (made.estimate["pu"], made.estimate["unknown"]) == (130, 0)
    queued = plan([started(name) for name in "abc"], estimates=known, policy=Policy(max_running=1))
    assert len(queued.later) == 2
    assert queued.estimate["pu"] == 137
