"""A target whose ledger lies on S3: the program as a user calls it, against moto's server on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from shbatch_sync.emulator import Emulator, Options
from shbatch_sync.emulator.server import serve
from shbatch_sync.store import s3
from tests.acceptance.conftest import Folder

pytest.importorskip("boto3", reason="needs the extra s3")

pytestmark = [
    pytest.mark.filterwarnings(f"ignore::DeprecationWarning:{module}")
    for module in ("boto3", "botocore", "moto", "werkzeug")
]

BUCKET = "crops-state"
PLACE = f"s3://{BUCKET}/ledgers/eu"
SECRET = "b3Blbi1zZXNhbWU"
CLIENT_SECRET = "a-secret-nobody-may-see"


@pytest.fixture(scope="module")
def endpoint(moto_url: str) -> str:
    variables = {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": SECRET}
    with closing(
        s3.connect({**variables, "AWS_ENDPOINT_URL": moto_url, "AWS_REGION": "us-east-1"})
    ) as client:
        client.create_bucket(Bucket=BUCKET)
    return moto_url


@pytest.fixture
def service(folder: Folder, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """A deployment on loopback, the target of the folder, its ledger in the bucket."""
    for name, value in {
        "SH_CLIENT_ID": "an-id",
        "SH_CLIENT_SECRET": CLIENT_SECRET,
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
    }.items():
        monkeypatch.setenv(name, value)
    # 300 seconds of the emulator's clock are half a second of ours, so a settle of two is long enough.
    with Emulator(":memory:", Options(speed=600, lag=300)) as emulator, serve(emulator) as server:
        folder.settings(f"  eu: {{baseUrl: '{server.url}', settle: 2, ledger: '{PLACE}'}}\n")
        text = (folder.root / "shbatch.yaml").read_text().replace(": sandbox", ": eu")
        folder.write("shbatch.yaml", text)
        yield emulator


def apply_at_once(folder: Folder, times: int) -> list[tuple[int, str]]:
    command = [sys.executable, "-m", "shbatch_sync", "apply", "--yes", "--wait", "--poll", "0.3"]
    runs = [
        subprocess.Popen(
            command,
            cwd=folder.root,
            env=dict(os.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(times)
    ]
    return [(run.returncode, out) for run in runs for out, _ in [run.communicate(timeout=120)]]


def lines(folder: Folder) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = folder("history", "--format", "json").json["entries"]
    return entries


def ids(entries: list[dict[str, Any]], event: str) -> set[str]:
    return {entry["requestId"] for entry in entries if entry["event"] == event}


def test_two_applies_at_once_leave_every_event_under_the_prefix(
    folder: Folder, service: Emulator
) -> None:
    for index in range(3):
        folder.job(f"job-{index}")
    assert folder("plan", "--detailed-exitcode").code == 2
    assert lines(folder) == []
    for code, said in apply_at_once(folder, 2):
        assert code == 0, said
        assert SECRET not in said
        assert CLIENT_SECRET not in said
    requests = service.service.tasks()
    entries = lines(folder)
    assert ids(entries, "created") == {request["id"] for request in requests}
    started = {request["id"] for request in requests if request["userAction"] == "START"}
    assert started == ids(entries, "start") == ids(entries, "sealed") == ids(entries, "final")
    assert [request["costPU"] > 0 for request in requests].count(True) == 3
    assert len({entry["nonce"] for entry in entries if entry["event"] == "intent"}) == len(requests)
    assert [row["state"] for row in folder.requests()] == ["done"] * 3
    assert folder("plan", "--detailed-exitcode").code == 0
    assert not list(folder.root.rglob("*.jsonl"))


@pytest.fixture
def closed_port() -> str:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    "command", [["apply", "--yes"], ["plan"], ["history"], ["init", "--target", "eu"]]
)
def test_nothing_is_done_without_a_ledger_that_can_be_reached(
    folder: Folder,
    service: Emulator,
    closed_port: str,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
) -> None:
    monkeypatch.setattr(s3, "ATTEMPTS", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", closed_port)
    folder.job("ndvi")
    answer = folder(*command)
    assert answer.code == 1
    assert f"error: ledger {PLACE}/: cannot be read: " in answer.err
    assert "see that it can be reached" in answer.err
    assert "nothing more is created or started without it" in answer.err
    assert SECRET not in answer.out + answer.err
    assert service.service.tasks() == []


def test_a_bucket_that_is_not_there_is_named(folder: Folder, service: Emulator) -> None:
    text = (folder.root / "shbatch.yaml").read_text().replace(BUCKET, "never-made")
    folder.write("shbatch.yaml", text)
    folder.job("ndvi")
    answer = folder("apply", "--yes")
    assert answer.code == 1
    assert "there is no bucket never-made" in answer.err
    assert service.service.tasks() == []
