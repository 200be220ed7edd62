"""Simulated time, and threads that take turns in it: only one runs at any moment, chosen by when it wakes."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from itertools import count

EPOCH = 1_750_000_000.0


class Crash(BaseException):
    """The process is gone: no call, no line and no wait of it comes any more."""


class Endless(BaseException):
    """More happened than any sane apply needs."""


class Fiber:
    """A thread that runs only when it is its turn.

    Attributes:
        go: Released when its turn comes.
        over: Whether it has ended.
        waiting: Who waits for its end.
    """

    def __init__(self) -> None:
        self.go = _shut()
        self.over = False
        self.waiting: Fiber | None = None


class Timeline:
    """The one clock, and the queue of who wakes when.

    A fiber runs only between being woken and going to sleep, so the order of events depends on the waking times
    alone, and on who asked first where they are equal.
    """

    def __init__(self, limit: float) -> None:
        self.seconds = EPOCH
        self.end = EPOCH + limit
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._back = _shut()
        self._turn = Fiber()
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

    def begin(self, work: Callable[[], None], when: float) -> Fiber:
        """Begin something at an instant, in a fiber of its own."""
        fiber = Fiber()

        def body() -> None:
            fiber.go.acquire()
            try:
                work()
            except Crash:
                pass
            except BaseException as error:  # noqa: BLE001 - handed to the thread that drives
                self._error = error
            finally:
                fiber.over = True
                if fiber.waiting is not None:
                    self.at(self.seconds, partial(self._wake, fiber.waiting))
                self._back.release()

        threading.Thread(target=body, daemon=True).start()
        self.at(when, partial(self._wake, fiber))
        return fiber

    def _wake(self, fiber: Fiber) -> None:
        self._turn = fiber
        fiber.go.release()
        self._back.acquire()

    def park(self, until: float) -> None:
        """Put the fiber that runs to sleep; returns when its time has come."""
        soonest = self._queue[0][0] if self._queue else float("inf")
        if until <= soonest:
            self.seconds = max(self.seconds, until)
            return
        self.at(until, partial(self._wake, self._turn))
        self._leave()

    def join(self, fiber: Fiber) -> None:
        """Have the fiber that runs wait for the end of another one."""
        if not fiber.over:
            fiber.waiting = self._turn
            self._leave()

    def _leave(self) -> None:
        mine = self._turn
        self._back.release()
        mine.go.acquire()


def _shut() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


class Actor:
    """One process: its clock, and whether it still lives."""

    def __init__(self, timeline: Timeline, name: str) -> None:
        self.timeline = timeline
        self.name = name
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
        self.timeline.park(self.timeline.seconds + max(seconds, 0.0))
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
