"""Another Batch Processing V2 service: written from the public documentation alone, with habits that can be chosen.

It shares nothing with the embedded emulator nor with the program. Wherever the documentation leaves room, `Choices`
picks one of the answers; the defaults are the recorded ones where a recording is known.
"""

from __future__ import annotations

import copy
import gzip
import html
import json
import random
import re
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PREFIXES = ("/api/v2/batch", "/batch/v2")
MARKER = re.compile(r"\[shbatch-sync/1 (\S+) r(\d+) h=(\S+) [^\]]*\]")
CRS84 = "urn:ogc:def:crs:OGC::CRS84"
ALIASES = {
    "sentinel-2-l2a": "S2L2A",
    "sentinel-2-l1c": "S2L1C",
    "sentinel-1-grd": "S1GRD",
    "dem": "DEM",
    "hls": "HLS",
    "modis": "MODIS",
}
ACTIVE = ("PROCESSING", "PAUSED")
REST = ("DONE", "FAILED", "STOPPED")


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What a service may do one way or the other; times in seconds of this machine."""

    # answers of writing calls
    created: int = 201
    put: str = "request"  # request, task, nothing, no-content, empty-object
    act: str = "no-content"  # no-content, object, nothing
    # pages
    page: int = 100
    token: str = "opaque"  # opaque, offset, int, null, url-only-at-end
    order: str = "id"  # id, random, newest, sort (honoured), sometimes
    # times and members of a task
    digits: int = 6
    zone: str = "Z"
    absent: tuple[str, ...] = ("error", "stoppedStatusReason")
    null: tuple[str, ...] = ()
    cost: str = "zero"  # zero, late (absent until paid), int, growing
    percent: str = "float"  # float, int, late
    top_description: bool = False
    # the echo
    alias: bool = True
    crs: bool = True
    fill: bool = True
    floats: bool = False
    nulls: bool = False
    extras: bool = False
    shuffle: bool = False
    times: str = "as-sent"  # as-sent, millis, offset, micros
    secrets: str = "mask"  # mask, drop, star, null
    instance: str = "normal"  # normal, absent, as-sent
    buffers: bool = False
    harmonize: bool = False
    bounds_crs: bool = False
    region: bool = False
    text: str = "as-sent"  # as-sent, cut-255, cut-100, collapse, escape, strip, upper-ascii
    script: str = "as-sent"  # as-sent, strip, crlf
    # refusals
    illegal: int = 400
    busy_put: int = 409
    error: str = "wrapped"  # wrapped, bare, array, object, empty, text, html
    restart_pause: float = 0.0
    # the way
    token_life: float = 0.0  # a token is refused after so long, whatever it said; 0 never
    token_members: str = "all"  # all, bare (access_token only), text (expires_in as text)
    refuse_every: int = 0  # every n-th call is answered 429
    retry_after: str = "20"  # milliseconds, or nothing
    break_every: int = 0  # every n-th GET is answered 502 with HTML
    hidden: float = 0.0  # a new task is 404 for so long
    lag: float = 0.0  # and missing from lists for so long
    stale: float = 0.0  # reads show the state of so long ago
    stale_one: bool = True  # also when read by id
    close: bool = False
    chunked: bool = False
    zipped: bool = False
    slow: float = 0.0
    date: str = "now"  # now, none, wrong
    clock: float = 0.0  # hours that the service's clock is off
    kind: str = "application/json"
    # what becomes of a task
    taken: float = 0.0  # from a call until its status moves
    analysing: float = 0.02
    queued: float = 0.02
    processing: float = 0.03
    direct: bool = False  # CREATED to DONE: everything was there
    stopping: float = 0.0
    action_after: str = "kept"  # kept, none (reset at rest), odd
    odd: bool = False  # PROCESSING calls itself PAUSED for its first half
    reason: str = "USER_ACTION"
    start_while_analysing: bool = True
    seed: int = 1


@dataclass
class Task:
    """One request of the account."""

    id: str
    request: Any
    created: float
    status: str = "CREATED"
    action: str = "NONE"
    acted: float = 0.0
    entered: float = 0.0
    updated: float = 0.0
    cost: float = 0.0
    error: str | None = None
    reason: str | None = None
    runs: int = 0
    raw: dict[str, Any] | None = None
    past: list[tuple[float, dict[str, Any]]] = field(default_factory=list)


@dataclass
class Reply:
    """An answer, before it is sent."""

    status: int
    body: Any = None
    kind: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


class RefusalError(Exception):
    """Ends a call with an error."""

    def __init__(self, status: int, message: str, code: str = "COMMON_BAD_PAYLOAD") -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


class Service:
    """The account: its tasks, and what was asked of it."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.tasks: dict[str, Task] = {}
        self.calls: list[tuple[str, str]] = []
        self.paid: Counter[str] = Counter()
        self.holds: set[str] = set()
        self.fails: set[str] = set()
        self.stops: set[str] = set()
        self.tokens: dict[str, float] = {}
        self.script: deque[tuple[str, str, Reply]] = deque()
        self.complaints: list[str] = []
        self.account = str(uuid.UUID(int=random.Random(choices.seed).getrandbits(128), version=4))
        self._dice = random.Random(choices.seed)
        self._shuffle, self._sorts = 0, True
        self._lock = threading.RLock()

    # -- what tests look at and turn

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [call for call in self.calls if call[0] != "GET" and not call[1].endswith("token")]

    def put_in(self, request: Any, state: str = "CREATED", **members: Any) -> Task:
        """Put a request of somebody else into the account."""
        now = time.monotonic()
        task = Task(id=self._new_id(), request=request, created=now - 500, status=state)
        task.entered = task.updated = task.created
        task.raw = {"status": state, **members}
        if state != "CREATED":
            task.action = "START"
        self.tasks[task.id] = task
        return task

    def of(self, job: str) -> list[Task]:
        """Return the tasks whose marker names a job, oldest first."""
        found = []
        for task in list(self.tasks.values()):
            match = MARKER.search(str(_description(task.request)))
            if task.raw is None and match and match[1].endswith(f"/{job}"):
                found.append(task)
        return sorted(found, key=lambda task: task.created)

    def status_of(self, job: str) -> list[str]:
        with self._lock:
            for task in self.tasks.values():
                self._advance(task)
        return [task.status for task in self.of(job)]

    # -- one call

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> Reply:
        parts = urlsplit(target)
        path = parts.path.rstrip("/")
        with self._lock:
            self.calls.append((method, path))
            try:
                return self._disturbed(method, path) or self._route(
                    method, path, parse_qs(parts.query), headers, body
                )
            except RefusalError as refusal:
                return self._refused(refusal)

    def _disturbed(self, method: str, path: str) -> Reply | None:
        """Return what is answered instead of an answer, if this call is to go wrong."""
        chosen, number = self.choices, len(self.calls)
        for index, (verb, pattern, reply) in enumerate(self.script):
            if verb == method and re.search(pattern, path):
                del self.script[index]
                return reply
        if path.endswith("/token"):
            return None
        if chosen.refuse_every and number % chosen.refuse_every == 0:
            reply = self._refused(
                RefusalError(429, "You have exceeded your rate limit", "RATE_LIMIT_EXCEEDED")
            )
            if chosen.retry_after:
                reply.headers["Retry-After"] = chosen.retry_after
            return reply
        if chosen.break_every and method == "GET" and number % chosen.break_every == 0:
            return Reply(502, b"<html><h1>502 Bad Gateway</h1></html>", "text/html")
        return None

    def _route(self, method: str, path: str, query: Any, headers: Any, body: bytes) -> Reply:
        if path.endswith("/token"):
            return self._token(body)
        self._authorize(headers)
        prefix = next((prefix for prefix in PREFIXES if path.startswith(prefix + "/")), None)
        if prefix is None:
            raise RefusalError(404, "Not Found", "COMMON_NOT_FOUND")
        steps = path[len(prefix) + 1 :].split("/")
        if steps[0] == "tilinggrids":
            return self._grids(steps[1:], prefix)
        if steps[0] != "process":
            raise RefusalError(404, "Not Found", "COMMON_NOT_FOUND")
        if len(steps) == 1:
            return self._create(body) if method == "POST" else self._list(query, prefix)
        task = self._found(steps[1])
        if len(steps) == 3 and method == "POST":
            return self._act(task, steps[2], body)
        if method == "PUT":
            return self._put(task, body)
        return Reply(200, self._seen(task, self.choices.stale if self.choices.stale_one else 0.0))

    def _token(self, body: bytes) -> Reply:
        form = parse_qs(body.decode())
        if form.get("grant_type") != ["client_credentials"]:
            return Reply(400, {"error": "unsupported_grant_type"})
        if form.get("client_secret") == ["wrong"]:
            return Reply(
                401, {"error": "invalid_client", "error_description": "Invalid client credentials"}
            )
        token = f"t{len(self.tokens)}-{self._dice.getrandbits(64):x}"
        self.tokens[token] = time.monotonic()
        answer: dict[str, Any] = {"access_token": token}
        if self.choices.token_members != "bare":
            life: Any = 3600 if self.choices.token_members == "all" else "3600"
            answer |= {"expires_in": life, "token_type": "bearer", "not-before-policy": 0}
        return Reply(200, answer)

    def _authorize(self, headers: Any) -> None:
        given = (headers.get("Authorization") or "").removeprefix("Bearer ")
        if given not in self.tokens:
            raise RefusalError(401, "", "EMPTY")
        life = self.choices.token_life
        if life and time.monotonic() > self.tokens[given] + life:
            del self.tokens[given]
            raise RefusalError(401, "", "EMPTY")

    def _refused(self, refusal: RefusalError) -> Reply:
        style, status = self.choices.error, refusal.status
        if refusal.code == "EMPTY" or style == "empty":
            return Reply(status, b"")
        if style in ("text", "html"):
            text = refusal.message if style == "text" else f"<html><p>{refusal.message}</p></html>"
            return Reply(status, text.encode(), f"text/{'plain' if style == 'text' else 'html'}")
        error: dict[str, Any] = {
            "status": status,
            "reason": "Refused",
            "message": refusal.message,
            "code": refusal.code,
        }
        if style == "array":
            error["errors"] = [{"parameter": "x", "violation": refusal.message}]
        if style == "object":
            error["errors"] = {"parameter": "x", "violation": refusal.message, "n": 3}
        return Reply(status, error if style == "bare" else {"error": error})

    # -- reading

    def _list(self, query: Any, prefix: str) -> Reply:
        now = time.monotonic()
        chosen = self.choices
        shown = [
            task
            for task in self.tasks.values()
            if task.raw is not None or now - task.created >= chosen.lag
        ]
        tasks = sorted(shown, key=self._order(query))
        start = self._start_of(query, len(tasks))
        asked = int(query.get("count", [chosen.page])[0])
        end = start + min(asked, chosen.page)
        data = [self._seen(task, chosen.stale) for task in tasks[start:end]]
        return Reply(200, {"data": data, "links": self._links(start, end, len(tasks), prefix)})

    def _order(self, query: Any) -> Any:
        order = self.choices.order
        if order == "sometimes":
            if "viewtoken" not in query:
                self._sorts = self._dice.random() < 0.5
            order = "sort" if self._sorts else "id"
        if order == "sort":
            asked = query.get("sort", ["id"])[0]
            sign = -1 if asked.endswith(":desc") else 1
            return lambda task: (sign * task.created if asked.startswith("created") else 0, task.id)
        # A page list that is shuffled anew for every page would lose entries in any client: shuffled once a list.
        if order == "random":
            if "viewtoken" not in query:
                self._shuffle = self._dice.getrandbits(32)
            return lambda task: random.Random(f"{self._shuffle}{task.id}").random()
        return (lambda task: -task.created) if order == "newest" else (lambda task: task.id)

    def _start_of(self, query: Any, total: int) -> int:
        text = query.get("viewtoken", ["0"])[0]
        if text.startswith("vt:"):
            text = str(int(text[3:].replace("=", ""), 16))
        if not text.isdigit():
            raise RefusalError(400, f"Unknown view token {text}, of {total}")
        return int(text)

    def _links(self, start: int, end: int, total: int, prefix: str) -> dict[str, Any]:
        style = self.choices.token
        written = {"opaque": lambda n: f"vt:{n:x}==", "int": lambda n: n}.get(style, str)
        links = {"currentToken": written(start), "@id": f"https://example.org{prefix}/process"}
        if end < total:
            links["nextToken"] = written(end)
            links["next"] = f"https://example.org{prefix}/process?viewtoken={written(end)}"
        elif style == "null":
            links |= {"nextToken": None, "next": None, "previousToken": None}
        elif style == "offset":
            links = {}
        return links

    def _found(self, name: str) -> Task:
        task = self.tasks.get(name)
        if task is None or (
            task.raw is None and time.monotonic() - task.created < self.choices.hidden
        ):
            raise RefusalError(404, f"Request {name} not found", "COMMON_NOT_FOUND")
        return task

    def _seen(self, task: Task, stale: float) -> dict[str, Any]:
        self._advance(task)
        fresh = self._shown(task)
        task.past.append((time.monotonic(), fresh))
        if not stale:
            return fresh
        then = time.monotonic() - stale
        older = [entry for entry in task.past if entry[0] <= then]
        return max(older or task.past[:1], key=lambda entry: entry[0])[1]

    def _grids(self, steps: list[str], prefix: str) -> Reply:
        grids = [
            (0, "20km grid", 20040.0, [60, 20, 10], "METRE"),
            (1, "10km grid", 10000.0, [1.0, 10, 20, 1.4999], "METRE"),
            (2, "100km grid", 100080.0, [360, 60, 120, 240], "METRE"),
            (3, "WGS84 1 degree grid", 1.0, [1e-4, 2e-4, 5e-4], "DEGREE"),
            (6, "LAEA 100km grid", 100000.0, [40, 50, 100], "METRE"),
            (7, "LAEA 20km grid", 20000.0, [10, 20], "METRE"),
            (42, "a grid of ours", 5000, [2.5], "FURLONG"),
        ]
        data: list[dict[str, Any]] = [
            {
                "id": number,
                "name": name,
                "properties": {
                    "tileWidth": size,
                    "tileHeight": size,
                    "resolutions": list(fine),
                    "unit": unit,
                    "x": None,
                },
            }
            for number, name, size, fine, unit in grids
        ]
        if not steps:
            return Reply(200, {"data": data, "links": self._links(0, 9, 9, prefix)})
        for grid in data:
            if str(grid["id"]) == steps[0]:
                return Reply(200, grid)
        raise RefusalError(400, "No such grid")

    # -- writing

    def _create(self, body: bytes) -> Reply:
        try:
            request = json.loads(body)
        except ValueError:
            raise RefusalError(400, "Request body should be JSON.") from None
        if not isinstance(request, dict) or not {"processRequest", "input", "output"} <= set(
            request
        ):
            raise RefusalError(400, "processRequest, input and output are needed")
        if _nulls(request):
            raise RefusalError(400, "null is no value")
        now = time.monotonic()
        if isinstance(request.get("description"), str):
            request["description"] = self._text(request["description"])
        task = Task(id=self._new_id(), request=request, created=now, entered=now, updated=now)
        self.tasks[task.id] = task
        task.past.append((now, self._shown(task)))
        return Reply(self.choices.created, self._shown(task))

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._dice.getrandbits(128), version=4))

    def _text(self, text: str) -> str:
        style = self.choices.text
        if style.startswith("cut-"):
            return text[: int(style[4:])]
        change = {
            "collapse": lambda: " ".join(text.split()),
            "escape": lambda: html.escape(text),
            "strip": text.strip,
            "ascii": lambda: text.encode("ascii", "replace").decode(),
        }
        return change.get(style, lambda: text)()

    def _put(self, task: Task, body: bytes) -> Reply:
        given = json.loads(body)
        if set(given) - {"description"}:
            self.complaints.append(f"PUT with {sorted(given)}")
        self._advance(task)
        waiting = task.action == "START" and task.status in (
            "CREATED",
            "ANALYSING",
            "ANALYSIS_DONE",
        )
        if waiting or task.status in (*ACTIVE, "ANALYSING"):
            raise RefusalError(self.choices.busy_put, "The request is being processed")
        if "description" in given:
            task.request["description"] = self._text(given["description"])
        task.updated = time.monotonic()
        task.past.append((task.updated, self._shown(task)))
        return {
            "request": Reply(200, self._echo(task)),
            "task": Reply(200, self._shown(task)),
            "empty-object": Reply(200, {}),
            "no-content": Reply(204, b""),
        }.get(self.choices.put, Reply(200, b""))

    def _act(self, task: Task, verb: str, body: bytes) -> Reply:
        if body.strip() not in (b"", b"null", b"{}"):
            self.complaints.append(f"{verb} with a body of {body[:40]!r}")
        self._advance(task)
        wanted = verb.upper()
        if wanted not in ("ANALYSE", "START", "STOP"):
            raise RefusalError(404, "Not Found", "COMMON_NOT_FOUND")
        if not self._legal(task, wanted):
            raise RefusalError(
                self.choices.illegal,
                f"Illegal to change userAction from {task.action} to {wanted} with task status {task.status}",
            )
        now = time.monotonic()
        if task.status == "STOPPED":
            task.reason = None
            task.status = "ANALYSIS_DONE"
        task.action, task.acted, task.updated = wanted, now, now
        task.entered = now
        task.past.append((now, self._shown(task)))
        return {"no-content": Reply(204, b""), "object": Reply(200, {})}.get(
            self.choices.act, Reply(200, b"")
        )

    def _legal(self, task: Task, wanted: str) -> bool:
        pair = (task.status, wanted)
        if pair == ("STOPPED", "START"):
            return time.monotonic() - task.entered >= self.choices.restart_pause
        if pair == ("ANALYSING", "START"):
            return self.choices.start_while_analysing
        if pair == ("CREATED", "START"):
            return task.action != "START"
        return pair in (
            ("CREATED", "ANALYSE"),
            ("ANALYSIS_DONE", "START"),
            ("ANALYSIS_DONE", "STOP"),
            ("ANALYSING", "STOP"),
            ("PROCESSING", "STOP"),
            ("PAUSED", "STOP"),
        )

    # -- time

    def _advance(self, task: Task) -> None:
        if task.raw is not None:
            return
        while True:
            found = self._next(task)
            if found is None or time.monotonic() < task.entered + found[1]:
                return
            self._enter(task, found[0], task.entered + found[1])

    def _next(self, task: Task) -> tuple[str, float] | None:
        chosen, action = self.choices, task.action
        if task.status == "CREATED" and action != "NONE":
            return ("DONE" if chosen.direct and action == "START" else "ANALYSING"), chosen.taken
        if task.status == "ANALYSING":
            return {"STOP": "STOPPED"}.get(action, "ANALYSIS_DONE"), chosen.analysing
        if task.status == "ANALYSIS_DONE":
            if action == "STOP":
                return "STOPPED", chosen.stopping
            return (
                ("PAUSED" if chosen.odd else "PROCESSING", chosen.queued)
                if action == "START"
                else None
            )
        if task.status in ACTIVE:
            return self._out_of_processing(task)
        return None

    def _out_of_processing(self, task: Task) -> tuple[str, float] | None:
        chosen = self.choices
        if task.action == "STOP":
            return "STOPPED", chosen.stopping
        if task.status == "PAUSED":
            return "PROCESSING", chosen.processing
        if self._named(task, self.stops):
            return "STOPPED", chosen.processing
        if self._named(task, self.fails):
            return "FAILED", chosen.processing
        return None if self._named(task, self.holds) else ("DONE", chosen.processing)

    @staticmethod
    def _named(task: Task, jobs: set[str]) -> bool:
        match = MARKER.search(str(_description(task.request)))
        return bool(match) and match[1].partition("/")[2] in jobs

    def _enter(self, task: Task, status: str, at: float) -> None:
        task.status, task.entered, task.updated = status, at, at
        if status == ("PAUSED" if self.choices.odd else "PROCESSING"):
            task.runs += 1
            match = MARKER.search(str(_description(task.request)))
            self.paid[f"{match[1]} r{match[2]} {match[3]}" if match else "unmarked"] += 1
        if status == "DONE" and task.runs:
            task.cost = 100.0
        if status in ("STOPPED", "FAILED"):
            task.cost = 12.5 if task.runs else 0.0
        if status == "STOPPED":
            task.reason = "OUT_OF_PU" if task.action == "START" else self.choices.reason
        if status == "FAILED" and self.choices.error != "empty":
            task.error = "Too many failed tiles <b>\x1b[31m"
        task.past.append((at, self._shown(task)))

    # -- how a task is written

    def _shown(self, task: Task) -> dict[str, Any]:
        chosen = self.choices
        action = task.action
        if chosen.action_after == "none" and task.status in REST:
            action = "NONE"
        if chosen.action_after == "odd" and task.status in REST:
            action = "RETIRE"
        shown: dict[str, Any] = {
            "id": task.id,
            "request": task.request if task.raw is not None else self._echo(task),
            "domainAccountId": self.account,
            "projectId": self.account,
            "workspaceId": str(uuid.UUID(int=7)),
            "status": task.status,
            "userAction": action,
            "created": self._instant(task.created),
            "lastUpdated": self._instant(task.updated),
            "completionPercentage": 100.0 if task.status == "DONE" else 0.0,
            "costPU": task.cost,
        }
        if task.acted:
            shown["userActionUpdated"] = self._instant(task.acted)
        if chosen.percent == "int":
            shown["completionPercentage"] = int(shown["completionPercentage"])
        self._costs(shown, task)
        shown |= {"error": task.error, "stoppedStatusReason": task.reason}
        return self._members(task, shown)

    def _members(self, task: Task, shown: dict[str, Any]) -> dict[str, Any]:
        for name in self.choices.absent:
            if name not in ("error", "stoppedStatusReason") or shown.get(name) is None:
                shown.pop(name, None)
        shown |= dict.fromkeys(self.choices.null)
        if self.choices.top_description:
            shown["description"] = _description(task.request)
        if self.choices.extras:
            shown |= {"tags": [], "priority": {"value": 3}, "estimatedPU": None}
        if task.raw is not None:
            shown |= task.raw
        return self._mixed(shown)

    def _costs(self, shown: dict[str, Any], task: Task) -> None:
        style = self.choices.cost
        if style == "int":
            shown["costPU"] = int(task.cost)
        if style == "late" and not task.cost:
            del shown["costPU"]
        if style == "growing" and task.status in ACTIVE:
            shown["costPU"] = 3.0625

    def _instant(self, at: float) -> str:
        moment = datetime.now(UTC) + timedelta(
            seconds=at - time.monotonic(), hours=self.choices.clock
        )
        digits = self.choices.digits
        text = moment.strftime("%Y-%m-%dT%H:%M:%S")
        if digits:
            text += "." + f"{moment.microsecond:06d}"[:digits]
        return text + self.choices.zone

    def _echo(self, task: Task) -> Any:
        chosen = self.choices
        request = copy.deepcopy(task.request)
        process = request["processRequest"]
        self._echo_bounds(process.get("input") or {})
        for data in (process.get("input") or {}).get("data") or []:
            self._echo_data(data)
        if chosen.fill:
            for response in (process.get("output") or {}).get("responses") or []:
                response.setdefault("logo", False)
        if chosen.script != "as-sent" and "evalscript" in process:
            process["evalscript"] = process["evalscript"].strip()
        self._echo_ends(request)
        if chosen.floats:
            request = _floats(request)
        if chosen.extras:
            request |= {"submittedBy": {"name": "x"}, "billing": {}, "tags": []}
            process["version"] = 3
            request["output"]["deliveryType"] = "OBJECT_STORAGE"
        if chosen.nulls:
            request |= {"labels": None}
            request["input"].setdefault("bufferX", None)
            process.setdefault("orderBy", None)
        return self._mixed(request)

    def _echo_bounds(self, source: Any) -> None:
        bounds = source.get("bounds")
        if not isinstance(bounds, dict):
            return
        if self.choices.crs and isinstance(bounds.get("geometry"), dict):
            crs = (bounds.get("properties") or {}).get("crs", "")
            code = crs.rpartition("/")[2]
            name = f"urn:ogc:def:crs:EPSG::{code}" if code.isdigit() and code != "4326" else CRS84
            bounds["geometry"].setdefault("crs", {"type": "name", "properties": {"name": name}})
        if self.choices.bounds_crs:
            bounds.setdefault("properties", {}).setdefault(
                "crs", "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
            )

    def _echo_data(self, data: dict[str, Any]) -> None:
        chosen = self.choices
        kind = data.get("type", "")
        if chosen.alias:
            data["type"] = ALIASES.get(kind, kind)
        optical = kind.startswith(("sentinel-2", "S2", "landsat"))
        if chosen.fill:
            filters = data.setdefault("dataFilter", {})
            filters.setdefault("mosaickingOrder", "mostRecent")
            if optical:
                filters.setdefault("maxCloudCoverage", 100.0)
                filters.setdefault("previewMode", "DETAIL")
        if chosen.harmonize and kind.startswith(("sentinel-2", "S2")):
            data.setdefault("processing", {}).setdefault("harmonizeValues", True)
        span = (data.get("dataFilter") or {}).get("timeRange")
        if span:
            data["dataFilter"]["timeRange"] = {
                key: self._time(value) for key, value in span.items()
            }

    def _time(self, text: str) -> str:
        style = self.choices.times
        if style == "as-sent":
            return text
        moment = datetime.fromisoformat(text)
        written = moment.strftime("%Y-%m-%dT%H:%M:%S")
        fraction = f"{moment.microsecond:06d}"
        return (
            written
            + {
                "millis": f".{fraction[:3]}Z",
                "micros": f".{fraction}Z",
                "offset": "+00:00",
            }[style]
        )

    def _echo_ends(self, request: dict[str, Any]) -> None:
        chosen = self.choices
        output, source = request["output"], request["input"]
        if chosen.fill and output.get("type") == "raster":
            for name in ("overwrite", "skipExisting", "cogOutput", "createCollection"):
                output.setdefault(name, False)
        if chosen.buffers and source.get("type") == "tiling-grid":
            source.setdefault("bufferX", 0)
            source.setdefault("bufferY", 0)
        if "resolution" in source:
            source["resolution"] = float(source["resolution"])
        if chosen.instance == "normal":
            request.setdefault("instanceType", "normal")
        if chosen.instance == "absent":
            request.pop("instanceType", None)
        for holder in (output.get("delivery"), source.get("features")):
            self._echo_storage(holder)

    def _echo_storage(self, holder: Any) -> None:
        place = holder.get("s3") if isinstance(holder, dict) else None
        if not isinstance(place, dict):
            return
        if self.choices.region:
            place.setdefault("region", "eu-central-1")
        for name in ("accessKey", "secretAccessKey"):
            if name not in place:
                continue
            style = self.choices.secrets
            if style == "drop":
                del place[name]
            else:
                place[name] = {"star": "*****", "null": None}.get(style, "<REDACTED>")

    def _mixed(self, value: Any) -> Any:
        if not self.choices.shuffle:
            return value
        if isinstance(value, dict):
            names = list(value)
            self._dice.shuffle(names)
            return {name: self._mixed(value[name]) for name in names}
        return [self._mixed(entry) for entry in value] if isinstance(value, list) else value


