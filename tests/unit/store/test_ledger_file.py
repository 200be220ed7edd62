"""The ledger on disk: nothing that was written is lost, nothing that cannot be written is passed over."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from shbatch_sync.errors import LedgerError, SettingsError
from shbatch_sync.ledger_line import Unread, dump, parse
from shbatch_sync.store import git
from shbatch_sync.store.git import changed_files, current_commit, in_history
from shbatch_sync.store.ledger import LedgerFile, MemoryLedger
from tests.unit.core.factories import NOW, ago, entry


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".shbatch" / "ledger.jsonl"


@pytest.fixture
def ledger(path: Path) -> LedgerFile:
    made = LedgerFile(path)
    made.begin()
    return made


def line(number: int):
    return entry("start", number, at=ago(seconds=number))


def test_a_ledger_is_begun_once(path):
    made = LedgerFile(path)
    assert (made.exists(), made.place) == (False, str(path))
    assert list(made.read()) == []
    made.begin()
    made.append(line(1))
    made.begin()
    assert made.exists()
    assert list(made.read()) == [line(1)]


def test_lines_are_kept(ledger, path):
    ledger.append(line(1), line(2))
    ledger.append(line(3))
    assert list(ledger.read()) == [line(1), line(2), line(3)]
    assert list(LedgerFile(path).read()) == [line(1), line(2), line(3)]
    assert path.read_text() == "".join(f"{dump(line(number))}\n" for number in (1, 2, 3))


def test_nothing_to_write_writes_nothing(ledger, path):
    ledger.append()
    assert path.read_bytes() == b""


@pytest.mark.parametrize("cut", [1, 20, len(dump(line(2))) - 1])
def test_a_torn_tail_spoils_only_itself(ledger, path, cut):
    ledger.append(line(1))
    with path.open("a") as file:
        file.write(dump(line(2))[:cut])
    assert list(ledger.read()) == [line(1)]
    assert ledger.unreadable == (Unread(2, harmless=True),)
    ledger.append(line(3))
    assert list(ledger.read()) == [line(1), line(3)]
    assert ledger.unreadable == (Unread(2, harmless=True),)
    assert ledger.lost == []


def test_a_whole_line_without_an_end_is_kept(ledger, path):
    path.write_text(dump(line(1)))
    ledger.append(line(2))
    assert list(ledger.read()) == [line(1), line(2)]


def test_bytes_that_are_no_text_are_no_lines(ledger, path):
    path.write_bytes(b"\xff\xfe\x00\n" + dump(line(1)).encode() + b"\n")
    assert list(ledger.read()) == [line(1)]
    assert ledger.unreadable == (Unread(1),)
    assert ledger.lost == ["line 1"]


@pytest.mark.parametrize(
    ("spoilt", "lost"),
    [
        (dump(line(2))[:-3], ["line 2"]),
        (dump(line(2)).replace('"v":1', '"v":2'), ["line 2 (of a newer shbatch-sync)"]),
        (dump(line(2)).replace('"event"', '"evenT"'), ["line 2"]),
        ("<<<<<<< HEAD", []),
        ("=======", []),
        (">>>>>>> theirs", []),
        (f"{dump(line(2))[:9]} #torn", []),
        ("[1]", ["line 2"]),
    ],
)
def test_which_lines_may_hide_what_was_paid_for(ledger, path, spoilt, lost):
    path.write_text(f"{dump(line(1))}\n{spoilt}\n{dump(line(3))}\n")
    assert list(ledger.read()) == [line(1), line(3)]
    assert ledger.lost == lost


def test_what_others_append_is_seen(ledger, path):
    assert list(ledger.read()) == []
    LedgerFile(path).append(line(1))
    assert list(ledger.read()) == [line(1)]
    path.unlink()
    assert list(ledger.read()) == []


def test_a_file_that_did_not_change_is_not_read_again(ledger):
    ledger.append(line(1))
    first = ledger.read()
    assert ledger.read() is first


def test_threads_append_without_loss(ledger):
    def work(base: int) -> None:
        for number in range(25):
            ledger.append(line(base + number))

    threads = [threading.Thread(target=work, args=(base,)) for base in (0, 100, 200, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = {found.request_id for found in ledger.read()}
    assert len(found) == 100
    assert ledger.unreadable == ()


WRITER = """
import sys
from pathlib import Path
from datetime import UTC, datetime, timedelta
from shbatch_sync.ledger_line import Entry, Event, Unread
from shbatch_sync.store.ledger import LedgerFile

