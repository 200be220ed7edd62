"""The features of a GeoPackage as far as the price needs them: how many there are of which size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What a request over a GeoPackage processes.

    Attributes:
        sizes: (width, height) in pixels → how many features have it.
        unsized: Features for which no size is written or can be worked out.
        inferred: What about them is assumed.
    """

    sizes: Mapping[tuple[int, int], int]
    unsized: int = 0
    inferred: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Features in all."""
        return sum(self.sizes.values()) + self.unsized
