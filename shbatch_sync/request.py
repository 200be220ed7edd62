"""A batch request as the service reports it.

The class has the fields, constructor and conversions of sentinelhub-py's class of the same name. What is mended:
unknown statuses, actions and reasons are carried instead of raised, a missing `domainAccountId` is None, and
`from_dict` reads nothing until a field is asked for, so that listing an account costs little more than its JSON.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar, Self

from shbatch_sync.status import (
    UNKNOWN_STATUS,
    BatchRequestStatus,
    BatchUserAction,
    StoppedStatusReason,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import marshmallow


__all__ = [
    "UNKNOWN_STATUS",
    "BatchProcessRequest",
    "BatchRequestStatus",
    "BatchUserAction",
    "StoppedStatusReason",
    "format_time",
    "parse_time",
]


def parse_time(value: Any) -> datetime | None:
    """Read an RFC 3339 time.

    Args:
        value: Text with 0 to 9 fraction digits (those beyond microseconds are dropped) and `Z` or an offset;
            without either it is taken as UTC. A datetime is passed on.

    Returns:
        A timezone-aware datetime, or None for anything that is not a time.
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


def format_time(value: datetime | None) -> str | None:
    """Write a time the way sentinelhub-py does: ISO 8601, `Z` for UTC; a naive one is taken as UTC."""
    if value is None:
        return None
    aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    return aware.isoformat().replace("+00:00", "Z")


def _none() -> Any:
    return None


def _zero() -> float:
    return 0


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)


def _number(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None


def _percentage(value: Any) -> float:
    number = _number(value)
    return _zero() if number is None else number


def _enum_value(member: Enum | None) -> Any:
    return None if member is None else member.value


_READERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "request_id": ("id", _text),
    "request": ("request", lambda value: value if isinstance(value, dict) else {}),
    "domain_account_id": ("domainAccountId", _text),
    "status": ("status", lambda value: BatchRequestStatus(str(value)) if value else UNKNOWN_STATUS),
    "error": ("error", _text),
    "user_action": ("userAction", lambda value: BatchUserAction(str(value)) if value else None),
    "user_action_updated": ("userActionUpdated", parse_time),
    "created": ("created", parse_time),
    "completion_percentage": ("completionPercentage", _percentage),
    "last_updated": ("lastUpdated", parse_time),
    "cost_PU": ("costPU", _number),
    "stopped_status_reason": (
        "stoppedStatusReason",
        lambda value: StoppedStatusReason(str(value)) if value else None,
    ),
}
_KNOWN_KEYS = frozenset(key for key, _ in _READERS.values())
_LEFT_OUT_WHEN_NONE = frozenset({"userAction", "stoppedStatusReason"})


