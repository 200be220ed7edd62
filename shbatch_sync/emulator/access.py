"""Who is calling: the token endpoint and the bearer check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shbatch_sync.emulator import tokens
from shbatch_sync.emulator.options import DEFAULT_ACCOUNT, Options
from shbatch_sync.emulator.refusal import OAuthRefusal, Refusal

if TYPE_CHECKING:
    from werkzeug import Request


def grant(request: Request, options: Options, key: bytes, now: float) -> dict[str, Any]:
    """Return the answer to a client that asks for a token; `now` in Unix seconds.

    Raises:
        OAuthRefusal: Another kind of grant, or credentials that are not known.
    """
    if request.form.get("grant_type") != "client_credentials":
        raise OAuthRefusal(400, "unsupported_grant_type", "Unsupported grant_type")
    client, account = _client(request, options)
    token = tokens.issue(key, account=account, client=client, now=now, life=options.token_life)
    return {
        "access_token": token,
        "expires_in": int(options.token_life),
        "token_type": "Bearer",
    }


def _client(request: Request, options: Options) -> tuple[str, str]:
    basic = request.authorization
    if basic is not None and basic.type == "basic":
        client, secret = basic.username or "", basic.password or ""
    else:
        client = request.form.get("client_id", "")
        secret = request.form.get("client_secret", "")
    if client and secret and options.credentials is None:
        return client, DEFAULT_ACCOUNT
    known = (options.credentials or {}).get(client)
    if known is None or not secret or known[0] != secret:
        raise OAuthRefusal(401, "invalid_client", "Invalid client or Invalid client credentials")
    return client, known[1]


def account_of(request: Request, key: bytes, now: float) -> str:
    """Return the account of a call.

    Raises:
        Refusal: No token, or one that is not valid (any more).
    """
    bearer = request.authorization
    token = bearer.token if bearer is not None and bearer.type == "bearer" else None
    if not token:
        raise Refusal(401, "You are not authorized! Please provide a valid access token.")
    account = tokens.account_of(key, token, now)
    if account is None:
        raise Refusal(401, "Authorization token is invalid.")
    return account
