"""A saved plan: `apply plan.json` does what was agreed to, or refuses and says what has moved."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shbatch_sync import BatchProcessClient, BatchRequestStatus, Config
from shbatch_sync.emulator import Emulator, Options
from shbatch_sync.emulator.backstage import Backstage
from shbatch_sync.emulator.server import serve
from shbatch_sync.planfile import file_digest
from shbatch_sync.store.schemas import load_schema
from tests.acceptance.conftest import EVALSCRIPT, Folder

SLOW = "  sandbox: {emulator: .shbatch/sandbox.db, speed: 1}\n"


def save(folder: Folder, *arguments: str) -> dict[str, Any]:
    """Save a plan and return it."""
    assert folder("plan", "--out", "plan.json", *arguments).code == 0
    document: dict[str, Any] = json.loads((folder.root / "plan.json").read_text())
    return document


def edit(folder: Folder, change: Callable[[dict[str, Any]], None], *, honest: bool = True) -> None:
    """Change the saved plan; with `honest` its digest as well."""
    path = folder.root / "plan.json"
    document = json.loads(path.read_text())
    change(document)
    if honest:
        document["digest"] = file_digest(document)
    path.write_text(json.dumps(document))


@pytest.fixture
def backstage(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backstage]:
    """An emulator on a socket as the folder's target."""
    monkeypatch.setenv("SH_CLIENT_ID", "an-id")
    monkeypatch.setenv("SH_CLIENT_SECRET", "a-secret")
    with Emulator(":memory:", Options(speed=1)) as emulator, serve(emulator) as server:
        folder.settings(f"  sandbox: {{baseUrl: '{server.url}', settle: 0}}\n")
        monkeypatch.setenv("SERVED", server.url)
        yield emulator.service


@pytest.fixture
def service(backstage: Backstage) -> Iterator[BatchProcessClient]:
    """A person's client of that emulator."""
    assert backstage is not None
    config = Config(base_url=os.environ["SERVED"], client_id="an-id", client_secret="a-secret")
    with BatchProcessClient(config) as client:
        yield client


def test_a_saved_plan_is_applied_without_asking_and_once(folder: Folder) -> None:
    folder.job("ndvi")
    document = save(folder)
    assert load_schema("plan").accepts(document)
    applied = folder("apply", "plan.json", "--wait")
    assert applied.code == 0, applied.err
    assert applied.out.splitlines()[-1] == "Apply: 1 created, 1 started; 1 in sync."
    again = folder("apply", "plan.json", "--wait")
    assert (again.code, again.out.splitlines()[-1]) == (0, "Apply: nothing was changed; 1 in sync.")
    assert [row["costPU"] for row in folder.requests()] == [100.0]


def test_it_holds_no_body_and_no_secret(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "AKIA-visible-to-nobody")
    monkeypatch.setenv("MY_SECRET", "hush-visible-to-nobody")
    folder.settings(
        "  sandbox: {emulator: .shbatch/sandbox.db, "
        "s3: {accessKey: {fromEnv: MY_KEY}, secretAccessKey: {fromEnv: MY_SECRET}}}\n"
    )
    folder.job("ndvi")
    save(folder)
    text = (folder.root / "plan.json").read_text()
    assert "visible-to-nobody" not in text
    assert "evaluatePixel" not in text
    assert "sentinel-2-l2a" not in text


def test_progress_is_no_reason_to_refuse(folder: Folder) -> None:
    folder.job("first")
    folder.job("second", more="dependsOn: [first]")
    save(folder)
    assert folder("apply", "plan.json").code == 0
    done = folder("apply", "plan.json", "--wait")
    assert done.code == 0, done.err
    assert {row["job"]: row["state"] for row in folder.requests()} == {
        "first": "done",
        "second": "done",
    }


def test_its_own_earlier_steps_are_no_reason(folder: Folder) -> None:
    folder.settings(SLOW)
    for name in ("one", "two", "three"):
        folder.job(name)
    save(folder)
    assert folder("apply", "--yes", "--job", "one").code == 0
    two = folder("apply", "--yes", "--job", "two", "--max-pu", "0")
    assert two.code == 3  # created and sealed, not started
    rest = folder("apply", "plan.json")
    assert rest.code == 0, rest.err
    assert rest.out.splitlines()[-1].startswith("Apply: 1 created, 2 started;")
    assert len({row["requestId"] for row in folder.requests()}) == 3


def test_a_replacement_that_was_interrupted_goes_on(folder: Folder) -> None:
    folder.job("ndvi", state="created")
    folder("apply", "--yes")
    folder.job("ndvi", resolution=20)
    save(folder)
    assert folder("apply", "--yes", "--max-pu", "0").code == 3
    rest = folder("apply", "plan.json", "--wait")
    assert rest.code == 0, rest.err
    assert folder.requests()[0]["state"] == "done"


