"""What is in a GeoPackage, as far as the service has rules for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Batch V2 docs, GeoPackage input.
MAX_FEATURES = 700_000
MAX_SIDE = 3500


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureTable:
    """A table of features.

    Attributes:
        name: The table's.
        epsg: Code of its CRS; None where it names none that can be one.
        columns: Their names, lower case.
        has_id: Whether a column `id` is its integer primary key.
    """

    name: str
    epsg: int | None
    columns: frozenset[str]
    has_id: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A GeoPackage, read to its end, or to where it holds more features than the service takes.

    Attributes:
        tables: Its feature tables, by name.
        count: Features in all of them.
        unnamed: Features without an `identifier`.
        twins: `identifier` that several features have → how many; only the first few.
        shapeless: Features without a geometry.
        shapes: Kind of geometry that is no polygon → how many features have it.
        open_elsewhere: Whether a journal of SQLite lies beside it, whose content is not in it yet.
    """

    tables: tuple[FeatureTable, ...]
    count: int = 0
    unnamed: int = 0
    twins: Mapping[str, int] = field(default_factory=dict)
    shapeless: int = 0
    shapes: Mapping[str, int] = field(default_factory=dict)
    open_elsewhere: bool = False
