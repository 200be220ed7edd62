"""OAuth2 client credentials: one token in memory, renewed in time, by one thread at a time."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from shbatch_sync.api.answers import error_of, snippet
from shbatch_sync.api.token import Token, read_token
from shbatch_sync.config import require_credentials
from shbatch_sync.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    ServiceUnreachableError,
)

if TYPE_CHECKING:
    from shbatch_sync.api.token_cache import TokenCache
    from shbatch_sync.api.wire import Wire
    from shbatch_sync.clock import Clock
    from shbatch_sync.config import Config

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class TokenSource:
    """Gives every thread the same token.

    Token requests are rate limited themselves (Sentinel Hub docs, authentication), hence the care.
    """

    def __init__(
        self, config: Config, wire: Wire, clock: Clock, cache: TokenCache | None = None
    ) -> None:
        """Prepare the source; nothing is fetched yet."""
        self._config = config
        self._wire = wire
        self._clock = clock
        self._cache = cache
        self._token: Token | None = None
        self._seen: set[str] = set()
        self._lock = threading.Lock()

    @property
    def secrets(self) -> set[str]:
        """What must not show in any message."""
        return {self._config.client_secret, *self._seen}

    def token(self, seconds: float, *, refused: str | None = None) -> str:
        """Return a token, fetching one if there is none that is good for long enough.

        Args:
            seconds: Time limit of fetching.
            refused: A token that the service has just refused; it is not returned again.

        Raises:
            SettingsError: There are no credentials.
            AuthenticationError: The token endpoint refuses them.
            RateLimitedError: It asks to wait.
            ServiceUnreachableError: It did not give a token, whatever the reason: the call itself was never sent.
        """
        with self._lock:
            token = self._token or (self._cache.read() if self._cache else None)
            if token is None or token.text == refused or not token.is_fresh(self._now()):
                token = self._fetch(seconds)
                if self._cache:
                    self._cache.write(token)
            self._token = token
            self._seen.add(token.text)
            return token.text

    def _fetch(self, seconds: float) -> Token:
        config = require_credentials(self._config)
        url = config.effective_token_url
        place: dict[str, Any] = {"method": "POST", "path": urlsplit(url).path}
        form = {
            "grant_type": "client_credentials",
            "client_id": config.client_id,
            "client_secret": config.client_secret,
        }
        try:
            answer = self._wire.exchange(
                "POST",
                url,
                headers=_FORM,
                content=urlencode(form).encode(),
                seconds=seconds,
                place=place,
            )
            if answer.status >= 300:  # noqa: PLR2004 - every success is 2xx
                raise error_of(
                    answer.status,
                    answer.headers,
                    answer.content,
                    secrets=self.secrets,
                    place=place,
                    origin=config.origin,
                )
        except ApiError as error:
            raise self._judged(error, place) from None
        token = read_token(_json(answer.content), self._now())
        if token is None:
            detail = (
                f"the token endpoint gave no token but: {snippet(answer.content, self.secrets)}"
            )
            raise ServiceUnreachableError(detail, status=answer.status, **place)
        return token

    def _judged(self, error: ApiError, place: dict[str, Any]) -> ApiError:
        """A refusal is about the credentials; anything uncertain means that the call itself was never sent."""
        if isinstance(error, BadRequestError):
            hint = f"the credentials came from {self._config.origin}"
            return AuthenticationError(
                error.detail, status=error.status, code=error.code, hint=hint, **place
            )
        if error.outcome_unknown:
            return ServiceUnreachableError(
                f"no token: {error.detail}", status=error.status, code=error.code, **place
            )
        return error

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
