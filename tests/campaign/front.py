"""The face of the simulated service: the emulator's operations behind HTTP, without a web server's work.

The emulator's own application routes, parses and checks what this does with a few comparisons; the campaign makes
too many calls for that.
"""

from __future__ import annotations

import json

import httpx

from shbatch_sync.emulator.clock import http_date
from shbatch_sync.emulator.lifecycle import SECOND
from shbatch_sync.emulator.options import DEFAULT_ACCOUNT
from shbatch_sync.emulator.refusal import Refusal
from shbatch_sync.emulator.service import ACTIONS, BatchService
from shbatch_sync.emulator.wire import page_text

_TOKEN = '{"access_token": "bearer", "expires_in": 1000000000, "token_type": "Bearer"}'


def what_of(request: httpx.Request) -> str:
    """Return which operation a call asks for."""
    path = request.url.path
    last = path.rpartition("/")[2]
    if last in ACTIONS:
        return last
    if last == "token":
        return "token"
    if last == "process":
        return "create" if request.method == "POST" else "list"
    return "update" if request.method == "PUT" else "get"


def id_of(request: httpx.Request) -> str:
    """Return the id that a call names, or nothing."""
    _, _, rest = request.url.path.partition("/process/")
    return rest.partition("/")[0]


class Front:
    """Answers calls at once; what may go wrong on the way is the link's."""

    def __init__(self, service: BatchService) -> None:
        self._service = service

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Return the service's answer."""
        try:
            status, text = self._operate(what_of(request), request)
        except Refusal as refusal:
            status, text = refusal.status, json.dumps(refusal.as_json())
        date = http_date(round(self._service.real_time() * SECOND))
        headers = {"Date": date, "Content-Type": "application/json"}
        return httpx.Response(status, headers=headers, content=text.encode())

    def _operate(self, what: str, request: httpx.Request) -> tuple[int, str]:
        service, id_ = self._service, id_of(request)
        match what:
            case "token":
                return 200, _TOKEN
            case "create":
                return 201, service.create(DEFAULT_ACCOUNT, json.loads(request.content))
            case "list":
                return 200, self._list(request)
            case "get":
                return 200, service.task(DEFAULT_ACCOUNT, id_)
            case "update":
                return 200, service.update(DEFAULT_ACCOUNT, id_, json.loads(request.content)) or ""
        service.act(DEFAULT_ACCOUNT, id_, ACTIONS[what])
        return 204, ""

    def _list(self, request: httpx.Request) -> str:
        asked = request.url.params
        offset = int(asked.get("viewtoken", 0))
        count = min(int(asked.get("count", 100)), self._service.options.page_size)
        page = self._service.page(DEFAULT_ACCOUNT, asked.get("sort"), offset=offset, count=count)
        links = {"nextToken": str(offset + count)} if page.more else {}
        return page_text(page.tasks, links)
