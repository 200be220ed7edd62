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
    assert "as one request they would cost" in folder("estimate").err


def test_a_job_above_its_price_is_created_and_not_started(folder: Folder) -> None:
    folder.job("ndvi", more="maxPU: 50")
    assert changes(folder) == [("ndvi", "create", None), ("ndvi", "start", "cost")]
    applied = folder("apply", "--yes", "--wait")
    assert applied.code == 3
    assert "limit 50 PU; raise maxPU in jobs/ndvi.yaml:1, or --allow cost" in " ".join(
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
        == "1 of them are done: estimated 100 PU, cost 100 PU (1.00)."
    )
    assert folder("estimate", "--format", "json").json["jobs"][0]["realPU"] == 100.0


@pytest.mark.parametrize("style", ["text", "markdown"])
def test_every_job_is_in_the_table(folder: Folder, style: str) -> None:
    folder.job("a-job-with-a-very-long-name-that-is-not-cut")
    answer = folder("estimate", "--format", style)
    assert "a-job-with-a-very-long-name-that-is-not-cut" in answer.out
