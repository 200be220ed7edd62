"""Seeded fault schedules against a small model of the service."""

from __future__ import annotations

import json
import random
import traceback
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from shbatch_sync.api.client import BatchProcessClient
from shbatch_sync.api.retry import RetryPolicy
from shbatch_sync.config import Config
from shbatch_sync.errors import (
    AnswerLostError,
    ApiError,
    AuthenticationError,
    RateLimitedError,
    ServerError,
    ServiceUnreachableError,
    UnreadableAnswerError,
)

CLIENT_SECRET, AWS_SECRET = "cl1ent-s3cret", "my-aws-s3cret"
SECRETS = [CLIENT_SECRET, AWS_SECRET, "t0ken-"]
TOTAL = 100.0
SCHEDULES = 600
FAULTS = [
    "lost before",
    "never sent",
    "lost after",
    "429 header",
    "429 bare",
    "5xx before",
    "5xx after",
    "html 200",
    "html 502",
    "slow",
    "cut",
    "expired",
    "token lost",
]
TEMPORARY = (
    AnswerLostError,
    RateLimitedError,
    ServerError,
    ServiceUnreachableError,
    UnreadableAnswerError,
    AuthenticationError,
)


class FaultyService(httpx.BaseTransport):
    """One request's state, and a fault drawn for each call."""

    def __init__(self, seed: int, clock: Any) -> None:
        self.draw = random.Random(seed)
        self.rate = self.draw.choice([0.0, 0.2, 0.5, 0.9, 1.0])
        self.clock = clock
        self.token = 0
        self.taken: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.state = {
            "id": "a",
            "request": {"description": "old"},
            "status": "CREATED",
            "userAction": "NONE",
        }

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        fault = self.draw.choice(FAULTS) if self.draw.random() < self.rate else ""
        if request.url.path.endswith("/token"):
            if fault == "token lost":
                raise httpx.ReadError(str(body))
            self.token += 1
            return httpx.Response(
                200, json={"access_token": f"t0ken-{self.token}", "expires_in": 3600}
            )
        name = f"{request.method} {request.url.path.rpartition('/')[2]}"
        self.sent[name] += 1
        if fault == "expired":
            self.token += 1
        if request.headers["Authorization"] != f"Bearer t0ken-{self.token}":
            return httpx.Response(
                401, json={"error": {"message": f"bad {request.headers['Authorization']}"}}
            )
        return self.faulty(fault, name, request, body)

    def faulty(self, fault: str, name: str, request: httpx.Request, body: bytes) -> httpx.Response:
        echo = f"{request.headers['Authorization'][7:]} {CLIENT_SECRET} {body.decode()}"
        before: dict[str, Callable[[], httpx.Response]] = {
            "429 header": lambda: httpx.Response(
                429, headers={"Retry-After": str(self.draw.randrange(9000))}
            ),
            "429 bare": lambda: httpx.Response(429, json={"error": {"message": echo}}),
            "5xx before": lambda: httpx.Response(503, text=echo),
            "html 502": lambda: httpx.Response(502, html=f"<html>{echo}</html>"),
        }
        if fault == "lost before":
            raise httpx.ReadError(echo)
        if fault == "never sent":
            raise httpx.ConnectError(fault)
        if fault in before:
            return before[fault]()
        answer = self.take(name, body)
        if fault == "slow":
            self.clock.seconds += request.extensions["timeout"]["read"]
            raise httpx.ReadTimeout(echo)
        if fault == "lost after":
            raise httpx.RemoteProtocolError(echo)
        after = {
            "5xx after": httpx.Response(500, text=echo),
            "html 200": httpx.Response(200, html=f"<html>{echo}</html>"),
            "cut": httpx.Response(200, content=json.dumps({"echo": echo})[:-3].encode()),
        }
        return after.get(fault, answer)

    def take(self, name: str, body: bytes) -> httpx.Response:
        moves = {
            "POST analyse": ("CREATED", {"status": "ANALYSING", "userAction": "ANALYSE"}),
            "POST start": ("CREATED", {"status": "CREATED", "userAction": "START"}),
            "POST stop": ("PROCESSING", {"userAction": "STOP"}),
        }
        if name in moves:
            status, members = moves[name]
            if self.state["status"] != status or self.state["userAction"] == members["userAction"]:
                return httpx.Response(
                    400, json={"error": {"message": "Illegal to change userAction"}}
                )
            self.state |= members
            self.taken[name] += 1
            return httpx.Response(204)
        if name.startswith("PUT"):
            self.state["request"] = json.loads(body)
        self.taken[name] += 1
        if name == "GET process":
            return httpx.Response(200, json={"data": [self.state], "links": {}})
        return httpx.Response(201 if name == "POST process" else 200, json=self.state)


def run(service: FaultyService, clock: Any, call: Callable[[BatchProcessClient], Any]) -> Any:
    """Return the result or the error, having checked the time it took and what it says."""
    config = Config(base_url="http://localhost:1", client_id="i", client_secret=CLIENT_SECRET)
    retry = RetryPolicy(draw=service.draw.random)
    started = clock.seconds
    with BatchProcessClient(
        config, transport=service, clock=clock, retry=retry, timeout=20, total_timeout=TOTAL
    ) as client:
        try:
            result = call(client)
        except ApiError as error:
            result = error
            text = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
            assert not [secret for secret in SECRETS if secret in text]
    assert clock.seconds - started <= TOTAL + 0.01
    return result


def each_schedule(clock: Any) -> Any:
    for seed in range(SCHEDULES):
        yield FaultyService(seed, clock)


def test_reads_succeed_or_end_in_the_right_error(clock: Any) -> None:
    reads: list[Callable[[BatchProcessClient], Any]] = [
        lambda client: client.get_request("a").request_id,
        lambda client: next(one.request_id for one in client.iter_requests()),
    ]
    outcomes: Counter[bool] = Counter()
    for number, service in enumerate(each_schedule(clock)):
        result = run(service, clock, reads[number % 2])
        assert result == "a" or isinstance(result, TEMPORARY)
        assert service.rate > 0 or result == "a"
        outcomes[result == "a"] += 1
    assert outcomes[True] > 3 * outcomes[False] > 0


def test_a_create_is_sent_once_and_never_said_to_have_failed_when_it_has_not(clock: Any) -> None:
    body = {"output": {"delivery": {"s3": {"secretAccessKey": AWS_SECRET}}}}
    for service in each_schedule(clock):
        result = run(service, clock, lambda client: client.post_body(body))
        assert service.sent["POST process"] <= 1
        failed = isinstance(result, ApiError)
        if not failed:
            assert service.taken["POST process"] == 1
        elif not result.outcome_unknown:
            assert service.taken["POST process"] == 0
        else:
            assert service.sent["POST process"] == 1


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("POST analyse", lambda client: client.start_analysis("a")),
        ("POST start", lambda client: client.start_job("a")),
        ("POST stop", lambda client: client.stop_job("a")),
        ("PUT a", lambda client: client.update_request("a", "new")),
    ],
    ids=["analyse", "start", "stop", "update"],
)
def test_changes_happen_once_or_their_error_is_right(clock: Any, name: str, call: Any) -> None:
    for service in each_schedule(clock):
        if name == "POST stop":
            service.state |= {"status": "PROCESSING", "userAction": "START"}
        result = run(service, clock, call)
        failed = isinstance(result, ApiError)
        assert not failed or isinstance(result, TEMPORARY)
        assert service.taken[name] >= (0 if failed else 1)
        assert name == "PUT a" or service.taken[name] <= 1
        if not failed and name == "PUT a":
            assert service.state["request"] == {"description": "new"}
