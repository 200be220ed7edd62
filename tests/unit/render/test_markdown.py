"""A plan as a comment: names every job, folds what differs, fits, and nothing in it is markup of others."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from markdown_it import MarkdownIt

from shbatch_sync.cost.price import Estimate
from shbatch_sync.diff import FieldChange, Kind
from shbatch_sync.job import Origin
from shbatch_sync.marker import Commit
from shbatch_sync.plan import Action, Change, Facts, Gate, Plan, Reason, Withheld
from shbatch_sync.render.markdown import LIMIT, render_markdown, tag
from shbatch_sync.render.md import code, code_html, fenced, words
from shbatch_sync.shape import GEOMETRY

NOW = datetime(2026, 11, 22, tzinfo=UTC)
FACTS = Facts(project="crops", target="eu", now=NOW, commit=Commit("3f9c2ab", NOW))
SCRIPT = "/processRequest/evalscript"
NASTY = [
    "<script>alert(1)</script>",
    "</details><h1>big</h1>",
    "--> <img src=x onerror=1>",
    "```\n# not a fence\n```",
    "````",
    "`code` | a cell",
    "@everyone and @org/team",
    "#1 org/repo#2 GH-3",
    "[link](https://example.org) ![image](https://example.org/x.png) <https://example.org>",
    "www.example.org https://example.org",
    "\x1b[31mred\x1b[0m \x07",
    "\u202eevil\u202c \u200bhidden",
    "::set-output name=x::y",
    "##[set-env name=x]y ##vso[task.setvariable]z",
    "a\nb\r\nc\u2028d",
    "| | |\n|---|---|\n",
    "* item\n1. item\n> quote\n***\n",
    "&lt;b&gt; &#64;someone",
    "~~gone~~ **bold** _it_",
]


def change(job: str = "ndvi", action: Action = Action.CREATE, **members: Any) -> Change:
    reason = members.pop("reason", Reason.MISSING)
    return Change(
        job=job, action=action, reason=reason, origin=Origin(f"jobs/{job}.yaml", 3), **members
    )


def replaced(job: str = "ndvi", *fields: FieldChange) -> Change:
    return change(
        job, Action.REPLACE, reason=Reason.SPEC_CHANGED, request_id="1b9d6bcd", fields=fields
    )


def plan(*changes: Change, **members: Any) -> Plan:
    return Plan(facts=FACTS, changes=changes, **members)


def html(text: str) -> str:
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)


class Tags(HTMLParser):
    """Collects the elements of a page and its visible text."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def tags(text: str) -> Tags:
    parser = Tags()
    parser.feed(html(text))
    return parser


OURS = {
    *(
        "h3",
        "p",
        "strong",
        "code",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "details",
        "summary",
    ),
    *("pre", "sub", "ul", "li", "em"),
}


def test_the_first_line_is_a_tag_that_names_project_and_target():
    assert render_markdown(plan()).splitlines()[0] == "<!-- shbatch-sync plan crops eu -->"
    assert tag("crops", "--><b>") == "<!-- shbatch-sync plan crops -b- -->"


def test_a_plan_without_changes():
    text = render_markdown(plan(in_sync=12))
    assert "nothing to do; 12 in sync" in tags(text).text
    assert "|" not in text


def test_every_change_is_a_row_with_reason_price_and_place():
    start = change(
        action=Action.START,
        reason=Reason.DECLARED,
        estimate=Estimate(tiles=4, pixels=9, pu=120.0, low=100.0, high=160.0),
    )
    page = tags(render_markdown(plan(change(), start)))
    assert "+ create" in page.text
    assert "not on the service" in page.text
    assert "120 PU (100-160)" in page.text
    assert "jobs/ndvi.yaml:3" in page.text
    assert "Estimated 120 PU" in page.text
    assert "commit 3f9c2ab" in page.text


def test_a_gate_is_told_once_with_what_lifts_it():
    held = Withheld(Gate.COST, "up to 4,210 PU", "1,000 PU", "--allow cost")
    text = render_markdown(plan(*(change(f"job-{n}", withheld=held) for n in range(3))))
    page = tags(text)
    assert page.text.count("up to 4,210 PU, limit 1,000 PU; --allow cost") == 1
    assert "job-0 and 2 more" in page.text
    assert page.text.count("withheld (cost)") == 4


def test_a_script_is_a_line_diff_and_values_are_two_lines():
    fields = (
        FieldChange("/input/resolution", Kind.CHANGED, 10, 20),
        FieldChange("/output/cogOutput", Kind.ADDED, None, True),
        FieldChange("/output/createCollection", Kind.REMOVED, False, None),
        FieldChange("/instanceType", Kind.REMOVED, "normal", None, "filled in by the service"),
        FieldChange(SCRIPT, Kind.CHANGED, "//VERSION=3\na\nb\n", "//VERSION=3\na\nc\n"),
    )
    lines = render_markdown(plan(replaced("ndvi", *fields))).splitlines()
    block = lines[lines.index("```diff") + 1 : lines.index("```")]
    assert block == [
        "- /input/resolution: 10",
        "+ /input/resolution: 20",
        "+ /output/cogOutput: true",
        "- /output/createCollection: false",
        "! /processRequest/evalscript",
        "@@ -1,3 +1,3 @@",
        " //VERSION=3",
        " a",
        "-b",
        "+c",
    ]


