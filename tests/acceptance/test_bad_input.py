"""Whatever a user, a file or the service does wrong: a clear error, nothing lost, no traceback."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from shbatch_sync.emulator import Emulator, Options
from shbatch_sync.emulator.server import serve
from tests.acceptance.conftest import Folder


def remote(folder: Folder, url: str, more: str = "") -> None:
    """Make `url` the only target."""
    folder.settings(f"  sandbox: {{baseUrl: '{url}', settle: 0{more}}}\n")


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SH_CLIENT_ID", "an-id")
    monkeypatch.setenv("SH_CLIENT_SECRET", "a-secret-nobody-may-see")


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def answering(status: str, kind: str, body: bytes) -> Iterator[str]:
    """Serve one answer to every call."""

    def app(_: dict[str, object], start: Callable[..., object]) -> list[bytes]:
        start(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]

    server = make_server("127.0.0.1", 0, app, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_no_project_file(folder: Folder) -> None:
    (folder.root / "shbatch.yaml").unlink()
    answer = folder("plan")
    assert answer.code == 1
    assert "no shbatch.yaml" in answer.err
    assert "shbatch-sync init" in answer.err


def test_no_manifests(folder: Folder) -> None:
    (folder.root / "jobs").mkdir()
    answer = folder("plan")
    assert answer.code == 1
    assert "no manifests" in answer.err


def test_every_problem_of_every_manifest_at_once(folder: Folder) -> None:
    folder.job("a", more="restartPolcy: Never")
    folder.job("b", resolution=15)
    folder.write("jobs/c.yaml", "name: [unclosed\n")
    folder.write("jobs/d.yaml", "# nothing but a comment\n")
    folder.job("e").rename(folder.root / "jobs" / "f.yaml")
    folder.job("e")
    answer = folder("validate")
    assert answer.code == 1
    lines = answer.out.splitlines()
    assert any(
        line.startswith("jobs/a.yaml:4:1:") and "did you mean 'restartPolicy'" in line
        for line in lines
    )
    assert any(
        line.startswith("jobs/b.yaml:")
        and "15" in line
        and "10, 20, 60" in line
        and "[grid-resolution]" in line
        for line in lines
    )
    assert any(line.startswith("jobs/c.yaml:") and "[yaml-syntax]" in line for line in lines)
    assert any(line.startswith("jobs/d.yaml:") for line in lines)


def test_one_invalid_manifest_stops_plan_and_apply(folder: Folder) -> None:
    folder.job("good")
    folder.job("bad", more="stat: started")
    for command in (["plan"], ["apply", "--yes"]):
        answer = folder(*command)
        assert answer.code == 1
        assert "jobs/bad.yaml:4:1" in answer.err
    assert not (folder.root / ".shbatch").exists()


def test_a_name_given_twice(folder: Folder) -> None:
    folder.job("a")
    folder.write("jobs/z.yaml", (folder.root / "jobs/a.yaml").read_text())
    answer = folder("plan")
    assert answer.code == 1
    assert "the name 'a' is taken: jobs/a.yaml:2" in answer.err


@pytest.mark.parametrize("name", ["../outside.js", "missing.js", "/etc/passwd"])
def test_a_file_that_is_missing_or_outside(folder: Folder, name: str) -> None:
    (folder.root.parent / "outside.js").write_text("//VERSION=3\n")
    folder.job("a")
    path = folder.root / "jobs/a.yaml"
    path.write_text(path.read_text().replace("fromFile: ndvi.js", f"fromFile: {name}"))
    answer = folder("plan")
    assert answer.code == 1
    assert "jobs/a.yaml:13:28: /request/processRequest/evalscript/fromFile" in answer.err
    assert name in answer.err


def test_credentials_that_are_nowhere(folder: Folder) -> None:
    remote(folder, "https://services.sentinel-hub.com")
    folder.job("a")
    answer = folder("plan")
    assert answer.code == 1
    assert "SH_CLIENT_ID" in answer.err
    assert "config.toml" in answer.err


@pytest.mark.usefixtures("keys")
def test_credentials_that_are_wrong(folder: Folder) -> None:
    options = Options(
        credentials={"an-id": ("another-secret", "6f1c2d8e-3b54-4c07-9a4e-5d1f0b7a9c31")}
    )
    with Emulator(":memory:", options) as emulator, serve(emulator) as server:
        remote(folder, server.url)
        folder.job("a")
        answer = folder("plan")
    assert answer.code == 1
    assert "SH_CLIENT_ID" in answer.err
    assert "a-secret" not in answer.out + answer.err


@pytest.mark.usefixtures("keys")
def test_a_host_that_is_not_trusted(folder: Folder) -> None:
    remote(folder, "https://example.com", ", tokenUrl: https://example.com/token")
    folder.job("a")
    answer = folder("plan")
    assert answer.code == 3
    assert "SHBATCH_TRUSTED_HOSTS" in answer.err


@pytest.mark.usefixtures("keys")
def test_credentials_are_never_sent_in_the_clear(folder: Folder) -> None:
    remote(
        folder,
        "http://services.sentinel-hub.com",
        ", tokenUrl: https://services.sentinel-hub.com/oauth/token",
    )
    folder.job("a")
    answer = folder("plan")
    assert answer.code == 1
    assert "never sent over plain http" in answer.err


@pytest.mark.usefixtures("keys")
def test_another_account_than_pinned(folder: Folder) -> None:
    with Emulator(":memory:", Options(speed=600)) as emulator, serve(emulator) as server:
        remote(folder, server.url)
        folder.job("a")
        assert folder("apply", "--yes", "--wait", "--poll", "0.2").code == 0
        remote(folder, server.url, ", account: 11111111-2222-4333-8444-555555555555")
        for command in (["plan"], ["status"], ["apply", "--yes"]):
            answer = folder(*command)
            assert answer.code == 3
            assert "11111111-2222-4333-8444-555555555555" in answer.err
            assert "nothing more is changed" in answer.err


@pytest.mark.usefixtures("keys")
def test_the_first_create_shows_another_account(folder: Folder) -> None:
    with Emulator(":memory:", Options(speed=600)) as emulator, serve(emulator) as server:
        remote(folder, server.url, ", account: 11111111-2222-4333-8444-555555555555")
        folder.job("a")
        folder.job("b")
        answer = folder("apply", "--yes", "--wait")
        assert answer.code == 3
        assert "11111111-2222-4333-8444-555555555555" in answer.err
        folder.settings(f"  sandbox: {{baseUrl: '{server.url}', settle: 0, ledger: none}}\n")
        states = {row["job"]: row["userAction"] for row in folder.requests() if row["requestId"]}
    assert list(states.values()) == ["NONE"]


@pytest.mark.usefixtures("keys")
def test_no_network(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    remote(folder, f"http://127.0.0.1:{port}")
    folder.job("a")
    monkeypatch.setenv("SHBATCH_RETRY", "0")
    answer = folder("plan")
    assert answer.code == 1
    assert f"127.0.0.1:{port}" in answer.err or "connect" in answer.err


@pytest.mark.usefixtures("keys")
def test_a_server_that_answers_html(folder: Folder) -> None:
    with answering(
        "200 OK", "text/html", b"<html><body>A portal wants you to log in</body></html>"
    ) as url:
        remote(folder, url)
        folder.job("a")
        answer = folder("plan")
    assert answer.code == 1
    assert answer.err.startswith("error: ")


@pytest.mark.usefixtures("keys")
def test_a_real_target_without_a_ledger(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real target is one that is not this machine; here its name is taken over by the emulator in process."""
    from shbatch_sync.session import Session  # noqa: PLC0415

    folder.job("a")
    monkeypatch.setattr(Session, "__init__", _demanding(Session.__init__))
    answer = folder("apply", "--yes", "--wait")
    assert answer.code == 3
    assert "shbatch-sync init --target sandbox" in answer.err
    assert folder.requests()[0]["state"] == "none"


