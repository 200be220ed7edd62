"""Prices before anything exists, and gates that hold."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import Folder
from tests.acceptance.test_round_trip import changes


def test_an_estimate_needs_no_network_and_says_what_it_rests_on(folder: Folder) -> None:
    folder.job("ndvi")
    folder.job("wide", resolution=20)
    answer = folder("estimate", "--format", "json")
    assert answer.code == 0
    jobs = {row["job"]: row["estimate"] for row in answer.json["jobs"]}
    assert jobs["ndvi"]["tiles"] >= jobs["wide"]["tiles"] > 0
    assert jobs["ndvi"]["low"] <= jobs["ndvi"]["pu"] <= jobs["ndvi"]["high"]
    assert any("100 PU" in note for note in jobs["wide"]["assumptions"])
    assert answer.json["total"]["pu"] == sum(estimate["pu"] for estimate in jobs.values())
    assert not (folder.root / ".shbatch").exists()


def test_many_small_requests_are_warned_of_before_they_are_made(folder: Folder) -> None:
    for name in "abcde":
        folder.job(name)
    words = "these 5 jobs cost 500 PU at the minimum of 100 PU a request; as one request they would cost"
    assert words in folder("estimate").err
    assert f"warning: {words}" in folder("plan").out
    [warning] = folder("plan", "--offline", "--format", "json", "--out", "plan.json").json[
        "warnings"
    ][1:]
    assert warning.startswith(words)
    assert folder("show", "plan.json", "--format", "markdown").out.count(words) == 1


def test_a_job_above_its_price_is_created_and_not_started(folder: Folder) -> None:
    folder.job("ndvi", more="maxPU: 50")
    assert changes(folder) == [("ndvi", "create", None), ("ndvi", "start", "cost")]
    applied = folder("apply", "--yes", "--wait")
    assert applied.code == 3
    assert "limit 50 PU; set a higher maxPU in jobs/ndvi.yaml:1, or --allow cost" in " ".join(
        applied.out.split()
    )
    assert folder.requests()[0]["state"] == "created"
    assert folder("apply", "--yes", "--wait", "--allow", "cost").code == 0
    assert folder.requests()[0]["state"] == "done"


def test_above_the_limit_of_an_invocation_nothing_is_started(folder: Folder) -> None:
    for name in ("a", "b", "c"):
        folder.job(name)
    answer = folder("apply", "--yes", "--wait", "--max-pu", "250")
    assert answer.code == 3
    assert "3 starts cost up to 300 PU, limit 250 PU" in " ".join(answer.out.split())
    assert {row["state"] for row in folder.requests()} == {"created"}
    assert folder("apply", "--yes", "--wait", "--max-pu", "300").code == 0


def test_the_limit_counts_what_will_be_started_in_later_rounds(folder: Folder) -> None:
    folder.job("a")
    folder.job("b", more="dependsOn: [a]")
    assert folder("apply", "--yes", "--wait", "--max-pu", "150").code == 3
    assert {row["state"] for row in folder.requests()} == {"created"}


def test_a_month_has_a_budget(folder: Folder) -> None:
    folder.settings(more="budget: {monthlyPU: 150}\n")
    folder.job("a")
    assert folder("apply", "--yes", "--wait").code == 0
    folder.job("b")
    answer = folder("apply", "--yes", "--wait")
    assert answer.code == 3
    assert "after 100 PU this month, limit 150 PU a month" in " ".join(answer.out.split())


def test_an_unknown_price_is_withheld_where_there_is_a_limit(folder: Folder) -> None:
    manifest = folder.job("fields")
    text = manifest.read_text()
    grid = "input: {type: tiling-grid, id: 0, resolution: 10}"
    package = 'input: {type: geopackage, features: {s3: {url: "s3://in/fields.gpkg"}}}'
    manifest.write_text(text.replace(grid, package))
    assert changes(folder) == [("fields", "create", None), ("fields", "start", None)]
    assert changes(folder, "--max-pu", "10000") == [
        ("fields", "create", None),
        ("fields", "start", "cost"),
    ]


def test_what_finished_jobs_cost_stands_beside_their_estimates(folder: Folder) -> None:
    folder.settings(more="estimate: {calibrate: true}\n")
    folder.job("ndvi")
    folder("apply", "--yes", "--wait")
    answer = folder("estimate")
    assert "REAL" in answer.out
    assert (
        answer.out.strip().splitlines()[-1]
        == "1 of them is done: estimated 100 PU, cost 100 PU (1.00)."
    )
    assert folder("estimate", "--format", "json").json["jobs"][0]["realPU"] == 100.0


def test_history_holds_costs_against_estimates_without_a_network(folder: Folder) -> None:
    folder.settings(more="estimate: {calibrate: true}\n")
    folder.job("changed")
    folder.job("kept", more='description: "${{ vars.word }}"')
    folder.job("forgotten")
    assert folder("apply", "--yes", "--wait", "--var", "word=x").code == 0
    folder.job("changed", resolution=20)
    (folder.root / "jobs" / "forgotten.yaml").unlink()
    compared = folder("history", "--format", "json", "--var", "word=x").json["requests"]
    told = {row["job"]: (row["costPU"], row["estimate"], row["ratio"]) for row in compared}
    assert told["changed"] == told["forgotten"] == (100.0, None, None)
    cost, estimate, ratio = told["kept"]
    assert (cost, estimate["pu"], ratio) == (100.0, 100.0, 1.0)
    assert "calibrated" not in str(estimate)
    unreadable = folder("history")
    assert unreadable.code == 0
    assert (
        "warning: no estimates, for the manifests cannot be read: 1 problem, see" in unreadable.err
    )
    assert "ESTIMATE" not in unreadable.out
    assert "3 requests of 3 jobs, 3 ended, " in unreadable.out


def test_history_outlives_the_manifests(folder: Folder) -> None:
    manifest = folder.job("ndvi")
    folder("apply", "--yes", "--wait")
    manifest.unlink()
    (folder.root / "jobs" / "ndvi.js").unlink()
    (folder.root / "jobs").rmdir()
    answer = folder("history")
    assert (answer.code, answer.err) == (0, "")
    assert "1 request of 1 job, 1 ended, " in answer.out
    assert answer.out.endswith(", 100 PU.\n")
    (folder.root / "ndvi.yaml").symlink_to(__file__)
    answer = folder("history")
    assert "warning: no estimates, for the manifests cannot be read: " in answer.err
    assert (answer.code, answer.out.count("1 ended")) == (0, 1)


def test_a_first_project_limits_what_one_apply_may_start(folder: Folder) -> None:
    (folder.root / "fresh").mkdir()
    assert folder("init", "-C", "fresh").code == 0
    first = folder("plan", "-C", "fresh", "--format", "json", "--out", "plan.json").json
    assert first["policy"]["maxStartPU"] == 1000
    assert first["summary"]["start"] == 1
    manifest = folder.root / "fresh" / "jobs" / "first-ndvi.yaml"
    months = "matrix: {month: {dates: {from: 2025-01, to: 2025-11, step: P1M}}}"
    text = manifest.read_text().replace(
        "first-ndvi\n", f"ndvi-${{{{ matrix.month.label }}}}\n{months}\n", 1
    )
    manifest.write_text(text.replace("first-ndvi/", "${{ name }}/"))
    withheld = folder("plan", "-C", "fresh", "--format", "json").json
    assert (withheld["summary"]["start"], withheld["summary"]["withheld"]) == (0, 11)
    assert "raise maxStartPU" in str(withheld["changes"])


@pytest.mark.parametrize("style", ["text", "markdown"])
def test_every_job_is_in_the_table(folder: Folder, style: str) -> None:
    folder.job("a-job-with-a-very-long-name-that-is-not-cut")
    answer = folder("estimate", "--format", style)
    assert "a-job-with-a-very-long-name-that-is-not-cut" in answer.out
