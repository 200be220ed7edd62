"""A rate limit that all threads of a process share."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from shbatch_sync.clock import SystemClock

if TYPE_CHECKING:
    from shbatch_sync.clock import Clock
    from shbatch_sync.config import Config

_BURST_SECONDS = 10.0


class RateLimit:
    """Hands out the right to call, evenly, and stops everybody when the service asks one to wait."""

    def __init__(self, per_minute: float | None = None, *, clock: Clock | None = None) -> None:
        """Set the limit.

        Args:
            per_minute: Calls a minute; ten seconds' worth may come at once. None only shares the waits that
                a 429 asks for.
            clock: Time.

        Raises:
            ValueError: `per_minute` is not above 0.
        """
        if per_minute is not None and not per_minute > 0:
            message = f"rate_limit must be above 0 calls a minute, not {per_minute}"
            raise ValueError(message)
        self.spacing = 60.0 / per_minute if per_minute else 0.0
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._next = self._clock.monotonic() - _BURST_SECONDS
        self._blocked_until = self._next

    def reserve(self) -> float:
        """Take the next place and return the seconds until it."""
        with self._lock:
            now = self._clock.monotonic()
            place = max(self._next, now - _BURST_SECONDS)
            self._next = place + self.spacing
            return max(0.0, place - now, self._blocked_until - now)

    def block(self, seconds: float) -> None:
        """Let nobody call for `seconds`."""
        with self._lock:
            self._blocked_until = max(self._blocked_until, self._clock.monotonic() + seconds)


_shared: dict[tuple[str, str], RateLimit] = {}
_shared_lock = threading.Lock()


def shared_limit(service_url: str, client_id: str, per_minute: float | None) -> RateLimit:
    """Return the one limit of a deployment and account in this process.

    Args:
        service_url: The deployment.
        client_id: The account's client.
        per_minute: Calls a minute; a new number replaces the limit for clients made from now on.
    """
    key = (service_url, client_id)
    with _shared_lock:
        if key not in _shared or per_minute is not None:
            _shared[key] = _same_or_new(_shared.get(key), per_minute)
        return _shared[key]


def settle_limit(
    config: Config, wanted: RateLimit | float | None, clock: Clock | None
) -> RateLimit:
    """Return the limit of a client: its own, a private one on its own clock, or the process's.

    Args:
        config: Deployment and account.
        wanted: A limit, or calls a minute, or None.
        clock: The client's own clock, if it has one.
    """
    if isinstance(wanted, RateLimit):
        return wanted
    if clock is not None:
        return RateLimit(wanted, clock=clock)
    return shared_limit(config.service_url, config.client_id, wanted)


def _same_or_new(current: RateLimit | None, per_minute: float | None) -> RateLimit:
    made = RateLimit(per_minute)
    return current if current is not None and current.spacing == made.spacing else made