def _demanding(original: Callable[..., None]) -> Callable[..., None]:
    def init(self: object, **kwargs: object) -> None:
        original(self, **{**kwargs, "must_have_ledger": True})

    return init


def test_a_ledger_that_cannot_be_written(folder: Folder) -> None:
    folder.job("a")
    (folder.root / ".shbatch" / "sandbox.ledger.jsonl").mkdir(parents=True)
    answer = folder("apply", "--yes", "--wait")
    assert answer.code == 1
    assert "ledger" in answer.err
    (folder.root / ".shbatch" / "sandbox.ledger.jsonl").rmdir()
    assert folder.requests()[0]["state"] == "none"


def test_a_full_disk(folder: Folder) -> None:
    """A limit on the size of files stands in for the disk: the ledger is at it, everything else is far below."""
    folder.job("a")
    limit = 4_000_000
    ledger = folder.write(".shbatch/sandbox.ledger.jsonl", " " * (limit - 10) + "\n")
    script = (
        "import resource, sys; from shbatch_sync.cli.main import run; "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit})); sys.exit(run(['apply', '--yes', '--wait']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder.root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    ledger.unlink()
    assert folder.requests()[0]["state"] == "none"


def test_a_closed_pipe(folder: Folder) -> None:
    for index in range(200):
        folder.job(f"job-{index:03}")
    command = f"{sys.executable} -m shbatch_sync plan | head -n 1"
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder.root, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("+   job-000")
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["plan", "--no-such-option"], "No such option"),
        (["frobnicate"], "No such command"),
        (["plan", "--allow", "everything"], "everything"),
        (["plan", "--target", "nowhere"], "nowhere"),
        (["plan", "--job", "zzz-*"], "no job of this target is selected"),
        (["plan", "jobs/none.yaml"], "jobs/none.yaml"),
        (["plan", "--var", "novalue"], "NAME=VALUE"),
    ],
)
def test_wrong_usage_ends_with_1(folder: Folder, arguments: list[str], words: str) -> None:
    folder.job("a")
    answer = folder(*arguments)
    assert answer.code == 1
    assert words in answer.err


def test_a_plan_cannot_be_written(folder: Folder) -> None:
    folder.job("a")
    answer = folder("plan", "--out", "no/such/folder/plan.json")
    assert answer.code == 1
    assert "No such file or directory" in answer.err
