"""Stands in for an apply's thread pool: the same threads, but they take turns, so that a seed stays a seed.

What the product's threads share is touched in any order of calls; what happens between two instructions of one
thread is not played here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from tests.campaign.timeline import Fiber, Timeline


class Pool:
    """As many fibers as there are workers; a single one is the caller itself."""

    def __init__(self, timeline: Timeline, *, max_workers: int) -> None:
        self._timeline = timeline
        self._room = max_workers
        self._tasks: deque[Task] = deque()
        self._fibers: list[Fiber] = []

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.drain()

    def submit(self, work: Callable[..., Any], *given: Any) -> Task:
        task = Task(self, work, given)
        if self._room == 1:
            task.run()
            return task
        self._tasks.append(task)
        if len(self._fibers) < self._room:
            self._fibers.append(self._timeline.begin(self._work, self._timeline.seconds))
        return task

    def _work(self) -> None:
        while self._tasks:
            self._tasks.popleft().run()

    def drain(self) -> None:
        """Wait until all is done."""
        for fiber in self._fibers:
            self._timeline.join(fiber)


class Task:
    """One thing to do, and what came of it."""

    def __init__(self, pool: Pool, work: Callable[..., Any], given: tuple[Any, ...]) -> None:
        self._pool = pool
        self._work = work
        self._given = given
        self._result: Any = None
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._result = self._work(*self._given)
        except BaseException as error:  # noqa: BLE001 - told by result(), as a future does
            self._error = error

    def result(self) -> Any:
        self._pool.drain()
        if self._error is not None:
            raise self._error
        return self._result
