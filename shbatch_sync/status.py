"""Where a request stands, what was asked of it last, and why it was stopped.

Values that the service may add later are carried, not refused: sentinelhub-py raises for them.
"""

from __future__ import annotations

from enum import Enum
from typing import Self


class _OpenEnum(Enum):
    """An enum that carries values the service may add later."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = object.__new__(cls)
        member._name_ = value
        member._value_ = value
        return cls._value2member_map_.setdefault(value, member)  # type: ignore[return-value] # a map of Enum

    def __eq__(self, other: object) -> bool:
        """Equal to the member of sentinelhub-py's enum of the same name, so that code may mix the two."""
        if self is other:
            return True
        if isinstance(other, Enum) and type(other).__name__ == type(self).__name__:
            return bool(self._value_ == other.value)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._name_)

    @property
    def is_known(self) -> bool:
        """Whether this package knows what the value means."""
        return self._name_ in type(self).__members__


class BatchRequestStatus(_OpenEnum):
    """Where a request stands; a value the service adds later becomes a member that is not `is_known`."""

    CREATED = "CREATED"
    ANALYSING = "ANALYSING"
    ANALYSIS_DONE = "ANALYSIS_DONE"
    PROCESSING = "PROCESSING"
    DONE = "DONE"
    FAILED = "FAILED"
    STOPPED = "STOPPED"


class BatchUserAction(_OpenEnum):
    """The last thing the user asked for."""

    START = "START"
    ANALYSE = "ANALYSE"
    STOP = "STOP"
    NONE = "NONE"


class StoppedStatusReason(_OpenEnum):
    """Why a request is STOPPED."""

    OUT_OF_PU = "OUT_OF_PU"
    USER_ACTION = "USER_ACTION"
    UNHEALTHY = "UNHEALTHY"


UNKNOWN_STATUS = BatchRequestStatus("UNKNOWN")
"""Stands in for a status that the service left out."""
