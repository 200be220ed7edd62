"""Renaming, adopting, an older checkout, a marker that people break: nothing is paid twice, nothing is lost."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from shbatch_sync import BatchProcessClient, Config
from shbatch_sync.emulator import Emulator, Options
from shbatch_sync.emulator.server import serve
from tests.acceptance.conftest import Folder
from tests.acceptance.test_round_trip import changes

WAIT = ("--yes", "--wait", "--poll", "0.2")


@pytest.fixture
def service(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Emulator, BatchProcessClient]]:
    """The emulator on a socket as the folder's target, and a client beside it for what people do by hand."""
    monkeypatch.setenv("SH_CLIENT_ID", "an-id")
    monkeypatch.setenv("SH_CLIENT_SECRET", "a-secret")
    with Emulator(":memory:", Options(speed=600)) as emulator, serve(emulator) as server:
        folder.settings(f"  sandbox: {{baseUrl: '{server.url}', settle: 0}}\n")
        with BatchProcessClient(
            Config(base_url=server.url, client_id="an-id", client_secret="x")
        ) as client:
            yield emulator, client


def by_hand(client: BatchProcessClient, resolution: float = 10, name: str = "ndvi") -> str:
    """Create by hand what `folder.job(name)` declares."""
    from tests.acceptance.conftest import EVALSCRIPT, ROLE  # noqa: PLC0415

    body: dict[str, Any] = {
        "input": {
            "bounds": {"bbox": [14.4, 46.0, 14.6, 46.1]},
            "data": [
                {
                    "type": "sentinel-2-l2a",
                    "dataFilter": {
                        "timeRange": {"from": "2025-07-01T00:00:00Z", "to": "2025-07-31T23:59:59Z"}
                    },
                }
            ],
        },
        "output": {"responses": [{"identifier": "default", "format": {"type": "image/tiff"}}]},
        "evalscript": EVALSCRIPT,
    }
    storage = client.s3_specification(
        f"s3://results/{name}/<requestId>/<tileName>/<outputId>.<format>", iam_role_arn=ROLE
    )
    made = client.create(
        body,
        client.tiling_grid_input(0, resolution),
        client.raster_output(storage),
        description="mine",
    )
    return str(made.request_id)


def costly(emulator: Emulator) -> int:
    return sum(task["costPU"] > 0 for task in emulator.service.tasks())


def test_a_renamed_job_is_the_same_job(
    folder: Folder, service: tuple[Emulator, BatchProcessClient]
) -> None:
    emulator, _ = service
    folder.job("ndvi").unlink()
    manifest = folder.job("ndvi")
    assert folder("apply", *WAIT).code == 0
    text = manifest.read_text()
    manifest.write_text(text.replace("name: ndvi\n", "name: greenness\n"))
    assert changes(folder) == [("greenness", "create", "twin"), ("greenness", "start", "twin")]

    manifest.write_text(text.replace("name: ndvi\n", "name: greenness\npreviousNames: [ndvi]\n"))
    assert changes(folder) == [("greenness", "update", None)]
    assert folder("apply", *WAIT).code == 0
    assert folder("plan", "--detailed-exitcode").code == 0
    manifest.write_text(text.replace("name: ndvi\n", "name: greenness\n"))
    assert folder("plan", "--detailed-exitcode").code == 0
    assert costly(emulator) == 1


def test_a_renamed_job_that_the_service_has_forgotten_is_not_paid_again(
    folder: Folder, service: tuple[Emulator, BatchProcessClient]
) -> None:
    emulator, _ = service
    manifest = folder.job("ndvi")
    folder("apply", *WAIT)
    emulator.service.forget(folder.requests()[0]["requestId"])
    assert folder("plan", "--detailed-exitcode").code == 0
    text = manifest.read_text()
    manifest.write_text(text.replace("name: ndvi\n", "name: greenness\npreviousNames: [ndvi]\n"))
    assert folder("plan", "--detailed-exitcode").code == 0
    assert folder("apply", *WAIT).code == 0
    manifest.write_text(text.replace("name: ndvi\n", "name: greenness\n"))
    assert folder("plan", "--detailed-exitcode").code == 0
    assert emulator.service.tasks() == []


def test_a_request_made_by_hand_is_adopted_as_it_is(
    folder: Folder, service: tuple[Emulator, BatchProcessClient]
) -> None:
    emulator, client = service
    request_id = by_hand(client)
    folder.job("ndvi", state="created")
    assert changes(folder) == [("ndvi", "create", "twin")]
    folder.job("ndvi", more=f"adopt: {request_id}")
    assert changes(folder) == [("ndvi", "adopt", None)]
    assert folder("apply", *WAIT).code == 0
    assert len(emulator.service.tasks()) == 1
    assert client.get_request(request_id).status.value == "DONE"
    assert client.get_request(request_id).description.startswith(
        "mine [shbatch-sync/1 crops/ndvi r1 "
    )
    assert folder("plan", "--detailed-exitcode").code == 0


