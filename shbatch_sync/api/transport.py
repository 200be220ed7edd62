"""The one place that decides what is sent again.

Reads are repeated. A change (PUT, analyse, start, stop) is repeated after a definite no that may pass, and after a
lost answer only once the request's state shows that it has not happened. A create is sent once, whatever comes.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shbatch_sync.api.answers import error_of, snippet, without
from shbatch_sync.api.call import NO_BODY
from shbatch_sync.api.retry import Budget
from shbatch_sync.errors import (
    ApiError,
    AuthenticationError,
    RateLimitedError,
    ServiceUnreachableError,
    UnreadableAnswerError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from shbatch_sync.api.auth import TokenSource
    from shbatch_sync.api.call import Call
    from shbatch_sync.api.limiter import RateLimit
    from shbatch_sync.api.retry import RetryPolicy
    from shbatch_sync.api.wire import Answer, Wire
    from shbatch_sync.clock import Clock
    from shbatch_sync.config import Config

_UNREADABLE = object()
_JSON = {"Content-Type": "application/json"}


class Transport:
    """Sends calls under one policy."""

    def __init__(
        self,
        config: Config,
        wire: Wire,
        tokens: TokenSource,
        limit: RateLimit,
        *,
        clock: Clock,
        secrets: Collection[str] = (),
        **limits: Any,
    ) -> None:
        """Put the parts together.

        Args:
            config: The deployment.
            wire: The connections.
            tokens: The token source.
            limit: The rate limit.
            clock: Time.
            secrets: Further values that must not show in what the service says.
            **limits: `retry`, a RetryPolicy; `timeout`, seconds of one try; `total_timeout`, seconds of a call
                with all its tries and waits, or None.
        """
        self._service_url = config.service_url
        self._path = urlsplit(config.service_url).path
        self._origin = config.origin
        self._wire = wire
        self._tokens = tokens
        self._limit = limit
        self._clock = clock
        self._further = frozenset(secrets)
        self._retry: RetryPolicy = limits["retry"]
        self._timeout: float = limits["timeout"]
        self._total_timeout: float | None = limits["total_timeout"]

    def read(self, call: Call) -> Any:
        """Send a call that changes nothing, again if need be, and return its JSON ('' for an empty body).

        Raises:
            ApiError: The last failure.
        """
        return self._read(call, self._budget())

    def once(self, call: Call) -> Any:
        """Send a call exactly once. Only getting a token for it, before it is sent, is tried again.

        Raises:
            ApiError: Its failure; `outcome_unknown` says whether it may have taken effect.
        """
        budget = self._budget()
        while True:
            try:
                self._tokens.token(self._seconds(budget))
                break
            except ApiError as error:
                budget.pause(error)
        return self._send(call, budget)

    def change(
        self, call: Call, state: Call, has_happened: Callable[[dict[str, Any]], bool]
    ) -> Any:
        """Send a call that changes a request, again only where that is safe.

        Args:
            call: The change.
            state: The read that shows whether it has happened.
            has_happened: Judges the answer of that read.

        Returns:
            The answer's JSON ('' for an empty body), or '' if the answer was lost and the state shows the change.

        Raises:
            ApiError: The last failure.
        """
        budget = self._budget()
        in_doubt = False
        while True:
            try:
                return self._send(call, budget)
            except ApiError as error:
                in_doubt = in_doubt or error.outcome_unknown
                if in_doubt and has_happened(self._read(state, budget)):
                    return ""
                budget.pause(error)

    def _read(self, call: Call, budget: Budget) -> Any:
        while True:
            try:
                return self._send(call, budget)
            except ApiError as error:
                budget.pause(error)

    def _send(self, call: Call, budget: Budget) -> Any:
        self._wait_for_place(call, budget)
        token = self._tokens.token(self._seconds(budget))
        try:
            return self._try(call, token, budget)
        except AuthenticationError as error:
            fresh = self._renewed(token, budget)
            if call.once or fresh is None:
                raise
            del error
        return self._try(call, fresh, budget)

    def _renewed(self, token: str, budget: Budget) -> str | None:
        try:
            return self._tokens.token(self._seconds(budget), refused=token)
        except ServiceUnreachableError:
            return None

    def _try(self, call: Call, token: str, budget: Budget) -> Any:
        body = None if call.body is NO_BODY else json.dumps(call.body, allow_nan=False).encode()
        headers = {"Authorization": f"Bearer {token}"}
        answer = self._wire.exchange(
            call.method,
            self._service_url + call.path,
            headers=headers if call.method == "GET" else {**headers, **_JSON},
            content=body,
            seconds=self._seconds(budget),
            place=self._place(call),
        )
        return self._value(call, answer)

    def _value(self, call: Call, answer: Answer) -> Any:
        if not 200 <= answer.status < 300:  # noqa: PLR2004 - every success is 2xx
            raise self._refusal(call, answer)
        if not answer.content and not call.wants_object:
            return ""
        try:
            value = json.loads(answer.content)
        except (ValueError, RecursionError):
            value = _UNREADABLE
        if value is _UNREADABLE or (call.wants_object and not isinstance(value, dict)):
            detail = f"expected JSON, got: {snippet(answer.content, self._secrets(call))}"
            raise UnreadableAnswerError(detail, status=answer.status, **self._place(call))
        self._discreet(call, value)
        return value

    def _discreet(self, call: Call, value: Any) -> None:
        """Take secrets out of what requests say went wrong, before anybody cuts, wraps or escapes it."""
        data = value.get("data") if isinstance(value, dict) else None
        for entry in data if isinstance(data, list) else [value]:
            error = entry.get("error") if isinstance(entry, dict) else None
            if error:
                text = error if isinstance(error, str) else json.dumps(error)
                told = without(text, self._secrets(call))
                entry["error"] = error if told == text else told

    def _refusal(self, call: Call, answer: Answer) -> ApiError:
        error = error_of(
            answer.status,
            answer.headers,
            answer.content,
            secrets=self._secrets(call),
            place=self._place(call),
            origin=self._origin,
        )
        if isinstance(error, RateLimitedError) and error.retry_after is not None:
            self._limit.block(min(error.retry_after, self._retry.longest_retry_after))
        return error

    def _wait_for_place(self, call: Call, budget: Budget) -> None:
        wait = self._limit.reserve()
        if wait >= budget.seconds_left:
            detail = f"the rate limit leaves no place within the time limit (next in {wait:.0f} s)"
            raise RateLimitedError(detail, retry_after=wait, status=None, **self._place(call))
        self._clock.sleep(wait)

    def _budget(self) -> Budget:
        return Budget(self._retry, self._clock, self._total_timeout)

    def _seconds(self, budget: Budget) -> float:
        """Limit of one try; never 0, which httpx would take for "at once"."""
        left = budget.seconds_left
        return max(0.001, self._timeout if math.isinf(left) else min(self._timeout, left))

    def _secrets(self, call: Call) -> set[str]:
        return self._tokens.secrets | call.secrets | self._further

    def _place(self, call: Call) -> dict[str, Any]:
        path = self._path + call.path.partition("?")[0]
        return {"method": call.method, "path": path, "request_id": call.request_id}
