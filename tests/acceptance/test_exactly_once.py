"""Real processes, real kills: each job is paid once and none is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from shbatch_sync.emulator import Emulator, Options
from shbatch_sync.emulator.server import serve
from shbatch_sync.errors import LedgerError
from shbatch_sync.ledger_line import Entry
from shbatch_sync.store.ledger import LedgerFile
from tests.acceptance.conftest import Folder

ENV = {"SH_CLIENT_ID": "an-id", "SH_CLIENT_SECRET": "a-secret"}


@contextmanager
def target(folder: Folder, options: Options, settle: float = 0) -> Iterator[Emulator]:
    with Emulator(":memory:", options) as emulator, serve(emulator) as server:
        folder.settings(f"  sandbox: {{baseUrl: '{server.url}', settle: {settle}}}\n")
        yield emulator


def begin(folder: Folder, *arguments: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "shbatch_sync",
        "apply",
        "--yes",
        "--wait",
        "--poll",
        "0.3",
        *arguments,
    ]
    return subprocess.Popen(
        command,
        cwd=folder.root,
        env={**os.environ, **ENV},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(runs: Sequence[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    answers = [run.communicate(timeout=240) for run in runs]
    assert not any("Traceback" in out + err for out, err in answers)
    return [(run.returncode, out + err) for run, (out, err) in zip(runs, answers, strict=True)]


def paid(emulator: Emulator) -> list[str]:
    """Return the job of every request that cost something."""
    costly = [task for task in emulator.service.tasks() if task["costPU"] > 0]
    return sorted(task["request"]["description"].split("crops/")[1].split()[0] for task in costly)


@pytest.mark.parametrize(("lag", "settle"), [(0, 0.5), (600, 3)], ids=["no lag", "lag of a second"])
def test_three_applies_at_once_pay_each_of_fifty_jobs_once(
    folder: Folder, lag: float, settle: float
) -> None:
    names = [f"job-{index:02}" for index in range(50)]
    for name in names:
        folder.job(name)
    # The lag is in seconds of the emulator's clock, which runs 600 times as fast as ours.
    with target(folder, Options(speed=600, lag=lag), settle) as emulator:
        answers = ended([begin(folder) for _ in range(3)])
        assert [code for code, _ in answers] == [0, 0, 0], answers
        assert paid(emulator) == names
        done = Counter(task["status"] for task in emulator.service.tasks() if task["costPU"] > 0)
        assert done == {"DONE": 50}


def test_a_run_that_is_killed_again_and_again_is_continued(folder: Folder) -> None:
    rng = random.Random(20251122)
    names = [f"job-{index}" for index in range(8)]
    for name in names:
        folder.job(name)
    with target(folder, Options(speed=600)) as emulator:
        for _ in range(12):
            run = begin(folder)
            time.sleep(rng.uniform(0.5, 1.3))
            run.send_signal(signal.SIGKILL)
            run.communicate(timeout=120)
        assert [code for code, _ in ended([begin(folder)])] == [0]
        assert paid(emulator) == names


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_tells_the_truth_and_goes_on(folder: Folder, number: int) -> None:
    names = [f"job-{index}" for index in range(4)]
    for name in names:
        folder.job(name)
    with target(folder, Options(speed=60)) as emulator:
        run = begin(folder)
        while not paid_or_started(emulator):
            time.sleep(0.05)
        run.send_signal(number)
        ((code, said),) = ended([run])
        assert code == 130
        assert "Interrupted; apply again goes on from here." in said
        assert [code for code, _ in ended([begin(folder)])] == [0]
        assert paid(emulator) == names


def paid_or_started(emulator: Emulator) -> bool:
    return any(task["userAction"] == "START" for task in emulator.service.tasks())


def test_a_ledger_that_fails_half_way_leaves_a_summary_of_what_was_done(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        folder.job(name)
    append, left = LedgerFile.append, iter(range(6))

    def full(store: LedgerFile, *entries: Entry) -> None:
        if next(left, None) is None:
            message = f"ledger {store.path}: cannot be written: no space; {LedgerError.ADVICE}"
            raise LedgerError(message)
        append(store, *entries)

    monkeypatch.setattr(LedgerFile, "append", full)
    broken = folder("apply", "--yes", "--wait", "--parallelism", "1")
    assert broken.code == 1
    last = "Apply: 2 created, 1 started; ended before its time. Apply again goes on from here."
    assert broken.out.splitlines()[-1] == last
    assert "cannot be written: no space; nothing more is created or started" in broken.err
    monkeypatch.setattr(LedgerFile, "append", append)
    assert folder("apply", "--yes", "--wait").code == 0
    assert "2 requests of 2 jobs, 2 ended" in folder("history").out


def test_a_person_hears_that_the_first_signal_was_heard(folder: Folder) -> None:
    folder.job("a")
    with target(folder, Options(), settle=60):
        run = begin(folder)
        assert run.stderr is not None
        while "create" not in run.stderr.readline():
            assert run.poll() is None
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "ending after the calls in flight; Ctrl-C again ends at once" in err
    assert out.splitlines()[-1].endswith("Interrupted; apply again goes on from here.")


@pytest.mark.parametrize("command", [("plan",), ("emulator", "--db", ".shbatch/sandbox.db")])
def test_a_sandbox_that_is_none_is_told_of(folder: Folder, command: tuple[str, ...]) -> None:
    folder.job("a")
    folder.write(".shbatch/sandbox.db", "no database")
    answer = folder(*command)
    assert answer.code == 1
    assert "sandbox.db: cannot be used: file is not a database" in answer.err
    assert "bug" not in answer.err
