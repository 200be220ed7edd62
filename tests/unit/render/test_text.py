"""What people are shown: plans, applies, standings, histories, jobs; and nothing that does harm on the way."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from shbatch_sync.cost.price import Estimate
from shbatch_sync.diff import FieldChange, Kind, changed_fields
from shbatch_sync.job import Origin
from shbatch_sync.past import estimated, past_requests
from shbatch_sync.plan import Action, Gate, Policy, Reason
from shbatch_sync.reconcile.result import ApplyResult, Outcome, Step
from shbatch_sync.render.apply_text import render_result, step_line, waiting_line
from shbatch_sync.render.escape import no_commands, one_line, printable
from shbatch_sync.render.fields import MAX_DIFF_LINES, field_lines, leaves, points
from shbatch_sync.render.history_text import render_history
from shbatch_sync.render.job_yaml import render_job
from shbatch_sync.render.plan_text import REASONS, SYMBOLS, price_text, render_plan, summary_line
from shbatch_sync.render.status_text import render_status
from shbatch_sync.standing import Standing
from tests.unit.core.factories import (
    BODY,
    NOW,
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
)

EVIL = "a\x1b[31m\u202eb\u2066\r\n::error::x\x00\u200b\x9b\ufeff\ud800"
HARM = set("\x1b\u202e\u2066\r\x00\u200b\x9b\ufeff\ud800")


def tagged(text: str, colour: str) -> str:
    return f"<{colour}>{text}</>"


# --- escape --------------------------------------------------------------------------------------------------


def test_control_and_bidi_marks_are_written_out():
    assert printable("a\x1b[31mb") == "a\\x1b[31mb"
    assert printable("a\u202eb\u2066") == "a\\u202eb\\u2066"
    assert printable("tab\tline\nend") == "tab\tline\nend"
    assert printable("Ünï – 東京 \U0001f6f0") == "Ünï – 東京 \U0001f6f0"


@given(st.text())
def test_nothing_harmful_gets_through(text):
    for made in (printable(text), one_line(text)):
        assert not any(
            (ord(sign) < 32 and sign not in "\t\n") or 127 <= ord(sign) < 160 or sign in HARM
            for sign in made
        )
        made.encode()
    assert "\n" not in one_line(text)


@given(st.text(), st.integers(1, 30))
def test_a_line_is_cut_to_its_limit(text, limit):
    assert len(one_line(text, limit)) <= limit


def test_no_line_begins_as_a_command():
    text = "::error::x\n  ::set-output\n##[group]\nfine :: here\n\n\t##[x]"
    made = no_commands(text)
    assert not any(line.lstrip().startswith(("::", "##[")) for line in made.splitlines())
    assert "fine :: here" in made.splitlines()
    assert made.replace("\\", "") == text
    assert no_commands(made) == made


# --- plans ---------------------------------------------------------------------------------------------------


def test_everything_has_a_sign_and_a_name():
    assert set(SYMBOLS) == set(Action)
    assert set(REASONS) == set(Reason)
    assert len(set(SYMBOLS.values())) == len(SYMBOLS)
    assert len(set(REASONS.values())) == len(REASONS)


def big_plan():
    """Return a plan with the sums of the documentation."""
    requests, jobs, known = [], [], {}

    def add(name, state, listed=None, body=None, **members):
        own = body or spec(url=f"s3://bucket/{name}")
        jobs.append(job(name, state=state, spec=own, **members))
        if listed is not None:
            number = len(jobs)
            old = members.get("old", own)
            marker = mark(number, listed.get("body", old), job=name)
            requests.append(request(number, marker=marker, **({"body": own} | listed)))

    add("a", "created")
    add("b", "started")
    known["b"] = price(1000)
    add("c", "started", {})
    known["c"] = price(3210)
    add("d", "created", {"text": "old"}, description="new")
    add("e", "created", {"body": spec(url="s3://bucket/e", evalscript="//VERSION=3\n// old\n")})
    add("f", "stopped", {"status": "PROCESSING", "action": "START"})
    add("g", "started", {"status": "CREATED"}, max_pu=5)
    known["g"] = price(6)
    for number in range(12):
        add(f"s{number:02d}", "created", {})
    return plan(jobs, requests, estimates=known)


def test_the_last_line_is_a_contract():
    assert summary_line(big_plan()) == (
        "Plan: 2 to create, 1 to update, 1 to replace, 2 to start, 1 to stop; 1 withheld; 12 in sync. "
        "Estimated 4,210 PU."
    )


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (plan([]), "Plan: nothing to do; 0 in sync."),
        (plan(job(), [request(1)]), "Plan: nothing to do; 1 in sync."),
        (
            plan(job(state="started")),
            "Plan: 1 to create, 1 to start; 0 in sync. Cost not estimated.",
        ),
        (
            plan(job(state="started"), [request(1, "FAILED")]),
            "Plan: nothing to do; 1 needs attention; 0 in sync.",
        ),
        (
            plan(
                [job(state="started"), job("evi", state="started", spec=OTHER)],
                [
                    request(1, "FAILED"),
                    request(2, "FAILED", body=OTHER, marker=mark(2, OTHER, job="evi")),
                ],
            ),
            "Plan: nothing to do; 2 need attention; 0 in sync.",
        ),
        (
            plan(job(state="started"), [request(1, "PROCESSING", "START")]),
            "Plan: nothing to do; 1 waiting; 0 in sync.",
        ),
        (
            plan(
                [job(state="started"), job("evi", state="started", spec=OTHER)],
                estimates={"evi": price(7)},
            ),
            "Plan: 2 to create, 2 to start; 0 in sync. Estimated 7 PU, 1 not estimated.",
        ),
    ],
)
def test_last_lines(made, line):
    assert summary_line(made) == line


def test_a_plan_as_text():
    made = plan(
        job(state="started", spec=OTHER),
        [request(1, "DONE", "START", cost=5.0), request(9, "DONE", marker=mark(9, job="gone"))],
        estimates={"ndvi": Estimate(tiles=1, pixels=1, pu=120.0, low=100.0, high=160.0)},
    )
    assert render_plan(made).splitlines() == [
        "-/+ ndvi (spec changed)  jobs/ndvi.yaml:3",
        f"      request {rid(1)}",
        "      /processRequest/evalscript: 1 line added, 1 removed",
        "        @@ -1,2 +1,2 @@",
        "         //VERSION=3",
        "        -// one",
        "        +// two",
        "      (11 unchanged members hidden)",
        "      withheld (replace): the current request has cost 5 PU, limit 0 PU; declare",
        "        generation 2 in jobs/ndvi.yaml:3, or --allow replace",
        ">   ndvi (declared)  jobs/ndvi.yaml:3  120 PU (100-160)",
        "      withheld (replace), as above",
        "1 request at rest without a manifest (an orphan); it costs nothing more",
        "",
        "Plan: nothing to do; 1 withheld; 0 in sync.",
    ]


def test_several_orphans_are_told_as_such():
    gone = [request(number, "DONE", marker=mark(number, job=f"gone{number}")) for number in (8, 9)]
    assert render_plan(plan(job(), gone)).splitlines()[-3] == (
        "2 requests at rest without a manifest (orphans); they cost nothing more"
    )


def test_colours_are_asked_for():
    made = plan(job(state="started", max_pu=1), estimates={"ndvi": price(5)})
    lines = render_plan(made, tagged).splitlines()
    assert lines[0] == "<green>+   ndvi (not on the service)  jobs/ndvi.yaml:3</>"
    assert lines[1].startswith("<bright_black>>   ndvi (declared)")
    assert lines[2].startswith("<yellow>      withheld (cost)")
    assert lines[-1].startswith("<bold>Plan: ")


def test_warnings_stand_above_the_sums():
    made = plan(job(), [request(1), request(2, marker=mark(1))])
    assert (
        render_plan(made)
        .splitlines()[0]
        .startswith(f"warning: request {rid(2)} carries the marker")
    )


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(tiles=1, pixels=1, pu=None), "price unknown"),
        (Estimate(tiles=1, pixels=1, pu=1200.4, low=1200.4, high=1200.4), "1,200 PU"),
        (Estimate(tiles=1, pixels=1, pu=1200.4, low=1000.0, high=None), "1,200 PU"),
        (Estimate(tiles=1, pixels=1, pu=1200.4, low=1000.0, high=1500.0), "1,200 PU (1,000-1,500)"),
    ],
)
def test_prices(estimate, text):
    assert price_text(estimate) == text


def test_foreign_text_is_harmless_in_a_plan():
    evil = request(1, "FAILED", "START", error=EVIL)
    made = plan(
        replace(job(state="started"), name="ndvi", origin=Origin(f"jobs/{EVIL}.yaml", 1)),
        [evil, request(2, marker=f"[shbatch-sync/1 {EVIL}")],
    )
    fields = (
        *tuple(FieldChange(f"/{EVIL}/{kind}", kind, EVIL, {EVIL: EVIL}) for kind in Kind),
        FieldChange("/processRequest/evalscript", Kind.CHANGED, EVIL, f"{EVIL}\n{EVIL}"),
        FieldChange("/processRequest/input/bounds/geometry", Kind.CHANGED, {"type": EVIL}, None),
    )
    changes = tuple(replace(change, fields=fields) for change in made.changes)
    text = render_plan(replace(made, changes=changes, warnings=(EVIL,)))
    assert not HARM & set(text)
    assert not any(line.lstrip().startswith("::") for line in no_commands(text).splitlines())


# --- fields --------------------------------------------------------------------------------------------------


def fields_of(left, right):
    return list(field_lines(changed_fields(right, left)))


def test_values_from_and_to():
    made = spec(resolution=20)
    made["output"] |= {"overwrite": True}
    assert fields_of(BODY, made) == [
        "/input/resolution: 10 → 20",
        "/output/overwrite: + true",
    ]
    assert fields_of(made, BODY)[1] == "/output/overwrite: - true"


def test_long_values_are_cut():
    (line,) = field_lines([FieldChange("/a", Kind.ADDED, None, "x" * 500)])
    assert len(line) < 80
    assert line.endswith("…")


def test_long_values_begin_a_little_before_they_differ():
    url = "s3://bucket/a-quite-long-folder-name/another-folder/2024/monthly/ndvi/"
    (line,) = field_lines([FieldChange("/url", Kind.CHANGED, f"{url}y", f"{url}z")])
    assert line == '/url: …onthly/ndvi/y" → …onthly/ndvi/z"'
    lines = list(field_lines([FieldChange("/url", Kind.CHANGED, "a" * 90, "b" * 90)]))
    assert lines == ["/url:", f'  - "{"a" * 58}…', f'  + "{"b" * 58}…']
    (line,) = field_lines(
        [FieldChange("/url", Kind.CHANGED, "s3://bucket/folder/y", "s3://bucket/folder/z")]
    )
    assert line == '/url: "s3://bucket/folder/y" → "s3://bucket/folder/z"'


@pytest.mark.parametrize(("kind", "sign"), [(Kind.ADDED, "+"), (Kind.REMOVED, "-")])
def test_a_long_value_stands_below_a_long_path(kind, sign):
    path = "/processRequest/input/data/0/processing"
    fields = [FieldChange(path, kind, "x" * 40, "x" * 40)]
    assert list(field_lines(fields)) == [f"{path}:", f'  {sign} "{"x" * 40}"']
    short = [FieldChange("/x", kind, "x" * 40, "x" * 40)]
    assert list(field_lines(short)) == [f'/x: {sign} "{"x" * 40}"']


def test_increments_are_lines_like_any_other():
    change = FieldChange("/processRequest/evalscript", Kind.CHANGED, "a\n--i;\nb\n", "a\n++i;\nb\n")
    assert list(field_lines([change])) == [
        "/processRequest/evalscript: 1 line added, 1 removed",
        "  @@ -1,3 +1,3 @@",
        "   a",
        "  ---i;",
        "  +++i;",
        "   b",
    ]


def test_a_new_script_is_shown_up_to_a_limit():
    long = "\n".join(f"line {number}" for number in range(100))
    lines = list(field_lines([FieldChange("/processRequest/evalscript", Kind.ADDED, None, long)]))
    assert lines[0] == "/processRequest/evalscript: 100 lines added, 0 removed"
    assert lines[-1] == "  … 61 more lines"
    assert len(lines) == MAX_DIFF_LINES + 2


def test_one_more_line():
    long = "\n".join(f"line {number}" for number in range(MAX_DIFF_LINES))
    lines = list(field_lines([FieldChange("/processRequest/evalscript", Kind.ADDED, None, long)]))
    assert lines[-1] == "  … 1 more line"


def test_an_area_is_told_by_its_points():
    triangle = BODY["processRequest"]["input"]["bounds"]["geometry"]
    square = {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [1, 0], [0, 0]]]}
    path = "/processRequest/input/bounds/geometry"
    (line,) = field_lines([FieldChange(path, Kind.CHANGED, triangle, square)])
    assert line.startswith(f"{path}: Polygon of 4 points → Polygon of 5 points")
    assert "[0, 0, 1, 1]" in line
    (line,) = field_lines([FieldChange(path, Kind.CHANGED, square, square | {"crs": "x"})])
    assert "as before" in line
    point = {"type": "Point", "coordinates": [1, 2]}
    (line,) = field_lines([FieldChange(path, Kind.ADDED, None, point)])
    assert line == f"{path}: none → Point of 1 point"
    odd = {"type": "Point", "coordinates": []}
    (line,) = field_lines([FieldChange(path, Kind.CHANGED, odd, point)])
    assert "none" in line


@pytest.mark.parametrize(
    ("coordinates", "count"),
    [([1, 2], 1), ([[1, 2], [3, 4.5]], 2), ([[[[1, 2]], [[3, 4]]]], 2), ([], 0), (None, 0)],
)
def test_points(coordinates, count):
    assert len(list(points(coordinates))) == count


def test_members_that_say_something():
    assert leaves({"a": 1, "b": {"c": [1, 2], "d": "x"}, "e": {"coordinates": [[1, 2]] * 9}}) == 4
    assert leaves([{"a": 1, "b": 2}, {"c": [{"d": 1}]}]) == 3
    assert leaves("x") == 1


def test_differences_that_do_not_count_are_not_shown():
    field = FieldChange("/instanceType", Kind.REMOVED, "normal", None, "filled in by the service")
    assert list(field_lines([field])) == []


def test_a_large_area_is_told_quickly():
    moved = spec()
    ring = [[number / 7, number / 3] for number in range(10_000)]
    moved["processRequest"]["input"]["bounds"]["geometry"]["coordinates"] = [ring]
    begun = time.process_time()
    lines = fields_of(BODY, moved)
    assert time.process_time() - begun < 3
    assert len(lines) < 5


def test_only_line_ends():
    change = FieldChange("/processRequest/evalscript", Kind.CHANGED, "a\nb", "a\nb\n")
    assert list(field_lines([change])) == ["/processRequest/evalscript: only line ends differ"]


# --- applies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (Step("ndvi", Action.CREATE, Outcome.DONE, rid(1)), f"+   ndvi created {rid(1)}"),
        (Step("ndvi", Action.REPLACE, Outcome.DONE), "-/+ ndvi created anew"),
        (
            Step("ndvi", Action.START, Outcome.WAITING, None, "too soon"),
            ">   ndvi start waits: too soon",
        ),
        (Step("ndvi", Action.STOP, Outcome.FAILED, None, "no\nno"), "#   ndvi stop FAILED: no\nno"),
        (
            Step("ndvi", Action.UPDATE, Outcome.HELD, None, EVIL),
            f"~   ndvi update left alone: {printable(EVIL)}",
        ),
    ],
)
def test_steps(step, line):
    assert step_line(step) == line


def test_what_is_waited_for():
    bodies = [spec(url=f"s3://b/{number}") for number in range(4)]
    jobs = [job(f"j{number}", state="started", spec=body) for number, body in enumerate(bodies)]
    listed = [
        request(1, "PROCESSING", "START", body=bodies[0], marker=mark(1, bodies[0], job="j0")),
        request(2, "PROCESSING", "START", body=bodies[1], marker=mark(2, bodies[1], job="j1")),
        request(3, "CREATED", "START", body=bodies[2], marker=mark(3, bodies[2], job="j2")),
        request(4, "FAILED", "START", body=bodies[3], marker=mark(4, bodies[3], job="j3")),
    ]
    listed[1] = type(listed[1]).from_dict(listed[1].to_dict() | {"completionPercentage": 90})
    assert waiting_line(plan(jobs, listed)) == "waiting: 1 starting, 2 processing (45 %)"
    assert waiting_line(plan([])) == ""


def test_a_next_step_that_does_not_fit_stands_below():
    row = Standing(
        job="ndvi", declared="started", state="stopped", next="wait: " + "a long story " * 6
    )
    below = render_status([row]).splitlines()[2:]
    assert below[0].startswith("    next: wait: a long story")
    assert max(map(len, below)) <= 80
    assert " ".join(" ".join(below).split()).count("a long story") == 6


def result(made, **members):
    return ApplyResult(plan=made, **members)


def test_the_sums_of_an_apply():
    assert (
        render_result(result(plan(job(), [request(1)]))) == "Apply: nothing was changed; 1 in sync."
    )
    steps = tuple(
        Step("ndvi", action, Outcome.DONE)
        for action in (Action.CREATE, Action.UPDATE, Action.START, Action.START)
    )
    made = plan(job(state="started", max_pu=1), [request(1)], estimates={"ndvi": price(9)})
    text = render_result(
        result(made, steps=steps, failures={"evi": "no\x1b"}, held={"b": "later"}, timed_out=True),
        tagged,
    )
    assert text.splitlines() == [
        "<red>! evi failed: no\\x1b</>",
        "<yellow>! b left alone: later</>",
        "<yellow>  ndvi start withheld (cost): up to 9 PU, limit 1 PU; set a higher maxPU in</>",
        "<yellow>    jobs/ndvi.yaml:3, or --allow cost</>",
        (
            "<bold>Apply: 1 created, 1 updated, 2 started; 1 failed; 1 left alone; 1 withheld; 0 in sync. "
            "The time ran out; apply again goes on from here.</>"
        ),
    ]


def test_what_is_left_of_an_apply():
    failed = plan(job(state="started"), [request(1, "FAILED", "START", error="no")])
    lines = render_result(result(failed, interrupted=True)).splitlines()
    assert lines == [
        f"! ndvi {rid(1)}: FAILED: no; mend the job, or apply",
        "  --restart ndvi",
        "Apply: nothing was changed; 1 needs attention; 0 in sync. Interrupted; apply again goes on from here.",
    ]
    waits = plan(job(state="started"), [request(1, "PROCESSING", "START")])
    assert render_result(result(waits)) == "Apply: nothing was changed; 1 waiting; 0 in sync."


# --- status --------------------------------------------------------------------------------------------------


def standing(name="ndvi", **members):
    return Standing(job=name, **({"declared": "started", "state": "processing"} | members))


def test_a_table_of_standings():
    rows = [
        standing(progress=42.4, cost_pu=1234.5, next="wait: processing, 42 %"),
        standing(
            "evi",
            state="failed",
            error="no\x1b",
            stop_reason="X",
            request_id="r",
            results="s3://b/r/",
        ),
    ]
    assert render_status(rows).splitlines() == [
        "JOB   STATE             %        PU  NEXT",
        "ndvi  processing       42     1,234  wait: processing, 42 %",
        "evi   failed",
        "    error: no\\x1b",
        "    stopped: X",
        "",
        "2 jobs: 1 failed, 1 processing. 1,234 PU.",
    ]
    assert render_status(rows, verbose=True).splitlines()[-4:-2] == ["    r", "    s3://b/r/"]
    assert render_status([]).splitlines()[-1] == "0 jobs: none. 0 PU."
    assert "<cyan>processing    </>" in render_status(rows, tagged)


@given(
    st.lists(
        st.builds(
            standing,
            st.text("abcdefghij-.0", min_size=1, max_size=63),
            state=st.sampled_from(["created", "analysis done", "done earlier", "processing"]),
            progress=st.none() | st.floats(0, 100),
            cost_pu=st.none() | st.floats(0, 9_999_999),
            next=st.text(),
        ),
        max_size=5,
    )
)
@example([standing("a"), standing("b", next="0" * 75)])
def test_standings_stay_within_80_columns(rows):
    for line in render_status(rows).splitlines()[:-1]:
        assert len(line) <= 80 or " " not in line.strip()  # ids and places stay whole


# --- history -------------------------------------------------------------------------------------------------


def test_a_history():
    lines = [
        entry("intent", None, nonce="k7q2m7xa", at=NOW),
        entry("start", 1, nonce="bbbbbbbb", at=ago(minutes=-15)),
        entry("final", 1, nonce="bbbbbbbb", status="STOPPED", cost_pu=3.0, at=ago(hours=-1)),
        entry(
            "final", 1, nonce="bbbbbbbb", status="DONE", cost_pu=1234.0, attempt=2, at=ago(hours=-2)
        ),
        entry("final", 3, nonce="cccccccc", status="DONE", cost_pu=100.0, at=ago(hours=-4)),
        entry("start", 2, nonce="dddddddd", job="x" * 40, at=ago(hours=-3)),
    ]
    text = render_history(past_requests(lines))
    assert text.splitlines() == [
        "WHEN (UTC)       JOB                    RUN   STATE       TOOK      PU REQUEST",
        "2024-06-10 12:00 ndvi                   r1    no answer",
        f"2024-06-10 12:15 ndvi                   r1.2  done      45 min   1,234 {rid(1)[:8]}",
        f"2024-06-10 15:00 {'x' * 40}",
        f"{'':<39} r1    started                  {rid(2)[:8]}",
        f"2024-06-10 16:00 ndvi                   r1    done                 100 {rid(3)[:8]}",
        "",
        "ndvi: 2 runs, 45 min, 1,334 PU",
        "4 requests of 2 jobs, 2 ended, 45 min, 1,334 PU.",
    ]
    assert max(map(len, text.splitlines())) <= 80
    assert render_history(past_requests(lines), verbose=True).splitlines()[2].endswith(rid(1))


def test_foreign_text_is_harmless_in_a_history():
    line = entry("final", 1, status=EVIL, job=EVIL, cost_pu=1.0)
    known = estimated(
        past_requests([replace(line, request_id=EVIL)]), [job(EVIL)], {EVIL: price(1)}
    )
    assert known[0].estimate is not None
    assert not HARM & set(render_history(known))


def test_a_history_beside_estimates():
    long = "x" * 45
    lines = [
        entry("final", 1, nonce="aaaaaaaa", status="DONE", cost_pu=1234.0, at=NOW),
        entry("final", 2, nonce="bbbbbbbb", status="STOPPED", cost_pu=500.0, at=ago(days=-1)),
        entry("final", 3, nonce="cccccccc", status="DONE", cost_pu=1500.0, at=ago(days=-2)),
        entry("final", 4, nonce="dddddddd", status="DONE", cost_pu=9.0, at=NOW, job=long),
        entry("final", 5, nonce="eeeeeeee", status="DONE", cost_pu=1.0, at=NOW, job="gone"),
    ]
    prices = {"ndvi": price(1200), long: price(None)}
    text = render_history(estimated(past_requests(lines), [job(), job(long)], prices))
    start = text.splitlines().index("")
    assert text.splitlines()[start + 1 :] == [
        f"{'JOB':<40} RUN   BEGUN      ESTIMATE      PU RATIO",
        f"{'ndvi':<40} r1    2024-06-10    1,200   1,234  1.03",
        f"{'':<40} r1    2024-06-11    1,200     500",
        f"{'':<40} r1    2024-06-12    1,200   1,500  1.25",
        long,
        f"{'':<40} r1    2024-06-10        ?       9",
        "Estimated 2,400 PU, cost 2,734 PU: 1.14 times as much.",
        "",
        "ndvi: 3 runs, 3,234 PU",
        "5 requests of 3 jobs, 5 ended, 3,244 PU.",
    ]
    assert max(map(len, text.splitlines())) <= 80


# --- jobs ----------------------------------------------------------------------------------------------------


def test_a_job_as_yaml_with_the_places_of_its_values():
    data = {
        "name": "ndvi",
        "request": {
            "evalscript": "//VERSION=3\nok\n",
            "bbox": [1, 2.5],
            "a/b": [{"c~d": None}],
            "gone": {},
        },
    }
    places = {
        "/name": "jobs/a.yaml:2",
        "/request/evalscript": "ndvi.js",
        "/request/bbox": "area.geojson",
        "/request/a~1b/0/c~0d": "shbatch.yaml:9",
    }
    text = render_job(data, places)
    assert yaml.safe_load(text) == data
    assert text.splitlines()[0] == f"{'name: ndvi':<64}  # jobs/a.yaml:2"
    assert "  evalscript: |" in text
    assert "  bbox: [1, 2.5]" in text
    assert text.count("#") == 4


SHARED = [1, 2]
LONG = [
    {"evalscript": "x" * 20_000},
    {"evalscript": "word " * 5_000},
    {"evalscript": "trailing \n" * 3_000},
    {"a": SHARED, "b": SHARED},
]


@pytest.mark.parametrize("data", LONG, ids=["one word", "words", "blanks at the end", "aliases"])
def test_a_job_as_yaml_is_read_as_it_was(data):
    places = {f"/{key}": "jobs/a.yaml:1" for key in data}
    assert yaml.safe_load(render_job(data, places)) == data


def test_gates_that_are_lifted_are_not_shown():
    made = plan(
        job(state="started"), [], [entry("start")], Policy(allow=frozenset({Gate.RECREATE}))
    )
    assert "withheld" not in render_plan(made)
    assert render_plan(made).startswith("+   ndvi (the service has forgotten it)")


def sealed(name: str) -> Step:
    return Step(name, Action.UPDATE, Outcome.DONE, reason=Reason.UNSEALED)


def test_what_was_made_counts_once_however_it_was_found_out():
    steps = (
        Step("a", Action.CREATE, Outcome.DONE),
        sealed("a"),
        Step("b", Action.CREATE, Outcome.WAITING, detail="no answer, so it is looked for"),
        sealed("b"),
        sealed("c"),
    )
    text = render_result(result(plan(job(), [request(1)]), steps=steps))
    assert text == "Apply: 2 created, 1 updated; 1 in sync."


def test_what_the_time_did_not_suffice_for_is_counted():
    left = plan(job(state="started"), [request(1)])
    assert render_result(result(left, timed_out=True)) == (
        "Apply: nothing was changed; 1 left to do; 0 in sync. The time ran out; apply again goes on from here."
    )
