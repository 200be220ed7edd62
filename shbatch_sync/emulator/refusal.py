"""How the service says no."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

CODES: dict[int, str] = {
    400: "COMMON_BAD_PAYLOAD",
    401: "COMMON_UNAUTHORIZED",
    403: "COMMON_INSUFFICIENT_PERMISSIONS",
    404: "COMMON_NOT_FOUND",
    405: "COMMON_METHOD_NOT_ALLOWED",
    409: "COMMON_UNIQUE_KEY_VIOLATION",
    415: "COMMON_UNSUPPORTED_MEDIA_TYPE",
    429: "RATE_LIMIT_EXCEEDED",
}
"""The error code that goes with each status; everything else is `COMMON_EXCEPTION`."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One fault of a payload: where it is, with `->` between the levels, and what is wrong there."""

    parameter: str
    violation: str

    def __str__(self) -> str:
        return f"`{self.parameter}` {self.violation}" if self.parameter else self.violation


class Refusal(Exception):  # noqa: N818 - the service's answer, not a fault of the program
    """A definite no: the call changed nothing.

    Attributes:
        status: HTTP status.
        message: For people.
        violations: What is wrong with the payload, for a 400.
        headers: Further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        violations: tuple[Violation, ...] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.violations = violations
        self.headers = headers or {}

    def as_json(self) -> dict[str, Any]:
        """Return the body of the answer."""
        return error_body(self.status, self.message, self.violations)


@dataclass(frozen=True, slots=True)
class OAuthRefusal(Exception):  # noqa: N818 - the token endpoint's answer
    """A no of the token endpoint, which speaks OAuth and not the API's error shape.

    Attributes:
        status: HTTP status.
        error: OAuth error name.
        description: For people.
        headers: Further headers of the answer.
    """

    status: int
    error: str
    description: str
    headers: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the body of the answer."""
        return {"error": self.error, "error_description": self.description}


def reason_of(status: int) -> str:
    """Return the phrase of a status, also of one that no standard knows."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def error_body(status: int, message: str, violations: tuple[Violation, ...] = ()) -> dict[str, Any]:
    """Return an error in the service's envelope."""
    error: dict[str, Any] = {
        "status": status,
        "reason": reason_of(status),
        "message": message,
        "code": CODES.get(status, "COMMON_EXCEPTION"),
    }
    if violations:
        error["errors"] = [
            {"parameter": one.parameter, "violation": one.violation} for one in violations
        ]
    return {"error": error}


def bad_payload(violations: list[Violation]) -> Refusal:
    """Return the refusal of a payload that breaks the rules, all of them named."""
    message = "\n".join(str(violation) for violation in violations)
    return Refusal(400, message, violations=tuple(violations))


def not_found() -> Refusal:
    """Return the refusal of an id that this account does not have (yet)."""
    return Refusal(404, "Entity not found")
