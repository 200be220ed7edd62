"""The way between an apply and the service: everything that can go wrong on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx

from tests.campaign.front import id_of, what_of
from tests.campaign.schedule import Weather
from tests.campaign.timeline import Actor
from tests.campaign.view import REPLICAS
from tests.campaign.watch import Caller
from tests.campaign.world import World

# Each strikes at one call: before means that the service never took it in.
BEFORE = ("refused", "lost", "503", "429", "html", "crash")
AFTER = ("lost", "503", "html", "cut", "crash")
TIMEOUT = 120.0
CHANGING = frozenset({"update", "analyse", "start", "stop"})


class Link(httpx.BaseTransport):
    """Carries the calls of one process."""

    def __init__(
        self,
        world: World,
        actor: Actor,
        caller: Caller,
        weather: Weather,
        record: Callable[..., None],
    ) -> None:
        self._world = world
        self._actor = actor
        self._caller = caller
        self._weather = weather
        self._dice = world.dice
        self._record = record
        self._number = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        what = what_of(request)
        self._world.watch.sent(self._caller, what)
        try:
            answer = self._answer(request)
        finally:
            self._caller.flying.remove(what)
        self._caller.proven |= what == "get" and answer.status_code == httpx.codes.OK
        return answer

    def _answer(self, request: httpx.Request) -> httpx.Response:
        actor, self._number = self._actor, self._number + 1
        number, event = self._number, f"{actor.name}#{self._number}"
        what = what_of(request)
        dice = self._dice.of(event)
        actor.sleep(self._latency(dice, event, "slow-there", what))
        fault = self._fault(dice, event, "before", BEFORE, what)
        if fault is not None:
            return self._struck(fault, request)
        if what in {"create", "start"} and self._happens(
            dice, event, "late", self._weather.late, what
        ):
            return self._late(request, dice)
        answer = self._carried(request, what, number)
        self._record(actor.name, number, what, answer.status_code, request.url.path[-45:])
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
        timeline, number = self._actor.timeline, self._number

        def arrive() -> None:
            answer = self._carried(copy, what_of(copy), number)
            self._record("late", 0, what_of(copy), answer.status_code, copy.url.path[-45:])

        timeline.at(timeline.seconds + dice.uniform(0.0, TIMEOUT), arrive)
        self._actor.sleep(TIMEOUT)
        message = "no answer in time"
        raise httpx.ReadTimeout(message, request=request)

    # --- what the service does, and what a replica shows of it --------------------------------------------------

    def _carried(self, request: httpx.Request, what: str, number: int) -> httpx.Response:
        world, id_ = self._world, id_of(request)
        replica = self._dice.of(f"replica {self._actor.name}#{number}").randrange(REPLICAS)
        if id_ and not world.view.finds(id_, replica):
            error = {"status": 404, "message": "Entity not found", "code": "COMMON_NOT_FOUND"}
            return httpx.Response(404, json={"error": error})
        if what == "list" and "viewtoken" not in request.url.params:
            self._caller.listed_at = world.timeline.seconds
        if what in CHANGING:
            world.glance(id_)
        answer = world.front.answer(request)
        if what not in {"token", "list", "get"}:
            self._changed(what, request, answer)
        if answer.status_code == httpx.codes.OK and what in {"list", "get"}:
            return self._shown(what, request, answer, replica)
        return answer

    def _changed(self, what: str, request: httpx.Request, answer: httpx.Response) -> None:
        world = self._world
        if answer.is_success:
            id_ = id_of(request) or json.loads(answer.content)["id"]
            if what == "create":
                world.view.born[id_] = world.timeline.seconds
            world.glance(id_, called=True)
            text = json.loads(request.content) if request.content else {}
            world.watch.done(self._caller, what, id_, text.get("description"))
        else:
            world.watch.refused(self._caller, what, id_of(request))

    def _shown(
        self, what: str, request: httpx.Request, answer: httpx.Response, replica: int
    ) -> httpx.Response:
        view, weather = self._world.view, self._world.schedule.weather
        if weather.stale <= 0 and (what == "get" or weather.lag <= 0):
            return answer
        truth = json.loads(answer.content)
        page = view.shown(truth, replica) if what == "get" else view.thinned(truth, replica)
        if what == "list" and not page["data"] and "nextToken" in page["links"]:
            # A real service filters before it cuts the pages, so none of them is empty but the last.
            url = request.url.copy_set_param("viewtoken", page["links"]["nextToken"])
            following = httpx.Request("GET", url)
            return self._shown(what, following, self._world.front.answer(following), replica)
        return httpx.Response(
            200, headers={"Date": answer.headers["Date"]}, content=json.dumps(page)
        )
