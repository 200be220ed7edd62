"""How often, how long and after what a call is tried again."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from shbatch_sync.errors import ApiError, BadRequestError, RateLimitedError, ServiceUnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from shbatch_sync.clock import Clock

_TRANSIENT_REFUSAL = "request body should be non-empty"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Limits of trying again.

    Attributes:
        attempts: Calls in all, the first included, before a failure is reported.
        throttled_attempts: The same for 429, which is counted apart: it says when to come back.
        first_wait: Seconds; upper end of the first back-off, doubled each time. The wait itself is drawn evenly
            between 0 and that ("full jitter").
        longest_wait: Seconds; upper end of any back-off.
        longest_retry_after: Seconds; a longer `Retry-After` is cut to this.
        draw: Gives numbers in [0, 1).
    """

    attempts: int = 5
    throttled_attempts: int = 20
    first_wait: float = 0.5
    longest_wait: float = 30.0
    longest_retry_after: float = 300.0
    draw: Callable[[], float] = random.random

    def wait(self, error: ApiError, number: int) -> float:
        """Return the seconds to wait after the `number`-th failure (1-based)."""
        if isinstance(error, RateLimitedError) and error.retry_after is not None:
            return min(error.retry_after, self.longest_retry_after)
        ceiling = min(self.longest_wait, self.first_wait * 2.0 ** min(number - 1, 60))
        return ceiling * self.draw()


class Budget:
    """What one call, with everything tried again for its sake, may still spend."""

    def __init__(self, policy: RetryPolicy, clock: Clock, seconds: float | None) -> None:
        """Begin a budget.

        Args:
            policy: How often.
            clock: Time.
            seconds: Total time limit, or None for none.
        """
        self._policy = policy
        self._clock = clock
        self._deadline = math.inf if seconds is None else clock.monotonic() + seconds
        self._failures = 0
        self._throttles = 0

    @property
    def seconds_left(self) -> float:
        """Seconds until the total time limit; infinite if there is none."""
        return self._deadline - self._clock.monotonic()

    def pause(self, error: ApiError) -> None:
        """Wait before trying again after `error`.

        Raises:
            ApiError: `error`, if it is final or the limits are reached.
        """
        if not may_pass(error):
            raise error
        wait = self._policy.wait(error, self._count(error))
        if wait >= self.seconds_left:
            raise error
        self._clock.sleep(wait)

    def _count(self, error: ApiError) -> int:
        if isinstance(error, RateLimitedError):
            self._throttles += 1
            number, limit = self._throttles, self._policy.throttled_attempts
        else:
            self._failures += 1
            number, limit = self._failures, self._policy.attempts
        if number >= limit:
            raise error
        return number


def may_pass(error: ApiError) -> bool:
    """Whether the same call may succeed later: no connection, a lost or broken answer, 429, 5xx.

    One 400 is among them: "Request body should be non-empty" comes now and then although a body was sent.
    """
    if isinstance(error, BadRequestError):
        return _TRANSIENT_REFUSAL in error.detail.lower()
    return error.outcome_unknown or isinstance(error, ServiceUnreachableError | RateLimitedError)


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Read `Retry-After`, which this service gives in milliseconds (Sentinel Hub docs, rate limiting).

    An HTTP date, which proxies send, is measured from the answer's own `Date`.
    """
    text = headers.get("Retry-After", "").strip()
    try:
        seconds = float(text) / 1000
    except ValueError:
        return _until(text, headers.get("Date", ""))
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def http_date(text: str) -> datetime | None:
    """Read an HTTP date header; None if it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _until(text: str, now_text: str) -> float | None:
    then, now = http_date(text), http_date(now_text)
    return max(0.0, (then - now).total_seconds()) if then and now else None