def test_an_area_is_told_in_words():
    old = {"type": "Polygon", "points": 2000, "areaKm2": 12.5, "digest": "1.a", "box": [1, 2, 3, 4]}
    new = {
        **old,
        "points": 2001,
        "areaKm2": 14.25,
        "digest": "1.b",
        "newPoints": 3,
        "gonePoints": 2,
    }
    text = render_markdown(plan(replaced("ndvi", FieldChange(GEOMETRY, Kind.CHANGED, old, new))))
    assert (
        "Polygon of 2,000 points, 12.5 km² → Polygon of 2,001 points, 14.25 km²; 3 new, 2 gone"
        in text
    )


def test_warnings_and_orphans():
    page = tags(render_markdown(plan(warnings=tuple(f"w{n}" for n in range(25)), orphans=7)))
    assert "warning: w0" in page.text
    assert "and 5 more" in page.text
    assert "7 requests at rest without a manifest" in page.text


# --- size ----------------------------------------------------------------------------------------------------


def big(
    number: int, *, length: int = 2000, name: str = "ndvi-slovenia-2024-05-with-a-rather-long-name"
) -> Plan:
    script = "".join(f"line {n}\n" for n in range(length // 8))
    fields = (FieldChange(SCRIPT, Kind.CHANGED, script, script.replace("line", "other")),)
    held = Withheld(
        Gate.REPLACE, "the current request has cost 4,210 PU", "0 PU", "declare generation 2"
    )
    return plan(
        *(
            Change(
                job=f"{name}-{n:05}",
                action=Action.REPLACE,
                reason=Reason.SPEC_CHANGED,
                detail="a detail that says what is to be done about it, and is long " * 4,
                origin=Origin(f"jobs/{name}/{n}.yaml", 1),
                fields=fields,
                withheld=held,
            )
            for n in range(number)
        )
    )


@pytest.mark.parametrize("number", [1, 3, 30, 300])
def test_it_stays_under_the_limit_and_names_every_job(number: int):
    made = big(number)
    text = render_markdown(made)
    assert len(text) < LIMIT == 60_000
    assert len(text.encode()) < 65_536
    assert all(f"`{change.job}`" in text for change in made.changes)
    assert text.count("```diff") == text.count("</details>")
    assert tags(text).names <= OURS


def test_differences_are_left_out_before_rows_and_it_says_so():
    text = render_markdown(big(100))
    kept = text.count("<details>")
    assert 0 < kept < 100
    assert f"Differences of {100 - kept} jobs left out" in text


def test_the_shortest_differences_are_kept():
    short = replaced("short", FieldChange("/input/resolution", Kind.CHANGED, 10, 20))
    made = plan(short, *big(200).changes)
    assert "<summary><code>short</code> replace</summary>" in render_markdown(made)


def test_a_plan_of_thousands_names_as_many_as_fit():
    text = render_markdown(big(5000, length=8))
    assert len(text) < LIMIT
    assert re.search(r"and \d+ more: see the saved plan", text)
    short = render_markdown(plan(*(change(f"j{n}") for n in range(700))), limit=8_000)
    assert all(f"`j{n}`" in short for n in range(700))
    assert "more" not in short


def test_a_long_difference_is_cut_within_its_fence():
    text = render_markdown(big(1, length=100_000))
    assert re.search(r"… \d+ more lines\n```\n", text)


# --- harmless ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nasty", NASTY)
def test_nothing_of_others_is_markup(nasty: str):
    fields = (
        FieldChange("/description", Kind.CHANGED, nasty, f"new {nasty}"),
        FieldChange(f"/{nasty}", Kind.ADDED, None, {nasty: nasty}),
        FieldChange(SCRIPT, Kind.CHANGED, nasty, f"{nasty}\n{nasty}"),
    )
    held = Withheld(Gate.TWIN, nasty, nasty, nasty)
    made = Plan(
        facts=FACTS,
        changes=(
            Change(
                job=f"job {nasty}",
                action=Action.REPLACE,
                reason=Reason.SPEC_CHANGED,
                detail=nasty,
                origin=Origin(f"jobs/{nasty}.yaml", 1),
                fields=fields,
                withheld=held,
            ),
            change(action=Action.ATTENTION, reason=Reason.FAILED, detail=nasty),
        ),
        warnings=(nasty,),
    )
    text = render_markdown(made)
    page = tags(text)
    assert page.names <= OURS
    assert page.attributes <= {"class", "style"}
    assert html(text).count("<details>") == html(text).count("</details>") == 1
    assert html(text).count("<tr>") == 3
    _assert_quiet(text, html(text))


def _assert_quiet(text: str, page: str) -> None:
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", text)
    assert not re.search(r"^\s*::", text, re.MULTILINE)
    assert "##[" not in text
    assert "##vso[" not in text
    outside = re.sub(r"(?s)<(code|pre)[ >].*?</\1>", "", page)
    assert not re.search(r"@\w", outside)
    assert not re.search(r"#\d", outside)
    assert "GH-3" not in outside
    assert "://" not in outside
    assert "www." not in outside


@pytest.mark.parametrize("nasty", NASTY)
def test_pieces_read_as_they_were(nasty: str):
    plain = " ".join(nasty.split())
    if re.search("\x1b|\u202e|##|^::|~~", nasty):
        return
    assert tags(words(nasty)).text.replace("\u200b", "").strip() == plain
    assert tags(code(nasty)).text.strip().replace("\\|", "|") == plain
    assert tags(f"<p>{code_html(nasty)}</p>").text.strip() == plain


def test_a_fence_is_longer_than_what_is_inside():
    assert fenced("a\n`````\nb", "diff").startswith("``````diff\n")
    assert fenced("::stop") == "```\n\\::stop\n```"
