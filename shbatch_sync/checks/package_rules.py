"""The checks of the local copy of a GeoPackage; the service asks that it adheres to the documented layout."""

from __future__ import annotations

from shbatch_sync.checks.rule import Rule

_PACKAGE = "Batch Processing V2 documentation, GeoPackage input"

PACKAGE_RULES = (
    Rule(
        code="local-copy-unused",
        severity="error",
        reason="A local copy is that of the GeoPackage of the input; a tiling grid has none.",
        source="manifest schema, localCopy",
    ),
    Rule(
        code="package-open",
        severity="warning",
        reason="What SQLite has written into a journal beside a file is not in the file, nor in a copy of it.",
        source="SQLite documentation, Write-Ahead Logging",
    ),
    Rule(
        code="package-tables",
        severity="error",
        reason="A GeoPackage has at least one table of features.",
        source=_PACKAGE,
    ),
    Rule(
        code="package-empty",
        severity="warning",
        reason="Without a feature there is nothing to process.",
        source=_PACKAGE,
    ),
    Rule(
        code="package-many",
        severity="error",
        reason="A GeoPackage may have 700,000 features.",
        source=_PACKAGE,
    ),
    Rule(
        code="package-id",
        severity="warning",
        reason="The documented layout has an integer primary key `id`; whether another is refused is not known.",
        source=_PACKAGE,
    ),
    Rule(
        code="package-identifier",
        severity="error",
        reason="Every feature has an `identifier`, unique across all tables: results are named by it.",
        source=_PACKAGE,
    ),
    Rule(
        code="package-geometry",
        severity="error",
        reason="Features are polygons and multipolygons.",
        source=_PACKAGE,
    ),
    Rule(
        code="package-shapeless",
        severity="warning",
        reason="What becomes of a feature without a geometry is not documented.",
        source=_PACKAGE,
    ),
    Rule(
        code="package-crs",
        severity="warning",
        reason="The CRS of a table is not in the documentation's list.",
        source="Process API documentation, CRS",
    ),
    Rule(
        code="package-size",
        severity="error",
        reason="The raster of a feature has at most 3500 by 3500 pixels.",
        source=_PACKAGE,
    ),
    Rule(
        code="package-unsized",
        severity="error",
        reason="Every feature has a width with a height or a resolution, its own or the request's default.",
        source=_PACKAGE,
    ),
)
