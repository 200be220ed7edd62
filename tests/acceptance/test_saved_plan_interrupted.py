"""A saved plan after an apply that broke off: wherever it did, the same file carries it on, and pays once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from shbatch_sync.emulator import Emulator, Options
from shbatch_sync.emulator.server import serve
from tests.acceptance.conftest import Folder

QUICK = ("--poll", "0.05")  # what was refused is asked for once more after a poll
SECRETS = ("hush-client-secret", "hush-access-key", "hush-secret-key", "hush-gs-credentials")


class Gatekeeper:
    """Stands in front of the emulator: refuses writes once `left` of them have gone through."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.left: int | None = None
        self.echo = ""

    def __call__(self, environ: dict[str, Any], start: Any) -> Any:
        writing = environ["REQUEST_METHOD"] != "GET" and not environ["PATH_INFO"].endswith("/token")
        if writing and self.left is not None:
            if self.left == 0:
                return self._refuse(start)
            self.left -= 1
        return self._app(environ, start)

    def _refuse(self, start: Any) -> Any:
        start("400 BAD REQUEST", [("Content-Type", "application/json")])
        text = f'{{"error": {{"status": 400, "code": "COMMON_BAD_PAYLOAD", "message": "no {self.echo}"}}}}'
        return [text.encode()]


@pytest.fixture
def gate(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Gatekeeper, Emulator]]:
    monkeypatch.setenv("SH_CLIENT_ID", "an-id")
    monkeypatch.setenv("SH_CLIENT_SECRET", SECRETS[0])
    with Emulator(":memory:", Options(speed=1)) as emulator:
        keeper = Gatekeeper(emulator.app)
        emulator.app = keeper  # type: ignore[assignment]
        with serve(emulator) as server:
            folder.settings(f"  sandbox: {{baseUrl: '{server.url}', settle: 0, maxRunning: 2}}\n")
            yield keeper, emulator


def declare(folder: Folder) -> None:
    """Declare something of everything: to be made, replaced, updated, held back, waited for."""
    folder.job("fresh")
    folder.job("dear", more="maxPU: 1")
    folder.job("after", more="dependsOn: [fresh]")
    folder.job("older", resolution=20)
    folder.job("words", state="created", more="description: after")


@pytest.mark.parametrize("done", [0, 2, 5, 8, 11])
def test_wherever_it_broke_off(
    folder: Folder, gate: tuple[Gatekeeper, Emulator], done: int
) -> None:
    keeper, emulator = gate
    folder.job("older", state="created")
    folder.job("words", state="created", more="description: before")
    assert folder("apply", "--yes").code == 0
    declare(folder)
    assert folder("plan", "--out", "plan.json").code == 0
    keeper.left = done
    assert folder("apply", "plan.json", "--parallelism", "1", *QUICK).code in (1, 3)
    keeper.left = None
    again = folder("apply", "plan.json", *QUICK)
    assert again.code == 3, again.err  # one job is dear, as planned
    assert "Apply:" in again.out
    emulator.service.advance(3600)
    emulator.service.advance(3600)
    last = folder("apply", "plan.json", *QUICK)
    assert last.code == 3, last.err
    states = {row["job"]: row["declared"] for row in folder.requests()}
    assert states.keys() == {"fresh", "dear", "after", "older", "words"}
    live = [task for task in emulator.service.tasks() if "x=" not in task["request"]["description"]]
    assert len(live) == 5
    started = [task for task in emulator.service.tasks() if task.get("userAction") == "START"]
    assert len(started) <= 3
    assert len({task["request"]["description"].split(" r1 ")[0] for task in started}) == len(
        started
    )


# --- secrets -------------------------------------------------------------------------------------------------

READING = [
    *(("validate", style) for style in ("text", "json", "github", "sarif")),
    *(("plan", style) for style in ("text", "json", "markdown")),
    *(("status", style) for style in ("text", "json")),
    *(("history", style) for style in ("text", "json", "csv")),
    *(("estimate", style) for style in ("text", "json", "markdown")),
    *(("render", style) for style in ("yaml", "json")),
]


def with_secrets(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a secret into every place that takes one."""
    for name, value in zip(("KEY", "SECRET", "GS"), SECRETS[1:], strict=True):
        monkeypatch.setenv(f"MY_{name}", value)
    monkeypatch.setenv("MY_CLIENT", "an-id")
    monkeypatch.setenv("MY_CLIENT_SECRET", SECRETS[0])
    path = folder.root / "shbatch.yaml"
    path.write_text(
        path.read_text().replace(
            "settle: 0",
            "settle: 0, clientId: {fromEnv: MY_CLIENT}, clientSecret: {fromEnv: MY_CLIENT_SECRET}, "
            "s3: {accessKey: {fromEnv: MY_KEY}, secretAccessKey: {fromEnv: MY_SECRET}}, "
            "gs: {credentials: {fromEnv: MY_GS}}",
        )
    )
    manifest = folder.job("ndvi")
    role = ', iamRoleARN: "arn:aws:iam::123456789012:role/delivery"'
    manifest.write_text(manifest.read_text().replace(role, ""))
    cloud = folder.job("cloud", state="created")
    cloud.write_text(
        cloud.read_text().replace("s3: {", "gs: {").replace("s3://", "gs://").replace(role, "")
    )


def everything(folder: Folder) -> str:
    """Return all that any command says in any format, and all it leaves in files."""
    said = ""
    for command, style in READING:
        answer = folder("-v", command, "--format", style)
        said += answer.out + answer.err
    for arguments in (
        ("plan", "--out", "plan.json"),
        ("show", "plan.json", "--format", "markdown"),
        ("apply", "plan.json", "--format", "json", "--json-into", "events.jsonl", *QUICK),
        ("apply", "--yes", *QUICK),
    ):
        answer = folder("-v", *arguments)
        said += answer.out + answer.err
    files = [
        path
        for path in folder.root.rglob("*")
        if path.is_file() and path.suffix in (".json", ".jsonl")
    ]
    return said + "".join(path.read_text() for path in files)


@pytest.mark.parametrize("left", [None, 0, 3])
def test_no_secret_in_any_format_whatever_fails(
    folder: Folder,
    gate: tuple[Gatekeeper, Emulator],
    monkeypatch: pytest.MonkeyPatch,
    left: int | None,
) -> None:
    keeper, _ = gate
    with_secrets(folder, monkeypatch)
    keeper.left, keeper.echo = left, " ".join(SECRETS)  # the service says back what it was sent
    said = everything(folder)
    assert "ndvi" in said
    assert "MY_KEY" in said
    for secret in SECRETS:
        assert secret not in said
