"""Every error a caller may want to catch, and the exit code each one ends the program with.

    ShbatchError                      1
    ├── SettingsError                 1   something needed is missing or contradictory
    ├── ManifestError                 1   carries every Problem of every manifest
    ├── LedgerError                   1   the ledger cannot be read or written
    ├── TargetRefusedError            3   another account, an untrusted host, no ledger
    ├── StalePlanError                3   a saved plan is not what would be done now
    └── ApiError                      1   the service said no, or nothing
        ├── AuthenticationError           401, or the token endpoint refused the credentials
        ├── PermissionDeniedError         403
        ├── RequestNotFoundError          404
        ├── ConflictError                 409
        ├── BadRequestError               400 and every other 4xx
        ├── RateLimitedError              429; knows how long to wait
        ├── ServerError                   5xx, 408 and 425: the call may have taken effect
        ├── UnreadableAnswerError         an answer that is not what the API promises
        ├── ServiceUnreachableError       no connection: the call never arrived
        └── AnswerLostError               the connection broke after sending: outcome unknown

`ApiError.outcome_unknown` is the one question the reconciler asks: may this call have taken effect?
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


class ExitCode(IntEnum):
    """What the program ends with; the worst of several is ranked 1 > 4 > 3."""

    OK = 0
    ERROR = 1
    CHANGES = 2
    WITHHELD = 3
    ATTENTION = 4
    INTERRUPTED = 130


class ShbatchError(Exception):
    """Base of all errors of this package."""

    exit_code: ClassVar[ExitCode] = ExitCode.ERROR


class SettingsError(ShbatchError):
    """Something needed is missing or contradictory; the message says what to set and where it was looked for."""


class CredentialsMissingError(SettingsError):
    """Client credentials that nobody has set here, as on the pull request of a fork."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong with a manifest or a project file.

    Attributes:
        file: Path as the user would write it, relative to the project.
        line: 1-based.
        column: 1-based.
        pointer: JSON pointer of the value within its document; empty for the document.
        message: What is wrong and what to do about it, one line.
        code: Stable name of the rule, e.g. `grid-resolution`.
        severity: `error` or `warning`.
    """

    file: str
    line: int
    column: int
    pointer: str
    message: str
    code: str
    severity: str = field(default="error")

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}"
        at = f" {self.pointer}:" if self.pointer else ""
        prefix = "warning: " if self.severity == "warning" else ""
        return f"{where}:{at} {prefix}{self.message} [{self.code}]"


class ManifestError(ShbatchError):
    """Manifests that cannot be used.

    Attributes:
        problems: All of them, sorted by place; warnings are among them.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class LedgerError(ShbatchError):
    """The ledger cannot be read or written; nothing may be created or started without it.

    Attributes:
        ADVICE: What that means for a run, and what to do.
    """

    ADVICE: ClassVar[str] = (
        "nothing more is created or started without it: mend that, then apply again"
    )


class TargetRefusedError(ShbatchError):
    """The target is not one that may be written to: another account, an untrusted host, no ledger."""

    exit_code: ClassVar[ExitCode] = ExitCode.WITHHELD


class StalePlanError(ShbatchError):
    """A saved plan is not what would be done now; the message says what has moved."""

    exit_code: ClassVar[ExitCode] = ExitCode.WITHHELD


class ApiError(ShbatchError):
    """The service refused a call, or did not answer it.

    Attributes:
        status: HTTP status, or None where there was no answer.
        code: The service's own error code, e.g. `COMMON_BAD_PAYLOAD`.
        method: HTTP method of the call.
        path: Path of the call, without host or query.
        request_id: Id of the batch request the call was about, if any.
        detail: The service's message, cut and free of secrets.
        violations: `(parameter, violation)` pairs of the service's `errors` list.
        hint: What the user can do about it.
        outcome_unknown: Whether the call may have taken effect.
    """

    outcome_unknown: ClassVar[bool] = False

    def __init__(
        self,
        detail: str,
        *,
        status: int | None = None,
        code: str | None = None,
        method: str = "",
        path: str = "",
        request_id: str | None = None,
        violations: Sequence[tuple[str, str]] = (),
        hint: str = "",
    ) -> None:
        self.detail = detail
        self.status = status
        self.code = code
        self.method = method
        self.path = path
        self.request_id = request_id
        self.violations = tuple(violations)
        self.hint = hint
        super().__init__(self._text())

    def _text(self) -> str:
        call = f"{self.method} {self.path}".strip()
        answer = " ".join(str(part) for part in (self.status, self.code) if part is not None)
        head = f"{call}: {answer}: {self.detail}" if answer else f"{call}: {self.detail}"
        lines = [head if call else head.removeprefix(": ")]
        lines += [
            f"  {parameter}: {violation}"
            for parameter, violation in self.violations
            if violation.strip() != self.detail.strip()
        ]
        if self.hint:
            lines.append(f"  {self.hint}")
        return "\n".join(lines)


class AuthenticationError(ApiError):
    """401, or the token endpoint refused the client credentials."""


class PermissionDeniedError(ApiError):
    """403: the account may not do this, or has not enough processing units."""


class RequestNotFoundError(ApiError):
    """404: no such request; for a while after its creation that may be the read replica's lag."""


class ConflictError(ApiError):
    """409: the request is not in a state that allows the call."""


class BadRequestError(ApiError):
    """400 or another 4xx: the service understood the call and refused it."""


class RateLimitedError(ApiError):
    """429: nothing was done.

    Attributes:
        retry_after: Seconds the service asked to wait, or None.
    """

    def __init__(
        self,
        detail: str,
        *,
        retry_after: float | None = None,
        status: int | None = 429,
        code: str | None = None,
        method: str = "",
        path: str = "",
        request_id: str | None = None,
        violations: Sequence[tuple[str, str]] = (),
        hint: str = "",
    ) -> None:
        self.retry_after = retry_after
        super().__init__(
            detail,
            status=status,
            code=code,
            method=method,
            path=path,
            request_id=request_id,
            violations=violations,
            hint=hint,
        )


class ServerError(ApiError):
    """5xx, 408 or 425: something between here and the service failed, maybe after the call took effect."""

    outcome_unknown = True


class UnreadableAnswerError(ApiError):
    """An answer that is not what the API promises: HTML, cut JSON, a member missing."""

    outcome_unknown = True


class ServiceUnreachableError(ApiError):
    """No connection could be made: the call never arrived."""


class AnswerLostError(ApiError):
    """The connection broke or timed out after the call was sent: it may have taken effect."""

    outcome_unknown = True
