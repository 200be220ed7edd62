"""A price, on its own so that whoever only shows one waits for nothing that computes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The price of a request.

    Attributes:
        tiles: Tiles or features that are processed; None where they cannot be counted.
        pixels: Of all of them.
        pu: Processing units; None where they cannot be told.
        low: At least so many.
        high: At most so many; None where there is no telling.
        unfloored: `pu` without the minimum of 100 PU a request.
        assumptions: What the figures rest on.
    """

    tiles: int | None = None
    pixels: int | None = None
    pu: float | None = None
    low: float = 0.0
    high: float | None = None
    unfloored: float | None = None
    assumptions: tuple[str, ...] = ()