# The fields have factories, not defaults: a default would stand on the class and hide __getattr__.
@dataclass(repr=False)
class BatchProcessRequest:
    """A request of the Batch Processing V2 API (https://docs.sentinel-hub.com/api/latest/api/batchv2/).

    Attributes:
        request_id: The service's id, a UUID.
        request: The body as the service echoes it, defaults filled in and secrets masked.
        domain_account_id: The account; None where the service leaves it out.
        status: Where it stands.
        error: What went wrong, only after a failure.
        user_action: The last thing the user asked for.
        user_action_updated: When that was.
        created: When the service took it in.
        completion_percentage: 0 to 100.
        last_updated: When the service last changed it.
        cost_PU: Processing units charged so far.
        stopped_status_reason: Why it is STOPPED.
        other_data: Members of the answer that this class does not know, by their JSON name.
    """

    request_id: str
    request: dict[str, Any]
    domain_account_id: str | None
    status: BatchRequestStatus
    error: str | None = field(default_factory=_none)
    user_action: BatchUserAction | None = field(default_factory=_none)
    user_action_updated: datetime | None = field(default_factory=_none)
    created: datetime | None = field(default_factory=_none)
    completion_percentage: float = field(default_factory=_zero)
    last_updated: datetime | None = field(default_factory=_none)
    cost_PU: float | None = field(default_factory=_none)  # noqa: N815 - sentinelhub-py's name
    stopped_status_reason: StoppedStatusReason | None = field(default_factory=_none)
    other_data: dict[str, Any] = field(default_factory=dict)

    _REPR_PARAM_NAMES: ClassVar[tuple[str, ...]] = (
        "request_id",
        "created",
        "status",
        "completion_percentage",
        "user_action",
        "cost_PU",
    )

    if not TYPE_CHECKING:  # to a type checker the fields above are all there are

        def __getattr__(self, name: str) -> Any:
            """Read a field from the answer when it is first asked for."""
            raw = self.__dict__.get("_raw")
            if raw is not None and name in _READERS:
                key, read = _READERS[name]
                value = read(raw.get(key))
            elif raw is not None and name == "other_data":
                value = {key: member for key, member in raw.items() if key not in _KNOWN_KEYS}
            else:
                message = f"{type(self).__name__!r} object has no attribute {name!r}"
                raise AttributeError(message)
            self.__dict__[name] = value
            return value

    def __repr__(self) -> str:
        shown = [(name, getattr(self, name)) for name in self._REPR_PARAM_NAMES]
        lines = "\n  ".join(f"{name}={value}" for name, value in shown if value is not None)
        return f"{type(self).__name__}(\n  {lines}\n  ...\n)"

    @property
    def description(self) -> str:
        """The free text of the request; empty where there is none."""
        text = self.request.get("description")
        return text if isinstance(text, str) else ""

    @classmethod
    def from_dict(cls, kvs: Mapping[str, Any], *, infer_missing: bool = False) -> Self:
        """Take an answer of the service.

        Args:
            kvs: The answer; it is kept and read later, so it must not be changed afterwards.
            infer_missing: Accepted because sentinelhub-py's users may pass it; missing members never raise here.

        Raises:
            KeyError: It has no `id`.
        """
        del infer_missing
        if "id" not in kvs:
            key = "id"
            raise KeyError(key)
        made = object.__new__(cls)
        known = made.__dict__
        known["_raw"] = kvs
        # These two are asked of every request of a list, and mostly are what they should be.
        id_, body = kvs["id"], kvs.get("request")
        if type(id_) is str:
            known["request_id"] = id_
        if type(body) is dict:
            known["request"] = body
        return made

    @classmethod
    def from_json(cls, s: str | bytes, *, infer_missing: bool = False, **options: Any) -> Self:
        """Take an answer of the service as JSON text; `options` go to `json.loads`."""
        return cls.from_dict(json.loads(s, **options), infer_missing=infer_missing)

    def to_dict(self, encode_json: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - as the original
        """Return plain JSON with the service's names; unknown members are put back where they came from."""
        del encode_json
        members = {
            key: _ENCODERS.get(key, _as_is)(getattr(self, name))
            for name, (key, _) in _READERS.items()
        }
        kept = {
            key: value
            for key, value in members.items()
            if value is not None or key not in _LEFT_OUT_WHEN_NONE
        }
        return {**kept, **self.other_data}

    def to_json(self, **options: Any) -> str:
        """Return `to_dict()` as JSON text; `options` go to `json.dumps`."""
        return json.dumps(self.to_dict(), **options)

    @classmethod
    def schema(cls, **options: Any) -> marshmallow.Schema:
        """Return a marshmallow schema (`load`, `loads`, `dump`, `dumps`, `validate`).

        Args:
            **options: Passed to the schema, e.g. `many=True`; `infer_missing` is accepted and ignored.

        Raises:
            ImportError: marshmallow is not installed; this package does not need it otherwise.
        """
        from shbatch_sync.request_schema import build_schema  # noqa: PLC0415 - marshmallow is optional

        options.pop("infer_missing", None)
        return build_schema(options)

    def raise_for_status(
        self,
        status: str
        | BatchRequestStatus
        | Iterable[str | BatchRequestStatus] = BatchRequestStatus.FAILED,
    ) -> None:
        """Raise if the request has one of the given statuses.

        Args:
            status: One or several, as members or as text.

        Raises:
            RuntimeError: It has; the message carries the service's own error text.
            ValueError: A text is not a known status.
        """
        asked = [status] if isinstance(status, str | Enum) else list(status)
        if self.status in [_known_status(one) for one in asked]:
            reason = f' and error message: "{self.error}"' if self.error else ""
            message = f"Raised for batch request {self.request_id} with status {self.status.value}{reason}"
            raise RuntimeError(message)


def _as_is(value: Any) -> Any:
    return value


_ENCODERS: dict[str, Callable[[Any], Any]] = {
    "status": _enum_value,
    "userAction": _enum_value,
    "stoppedStatusReason": _enum_value,
    "userActionUpdated": format_time,
    "created": format_time,
    "lastUpdated": format_time,
}


def _known_status(value: str | Enum) -> BatchRequestStatus:
    if isinstance(value, Enum):
        return BatchRequestStatus(value.value)
    if value not in BatchRequestStatus.__members__:
        message = f"{value!r} is not a valid BatchRequestStatus"
        raise ValueError(message)
    return BatchRequestStatus(value)
