from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from shbatch_sync.api.client import BatchProcessClient
from shbatch_sync.api.retry import RetryPolicy
from shbatch_sync.config import Config

SECRET = "cl1ent-s3cret"
TOKEN = "t0ken-{}"


class FakeClock:
    """Time that passes only when somebody sleeps or says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.slept.append(seconds)
            self.seconds += seconds


class Service(httpx.BaseTransport):
    """Gives tokens; everything else is answered from a list: responses, exceptions, or functions of the request."""

    def __init__(self) -> None:
        self.answers: list[Any] = []
        self.token_answers: list[Any] = []
        self.requests: list[httpx.Request] = []
        self.tokens_given = 0
        self.token_life: Any = 3600

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        if request.url.path.endswith("/token"):
            return self._token(request)
        self.requests.append(request)
        return _played(self.answers.pop(0), request)

    def _token(self, request: httpx.Request) -> httpx.Response:
        if self.token_answers:
            return _played(self.token_answers.pop(0), request)
        self.tokens_given += 1
        body = {"access_token": TOKEN.format(self.tokens_given), "expires_in": self.token_life}
        return httpx.Response(200, json=body)

    @property
    def calls(self) -> list[str]:
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.requests]


def _played(answer: Any, request: httpx.Request) -> httpx.Response:
    if isinstance(answer, Exception):
        raise answer
    return answer(request) if callable(answer) else answer


def _refusal(status: int, message: str = "no", code: str = "", **headers: str) -> httpx.Response:
    error = {"status": status, "message": message, **({"code": code} if code else {})}
    return httpx.Response(
        status, json={"error": error}, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def _state(**members: Any) -> httpx.Response:
    return httpx.Response(
        200, json={"id": "a", "request": {"description": "old"}, "status": "CREATED", **members}
    )


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def make_client(service: Service, clock: FakeClock) -> Iterator[Callable[..., BatchProcessClient]]:
    made: list[BatchProcessClient] = []

    def make(**options: Any) -> BatchProcessClient:
        config = Config(
            base_url="http://localhost:1", client_id="id-1", client_secret=SECRET, origin="the test"
        )
        settings = {"retry": RetryPolicy(draw=lambda: 1.0), "clock": clock, **options}
        made.append(BatchProcessClient(config, transport=service, **settings))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client: Callable[..., BatchProcessClient]) -> BatchProcessClient:
    return make_client()


@pytest.fixture
def refusal() -> Callable[..., httpx.Response]:
    return _refusal


@pytest.fixture
def state() -> Callable[..., httpx.Response]:
    return _state


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "SH_CLIENT_ID",
        "SH_CLIENT_SECRET",
        "SH_PROFILE",
        "SHBATCH_TRUSTED_HOSTS",
        "XDG_CONFIG_HOME",
    ):
        monkeypatch.delenv(name, raising=False)
