"""Access tokens: signed, not stored, so that every process on the same database accepts them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _sign(key: bytes, text: str) -> str:
    return _encode(hmac.digest(key, text.encode(), hashlib.sha256))


def issue(key: bytes, *, account: str, client: str, now: float, life: float) -> str:
    """Return a token in the form of a JWT; `now` in Unix seconds, `life` in seconds."""
    header = {"alg": "HS256", "typ": "JWT"}
    claims = {"sub": client, "account": account, "iat": int(now), "exp": now + life}
    text = ".".join(_encode(json.dumps(part).encode()) for part in (header, claims))
    return f"{text}.{_sign(key, text)}"


def account_of(key: bytes, token: str, now: float) -> str | None:
    """Return whose token it is; None if it is forged, broken or too old."""
    text, _, signature = token.rpartition(".")
    if not token.isascii() or not hmac.compare_digest(_sign(key, text), signature):
        return None
    try:
        claims: dict[str, Any] = json.loads(_decode(text.partition(".")[2]))
    except (binascii.Error, ValueError):
        return None
    return str(claims["account"]) if now < claims["exp"] else None
