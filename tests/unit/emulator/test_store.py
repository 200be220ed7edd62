from __future__ import annotations

import sqlite3
import threading
from contextlib import closing

import pytest

from shbatch_sync.emulator import Emulator, Options, UnusableDatabaseError
from shbatch_sync.emulator.store import Store


def test_a_file_is_the_service(sandbox, body, tmp_path):
    path = tmp_path / "deep" / "sandbox.db"
    first = sandbox(db=path)
    request_id = first.create(body)
    first.act(request_id, "start")
    first.emulator.close()
    second = sandbox(db=path)
    assert second.pair(request_id) == ("CREATED", "START")


def test_two_emulators_on_a_file_are_one_service(sandbox, body, tmp_path):
    clock = [1_750_000_000.0]
    one = sandbox(db=tmp_path / "a.db", clock=clock, speed=10.0)
    two = sandbox(db=tmp_path / "a.db", clock=clock)
    request_id = one.create(body)
    assert two.act(request_id, "start").status_code == 204
    assert one.pair(request_id) == ("CREATED", "START")
    clock[0] += 100
    assert one.service.now() == two.service.now()
    assert two.pair(request_id) == ("DONE", "START")
    two.service.advance(3600)
    assert one.service.now() == two.service.now()
    two.http.headers["Authorization"] = one.http.headers["Authorization"]
    assert two.task(request_id) == one.task(request_id)


def test_another_speed_goes_on_without_a_jump(tmp_path):
    clock = [1000.0]

    def opened(**options) -> Emulator:
        path = tmp_path / "a.db"
        return Emulator(path, Options(**options), time_source=lambda: clock[0])

    with opened(speed=100.0) as first:
        clock[0] += 1
        before = first.service.now()
    with opened(speed=2.0) as second:
        assert second.service.now() == before
        clock[0] += 10
        assert (second.service.now() - before).total_seconds() == 20
    with opened() as third:
        clock[0] += 10
        assert (third.service.now() - before).total_seconds() == 40


def test_an_exception_undoes_a_transaction(sandbox, body):
    made = sandbox()
    request_id = made.create(body)

    def delete_and_fail() -> None:
        with made.emulator._store.write() as db:
            db.execute("DELETE FROM request")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        delete_and_fail()
    assert made.pair(request_id) == ("CREATED", "NONE")


def test_not_a_database(tmp_path):
    path = tmp_path / "a.db"
    path.write_text("this is no database, " * 100)
    with pytest.raises(UnusableDatabaseError, match="not a database"):
        Emulator(path)


def test_a_database_of_something_else(tmp_path):
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE songs (name TEXT)")
    with pytest.raises(UnusableDatabaseError, match="another program"):
        Emulator(path)


def test_a_database_of_another_version(tmp_path):
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(UnusableDatabaseError, match="version 99"):
        Emulator(path)


def test_a_file_that_somebody_else_holds(tmp_path):
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnusableDatabaseError, match="locked"):
            Store(path, patience=0.05)
        release = threading.Timer(0.1, other.rollback)
        release.start()
        Store(path, patience=10).close()
        release.join()


def test_a_place_where_no_file_can_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnusableDatabaseError, match="cannot be opened"):
        Emulator(tmp_path / "file" / "a.db")
    with pytest.raises(UnusableDatabaseError):
        Emulator(tmp_path)


def test_secrets_are_not_in_the_file(sandbox, body, tmp_path):
    path = tmp_path / "a.db"
    made = sandbox(db=path)
    keys = {"accessKey": "AKIA-NEVER", "secretAccessKey": "SECRET-NEVER"}
    body["output"]["delivery"]["s3"] = {"url": "s3://bucket/x", **keys}
    made.run(made.create(body))
    body["output"]["delivery"] = {"gs": {"url": "gs://bucket/x", "credentials": "GS-NEVER"}}
    made.create(body)
    files = list(tmp_path.iterdir())
    assert {file.name for file in files} >= {"a.db", "a.db-wal"}
    assert not any(b"NEVER" in file.read_bytes() for file in files)
    made.emulator.close()
    assert b"NEVER" not in path.read_bytes()
