"""The same round trip over a socket, in processes of their own, and what is sent on the way."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from shbatch_sync.emulator import Emulator, Options
from shbatch_sync.emulator.server import serve
from tests.acceptance.conftest import Folder

ENV = {"SH_CLIENT_ID": "an-id", "SH_CLIENT_SECRET": "a-secret-nobody-may-see"}


@contextmanager
def emulator_process(folder: Folder, *arguments: str) -> Iterator[str]:
    """Run `shbatch-sync emulator` as a user does, and give its URL."""
    server = subprocess.Popen(
        [sys.executable, "-m", "shbatch_sync", "emulator", "--port", "0", *arguments],
        cwd=folder.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    assert server.stderr is not None
    try:
        url = server.stdout.readline()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+\n", url)
        yield url.strip()
    finally:
        server.send_signal(signal.SIGTERM)
        rest, errors = server.communicate(timeout=120)
        assert (server.returncode, rest) == (0, "")
        assert errors == "any client id and secret will do; Ctrl-C ends it\n"


def test_the_round_trip_over_a_socket_in_separate_processes(folder: Folder) -> None:
    with emulator_process(folder, "--speed", "600", "--db", "served.db") as url:
        folder.settings(f"  sandbox: {{baseUrl: '{url}', settle: 0}}\n")
        folder.job("ndvi")
        folder.job("later", state="created")
        before = folder.process("plan", "--detailed-exitcode", env=ENV)
        assert before.code == 2
        applied = folder.process("apply", "--yes", "--wait", "--poll", "0.2", env=ENV)
        assert applied.code == 0
        assert applied.out.splitlines()[-1] == "Apply: 2 created, 1 started; 2 in sync."
        assert folder.process("plan", "--detailed-exitcode", env=ENV).code == 0
        status = folder.process("status", "--format", "json", env=ENV).json
    assert {row["job"]: row["state"] for row in status["jobs"]} == {
        "later": "created",
        "ndvi": "done",
    }


def test_two_applies_at_once_pay_once(folder: Folder) -> None:
    with emulator_process(folder, "--speed", "600", "--lag", "300") as url:
        # 300 seconds of the emulator's clock are half a second of ours, so a settle of two is long enough.
        folder.settings(f"  sandbox: {{baseUrl: '{url}', settle: 2}}\n")
        for index in range(5):
            folder.job(f"job-{index}")
        command = [
            sys.executable,
            "-m",
            "shbatch_sync",
            "apply",
            "--yes",
            "--wait",
            "--poll",
            "0.3",
        ]
        runs = [
            subprocess.Popen(
                command,
                cwd=folder.root,
                env={**os.environ, **ENV},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            for _ in range(2)
        ]
        answers = [run.communicate(timeout=120) for run in runs]
        assert [run.returncode for run in runs] == [0, 0], answers
        listed = folder.process("status", "--format", "json", env=ENV).json["jobs"]
        paid = _all_requests(url)
    assert [row["state"] for row in listed] == ["done"] * 5
    assert sum(request["costPU"] > 0 for request in paid) == 5


def _all_requests(url: str) -> list[dict[str, Any]]:
    from shbatch_sync import BatchProcessClient, Config  # noqa: PLC0415

    with BatchProcessClient(Config(base_url=url, client_id="an-id", client_secret="x")) as client:
        return [request.to_dict() for request in client.iter_requests()]


class Recorder:
    """Stands in front of the emulator and writes down what is sent."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.calls: list[tuple[str, str]] = []

    def __call__(self, environ: dict[str, Any], start: Any) -> Any:
        self.calls.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        return self._app(environ, start)


@pytest.fixture
def recorded(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Emulator, Recorder, str]]:
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    with Emulator(":memory:", Options(speed=600)) as emulator:
        recorder = Recorder(emulator.app)
        emulator.app = recorder  # type: ignore[assignment]
        with serve(emulator) as server:
            folder.settings(f"  sandbox: {{baseUrl: '{server.url}', settle: 0}}\n")
            yield emulator, recorder, server.url


