"""A number that is known within limits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A likely value with its limits; None where it cannot be told.

    Attributes:
        low: At least this.
        likely: The best guess.
        high: At most this.
    """

    low: float
    likely: float | None
    high: float | None

    def __mul__(self, other: Span) -> Span:
        return Span(
            self.low * other.low, _times(self.likely, other.likely), _times(self.high, other.high)
        )

    def __add__(self, other: Span) -> Span:
        return Span(
            self.low + other.low, _plus(self.likely, other.likely), _plus(self.high, other.high)
        )

    def either(self, other: Span) -> Span:
        """Give the span that holds both; the larger is taken for likely."""
        return Span(
            min(self.low, other.low),
            _larger(self.likely, other.likely),
            _larger(self.high, other.high),
        )


def exactly(value: float) -> Span:
    """Give the span of a number that is known."""
    return Span(value, value, value)


def _times(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one * other


def _plus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _larger(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else max(one, other)
