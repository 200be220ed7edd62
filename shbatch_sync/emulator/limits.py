"""The rate limit of an account."""

from __future__ import annotations

import threading
from collections import defaultdict, deque

_WINDOW = 60.0


class RateLimit:
    """So many calls an account in any minute of real time; refused calls do not count."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._lock = threading.Lock()
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)

    def wait_for(self, account: str, now: float) -> float:
        """Count a call and return 0, or return the seconds until one will be allowed."""
        with self._lock:
            calls = self._calls[account]
            while calls and calls[0] <= now - _WINDOW:
                calls.popleft()
            if len(calls) >= self._per_minute:
                return calls[0] + _WINDOW - now
            calls.append(now)
            return 0.0
