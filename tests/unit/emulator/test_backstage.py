from __future__ import annotations

import pytest

from shbatch_sync.emulator.refusal import Refusal


def test_the_service_stops_a_request(sandbox, body):
    made = sandbox()
    request_id = made.create(body)
    made.act(request_id, "start")
    made.wait(100)
    made.service.stop(request_id, "UNHEALTHY")
    task = made.task(request_id)
    assert (task["status"], task["userAction"]) == ("STOPPED", "START")
    assert task["stoppedStatusReason"] == "UNHEALTHY"
    made.wait(10_000)
    assert made.task(request_id) == task
    assert made.run(request_id)["status"] == "DONE"


def test_a_request_fails(sandbox, body):
    made = sandbox()
    request_id = made.create(body)
    made.service.fail(request_id, "no bucket")
    task = made.task(request_id)
    assert (task["status"], task["error"]) == ("FAILED", "no bucket")


def test_a_status_that_nobody_knows(sandbox, body):
    made = sandbox()
    request_id = made.create(body)
    made.service.force(request_id, status="ARCHIVED", action="ARCHIVE")
    assert made.pair(request_id) == ("ARCHIVED", "ARCHIVE")
    assert made.act(request_id, "start").status_code == 400


def test_forgetting(sandbox, body):
    made = sandbox()
    request_id = made.create(body)
    made.service.forget(request_id)
    assert made.listed() == []
    for call in (made.service.forget, made.service.task, made.service.stop):
        with pytest.raises(KeyError):
            call(request_id)


def test_advance_moves_the_clock_and_what_depends_on_it(sandbox, body):
    made = sandbox()
    request_id = made.service.create(body)
    made.act(request_id, "start")
    made.service.advance(10_000)
    assert made.service.task(request_id)["status"] == "DONE"
    assert made.service.now().isoformat() == "2025-06-15T17:53:20+00:00"


def test_tasks_are_all_there_oldest_first(sandbox, body):
    made = sandbox(lag=1000, page_size=1)
    ids = made.service.seed([body] * 3)
    assert [task["id"] for task in made.service.tasks()] == ids
    assert made.service.tasks("somebody else") == []


def test_seeding_is_all_or_nothing(sandbox, body):
    made = sandbox()
    with pytest.raises(Refusal):
        made.service.seed([body, {}])
    assert made.service.tasks() == []
