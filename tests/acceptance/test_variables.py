"""Values from the command line and from files, and problems that are too many to be read one by one."""

from __future__ import annotations

import json

import pytest

from shbatch_sync.cli.problems import problem_text
from shbatch_sync.errors import Problem
from tests.acceptance.conftest import Folder


@pytest.fixture
def varied(folder: Folder) -> Folder:
    folder.job("ndvi", more='description: "${{ vars.word }} ${{ vars.more }}"')
    path = folder.root / "jobs" / "ndvi.yaml"
    text = path.read_text().replace("resolution: 10", 'resolution: "${{ vars.resolution }}"')
    path.write_text(text.replace("bbox: [14.4, 46.0, 14.6, 46.1]", 'bbox: "${{ vars.area.box }}"'))
    folder.settings(more="vars: {word: from the project, more: x}\n")
    return folder


VALUES = {"word": "10", "resolution": 20, "area": {"box": [14.4, 46.0, 14.6, 46.1]}, "more": "20"}


def rendered(folder: Folder, *arguments: str) -> tuple[str, float]:
    answer = folder("render", "--format", "json", *arguments)
    assert answer.code == 0, answer
    [one] = answer.json
    return one["job"]["description"], one["job"]["request"]["input"]["resolution"]


def test_manifests_are_valid_with_the_values_they_need(varied: Folder) -> None:
    varied.write("values.yaml", json.dumps(VALUES))
    without = varied("validate", "--format", "json").json
    assert {problem["code"] for problem in without["problems"]} == {"expression"}
    assert varied("validate", "--var-file", "values.yaml").code == 0
    wrong = varied("validate", "--var", "resolution=15", "--var-file", "values.yaml").out
    assert "[grid-resolution]" in wrong
    assert "write it as NAME=VALUE" in varied("validate", "--var", "resolution").err


@pytest.mark.parametrize("name", ["values.json", "values.yaml"])
def test_values_of_a_file_keep_their_types(varied: Folder, name: str) -> None:
    varied.write(name, json.dumps(VALUES))
    assert rendered(varied, "--var-file", name) == ("10 20", 20)


def test_later_files_and_single_values_come_before(varied: Folder) -> None:
    varied.write("one.yaml", json.dumps(VALUES))
    varied.write("two.yaml", "resolution: 60\nword: second\n")
    files = ("--var-file", "one.yaml", "--var-file", "two.yaml")
    assert rendered(varied, *files) == ("second 20", 60)
    assert rendered(varied, *files, "--var", "resolution=10") == ("second 20", 10)
    assert rendered(varied, "--var", "resolution=10", "--var", "word=20", *files) == ("20 20", 10)
    assert (
        rendered(varied, "--var", 'area={"box": [1, 2, 3, 4]}', "--var", "resolution=10")[1] == 10
    )


def test_a_file_is_looked_for_where_the_program_acts(varied: Folder) -> None:
    varied.write("deep/one.yaml", json.dumps(VALUES))
    assert varied("validate").code == 1
    assert varied("validate", "--var-file", "one.yaml", "-C", "deep").code == 0
    answer = varied("render", "--format", "json", "--var-file", "one.yaml", "-C", "deep")
    assert answer.code == 0, answer


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1]", "is no mapping of variables"),
        ("a: 1\na: 2\n", "values.yaml:2:1: /a: the key 'a' is written twice"),
        ("a: 1\n---\nb: 1\n", "is no mapping of variables"),
        (None, "values.yaml cannot be read: No such file"),
    ],
)
def test_a_file_that_is_wrong(varied: Folder, text: str | None, words: str) -> None:
    if text is not None:
        varied.write("values.yaml", text)
    answer = varied("plan", "--var-file", "values.yaml")
    assert answer.code == 1
    assert words in answer.err


def problem(number: int, message: str, code: str = "grid") -> Problem:
    return Problem(
        file=f"jobs/{number:05d}.yaml", line=1, column=2, pointer="/a", message=message, code=code
    )


def test_a_few_problems_are_told_one_by_one() -> None:
    few = [problem(number, "wrong") for number in range(20)]
    assert problem_text(few).splitlines() == [*map(str, few), "20 errors."]


def test_ten_thousand_problems_that_are_alike_are_three_lines() -> None:
    many = [problem(number, "wrong") for number in range(10_000)]
    assert problem_text(many).splitlines() == [
        "jobs/00000.yaml:1:2: /a: wrong [grid]",
        "  the same at jobs/00001.yaml:1:2, jobs/00002.yaml:1:2 and 9,997 more places",
        "10,000 errors.",
    ]


def test_ten_thousand_problems_of_one_kind_are_few_lines() -> None:
    many = [problem(number, f"wrong {number // 2}") for number in range(10_000)]
    lines = problem_text([*many, problem(10_001, "other", "time")]).splitlines()
    assert len(lines) == 20 * 2 + 1 + 1 + 1
    assert lines[1] == "  the same at jobs/00001.yaml:1:2"
    assert "  and 9,960 more [grid]: `shbatch-sync validate --format json` has them all" in lines
    assert lines[-2:] == ["jobs/10001.yaml:1:2: /a: other [time]", "10,001 errors."]


def test_a_project_full_of_one_mistake_stays_readable(folder: Folder) -> None:
    for number in range(30):
        folder.job(f"job-{number}", resolution=15)
    answer = folder("validate")
    assert answer.code == 1
    assert len(answer.out.splitlines()) < 6
    assert "30 errors" in answer.out
    assert "28" in answer.out or "27" in answer.out


def test_a_saved_plan_remembers_the_values_of_files(varied: Folder) -> None:
    varied.write("values.yaml", json.dumps(VALUES))
    assert varied("plan", "--var-file", "values.yaml", "--out", "plan.json").code == 0
    (varied.root / "values.yaml").unlink()
    assert varied("apply", str(varied.root / "plan.json"), "--wait", "--poll", "0.2").code == 0
    varied.write("values.yaml", json.dumps(VALUES))
    assert varied("plan", "--var-file", "values.yaml", "--detailed-exitcode").code == 0
