"""An access token and how long it is good for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

RENEW_BEFORE_END = 120.0
"""Seconds before its end at which a token is renewed, as sentinelhub-py does it."""
_ASSUMED_LIFE = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token.

    Attributes:
        text: What is sent; never shown by `repr`.
        expires_at: Seconds since 1970.
        life: Seconds it was issued for.
    """

    text: str = field(repr=False)
    expires_at: float
    life: float

    @property
    def is_sendable(self) -> bool:
        """Whether it can stand in a header; an HTTP library would quote it in its complaint."""
        return (
            bool(self.text)
            and self.text.isascii()
            and self.text.isprintable()
            and " " not in self.text
        )

    def is_fresh(self, now: float) -> bool:
        """Whether it is good for long enough at `now` (seconds since 1970); half its life if that is short."""
        return now < self.expires_at - min(RENEW_BEFORE_END, self.life / 2)


def read_token(answer: Any, now: float) -> Token | None:
    """Return the token of a token endpoint's JSON answer; None if there is no usable one.

    Args:
        answer: The parsed answer; without a usable `expires_in` ten minutes are assumed.
        now: Seconds since 1970.
    """
    if not isinstance(answer, dict) or not isinstance(answer.get("access_token"), str):
        return None
    life = _seconds(answer.get("expires_in"))
    token = Token(text=answer["access_token"], expires_at=now + life, life=life)
    return token if token.is_sendable else None


def _seconds(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return _ASSUMED_LIFE
    return seconds if 0 < seconds < float("inf") else _ASSUMED_LIFE
