"""The service's clock: a real clock that can run faster, and that processes sharing a file agree on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from shbatch_sync.emulator.lifecycle import SECOND


@dataclass(frozen=True, slots=True)
class Anchors:
    """Two instants that belong together, and the speed from there on.

    Attributes:
        real: Unix seconds of the machine.
        service: Microseconds since 1970 of the service.
        speed: Service seconds a real second.
    """

    real: float
    service: int
    speed: float

    def now(self, real: float) -> int:
        """Return the service's instant at the machine's `real`."""
        return self.service + round((real - self.real) * self.speed * SECOND)

    def at_speed(self, speed: float, real: float) -> Anchors:
        """Return anchors that go on from `real` at another speed, without a jump."""
        return Anchors(real, self.now(real), speed)

    def moved(self, seconds: float) -> Anchors:
        """Return anchors that are `seconds` of the service later."""
        return Anchors(self.real, self.service + round(seconds * SECOND), self.speed)


def instant(micros: int) -> datetime:
    """Return an instant of the service as a datetime in UTC."""
    seconds, rest = divmod(micros, SECOND)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


def iso(micros: int) -> str:
    """Write an instant as the service does: UTC, six digits, `Z`."""
    return instant(micros).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def http_date(micros: int) -> str:
    """Write an instant as a `Date` header."""
    return format_datetime(instant(micros), usegmt=True)