def _description(request: Any) -> Any:
    return request.get("description") if isinstance(request, dict) else None


def _nulls(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_nulls(entry) for entry in value.values())
    return value is None or (isinstance(value, list) and any(map(_nulls, value)))


def _floats(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: entry if name == "id" else _floats(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_floats(entry) for entry in value]
    return float(value) if type(value) is int else value


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "other/2"
    disable_nagle_algorithm = True  # else each answer waits for an acknowledgement
    service: Service

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        chosen = self.service.choices
        reply = self.service.answer(self.command, self.path, self.headers, body)
        if chosen.slow:
            time.sleep(chosen.slow)
        payload = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        kind = reply.kind or chosen.kind
        self.log_message = lambda *_: None  # type: ignore[method-assign]
        self.send_response_only(reply.status)
        self._headers(reply, payload, kind)

    def _headers(self, reply: Reply, payload: bytes, kind: str) -> None:
        chosen = self.service.choices
        if chosen.date != "none":
            hours = -7 if chosen.date == "wrong" else 0
            moment = datetime.now(UTC) + timedelta(hours=hours)
            self.send_header("Date", format_datetime(moment, usegmt=True))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if chosen.zipped and payload and "gzip" in self.headers.get("Accept-Encoding", ""):
            payload = gzip.compress(payload)
            self.send_header("Content-Encoding", "gzip")
        if kind and payload:
            self.send_header("Content-Type", kind)
        if chosen.close:
            self.send_header("Connection", "close")
            self.close_connection = True
        self._payload(reply, payload)

    def _payload(self, reply: Reply, payload: bytes) -> None:
        if reply.status == 204:
            self.end_headers()
        elif self.service.choices.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            if payload:
                self.wfile.write(f"{len(payload):x}\r\n".encode() + payload + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        else:
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815 - http.server's names


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has left is no news."""


@contextmanager
def serving(choices: Choices) -> Iterator[tuple[Service, str]]:
    """Serve on a free port of this machine; gives the service and its URL."""
    service = Service(choices)
    handler = type("Handler", (_Handler,), {"service": service})
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        thread.start()
        try:
            yield service, f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(5)