def test_a_plan_sends_nothing_but_get_and_the_token(
    folder: Folder, recorded: tuple[Emulator, Recorder, str]
) -> None:
    _, recorder, _ = recorded
    folder.job("ndvi")
    folder("apply", "--yes", "--wait", "--poll", "0.2")
    folder.job("ndvi", resolution=20, more="generation: 2")
    folder.job("another")
    recorder.calls.clear()
    for command in (["plan"], ["plan", "--prune"], ["status"], ["grids"]):
        assert folder(*command).code == 0
    others = {(method, path) for method, path in recorder.calls if method != "GET"}
    assert {method for method, _ in others} == {"POST"}
    assert all(path.endswith("/token") for _, path in others)


def test_foreign_requests_are_never_touched_nor_shown_as_ours(
    folder: Folder, recorded: tuple[Emulator, Recorder, str]
) -> None:
    from shbatch_sync import BatchProcessClient, Config  # noqa: PLC0415

    _, recorder, url = recorded
    body = {
        "input": {
            "bounds": {"bbox": [13.0, 45.0, 13.1, 45.1]},
            "data": [{"type": "sentinel-2-l2a"}],
        },
        "output": {"responses": [{"identifier": "default", "format": {"type": "image/tiff"}}]},
        "evalscript": "//VERSION=3\n",
    }
    with BatchProcessClient(Config(base_url=url, client_id="an-id", client_secret="x")) as client:
        foreign = client.create(
            body,
            client.tiling_grid_input(0, 10),
            client.raster_output(
                client.s3_specification("s3://theirs/x", iam_role_arn="arn:aws:iam::1:role/r")
            ),
            description="somebody else's work [shbatch-sync/1 is a fine tool",
        )
        unmarked = client.create(
            body,
            client.tiling_grid_input(0, 20),
            client.raster_output(
                client.s3_specification("s3://theirs/y", iam_role_arn="arn:aws:iam::1:role/r")
            ),
            description="wheat",
        )
        folder.job("ndvi")
        recorder.calls.clear()
        assert folder("apply", "--yes", "--wait", "--poll", "0.2").code in (0, 4)
        touched = [
            path
            for method, path in recorder.calls
            if method != "GET" and foreign.request_id in path
        ]
        touched += [
            path
            for method, path in recorder.calls
            if method != "GET" and unmarked.request_id in path
        ]
        assert touched == []
        assert client.get_request(unmarked).request["description"] == "wheat"
    shown = folder("status").out + folder("plan").out
    assert unmarked.request_id not in shown


def test_secrets_reach_no_output(
    folder: Folder, recorded: tuple[Emulator, Recorder, str], monkeypatch: Any
) -> None:
    emulator, _, url = recorded
    monkeypatch.setenv("MY_KEY", "AKIA-visible-to-nobody")
    monkeypatch.setenv("MY_SECRET", "hush-visible-to-nobody")
    folder.settings(
        f"  sandbox: {{baseUrl: '{url}', settle: 0, "
        "s3: {accessKey: {fromEnv: MY_KEY}, secretAccessKey: {fromEnv: MY_SECRET}}}\n"
    )
    manifest = folder.job("ndvi")
    manifest.write_text(
        manifest.read_text().replace(', iamRoleARN: "arn:aws:iam::123456789012:role/delivery"', "")
    )
    said = ""
    for command in (
        ["validate"],
        ["render"],
        ["plan"],
        ["plan", "--format", "json"],
        ["-v", "apply", "--yes", "--wait", "--poll", "0.2"],
        ["status", "--format", "json"],
        ["history"],
    ):
        answer = folder(*command)
        assert answer.code == 0, answer
        said += answer.out + answer.err
    said += "".join(path.read_text() for path in folder.root.rglob("*.jsonl"))
    for secret in ("AKIA-visible-to-nobody", "hush-visible-to-nobody", ENV["SH_CLIENT_SECRET"]):
        assert secret not in said
    assert folder.requests()[0]["state"] == "done"
    assert emulator is not None
