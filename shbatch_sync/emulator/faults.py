"""Faults for tests: what may go wrong between a client and the service.

They come from an object that the emulator's constructor takes; no public route reaches them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class Call:
    """One call that arrived.

    Attributes:
        method: HTTP method.
        operation: `create`, `list`, `get`, `update`, `analyse`, `start`, `stop`, `token`, `grids` or `grid`.
        request_id: The id in the path, if there is one.
    """

    method: str
    operation: str
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service is about to answer."""

    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection breaks: `ConnectionError` in process, a closed connection on a socket."""


@dataclass(frozen=True, slots=True)
class Status:
    """Another answer instead; an empty body stands for the service's own error of that status."""

    code: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Html:
    """A gateway's page instead of JSON."""

    code: int = 502
    body: bytes = b"<html><body><h1>Bad Gateway</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Cut:
    """The answer's body ends after `size` bytes, while its length announces the whole. Only for `after`."""

    size: int = 10


@dataclass(frozen=True, slots=True)
class Delay:
    """The call or its answer is late; `wait` is called with the seconds and may be a simulated clock's."""

    seconds: float
    wait: Callable[[float], object] = field(default=lambda seconds: threading.Event().wait(seconds))


Fault: TypeAlias = Lost | Status | Html | Cut | Delay


class Faults(Protocol):
    """Decides, call by call, what goes wrong."""

    def before(self, call: Call) -> Fault | None:
        """Return a fault that keeps the call from being applied (a `Delay`: only late)."""
        ...

    def after(self, call: Call, answer: Answer) -> Fault | None:
        """Return a fault of the answer; the call was applied."""
        ...


class FaultScript:
    """Faults written down beforehand: each happens once, at the next call of its operation.

    Example:
        `FaultScript(("create", "after", Lost()), ("list", "before", Status(503)))`
    """

    def __init__(self, *entries: tuple[str, Literal["before", "after"], Fault]) -> None:
        self._entries = list(entries)
        self._lock = threading.Lock()

    @property
    def left(self) -> int:
        """Return how many have not happened yet."""
        return len(self._entries)

    def before(self, call: Call) -> Fault | None:
        """Return the next fault that keeps such a call from being applied."""
        return self._next(call.operation, "before")

    def after(self, call: Call, answer: Answer) -> Fault | None:  # noqa: ARG002 - of the protocol
        """Return the next fault of an answer to such a call."""
        return self._next(call.operation, "after")

    def _next(self, operation: str, when: str) -> Fault | None:
        with self._lock:
            for index, entry in enumerate(self._entries):
                if entry[:2] == (operation, when):
                    return self._entries.pop(index)[2]
            return None


class LostConnectionError(ConnectionResetError):
    """What `Lost` raises out of the WSGI application."""
