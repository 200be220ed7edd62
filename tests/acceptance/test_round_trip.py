"""The main job in the sandbox: manifests become requests, edits become plans."""

from __future__ import annotations

from tests.acceptance.conftest import Folder

SLOW = "  sandbox: {emulator: .shbatch/sandbox.db, speed: 60}\n"


def changes(folder: Folder, *arguments: str) -> list[tuple[str, str, str | None]]:
    """Return (job, action, gate) of every change of a plan."""
    plan = folder("plan", "--format", "json", *arguments).json
    return [
        (change["job"], change["action"], (change["withheld"] or {}).get("gate"))
        for change in plan["changes"]
    ]


def test_a_plan_has_changes_before_and_none_after(folder: Folder) -> None:
    folder.job("ndvi")
    folder.job("later", state="created")
    before = folder("plan", "--detailed-exitcode")
    assert before.code == 2
    assert "Plan: 2 to create, 1 to start; 0 in sync." in before.out

    applied = folder("apply", "--yes", "--wait")
    assert applied.code == 0
    assert applied.out.splitlines()[-1] == "Apply: 2 created, 1 started; 2 in sync."

    after = folder("plan", "--detailed-exitcode")
    assert (after.code, after.out.strip()) == (0, "Plan: nothing to do; 2 in sync.")
    states = {row["job"]: row["state"] for row in folder.requests()}
    assert states == {"later": "created", "ndvi": "done"}


def test_a_second_apply_does_nothing(folder: Folder) -> None:
    folder.job("ndvi")
    folder("apply", "--yes", "--wait")
    ids = [row["requestId"] for row in folder.requests()]
    again = folder("apply", "--yes", "--wait")
    assert (again.code, again.out.splitlines()[-1]) == (0, "Apply: nothing was changed; 1 in sync.")
    assert [row["requestId"] for row in folder.requests()] == ids


def test_an_edited_description_is_one_update(folder: Folder) -> None:
    folder.job("ndvi", more="description: July")
    folder("apply", "--yes", "--wait")
    folder.job("ndvi", more="description: July 2025")
    plan = folder("plan", "--detailed-exitcode")
    assert plan.code == 2
    assert plan.out.count("~   ndvi (description changed)") == 1
    assert '/description: "July" → "July 2025"' in plan.out
    assert "Plan: 1 to update; 0 in sync." in plan.out
    folder("apply", "--yes")
    assert folder("plan", "--detailed-exitcode").code == 0


def test_a_spec_that_was_only_created_is_replaced(folder: Folder) -> None:
    folder.job("ndvi", state="created")
    folder("apply", "--yes")
    folder.job("ndvi", state="created", resolution=20)
    plan = folder("plan", "--detailed-exitcode")
    assert plan.code == 2
    assert "-/+ ndvi (spec changed)" in plan.out
    assert "/input/resolution: 10 → 20" in plan.out
    assert folder("apply", "--yes").code == 0
    assert folder("plan", "--detailed-exitcode").code == 0


def test_replacing_what_was_paid_for_needs_a_generation(folder: Folder) -> None:
    folder.job("ndvi")
    folder("apply", "--yes", "--wait")
    folder.job("ndvi", resolution=20)
    assert changes(folder) == [("ndvi", "replace", "replace"), ("ndvi", "start", "replace")]
    plan = folder("plan", "--detailed-exitcode")
    assert plan.code == 0
    assert "declare generation 2 in jobs/ndvi.yaml:1, or --allow replace" in " ".join(
        plan.out.split()
    )
    withheld = folder("apply", "--yes", "--wait")
    assert withheld.code == 3
    assert folder.requests()[0]["costPU"] == 100.0

    folder.job("ndvi", resolution=20, more="generation: 2")
    assert changes(folder) == [("ndvi", "replace", None), ("ndvi", "start", None)]
    assert folder("apply", "--yes", "--wait").code == 0
    assert folder("plan", "--detailed-exitcode").code == 0
    history = folder("history", "--format", "json").json["entries"]
    assert [entry["generation"] for entry in history if entry["event"] == "final"] == [1, 2]


def test_a_processing_orphan_is_stopped_only_when_asked_twice(folder: Folder) -> None:
    folder.settings(SLOW)
    folder.job("keep", state="created")
    manifest = folder.job("gone")
    folder("apply", "--yes", "--timeout", "60")
    while next(row for row in folder.requests() if row["job"] == "gone")["state"] != "processing":
        pass
    manifest.unlink()

    assert changes(folder) == [("gone", "wait", None)]
    assert folder("plan", "--detailed-exitcode").code == 0
    assert changes(folder, "--prune") == [("gone", "stop", "stop")]
    assert folder("apply", "--yes", "--prune").code == 3

    assert folder("apply", "--yes", "--wait", "--prune", "--allow", "stop").code == 0
    gone = next(row for row in folder.requests() if row["job"] == "gone")
    assert (gone["status"], gone["stopReason"]) == ("STOPPED", "USER_ACTION")


def test_the_ledger_of_one_target_says_nothing_of_another(folder: Folder) -> None:
    folder.settings(
        "  sandbox: {emulator: .shbatch/sandbox.db, speed: 600}\n  other: {emulator: .shbatch/other.db, speed: 600}\n"
    )
    folder.job("ndvi")
    assert folder("apply", "--yes", "--wait").code == 0
    plan = folder("plan", "--target", "other")
    assert "Plan: 1 to create, 1 to start; 0 in sync." in plan.out
    assert folder("apply", "--target", "other", "--yes", "--wait").code == 0
    assert folder.requests("--target", "other")[0]["state"] == "done"


def test_selection_narrows_what_is_done_not_what_is_declared(folder: Folder) -> None:
    folder.job("ndvi-a", more="labels: {team: north}")
    folder.job("ndvi-b", more="labels: {team: south}")
    assert {job for job, _, _ in changes(folder, "--job", "*-a")} == {"ndvi-a"}
    assert {job for job, _, _ in changes(folder, "--label", "team=south")} == {"ndvi-b"}
    assert {job for job, _, _ in changes(folder, str(folder.root / "jobs/ndvi-b.yaml"))} == {
        "ndvi-b"
    }
    refused = folder("plan", "--prune", "--job", "*-a")
    assert refused.code == 1
    assert "--prune acts on the whole project" in refused.err


def test_jobs_wait_for_those_they_depend_on(folder: Folder) -> None:
    folder.job("first")
    folder.job("second", more="dependsOn: [first]")
    plan = folder("plan")
    assert "after first" in plan.out
    assert folder("apply", "--yes", "--wait").code == 0
    starts = [
        entry
        for entry in folder("history", "--format", "json").json["entries"]
        if entry["event"] in ("start", "final")
    ]
    assert [(entry["job"], entry["event"]) for entry in starts] == [
        ("first", "start"),
        ("first", "final"),
        ("second", "start"),
        ("second", "final"),
    ]


def test_apply_without_a_terminal_asks_for_yes(folder: Folder) -> None:
    folder.job("ndvi")
    refused = folder.process("apply", stdin="")
    assert refused.code == 1
    assert "pass --yes" in refused.err
    assert folder.requests()[0]["state"] == "none"