def refused(folder: Folder, *words: str, command: tuple[str, ...] = ("apply", "plan.json")) -> None:
    """Assert that the saved plan is refused with exit code 3 and these words, and that nothing was done."""
    before = [row["requestId"] for row in folder.requests()]
    answer = folder(*command)
    assert answer.code == 3, answer
    for word in words:
        assert word in answer.err, answer.err
    assert [row["requestId"] for row in folder.requests()] == before


def test_a_changed_manifest(folder: Folder) -> None:
    folder.job("ndvi")
    save(folder)
    folder.job("ndvi", resolution=20)
    refused(
        folder,
        "plan.json is not what would be done now",
        "ndvi: create: jobs/ndvi.yaml:1 declares another request",
    )


def test_a_changed_state(folder: Folder) -> None:
    folder.job("ndvi", state="created")
    save(folder)
    folder.job("ndvi", state="started")
    refused(folder, "ndvi: start was not planned (jobs/ndvi.yaml:1)")


def test_a_state_that_was_taken_back(folder: Folder) -> None:
    folder.job("ndvi")
    save(folder)
    folder.job("ndvi", state="created")
    refused(folder, "ndvi: start was planned, but jobs/ndvi.yaml:1 declares created now")


def test_a_job_that_came_and_one_that_went(folder: Folder) -> None:
    folder.job("ndvi")
    save(folder)
    folder.job("another", state="created")
    refused(folder, "another: create was not planned")
    (folder.root / "jobs" / "ndvi.yaml").unlink()
    refused(folder, "ndvi: create was planned, but no manifest declares the job any more")


def test_a_changed_file_behind_a_manifest(folder: Folder) -> None:
    folder.job("ndvi")
    save(folder)
    folder.write("jobs/ndvi.js", EVALSCRIPT + "// more\n")
    refused(folder, "ndvi: create: jobs/ndvi.yaml:1 declares another request now")


def test_an_edited_file(folder: Folder) -> None:
    folder.job("ndvi")
    save(folder)
    edit(folder, lambda plan: plan["changes"].clear(), honest=False)
    refused(folder, "plan.json was changed after it was made: its digest does not match")


def test_another_project(folder: Folder) -> None:
    folder.job("ndvi")
    save(folder)
    path = folder.root / "shbatch.yaml"
    path.write_text(path.read_text().replace("crops", "woods"))
    refused(folder, "plan.json was made for project crops, this is project woods")


def test_another_target(folder: Folder) -> None:
    folder.settings(
        "  sandbox: {emulator: .shbatch/sandbox.db}\n  other: {emulator: .shbatch/other.db}\n"
    )
    folder.job("ndvi")
    save(folder)
    refused(
        folder,
        "plan.json was made for target sandbox, not for other",
        command=("apply", "plan.json", "--target", "other"),
    )


def test_a_target_that_leads_elsewhere(folder: Folder) -> None:
    folder.job("ndvi")
    save(folder)
    folder.settings("  sandbox: {emulator: .shbatch/another.db}\n")
    refused(
        folder,
        "target sandbox was emulator:.shbatch/sandbox.db and is emulator:.shbatch/another.db",
    )


def test_another_account(folder: Folder) -> None:
    folder.job("ndvi")
    save(folder)
    edit(folder, lambda plan: plan.update(account="11111111-2222-3333-4444-555555555555"))
    refused(folder, "plan.json was made for account 11111111-2222-3333-4444-555555555555, this is")


def test_another_policy(folder: Folder) -> None:
    folder.job("ndvi")
    save(folder)
    folder.settings(more="policy: {maxStartPU: 50}\n")
    refused(folder, "another policy: maxStartPU was not set and is 50")


def test_another_major_version(folder: Folder) -> None:
    folder.job("ndvi")
    save(folder)
    edit(folder, lambda plan: plan.update(formatVersion="2.0"))
    refused(folder, "plan.json has format version 2.0, this program reads 1.x")


def test_a_live_request_that_somebody_changed(folder: Folder, service: BatchProcessClient) -> None:
    folder.job("ndvi", state="created", more="description: July")
    assert folder("apply", "--yes").code == 0
    folder.job("ndvi", state="created", more="description: July 2025")
    save(folder)
    (live,) = service.iter_requests()
    marked = live.request["description"].replace("July", "by hand")
    service.update_request(live, description=marked)
    refused(folder, f"ndvi: update request {live.request_id}: /description: not what was planned")


def test_a_request_that_somebody_ended(
    folder: Folder, service: BatchProcessClient, backstage: Backstage
) -> None:
    folder.job("ndvi", state="created")
    assert folder("apply", "--yes").code == 0
    folder.job("ndvi", state="started")
    save(folder)
    (live,) = service.iter_requests()
    service.start_job(live)
    while service.get_request(live).status is not BatchRequestStatus.PROCESSING:
        backstage.advance(60)
    service.stop_job(live)
    while service.get_request(live).status is not BatchRequestStatus.STOPPED:
        backstage.advance(60)
    refused(
        folder, f"ndvi: start request {live.request_id} was planned, but the request is stopped now"
    )


