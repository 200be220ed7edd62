"""Whole applies in this process: an emulator and an apply that share one simulated clock."""

from __future__ import annotations

import copy
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from shbatch_sync.api.client import BatchProcessClient
from shbatch_sync.api.retry import RetryPolicy
from shbatch_sync.api.wsgi import wsgi_transport
from shbatch_sync.config import Config
from shbatch_sync.emulator import Emulator
from shbatch_sync.emulator import Options as Service
from shbatch_sync.errors import LedgerError
from shbatch_sync.job import DeclaredState, Job, Origin
from shbatch_sync.ledger_line import Entry, Event
from shbatch_sync.marker import Marker, describe, new_nonce
from shbatch_sync.plan import Policy
from shbatch_sync.reconcile import ApplyResult, apply_plan
from shbatch_sync.reconcile.options import Options
from shbatch_sync.reconcile.run import Run
from shbatch_sync.reconcile.scope import Scope
from shbatch_sync.store.ledger import MemoryLedger
from tests.bodies import RASTER

EPOCH = 1_750_000_000.0


def spec(name: str = "a", version: int = 1) -> dict[str, Any]:
    """Return a body of its own for a job; another version differs in a comment of the script."""
    made = copy.deepcopy(RASTER)
    made["output"]["delivery"]["s3"]["url"] += f"/{name}"
    made["processRequest"]["evalscript"] += f"// {name} {version}\n"
    return made


def job(name: str = "a", version: int = 1, **members: Any) -> Job:
    """Return a job that is to be started."""
    given = {"target": "eu", "origin": Origin("jobs/a.yaml", 3), "state": DeclaredState.STARTED}
    return Job(name=name, spec=spec(name, version), **{**given, **members})


class Timeline:
    """A clock that only moves when somebody waits, and a little with every look at it."""

    def __init__(self) -> None:
        self.seconds = EPOCH
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        with self._lock:
            self.seconds += 0.001
        return self.seconds - EPOCH

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.seconds += max(0.0, seconds)


class Ledger(MemoryLedger):
    """A ledger in memory that can be missing, and can fail."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = True
        self.fails_at: set[Event] = set()

    def exists(self) -> bool:
        return self.begun

    def begin(self) -> None:
        self.begun = True

    def append(self, *entries: Entry) -> None:
        if any(entry.event in self.fails_at for entry in entries):
            message = "the disk is full"
            raise LedgerError(message)
        super().append(*entries)


@dataclass
class World:
    """A service, and applies to it."""

    emulator: Emulator
    time: Timeline
    ledger: Ledger = field(default_factory=Ledger)
    hooks: list[Any] = field(default_factory=list)
    steps: list[Any] = field(default_factory=list)

    @property
    def service(self) -> Any:
        return self.emulator.service

    def client(self, **members: Any) -> BatchProcessClient:
        config = Config(
            base_url="http://127.0.0.1",
            token_url="http://127.0.0.1/oauth/token",
            client_id="id",
            client_secret="secret",
        )
        return BatchProcessClient(
            config,
            transport=wsgi_transport(self.emulator.app),
            clock=self.time,
            retry=RetryPolicy(attempts=3, throttled_attempts=3, draw=lambda: 0.5),
            **members,
        )

    def run(self, *jobs: Job, **members: Any) -> Run:
        """Prepare an apply; keywords are fields of Run, Options, Scope and Policy."""
        options = Options(**_pick(members, Options, settle=0.0, poll=20.0, parallelism=1))
        scope = Scope(**_pick(members, Scope, project="crops", target="eu"))
        policy = members.pop("policy", None) or Policy(**_pick(members, Policy))
        given = {"ledger": self.ledger, "clock": self.time, "report": self.steps.append}
        return Run(
            client=members.pop("client", None) or self.client(),
            jobs=jobs,
            policy=policy,
            scope=scope,
            options=options,
            **{**given, **members},
        )

    def apply(self, *jobs: Job, **members: Any) -> ApplyResult:
        return apply_plan(self.run(*jobs, **members))

    def tasks(self, name: str | None = None) -> list[dict[str, Any]]:
        tasks = self.service.tasks()
        return [task for task in tasks if name is None or f"/{name} r" in description(task)]

    def phases(self, name: str | None = None) -> list[tuple[str, str]]:
        return [(task["status"], task["userAction"]) for task in self.tasks(name)]

    def events(self, name: str | None = None) -> list[str]:
        lines = self.ledger.read()
        return [str(line.event) for line in lines if name is None or line.job == name]

    def put(self, wanted: Job, *, sealed: bool = True, text: str = "", **members: Any) -> str:
        """Make a request of a job as another run would have; keywords are members of the marker."""
        members.setdefault("nonce", new_nonce())
        mark = Marker(
            project="crops",
            job=wanted.name,
            generation=wanted.generation,
            digest=wanted.digest,
            **members,
        )
        id_ = self.service.create({**wanted.spec, "description": describe(text, mark)})
        if sealed:
            self.service.describe(id_, describe(text, mark.sealed_for(id_)))
        return id_

    def remember(self, event: str, wanted: Job, request_id: str | None, **members: Any) -> None:
        """Write a line as an earlier run would have."""
        line = Entry(
            event=Event(event),
            target="eu",
            project="crops",
            job=wanted.name,
            generation=wanted.generation,
            digest=wanted.digest,
            norm_digest=wanted.norm_digest,
            request_id=request_id,
            **{"at": self.time.now(), **members},
        )
        self.ledger.append(line)

    def told(self, outcome: str) -> list[str]:
        return [step.detail for step in self.steps if step.outcome == outcome]

    def pass_time(self, seconds: float) -> None:
        self.time.sleep(seconds)


def description(task: dict[str, Any]) -> str:
    return task["request"].get("description") or ""


def _pick(members: dict[str, Any], kind: type, **defaults: Any) -> dict[str, Any]:
    names = kind.__dataclass_fields__.keys() & members.keys()
    return {**defaults, **{name: members.pop(name) for name in names}}


class Script:
    """Faults by operation, in order; a callable entry is given the call and may return a fault."""

    def __init__(self) -> None:
        self.before_call: dict[str, list[Any]] = {}
        self.after_call: dict[str, list[Any]] = {}
        self.calls: list[str] = []
        self._lock = threading.Lock()

    def plan(self, operation: str, *faults: Any, after: bool = False) -> Script:
        book = self.after_call if after else self.before_call
        book.setdefault(operation, []).extend(faults)
        return self

    def before(self, call: Any) -> Any:
        with self._lock:
            self.calls.append(call.operation)
            fault = self._next(self.before_call, call)
        return fault(call) if callable(fault) else fault

    def after(self, call: Any, _: Any) -> Any:
        with self._lock:
            fault = self._next(self.after_call, call)
        return fault(call) if callable(fault) else fault

    @staticmethod
    def _next(book: dict[str, list[Any]], call: Any) -> Any:
        queue = book.get(call.operation)
        return queue.pop(0) if queue else None


def paid(tasks: list[dict[str, Any]]) -> int:
    """Count the requests that cost anything."""
    return sum(task["costPU"] > 0 for task in tasks)


@pytest.fixture
def faults() -> Script:
    return Script()


@pytest.fixture
def world(faults: Script):
    """Make worlds; keywords are options of the service."""
    with ExitStack() as stack:

        def make(**options: Any) -> World:
            time = Timeline()
            chosen = replace(Service(token_life=1e9, pu_per_job=100.0), **options)
            emulator = Emulator(":memory:", chosen, faults=faults, time_source=lambda: time.seconds)
            stack.callback(emulator.close)
            return World(emulator, time)

        yield make
