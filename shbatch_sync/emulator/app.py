"""The service as a WSGI application."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from werkzeug import Request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from shbatch_sync.emulator.access import account_of, grant
from shbatch_sync.emulator.clock import http_date
from shbatch_sync.emulator.faults import (
    Answer,
    Call,
    Cut,
    Delay,
    Faults,
    Html,
    Lost,
    LostConnectionError,
    Status,
)
from shbatch_sync.emulator.limits import RateLimit
from shbatch_sync.emulator.listing import links, read_query
from shbatch_sync.emulator.payload import read_create, read_json
from shbatch_sync.emulator.refusal import OAuthRefusal, Refusal, error_body, not_found, reason_of
from shbatch_sync.emulator.routes import build_routes
from shbatch_sync.emulator.service import ACTIONS, BatchService
from shbatch_sync.emulator.wire import dump, page_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_JSON = {"Content-Type": "application/json"}
_NOTHING = Answer(200, b" " * 100, _JSON)


class _Request(Request):
    # A form's part may be an area with many vertices; the framework's own limit is half a megabyte.
    max_form_memory_size: int | None = None


class App:
    """Takes calls, lets faults happen, and answers. Safe for several threads."""

    def __init__(self, service: BatchService, faults: Faults | None = None) -> None:
        self._service = service
        self._faults = faults
        self._routes = build_routes()
        limit = service.options.requests_per_minute
        self._limit = None if limit is None else RateLimit(limit)
        self._grids = [grid.as_json() for grid in service.options.grids]

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one call.

        Raises:
            LostConnectionError: A fault wants the connection to break.
        """
        with _Request(environ) as request:
            answer = self._answer(request)
        headers = {
            "Date": http_date(self._service.date()),
            "Content-Length": str(len(answer.body)),
            **answer.headers,
        }
        if answer.status == HTTPStatus.NO_CONTENT:
            del headers["Content-Length"]
        start_response(f"{answer.status} {reason_of(answer.status)}", list(headers.items()))
        return [] if request.method == "HEAD" else [answer.body]

    def _answer(self, request: Request) -> Answer:
        try:
            operation, arguments = self._routes.bind_to_environ(request.environ).match()
        except MethodNotAllowed as error:
            allow = {"Allow": ", ".join(sorted(error.valid_methods or ()))}
            refusal = Refusal(405, f"Method {request.method} is not allowed.", headers=allow)
            return _refused(refusal)
        except HTTPException:
            return _refused(not_found())
        call = Call(request.method, operation, arguments.get("request_id"))
        fault = self._faults.before(call) if self._faults else None
        if isinstance(fault, Delay):
            fault.wait(fault.seconds)
        elif fault is not None:
            return _distorted(fault, _NOTHING)
        answer = self._carried_out(request, operation, arguments)
        fault = self._faults.after(call, answer) if self._faults else None
        if isinstance(fault, Delay):
            fault.wait(fault.seconds)
        elif fault is not None:
            return _distorted(fault, answer)
        return answer

    def _carried_out(
        self, request: Request, operation: str, arguments: Mapping[str, Any]
    ) -> Answer:
        try:
            if operation == "token":
                return _json(200, dump(self._token(request)))
            account = self._admitted(request)
            return self._operate(request, account, operation, arguments)
        except (Refusal, OAuthRefusal) as refusal:
            return _refused(refusal)
        except (UnicodeEncodeError, RecursionError):
            return _refused(Refusal(400, "Request body is nested too deeply or is not Unicode."))
        except HTTPException as error:
            return _refused(Refusal(error.code or 400, "Request cannot be read."))
        except sqlite3.Error as error:
            return _refused(Refusal(500, f"The emulator's database failed: {error}"))

    def _token(self, request: Request) -> dict[str, Any]:
        service = self._service
        return grant(request, service.options, service.signing_key, service.real_time())

    def _admitted(self, request: Request) -> str:
        now = self._service.real_time()
        account = account_of(request, self._service.signing_key, now)
        wait = self._limit.wait_for(account, now) if self._limit else 0.0
        if wait > 0:
            # Milliseconds, unlike everywhere else on the web.
            headers = {"Retry-After": str(int(wait * 1000) + 1)}
            raise Refusal(429, "You have exceeded your rate limit", headers=headers)
        return account

    def _operate(
        self, request: Request, account: str, operation: str, arguments: Mapping[str, Any]
    ) -> Answer:
        service = self._service
        request_id = str(arguments.get("request_id", "")).lower()
        match operation:
            case "create":
                return _json(201, service.create(account, read_create(request)))
            case "list":
                return self._list(request, account)
            case "get":
                return _json(200, service.task(account, request_id))
            case "update":
                text = service.update(account, request_id, read_json(request))
                return Answer(200, b"", {}) if text is None else _json(200, text)
            case "grids":
                return self._list_grids(request)
            case "grid":
                return self._grid(arguments["grid_id"])
            case _:
                service.act(account, request_id, ACTIONS[operation])
                return Answer(204, b"", {})

    def _list(self, request: Request, account: str) -> Answer:
        query = read_query(request, self._service.options.page_size)
        page = self._service.page(account, query.sort, offset=query.offset, count=query.count)
        return _json(200, page_text(page.tasks, links(request, query, more=page.more)))

    def _list_grids(self, request: Request) -> Answer:
        query = read_query(request, self._service.options.page_size)
        end = query.offset + query.count
        grids = [dump(grid) for grid in self._grids[query.offset : end]]
        more = end < len(self._grids)
        return _json(200, page_text(grids, links(request, query, more=more)))

    def _grid(self, grid_id: str) -> Answer:
        for grid in self._grids:
            if str(grid["id"]) == grid_id:
                return _json(200, dump(grid))
        raise Refusal(400, f"Tiling grid {grid_id!r} does not exist.")


def _json(status: int, text: str) -> Answer:
    # Half a surrogate pair in a bad payload may be quoted in the refusal.
    return Answer(status, text.encode(errors="backslashreplace"), _JSON)


def _refused(refusal: Refusal | OAuthRefusal) -> Answer:
    answer = _json(refusal.status, dump(refusal.as_json()))
    return replace(answer, headers={**answer.headers, **refusal.headers})


def _distorted(fault: Lost | Status | Html | Cut, answer: Answer) -> Answer:
    if isinstance(fault, Lost):
        message = "the connection was lost"
        raise LostConnectionError(message)
    if isinstance(fault, Status):
        text = fault.body or dump(error_body(fault.code, "injected fault")).encode()
        return Answer(fault.code, text, {**_JSON, **fault.headers})
    if isinstance(fault, Html):
        return Answer(fault.code, fault.body, {"Content-Type": "text/html"})
    length = {"Content-Length": str(len(answer.body))}
    return replace(answer, body=answer.body[: fault.size], headers={**answer.headers, **length})
