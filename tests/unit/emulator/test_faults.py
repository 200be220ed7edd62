from __future__ import annotations

import pytest

from shbatch_sync.emulator import (
    Answer,
    Call,
    Cut,
    Delay,
    Fault,
    FaultScript,
    Html,
    Lost,
    LostConnectionError,
    Status,
)


def test_lost_before_is_not_applied(sandbox, body):
    made = sandbox(faults=FaultScript(("create", "before", Lost())))
    with pytest.raises(ConnectionError):
        made.http.post(made.prefix, json=body)
    assert made.listed() == []


def test_lost_after_is_applied(sandbox, body):
    made = sandbox(faults=FaultScript(("create", "after", Lost())))
    with pytest.raises(LostConnectionError):
        made.http.post(made.prefix, json=body)
    assert len(made.listed()) == 1


@pytest.mark.parametrize(("when", "created"), [("before", 0), ("after", 1)])
def test_status(sandbox, body, when, created):
    fault = Status(429, headers={"Retry-After": "200"})
    made = sandbox(faults=FaultScript(("create", when, fault)))
    answer = made.http.post(made.prefix, json=body)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "200")
    assert answer.json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"
    assert len(made.listed()) == created


def test_html_and_own_bodies(sandbox):
    script = FaultScript(("list", "after", Html()), ("list", "after", Status(503, b"busy")))
    made = sandbox(faults=script)
    page = made.http.get(made.prefix)
    assert (page.status_code, page.headers["content-type"]) == (502, "text/html")
    assert made.http.get(made.prefix).text == "busy"
    assert script.left == 0
    assert made.http.get(made.prefix).status_code == 200


@pytest.mark.parametrize(("when", "created"), [("before", 0), ("after", 1)])
def test_cut(sandbox, body, when, created):
    made = sandbox(faults=FaultScript(("create", when, Cut(5))))
    answer = made.http.post(made.prefix, json=body)
    assert len(answer.content) == 5 < int(answer.headers["content-length"])
    assert len(made.listed()) == created


@pytest.mark.parametrize("when", ["before", "after"])
def test_delay(sandbox, when):
    waited = []
    made = sandbox(faults=FaultScript(("list", when, Delay(3.5, waited.append))))
    assert made.http.get(made.prefix).status_code == 200
    assert waited == [3.5]


def test_delay_really_waits(sandbox):
    made = sandbox(faults=FaultScript(("list", "before", Delay(0.001))))
    assert made.http.get(made.prefix).status_code == 200


class Watch:
    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.statuses: list[int] = []

    def before(self, call: Call) -> Fault | None:
        self.calls.append(call)
        return None

    def after(self, _call: Call, answer: Answer) -> Fault | None:
        self.statuses.append(answer.status)
        return None


def test_what_a_fault_may_know(sandbox, body):
    watch = Watch()
    made = sandbox(faults=watch)
    request_id = made.create(body)
    made.task(request_id)
    made.http.put(f"{made.prefix}/{request_id}", json={})
    for action in ("analyse", "start", "stop"):
        made.act(request_id, action)
    made.listed()
    made.http.get("/batch/v2/tilinggrids")
    made.http.get("/batch/v2/tilinggrids/1")
    assert watch.calls == [
        Call("POST", "token"),
        Call("POST", "create"),
        Call("GET", "get", request_id),
        Call("PUT", "update", request_id),
        Call("POST", "analyse", request_id),
        Call("POST", "start", request_id),
        Call("POST", "stop", request_id),
        Call("GET", "list"),
        Call("GET", "grids"),
        Call("GET", "grid"),
    ]
    assert watch.statuses == [200, 201, 200, 200, 204, 204, 204, 200, 200, 200]


def test_a_token_can_be_refused(sandbox):
    script = FaultScript(("token", "after", Status(500)))
    made = sandbox(faults=script)
    assert script.left == 0
    assert made.http.get(made.prefix).status_code == 401