ledger = LedgerFile(Path(sys.argv[1]))
for number in range(40):
    at = datetime(2024, 6, 10, tzinfo=UTC) + timedelta(seconds=number)
    ledger.append(*[
        Entry(at=at, event=Event.START, target="eu", project="p", job="j" * 60, generation=1,
              digest="1.000000000000", request_id=f"{sys.argv[2]}-{number}-{part}")
        for part in range(3)
    ])
"""


def test_processes_append_without_loss(ledger):
    path = ledger.path
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in ("a", "b")
    ]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    entries, unreadable = parse(path.read_text())
    assert (len(entries), unreadable) == (240, [])
    assert len({found.request_id for found in entries}) == 240


def test_a_killed_writer_loses_nothing_that_was_written(ledger, path):
    endless = WRITER.replace("range(40)", "range(100_000)")
    writer = subprocess.Popen([sys.executable, "-c", endless, str(path), "k"])
    while path.stat().st_size < 20_000:
        assert writer.poll() is None
    writer.kill()
    writer.wait(timeout=60)
    before, torn = parse(path.read_text())
    assert len(before) > 50
    assert len(torn) <= 1
    ledger.append(line(1))
    assert len(ledger.read()) == len(before) + 1


def test_a_ledger_that_was_not_begun_is_not_written(path):
    with pytest.raises(LedgerError, match="nothing more is created or started without it"):
        LedgerFile(path).append(line(1))
    assert not path.exists()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    for place in (
        tmp_path / "file" / "ledger.jsonl",
        tmp_path / "file" / "deeper" / "ledger.jsonl",
    ):
        with pytest.raises(
            LedgerError, match=r"cannot be begun: .*nothing more is created or started"
        ):
            LedgerFile(place).begin()
        with pytest.raises(LedgerError):
            LedgerFile(place).append(line(1))
        with pytest.raises(LedgerError):
            list(LedgerFile(place).read())


def test_a_folder_in_its_place(tmp_path):
    made = LedgerFile(tmp_path)
    with pytest.raises(LedgerError, match="cannot be written"):
        made.append(line(1))
    with pytest.raises(LedgerError, match="cannot be read"):
        made.read()


@pytest.mark.skipif(os.geteuid() == 0, reason="to root nothing is read-only")
def test_a_file_that_is_read_only(ledger, path):
    path.chmod(0o400)
    with pytest.raises(LedgerError, match="cannot be written"):
        ledger.append(line(1))


def test_a_full_disk():
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no such device here")
    with pytest.raises(LedgerError):
        LedgerFile(full).append(line(1))


def test_a_lock_that_is_held(ledger, path, monkeypatch):
    monkeypatch.setattr("shbatch_sync.store.ledger.LOCK_TIMEOUT", 0.05)
    with (
        FileLock(f"{path}.lock"),
        pytest.raises(LedgerError, match="another process has held its lock"),
    ):
        ledger.append(line(1))


def test_a_ledger_in_memory_lasts_for_one_run():
    made = MemoryLedger()
    made.begin()
    made.append(line(1), line(2))
    assert (made.exists(), list(made.read())) == (True, [line(1), line(2)])
    assert made.place.startswith("none")
    assert list(MemoryLedger().read()) == []


# --- git -----------------------------------------------------------------------------------------------------


def run(folder: Path, *command: str) -> None:
    subprocess.run(
        ["git", "-C", str(folder), "-c", "user.name=n", "-c", "user.email=e@example.org", *command],
        check=True,
        capture_output=True,
        env=os.environ
        | {"GIT_COMMITTER_DATE": "2024-06-10T12:00:00Z", "GIT_AUTHOR_DATE": "2001-01-01T00:00:00Z"},
    )


def test_the_commit_of_a_checkout(tmp_path):
    assert current_commit(tmp_path) is None
    run(tmp_path, "init", "-q")
    assert current_commit(tmp_path) is None
    run(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    found = current_commit(tmp_path)
    assert found is not None
    assert (found.time, len(found.sha)) == (NOW, 7)
    (tmp_path / "jobs").mkdir()
    assert current_commit(tmp_path / "jobs") == found
    assert current_commit(tmp_path / "nowhere") is None


def test_what_is_in_the_history(tmp_path):
    run(tmp_path, "init", "-q", "-b", "main")
    run(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    first = current_commit(tmp_path)
    run(tmp_path, "commit", "-q", "--allow-empty", "-m", "second")
    second = current_commit(tmp_path)
    assert in_history(tmp_path, first.sha)
    assert in_history(tmp_path, second.sha)
    run(tmp_path, "checkout", "-q", first.sha)
    assert not in_history(tmp_path, second.sha)
    assert not in_history(tmp_path, "0000000")


def test_what_changed_since_a_revision(tmp_path):
    with pytest.raises(SettingsError, match="is not in a git repository"):
        changed_files(tmp_path, "main")
    jobs = tmp_path / "sub" / "jobs"
    jobs.mkdir(parents=True)
    for name in ("kept.yaml", "edited.yaml", "moved.yaml"):
        (jobs / name).write_text(f"{name} of some length\n" * 5)
    run(tmp_path, "init", "-q", "-b", "main")
    with pytest.raises(SettingsError, match="knows no revision main"):
        changed_files(tmp_path, "main")
    run(tmp_path, "add", ".")
    run(tmp_path, "commit", "-q", "-m", "first")
    run(tmp_path, "checkout", "-q", "-b", "work")
    (jobs / "moved.yaml").rename(jobs / "gone to.yaml")
    run(tmp_path, "add", ".")
    run(tmp_path, "commit", "-q", "-m", "second")
    (jobs / "edited.yaml").write_text("other\n")
    (jobs / "new ä.yaml").write_text("new\n")
    (tmp_path / "outside.yaml").write_text("new\n")
    assert changed_files(tmp_path / "sub", "main") == {
        "jobs/edited.yaml",
        "jobs/moved.yaml",
        "jobs/gone to.yaml",
        "jobs/new ä.yaml",
    }
    run(tmp_path, "checkout", "-q", "--orphan", "stranger")
    run(tmp_path, "commit", "-q", "-m", "third")
    with pytest.raises(SettingsError, match="has no commit in common with main"):
        changed_files(tmp_path, "main")
    with pytest.raises(SettingsError, match="knows no revision --help"):
        changed_files(tmp_path, "--help")


def test_a_shallow_clone_says_so(tmp_path):
    run(tmp_path, "init", "-q", "-b", "main", "origin")
    for name in ("one", "two"):
        run(tmp_path / "origin", "commit", "-q", "--allow-empty", "-m", name)
    url = (tmp_path / "origin").as_uri()
    run(tmp_path, "clone", "-q", "--depth", "1", url, "shallow")
    with pytest.raises(SettingsError, match="it is a shallow clone: fetch its history"):
        changed_files(tmp_path / "shallow", "HEAD~1")


def test_without_git_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert current_commit(tmp_path) is None


def test_git_that_hangs_is_left_alone(tmp_path, monkeypatch):
    slow = tmp_path / "git"
    slow.write_text("#!/bin/sh\nexec /bin/sleep 5\n")
    slow.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(git, "TIMEOUT", 0.05)
    assert current_commit(tmp_path) is None
