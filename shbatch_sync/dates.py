"""A span of time cut into periods: `{from: 2024-05, to: 2024-07, step: P1M}`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

_DURATION = re.compile(
    r"P(?=.)(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?"
    r"(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?"
)
_DAY = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_DECEMBER = 12
_SECOND = timedelta(seconds=1)


class DateError(Exception):
    """A span that cannot be cut; `key` is the member at fault."""

    def __init__(self, message: str, key: str) -> None:
        super().__init__(message)
        self.key = key


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """One piece of a span.

    Attributes:
        start: Its first second, RFC 3339 in UTC.
        end: Its last second.
        label: Names it in as much detail as the step needs: `2024`, `2024-05`, `2024-05-11`, `2024-05-11-0600`.
    """

    start: str
    end: str
    label: str


@dataclass(frozen=True, slots=True)
class _Step:
    months: int
    time: timedelta

    def after(self, start: datetime, times: int) -> datetime:
        """Return `start` and so many steps, a day that its month lacks becoming the month's last one."""
        month = start.month - 1 + self.months * times
        year = start.year + month // _DECEMBER
        first = start.replace(year=year, month=month % _DECEMBER + 1, day=1)
        last = _month_end(first) - timedelta(days=1)
        return first.replace(day=min(start.day, last.day)) + self.time * times

    def label(self, start: datetime) -> str:
        if self.time % timedelta(days=1):
            return start.strftime("%Y-%m-%d-%H%M")
        if self.time or start.day != 1:
            return start.strftime("%Y-%m-%d")
        return (
            start.strftime("%Y-%m")
            if self.months % _DECEMBER or start.month != 1
            else start.strftime("%Y")
        )


def periods(first: Any, last: Any, step: str, most: int) -> list[Period]:
    """Return the periods from the beginning of `first` to the end of `last`.

    Args:
        first: Year, month, day or instant; a year may be a number.
        last: The same; a year, month or day is included to its end, and no period begins at an instant.
        step: ISO 8601 duration. A last period that would reach beyond `last` ends with it.
        most: So many at most.

    Raises:
        DateError: One of the three is no such thing, or the span is empty or gives too many periods.
    """
    start, _ = _span(first, "from")
    at, limit = _span(last, "to")
    # What would begin at an instant that ends the span has no length.
    stop = at if limit - at == _SECOND else limit
    length = _step(step)
    if start >= stop:
        message = f"{last} is {'before' if start >= limit else 'the same instant as'} {first}"
        raise DateError(message, "to")
    found: list[Period] = []
    begin = start
    while begin < stop:
        if len(found) == most:
            message = f"gives more than {most:,} periods"
            raise DateError(message, "step")
        try:
            end = length.after(start, len(found) + 1)
        except (OverflowError, ValueError):
            end = limit
        found.append(_period(begin, min(end, limit), length))
        begin = end
    return found


def _period(begin: datetime, end: datetime, step: _Step) -> Period:
    return Period(start=_text(begin), end=_text(end - _SECOND), label=step.label(begin))


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _step(text: str) -> _Step:
    match = _DURATION.fullmatch(text)
    if not match:
        message = f"{text!r} is no ISO 8601 duration such as P1M, P10D, P1W or PT6H"
        raise DateError(message, "step")
    years, months, weeks, days, hours, minutes, seconds = (
        int(part or 0) for part in match.groups()
    )
    time = timedelta(days=7 * weeks + days, hours=hours, minutes=minutes, seconds=seconds)
    if not (years or months or time):
        message = f"{text!r} is no time at all"
        raise DateError(message, "step")
    return _Step(_DECEMBER * years + months, time)


def _span(value: Any, key: str) -> tuple[datetime, datetime]:
    """Return the first instant of `value` and the first one after it."""
    try:
        return _parsed(str(value))
    except (ValueError, OverflowError):
        message = f"{value!r} is no year (2024), month (2024-05), day (2024-05-01) or instant"
        raise DateError(message, key) from None


def _parsed(text: str) -> tuple[datetime, datetime]:
    match = _DAY.fullmatch(text)
    if not match:
        moment = datetime.fromisoformat(text)
        if "T" not in text.upper():
            message = "an instant has a date and a time"
            raise ValueError(message)
        moment = (
            (moment if moment.tzinfo else moment.replace(tzinfo=UTC))
            .astimezone(UTC)
            .replace(microsecond=0)
        )
        return moment, moment + _SECOND
    year, month, day = match.groups()
    start = datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
    if day:
        return start, start + timedelta(days=1)
    return start, _month_end(start) if month else start.replace(year=start.year + 1)


def _month_end(first: datetime) -> datetime:
    if first.month == _DECEMBER:
        return first.replace(year=first.year + 1, month=1)
    return first.replace(month=first.month + 1)