def test_a_request_that_differs_is_shown_and_not_adopted(
    folder: Folder, service: tuple[Emulator, BatchProcessClient]
) -> None:
    emulator, client = service
    request_id = by_hand(client, resolution=20)
    folder.job("ndvi", more=f"adopt: {request_id}")
    plan = folder("plan")
    assert "/input/resolution: 20 → 10" in plan.out
    assert folder("apply", *WAIT).code == 4
    assert client.get_request(request_id).description == "mine"
    assert len(emulator.service.tasks()) == 1


def test_a_marker_that_somebody_deleted_stops_everything_for_that_request(
    folder: Folder, service: tuple[Emulator, BatchProcessClient]
) -> None:
    emulator, client = service
    folder.job("ndvi")
    folder("apply", *WAIT)
    request_id = folder.requests()[0]["requestId"]
    client.update_request(request_id, "tidied up")
    answer = folder("apply", *WAIT)
    assert answer.code == 4
    assert request_id in answer.out
    assert costly(emulator) == 1

    mended = folder("repair", "--yes")
    assert mended.code == 0
    assert "the ledger knows its id" in mended.out
    assert client.get_request(request_id).description.startswith(
        "tidied up [shbatch-sync/1 crops/ndvi r1 "
    )
    assert folder("plan", "--detailed-exitcode").code == 0


def test_a_damaged_marker_is_mended_by_the_body_where_no_ledger_knows_it(
    folder: Folder, service: tuple[Emulator, BatchProcessClient]
) -> None:
    emulator, client = service
    request_id = by_hand(client)
    client.update_request(request_id, "mine [shbatch-sync/1 crops/nd")
    folder.job("ndvi")
    assert changes(folder)[0] == ("ndvi", "create", "twin")
    assert folder("repair", "--yes").code == 0
    assert folder("apply", *WAIT).code == 0
    assert folder("plan", "--detailed-exitcode").code == 0
    assert (costly(emulator), len(emulator.service.tasks())) == (1, 1)


def git(folder: Folder, *arguments: str, when: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", *arguments],
        cwd=folder.root,
        check=True,
        capture_output=True,
        env={
            "GIT_AUTHOR_DATE": when,
            "GIT_COMMITTER_DATE": when,
            "PATH": "/usr/bin:/bin:/usr/local/bin",
            "HOME": "/",
        },
    )


@pytest.mark.usefixtures("service")
def test_an_older_checkout_does_not_undo_a_newer_one(folder: Folder) -> None:
    folder.job("ndvi", state="created")
    git(folder, "init", "-q", "-b", "main", when="2026-01-01T00:00:00Z")
    git(folder, "add", "shbatch.yaml", "jobs", when="2026-01-01T00:00:00Z")
    git(folder, "commit", "-qm", "older", when="2026-01-01T00:00:00Z")
    folder.job("ndvi", state="created", resolution=20)
    git(folder, "commit", "-qam", "newer", when="2026-02-01T00:00:00Z")
    assert folder("apply", *WAIT).code == 0
    git(folder, "checkout", "-q", "HEAD~1", when="2026-02-01T00:00:00Z")
    assert changes(folder) == [("ndvi", "replace", "stale")]
    assert folder("apply", *WAIT).code == 3
    # A revert is a newer commit, so it is meant.
    git(folder, "checkout", "-q", "main", when="2026-02-01T00:00:00Z")
    git(folder, "revert", "--no-edit", "HEAD", when="2026-03-01T00:00:00Z")
    assert changes(folder) == [("ndvi", "replace", None)]


def test_a_ledger_that_cannot_be_read_whole_stops_everything(folder: Folder) -> None:
    folder.job("ndvi")
    assert folder("apply", "--yes", "--wait").code == 0
    ledger = folder.root / ".shbatch" / "sandbox.ledger.jsonl"
    (folder.root / ".shbatch" / "sandbox.db").unlink()  # the service forgets what it has done
    ledger.write_text(ledger.read_text().replace('"v":1', '"v":2'))
    assert "line 1 (of a newer shbatch-sync)" in folder("plan").out
    answer = folder("apply", "--yes", "--wait")
    assert answer.code == 3
    assert "nothing is changed while it may tell of what was paid for" in answer.err
    assert folder("status", "--format", "json").json["jobs"][0]["requestId"] is None
