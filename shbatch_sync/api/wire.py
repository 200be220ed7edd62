"""One HTTP exchange, bounded in time, with httpx's exceptions turned into ours."""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from shbatch_sync.errors import (
    AnswerLostError,
    ServiceUnreachableError,
    SettingsError,
    UnreadableAnswerError,
)
from shbatch_sync.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shbatch_sync.clock import Clock

_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
_LONGEST_CONNECT = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back.

    Attributes:
        status: HTTP status.
        headers: Names in any case.
        content: The body, decompressed.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes


class Wire:
    """A pool of connections, opened at the first call."""

    def __init__(
        self, *, transport: httpx.BaseTransport | None, clock: Clock, trust_env: bool
    ) -> None:
        """Prepare the pool. `last_date` is the `Date` of the last answer and when it came, monotonic.

        Args:
            transport: What carries the calls; None for the network.
            clock: Time.
            trust_env: Whether the proxies of the environment are used.
        """
        self._transport = transport
        self._clock = clock
        self._trust_env = trust_env
        self._http: httpx.Client | None = None
        self._lock = threading.Lock()
        self.last_date = ("", 0.0)

    def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes | None,
        seconds: float,
        place: Mapping[str, Any],
    ) -> Answer:
        """Send once, receive the whole answer.

        Args:
            method: HTTP method.
            url: Full URL.
            headers: Added to those that every call has.
            content: Body, or None.
            seconds: Limit for all of it.
            place: `method`, `path` and `request_id` for errors.

        Raises:
            ServiceUnreachableError: Nothing was sent.
            SettingsError: The proxy or certificate settings of the environment are unusable.
            AnswerLostError: It was sent, and the answer did not come, or not in time.
            UnreadableAnswerError: The answer could not be decompressed.
        """
        http = self._pool()
        try:
            timeout = httpx.Timeout(seconds, connect=min(seconds, _LONGEST_CONNECT))
            request = http.build_request(
                method, url, headers=dict(headers), content=content, timeout=timeout
            )
            return self._receive(http, request, seconds)
        except _NEVER_SENT as error:
            raise ServiceUnreachableError(_unreached(url, error), hint=_REACH, **place) from None
        except httpx.DecodingError as error:
            raise UnreadableAnswerError(_what(error), **place) from None
        except httpx.TimeoutException:
            detail = f"no answer within {seconds:.3g} s"
            raise AnswerLostError(detail, **place) from None
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            raise AnswerLostError(_what(error), **place) from None

    def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        with self._lock:
            http, self._http = self._http, None
        if http is not None:
            http.close()

    def _receive(self, http: httpx.Client, request: httpx.Request, seconds: float) -> Answer:
        deadline = self._clock.monotonic() + seconds
        response = http.send(request, stream=True)
        try:
            body = self._body(response, deadline)
        finally:
            response.close()
        date = response.headers.get("Date")
        if date is not None:
            self.last_date = (date, self._clock.monotonic())
        return Answer(status=response.status_code, headers=response.headers, content=body)

    def _body(self, response: httpx.Response, deadline: float) -> bytes:
        # httpx limits the silence between two pieces; only this limits a body that drips in.
        pieces = []
        for piece in response.iter_bytes():
            pieces.append(piece)
            if self._clock.monotonic() > deadline:
                message = "the answer took too long"
                raise httpx.ReadTimeout(message)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _pool(self) -> httpx.Client:
        with self._lock:
            if self._http is None:
                self._http = self._opened()
                weakref.finalize(self, self._http.close)
            return self._http

    def _opened(self) -> httpx.Client:
        headers = {"User-Agent": f"shbatch-sync/{__version__}", "Accept": "application/json"}
        try:
            return httpx.Client(
                transport=self._transport, trust_env=self._trust_env, headers=headers
            )
        except (OSError, ValueError) as error:
            message = (
                f"cannot set up connections; check the proxy and certificate variables: {error}"
            )
            raise SettingsError(message) from None


def _unreached(url: str, error: Exception) -> str:
    """Say which host it was about, and nothing else of the URL: it may carry what nobody should see."""
    try:
        asked = httpx.URL(url)
    except httpx.InvalidURL:
        return _what(error)
    port = "" if asked.port is None else f":{asked.port}"
    return f"{asked.scheme}://{asked.host}{port}: {_what(error)}"


def _what(error: Exception) -> str:
    # The library's own text may quote headers; what these classes say does not.
    if isinstance(
        error, httpx.ConnectError | httpx.ProxyError | httpx.DecodingError
    ) or not isinstance(error, httpx.HTTPError | httpx.InvalidURL | httpx.StreamError):
        return f"{error}" or type(error).__name__
    return _SAYS.get(type(error).__name__, type(error).__name__)


_REACH = "check the network, the proxy, and `baseUrl` and `tokenUrl` of the target"
_SAYS = {
    "ConnectTimeout": "no connection in time",
    "PoolTimeout": "no free connection in time",
    "UnsupportedProtocol": "the URL must begin with https:// (or http:// on this machine)",
    "InvalidURL": "the URL is not valid",
    "ReadError": "the connection broke while the answer was awaited",
    "WriteError": "the connection broke while the call was sent",
    "CloseError": "the connection broke",
    "RemoteProtocolError": "the connection was closed before the answer was complete",
}
