"""The way between an apply and the service: everything that can go wrong on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from shbatch_sync.api.wsgi import wsgi_transport
from tests.campaign.dice import Dice
from tests.campaign.timeline import Actor

# Each strikes at one call: before means that the service never took it in.
BEFORE = ("refused", "lost", "503", "429", "html", "crash")
AFTER = ("lost", "503", "html", "cut", "crash")
TIMEOUT = 120.0


@dataclass(frozen=True)
class Weather:
    """How rough it is.

    Attributes:
        faults: Share of calls that something happens to.
        crashes: Share of calls at which the process dies.
        slow: Share of calls that take long.
        late: Share of creates and starts that take effect after their caller has given up.
        lag: Seconds after which a list shows a new request, at most.
        get_lag: The same for a read by id.
    """

    faults: float = 0.0
    crashes: float = 0.0
    slow: float = 0.0
    late: float = 0.0
    lag: float = 0.0
    get_lag: float = 0.0


class Link(httpx.BaseTransport):
    """Carries the calls of one process."""

    def __init__(
        self,
        app: Any,
        actor: Actor,
        weather: Weather,
        dice: Dice,
        record: Callable[..., None],
    ) -> None:
        self._inner = wsgi_transport(app)
        self._actor = actor
        self._weather = weather
        self._dice = dice
        self._record = record
        self._number = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        actor, self._number = self._actor, self._number + 1
        event = f"{actor.name}#{self._number}"
        what = _what(request)
        dice = self._dice.of(event)
        actor.sleep(self._latency(dice, event, "slow-there", what))
        fault = self._fault(dice, event, "before", BEFORE, what)
        if fault is not None:
            return self._struck(fault, request)
        if what in {"create", "start"} and self._happens(
            dice, event, "late", self._weather.late, what
        ):
            return self._late(request, dice)
        answer = self._carried(request, what)
        self._record(actor.name, self._number, what, answer.status_code, request.url.path[-45:])
        actor.sleep(self._latency(dice, event, "slow-back", what))
        fault = self._fault(dice, event, "after", AFTER, what)
        return answer if fault is None else self._struck(fault, request, answer)

    def _latency(self, dice: Any, event: str, kind: str, what: str) -> float:
        quick = dice.uniform(0.02, 1.5)
        if self._happens(dice, event, kind, self._weather.slow, what):
            return dice.uniform(1.0, TIMEOUT / 2 - 5)
        return quick

    def _happens(self, dice: Any, event: str, kind: str, share: float, what: str) -> bool:
        return dice.random() < share and self._dice.strikes(f"{event}:{kind}", what)

    def _fault(
        self, dice: Any, event: str, side: str, kinds: tuple[str, ...], what: str
    ) -> str | None:
        crashes = dice.random() < self._weather.crashes
        happens = dice.random() < self._weather.faults
        kind = dice.choice(kinds[:-1])
        if crashes and self._dice.strikes(f"{event}:{side}:crash", what):
            return "crash"
        if happens and self._dice.strikes(f"{event}:{side}:{kind}", what):
            return kind
        return None

    def _struck(
        self, fault: str, request: httpx.Request, answer: httpx.Response | None = None
    ) -> httpx.Response:
        match fault:
            case "crash":
                self._actor.die()
            case "refused":
                message = "no connection"
                raise httpx.ConnectError(message, request=request)
            case "lost":
                message = "the connection broke"
                raise httpx.ReadError(message, request=request)
            case "503":
                return httpx.Response(503, json={"error": {"status": 503, "message": "later"}})
            case "429":
                limit = {"status": 429, "message": "slow down", "code": "RATE_LIMIT_EXCEEDED"}
                return httpx.Response(429, json={"error": limit}, headers={"Retry-After": "2500"})
            case "cut":
                return httpx.Response(200, content=answer.content[:15] if answer else b"")
        return httpx.Response(502, html="<html><h1>Bad Gateway</h1></html>")

    def _late(self, request: httpx.Request, dice: Any) -> httpx.Response:
        """Take effect only when the caller has gone."""
        copy = httpx.Request(
            request.method, request.url, headers=request.headers, content=request.read()
        )
        timeline = self._actor.timeline

        def arrive() -> None:
            answer = self._carried(copy, _what(copy))
            self._record("late", 0, _what(copy), answer.status_code, copy.url.path[-45:])

        timeline.at(timeline.seconds + TIMEOUT + dice.uniform(0.0, 15.0), arrive)
        self._actor.sleep(TIMEOUT)
        message = "no answer in time"
        raise httpx.ReadTimeout(message, request=request)

    def _carried(self, request: httpx.Request, what: str) -> httpx.Response:
        # Each call may meet another of three replicas, and each of them lags on its own.
        replica = self._dice.of(f"replica {self._actor.name}#{self._number}").randrange(3)
        if what not in {"create", "list", "token"} and self._hidden(
            _id(request), replica, self._weather.get_lag
        ):
            error = {"status": 404, "message": "Entity not found", "code": "COMMON_NOT_FOUND"}
            return httpx.Response(404, json={"error": error})
        answer = self._inner.handle_request(request)
        answer.request = request
        answer.read()
        if what == "create" and answer.status_code == 201:
            self._dice.born[answer.json()["id"]] = self._actor.timeline.seconds
        if what == "list" and answer.status_code == 200:
            return self._thinned(answer, replica)
        return answer

    def _thinned(self, answer: httpx.Response, replica: int) -> httpx.Response:
        page = answer.json()
        shown = [
            task
            for task in page["data"]
            if not self._hidden(task["id"], replica, self._weather.lag)
        ]
        if len(shown) == len(page["data"]):
            return answer
        if not shown and "next" in page["links"]:
            # A real service filters before it cuts the pages, so none of them is empty but the last.
            bearer = {"Authorization": answer.request.headers["Authorization"]}
            return self._carried(
                httpx.Request("GET", page["links"]["next"], headers=bearer), "list"
            )
        page["data"] = shown
        return httpx.Response(
            200, headers={"Date": answer.headers["Date"]}, content=json.dumps(page)
        )

    def _hidden(self, request_id: str, replica: int, longest: float) -> bool:
        born = self._dice.born.get(request_id)
        if born is None or longest <= 0:
            return False
        lag = self._dice.of(f"lag {request_id} {replica} {longest}").random()
        # Many are seen at once, many only at the very end.
        lag = longest * min(1.0, max(0.0, 2.0 * lag - 0.5))
        return self._actor.timeline.seconds < born + lag


def _what(request: httpx.Request) -> str:
    path = request.url.path
    if path.endswith(("/analyse", "/start", "/stop")):
        return path.rpartition("/")[2]
    if "token" in path:
        return "token"
    if path.endswith("/process"):
        return "create" if request.method == "POST" else "list"
    return "update" if request.method == "PUT" else "get"


def _id(request: httpx.Request) -> str:
    parts = request.url.path.split("/")
    return parts[parts.index("process") + 1]
