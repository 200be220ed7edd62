"""Simulated time, and appliers that take turns in it: only one runs at any moment, chosen by when it wakes."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count

EPOCH = 1_750_000_000.0


class Crash(BaseException):
    """The process is gone: no call, no line and no wait of it comes any more."""


class Endless(BaseException):
    """More happened than any sane apply needs."""


class Timeline:
    """The one clock, and the queue of who wakes when.

    An actor runs in threads of its own, but only between being woken and going to sleep; so the order of events
    depends on the waking times alone.
    """

    def __init__(self, limit: float) -> None:
        self.seconds = EPOCH
        self.end = EPOCH + limit
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._back = threading.Semaphore(0)
        self._error: BaseException | None = None

    def at(self, when: float, what: Callable[[], None]) -> None:
        """Have something done at an instant, in the thread that drives."""
        heapq.heappush(self._queue, (when, next(self._numbers), what))

    def drive(self) -> None:
        """Let everything happen that is queued."""
        while self._queue:
            when, _, what = heapq.heappop(self._queue)
            self.seconds = max(self.seconds, when)
            what()
            if self._error is not None:
                error, self._error = self._error, None
                raise error

    def advance(self, seconds: float) -> None:
        """Let time pass with nobody at work."""
        self.seconds += seconds

    def soonest(self) -> float:
        """Return when the next thing happens."""
        return self._queue[0][0] if self._queue else float("inf")

    def run(self, actor: Actor, work: Callable[[], None], when: float) -> None:
        """Begin an actor at an instant."""

        def body() -> None:
            actor.go.acquire()
            try:
                work()
            except Crash:
                pass
            except BaseException as error:  # noqa: BLE001 - handed to the thread that drives
                self._error = error
            finally:
                self._back.release()

        thread = threading.Thread(target=body, daemon=True)
        thread.start()
        self.at(when, lambda: self._wake(actor))

    def _wake(self, actor: Actor) -> None:
        actor.go.release()
        self._back.acquire()

    def park(self, actor: Actor, until: float) -> None:
        """Put an actor to sleep; returns when its time has come."""
        if until <= self.soonest():
            self.seconds = max(self.seconds, until)
            return
        self.at(until, lambda: self._wake(actor))
        self._back.release()
        actor.go.acquire()


class Actor:
    """One process: its clock, and whether it still lives."""

    def __init__(self, timeline: Timeline, name: str) -> None:
        self.timeline = timeline
        self.name = name
        self.go = threading.Semaphore(0)
        self.dead = False

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.timeline.seconds, UTC)

    def monotonic(self) -> float:
        return self.timeline.seconds - EPOCH

    def sleep(self, seconds: float) -> None:
        self.breathe()
        if self.timeline.seconds > self.timeline.end:
            self.dead = True
            raise Endless(self.name)
        self.timeline.park(self, self.timeline.seconds + max(seconds, 0.0))
        self.breathe()

    def breathe(self) -> None:
        """Raise if the process is gone.

        Raises:
            Crash: It is.
        """
        if self.dead:
            raise Crash

    def die(self) -> None:
        """End the process here.

        Raises:
            Crash: Always.
        """
        self.dead = True
        raise Crash