def test_a_request_somebody_started_is_done_already(
    folder: Folder, service: BatchProcessClient
) -> None:
    folder.job("ndvi", state="created")
    assert folder("apply", "--yes").code == 0
    folder.job("ndvi", state="started")
    save(folder)
    (live,) = service.iter_requests()
    service.start_job(live)
    answer = folder("apply", "plan.json")
    assert answer.code == 0, answer.err
    assert "Apply: nothing was changed" in answer.out


def test_it_carries_what_lifted_its_gates(folder: Folder) -> None:
    folder.job("ndvi")
    folder("apply", "--yes", "--wait")
    folder.job("ndvi", resolution=20)
    save(folder)
    assert folder("apply", "plan.json").code == 3  # withheld, as planned
    document = save(folder, "--allow", "replace")
    assert document["options"]["allow"] == document["policy"]["allow"] == ["replace"]
    applied = folder("apply", "plan.json", "--wait")
    assert applied.code == 0, applied.err
    assert folder.requests()[0]["state"] == "done"


def test_it_carries_its_selection_and_variables(folder: Folder) -> None:
    folder.job("one", more="labels: {season: summer}", state="created")
    folder.job("two", state="created", more="description: about ${{ vars.what }}")
    document = save(folder, "--job", "t*", "--var", "what=wheat", "jobs/two.yaml")
    assert document["selection"] == {
        "paths": ["jobs/two.yaml"],
        "jobs": ["t*"],
        "labels": [],
        "changed": None,
    }
    assert document["variables"] == {"what": "wheat"}
    assert folder("apply", "plan.json").code == 0
    states = {
        row["job"]: row["state"]
        for row in folder("status", "--format", "json", "--var", "what=wheat").json["jobs"]
    }
    assert states == {"one": "none", "two": "created"}


@pytest.mark.parametrize(
    "option",
    [["--allow", "many"], ["--prune"], ["--job", "x"], ["--var", "a=b"], ["--max-pu", "0"]],
)
def test_options_that_it_has_decided_are_refused(folder: Folder, option: list[str]) -> None:
    folder.job("ndvi")
    save(folder)
    answer = folder("apply", "plan.json", *option)
    assert answer.code == 1
    assert f"leave out {option[0]}" in answer.err


def test_what_is_no_plan(folder: Folder) -> None:
    folder.job("ndvi")
    folder.write("plan.json", '{"formatVersion": "1.0", ')
    assert "plan.json:1" in folder("apply", "plan.json").err
    folder.write("plan.json", '["formatVersion"]')
    assert "plan.json holds no plan" in folder("apply", "plan.json").err
    save(folder)
    edit(folder, lambda plan: plan["changes"][0].pop("action"))
    assert "/changes/0" in folder("show", "plan.json").err
    save(folder)
    edit(folder, lambda plan: plan.pop("service"))
    assert "save it with `plan --out`" in folder("apply", "plan.json").err
    save(folder)
    assert "apply it alone" in folder("apply", "plan.json", "jobs").err


def test_a_manifest_in_json_is_still_a_manifest(folder: Folder) -> None:
    manifest = folder.job("ndvi", state="created")
    rendered = folder("render", "--format", "json").json[0]["job"]
    manifest.unlink()
    folder.write("jobs/ndvi.json", json.dumps(rendered))
    assert folder("apply", "--yes", "jobs/ndvi.json").code == 0


def test_a_plan_of_standard_input_cannot_be_saved(folder: Folder) -> None:
    folder.job("ndvi")
    answer = folder("plan", "-", "--out", "plan.json")
    assert answer.code == 1
    assert "standard input" in answer.err
    assert not (folder.root / "plan.json").exists()


def test_show_prints_it_in_every_format_offline(
    folder: Folder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder.job("ndvi", state="created")
    folder("apply", "--yes")
    folder.job("ndvi", resolution=20)
    text, markdown = folder("plan").out, folder("plan", "--format", "markdown").out
    document = save(folder)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    path = str(folder.root / "plan.json")
    shown = folder("-C", str(elsewhere), "show", path)
    assert [
        line for line in text.splitlines() if "unchanged members" not in line
    ] == shown.out.splitlines()
    assert folder("show", path, "--format", "markdown").out == markdown
    assert folder("show", path, "--format", "json").json == document
    assert not list(Path(elsewhere).iterdir())


def test_another_try_needs_a_plan_of_its_own(folder: Folder) -> None:
    """The same file, applied again after its try has failed as well, does not buy another one."""
    folder.job("ndvi", more="restartPolicy: OnFailure")
    document = save(folder)
    assert [change["try"] for change in document["changes"]] == [1, None]
    edit(folder, lambda plan: plan["changes"][0].update({"try": 2}))
    refused(folder, "ndvi: create: try 2 was planned, it would be try 1")
