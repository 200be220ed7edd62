"""The marshmallow schema behind `BatchProcessRequest.schema()`; imported only when that is called.

Times are dumped as the ISO text that `to_dict` writes, where sentinelhub-py's schema dumps seconds since 1970
that it cannot read back as the same instant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import INCLUDE, Schema, ValidationError, fields, post_dump, post_load

from shbatch_sync.request import (
    BatchProcessRequest,
    BatchRequestStatus,
    BatchUserAction,
    StoppedStatusReason,
    format_time,
    parse_time,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import Enum


class _OpenEnumField(fields.Field):
    """Text ↔ enum member; a value that is not known yet is carried."""

    def __init__(self, enum: type[Enum], **options: Any) -> None:
        self._enum = enum
        super().__init__(**options)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> Any:
        del attr, obj
        return None if value is None else value.value

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Enum:
        del attr, data
        if not isinstance(value, str):
            message = "Not a valid string."
            raise ValidationError(message)
        return self._enum(value)


class _TimeField(fields.Field):
    """RFC 3339 text ↔ timezone-aware datetime."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> str | None:
        del attr, obj
        return format_time(value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Any:
        del attr, data
        parsed = parse_time(value)
        if parsed is None:
            message = "Not a valid datetime."
            raise ValidationError(message)
        return parsed


class _RequestSchema(Schema):
    class Meta:
        unknown = INCLUDE

    request_id = fields.String(data_key="id", required=True)
    request = fields.Dict(required=True)
    domain_account_id = fields.String(data_key="domainAccountId", allow_none=True)
    status = _OpenEnumField(BatchRequestStatus, required=True)
    error = fields.String(allow_none=True)
    user_action = _OpenEnumField(BatchUserAction, data_key="userAction", allow_none=True)
    user_action_updated = _TimeField(data_key="userActionUpdated", allow_none=True)
    created = _TimeField(allow_none=True)
    completion_percentage = fields.Float(data_key="completionPercentage")
    last_updated = _TimeField(data_key="lastUpdated", allow_none=True)
    cost_PU = fields.Float(data_key="costPU", allow_none=True)  # noqa: N815 - sentinelhub-py's name
    stopped_status_reason = _OpenEnumField(
        StoppedStatusReason, data_key="stoppedStatusReason", allow_none=True
    )

    @post_load(pass_original=True)
    def _to_request(self, data: Any, original: Mapping[str, Any], **_: Any) -> Any:
        return data if self.partial else BatchProcessRequest.from_dict(original)

    @post_dump(pass_original=True)
    def _with_other_data(self, data: Any, original: Any, **_: Any) -> Any:
        return {**data, **getattr(original, "other_data", {})}


def build_schema(options: Mapping[str, Any]) -> Schema:
    """Return a schema of `BatchProcessRequest`.

    Args:
        options: Arguments of `marshmallow.Schema`, e.g. `many` or `only`.
    """
    return _RequestSchema(**options)
