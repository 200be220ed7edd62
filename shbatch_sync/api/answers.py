"""From an answer, or the lack of one, to a typed error without secrets."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from shbatch_sync.api.retry import retry_after_seconds
from shbatch_sync.errors import (
    ApiError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    PermissionDeniedError,
    RateLimitedError,
    RequestNotFoundError,
    ServerError,
    UnreadableAnswerError,
)
from shbatch_sync.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

MAX_DETAIL = 300
_MAX_READ = 8 * 1024
_MAX_VIOLATIONS = 20
_SHORTEST_SECRET = 4  # taking out shorter ones would only garble the text

_BY_CODE: dict[str, type[ApiError]] = {
    "COMMON_BAD_PAYLOAD": BadRequestError,
    "COMMON_METHOD_NOT_ALLOWED": BadRequestError,
    "COMMON_UNSUPPORTED_MEDIA_TYPE": BadRequestError,
    "COMMON_NOT_FOUND": RequestNotFoundError,
    "COMMON_UNIQUE_KEY_VIOLATION": ConflictError,
    "COMMON_INSUFFICIENT_PERMISSIONS": PermissionDeniedError,
    "COMMON_SENTINEL_ACCOUNT_EXPIRED": PermissionDeniedError,
    "COMMON_UNAUTHORIZED": AuthenticationError,
    "OAUTH_ERROR": AuthenticationError,
    "COMMON_EXCEPTION": ServerError,
    "COMMON_DATABASE_ERROR": ServerError,
    "COMMON_ELASTICSEARCH_ERROR": ServerError,
    "RENDERER_EXCEPTION": ServerError,
    "RATE_LIMIT_EXCEEDED": RateLimitedError,
    "RATE_LIMIT_STORAGE_TIMEOUT": RateLimitedError,
    "RATE_LIMIT_OVERLAPPING_POLICIES": RateLimitedError,
    "RATE_LIMIT_TOKEN_COUNT_EXCEEDS_CAPACITY": RateLimitedError,
}
_BY_STATUS: dict[int, type[ApiError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: RequestNotFoundError,
    409: ConflictError,
    429: RateLimitedError,
}
# What these mean is the same whatever a body says, which may be that of a layer in front of the service.
_PLAIN = frozenset({401, 404, 409, 429})
_MAYBE_DONE = frozenset({408, 425})
_NO_ACCESS = (
    "the account may lack access to Batch Processing (an Enterprise plan, or a Copernicus Service account on CDSE) "
    "or have too few processing units left (a create needs 1000)"
)
_SECRET_TEXT = re.compile(
    r"""(?ix) (bearer\s+) [^\s"'<>]+
    | ((?:access_?key|secret_?access_?key|client_?secret|access_?token|credentials)["']?\s*[:=]\s*["']?) [^\s"'&,}<>]+"""
)
_TAG = re.compile(r"(?is)<(script|style).*?</\1\s*>|<[^>]*>")
_UNPRINTABLE = re.compile(r"[^ -~\u00a0-\u1fff\u2070-\u2fff\u3000-\ud7ff\uf900-\ufdff]+")


def clean(text: str, secrets: Collection[str] = ()) -> str:
    """Return foreign text fit for a message: on one line, without secrets or control characters, cut.

    Args:
        text: What the service, or something in between, wrote.
        secrets: Values that must not show.
    """
    text = without(text, secrets)
    text = _SECRET_TEXT.sub(lambda match: (match[1] or match[2]) + "***", text)
    text = " ".join(_UNPRINTABLE.sub(" ", text).split())
    return text if len(text) <= MAX_DETAIL else text[: MAX_DETAIL - 1] + "…"


def without(text: str, secrets: Collection[str]) -> str:
    """Return foreign text without those secrets that are long enough to be told from its words."""
    return redacted(text, (secret for secret in secrets if len(secret) >= _SHORTEST_SECRET))


def snippet(content: bytes, secrets: Collection[str] = ()) -> str:
    """Return the readable beginning of a body that is not what it should be."""
    text = without(content.decode("utf-8", "replace"), secrets)[:_MAX_READ]
    return clean(_TAG.sub(" ", text), secrets) or "an empty body"


def error_of(
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    *,
    secrets: Collection[str] = (),
    place: Mapping[str, Any],
    origin: str = "",
) -> ApiError:
    """Return the error for an answer that is not a success.

    Args:
        status: HTTP status.
        headers: Of the answer.
        content: Its body.
        secrets: Values that must not show.
        place: `method`, `path` and `request_id` of the call.
        origin: Which settings were used, for the hint of a 401.
    """
    problem = _problem(content)
    code = problem.get("code")
    code = clean(code) if isinstance(code, str) else None
    message = problem.get("message")
    detail = (
        clean(message, secrets)
        if isinstance(message, str) and message
        else snippet(content, secrets)
    )
    kind = _kind(status, code)
    facts: dict[str, Any] = {
        **place,
        "status": status,
        "code": code,
        "violations": _violations(problem, secrets),
    }
    if kind is RateLimitedError:
        return RateLimitedError(detail, retry_after=retry_after_seconds(headers), **facts)
    return kind(detail, hint=_hint(kind, origin), **facts)


def _kind(status: int, code: str | None) -> type[ApiError]:
    # A 5xx may have taken effect, whatever code a layer behind it put into the body.
    if status >= 500 or status in _MAYBE_DONE:  # noqa: PLR2004 - the class of status codes
        return ServerError
    if status < 400:  # noqa: PLR2004 - a redirect is not followed: the credentials stay here
        return UnreadableAnswerError
    if status in _PLAIN:
        return _BY_STATUS[status]
    return _BY_CODE.get(code or "") or _BY_STATUS.get(status, BadRequestError)


def _hint(kind: type[ApiError], origin: str) -> str:
    if kind is AuthenticationError:
        return f"the credentials came from {origin}" if origin else ""
    return _NO_ACCESS if kind is PermissionDeniedError else ""


def _problem(content: bytes) -> dict[str, Any]:
    """The service's error object, wrapped in `error` or not; token endpoints put text under `error`."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(body, dict):
        return {}
    inner = body.get("error")
    if isinstance(inner, dict):
        return inner
    if isinstance(inner, str):
        described = body.get("error_description")
        return {"message": f"{inner}: {described}" if described else inner}
    return body


def _violations(problem: Mapping[str, Any], secrets: Collection[str]) -> list[tuple[str, str]]:
    listed = problem.get("errors")
    entries = listed if isinstance(listed, list) else [listed]
    return [
        (
            clean(str(entry.get("parameter", "")), secrets),
            clean(str(entry.get("violation", "")), secrets),
        )
        for entry in entries[:_MAX_VIOLATIONS]
        if isinstance(entry, dict)
    ]
