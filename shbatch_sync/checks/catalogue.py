"""Every check beyond the schema: its code, how bad what it finds is, why, and where the fact comes from.

Only what the service is known to refuse is an error. The rest costs a second look, and can be switched off:
in shbatch.yaml (`checks: {code: off}`), on a line (`# shbatch-sync: ignore[code]`), or for a file
(`# shbatch-sync: ignore-file[code]`).
"""

from __future__ import annotations

from collections.abc import Mapping

from shbatch_sync.checks.package_rules import PACKAGE_RULES
from shbatch_sync.checks.rule import Finding, Rule

__all__ = ["CODES", "RULES", "Finding", "Rule"]

_BATCH = "Batch Processing V2 documentation"
_REFERENCE = "Batch Processing V2 API reference"
_SEEN = "seen in public clients of the service"

_RULES = (
    Rule(
        code="grid-unknown",
        severity="error",
        reason="The service offers the grids 0, 1, 2, 3, 6 and 7.",
        source=f"{_BATCH}, tiling grids",
    ),
    Rule(
        code="grid-resolution",
        severity="error",
        reason="A tiling grid has its own resolutions; no other is accepted.",
        source=f"{_BATCH}, tiling grids; the service's own list",
    ),
    Rule(
        code="grid-resolution-doubtful",
        severity="warning",
        reason="The documentation names this resolution with a footnote, the service's own list does not have it.",
        source=f"{_BATCH}, tiling grids",
    ),
    Rule(
        code="area-missing",
        severity="error",
        reason="A tiling grid needs an area to choose tiles by.",
        source=_REFERENCE,
    ),
    Rule(
        code="area-everything",
        severity="warning",
        reason="Without bounds every feature of the GeoPackage is processed, and paid.",
        source=f"{_BATCH}, GeoPackage input",
    ),
    Rule(
        code="bbox",
        severity="error",
        reason="A bounding box is [west, south, east, north], the smaller numbers first.",
        source="Process API reference, bounds",
    ),
    Rule(
        code="crs",
        severity="error",
        reason="A CRS is named by its OGC URL.",
        source="Process API documentation, CRS",
    ),
    Rule(
        code="crs-unlisted",
        severity="warning",
        reason="The CRS is not in the documentation's list.",
        source="Process API documentation, CRS",
    ),
    Rule(
        code="geometry",
        severity="error",
        reason="Rings are lists of [x, y] positions, at least four, the first one repeated at the end.",
        source=f"RFC 7946; open rings are refused: {_SEEN}",
    ),
    Rule(
        code="geometry-range",
        severity="error",
        reason="A position lies outside what its CRS can name.",
        source="EPSG registry",
    ),
    Rule(
        code="geometry-units",
        severity="warning",
        reason="A metric CRS with positions that look like degrees.",
        source="EPSG registry",
    ),
    Rule(
        code="geometry-crossing",
        severity="warning",
        reason="A border that crosses itself has no defined inside; tiles may be missed or added.",
        source="OGC Simple Features",
    ),
    Rule(
        code="geometry-complex",
        severity="warning",
        reason="The service limits how complex an area may be; clients simplify to 1,500 points.",
        source=_SEEN,
    ),
    Rule(
        code="geometry-refused",
        severity="error",
        reason="An area of 2,562 parts is known to have been refused.",
        source=_SEEN,
    ),
    Rule(
        code="time-range",
        severity="error",
        reason="Both ends are instants with a time zone (RFC 3339), the first not after the last.",
        source="Process API reference, timeRange: a date without a time is refused",
    ),
    Rule(
        code="credentials",
        severity="error",
        reason="Storage is reached by exactly one of a role, or an access key with its secret.",
        source=f"{_REFERENCE}; enforced by sentinelhub-py",
    ),
    Rule(
        code="credentials-deployment",
        severity="warning",
        reason="Copernicus Data Space knows neither roles nor Google Cloud Storage.",
        source="Copernicus Data Space documentation, Batch V2",
    ),
    Rule(
        code="path-tile",
        severity="error",
        reason="A path with placeholders must tell tiles apart.",
        source=f"{_BATCH}, output",
    ),
    Rule(
        code="path-output",
        severity="error",
        reason="A path with placeholders must tell several outputs apart.",
        source=f"{_BATCH}, output",
    ),
    Rule(
        code="path-placeholder",
        severity="error",
        reason="Placeholders are <requestId>, <tileName>, <tileId>, <outputId> and <format>; Zarr has <requestId> only.",
        source=f"{_BATCH}, output",
    ),
    Rule(
        code="path-characters",
        severity="warning",
        reason="Bucket and key have characters that tools around the service do not take.",
        source=_SEEN,
    ),
    Rule(
        code="delivery-shared",
        severity="warning",
        reason="Two jobs that deliver to one place overwrite or block each other.",
        source=f"{_BATCH}, overwrite and skipExisting",
    ),
    Rule(
        code="delivery-old-files",
        severity="warning",
        reason="A second request meets the files of the first and fails, unless it may overwrite or skip them.",
        source=f"{_BATCH}, overwrite and skipExisting",
    ),
    Rule(
        code="response-format",
        severity="error",
        reason="application/json is for userdata alone; zarr/array is for Zarr output, and nothing else is.",
        source=f"{_BATCH}, output",
    ),
    Rule(
        code="response-twice",
        severity="warning",
        reason="Two responses of one identifier are the same file.",
        source=f"{_BATCH}, output",
    ),
    Rule(
        code="response-output",
        severity="warning",
        reason="A response delivers an output of the evalscript; which ones it has is checked in the analysis only.",
        source=f"{_BATCH}, output; Evalscript V3 documentation, setup",
    ),
    Rule(
        code="cog",
        severity="error",
        reason="A collection is made of cloud optimised GeoTIFFs: createCollection and collectionId need cogOutput.",
        source=f"{_BATCH}, ingesting results into BYOC",
    ),
    Rule(
        code="cog-unused",
        severity="warning",
        reason="cogParameters mean nothing without cogOutput.",
        source=_REFERENCE,
    ),
    Rule(
        code="cog-int8",
        severity="error",
        reason="Outputs of cogOutput must not be INT8.",
        source=f"{_REFERENCE}, cogOutput",
    ),
    Rule(
        code="zarr-grid",
        severity="error",
        reason="Zarr output takes the WGS84 and LAEA grids only: all tiles must share one CRS.",
        source=f"{_BATCH}, Zarr",
    ),
    Rule(
        code="zarr-array",
        severity="error",
        reason="Every array needs dtype, order, chunks and a fill_value that its dtype can hold.",
        source=f"{_BATCH}, Zarr",
    ),
    Rule(
        code="zarr-bands",
        severity="error",
        reason="An array is made of an output with exactly one band.",
        source=f"{_BATCH}, Zarr",
    ),
    Rule(
        code="zarr-dtype",
        severity="error",
        reason="The dtype of an array must be able to hold the sample type of its output.",
        source=f"{_BATCH}, Zarr",
    ),
    Rule(
        code="zarr-override",
        severity="warning",
        reason="An override for an array that no response delivers.",
        source=f"{_BATCH}, Zarr",
    ),
    Rule(
        code="zarr-chunks",
        severity="error",
        reason="Chunks are one time step deep and divide a tile evenly.",
        source=f"{_BATCH}, Zarr",
    ),
    Rule(
        code="feature-size",
        severity="error",
        reason="Feature defaults are width with height, or resolution.",
        source=_REFERENCE,
    ),
    *PACKAGE_RULES,
    Rule(
        code="fusion-id",
        severity="warning",
        reason="Several data sets are told apart in the evalscript by their id.",
        source="Process API documentation, data fusion",
    ),
    Rule(
        code="terrain-correction",
        severity="warning",
        reason="GAMMA0_TERRAIN is radiometric terrain correction, which works on orthorectified data.",
        source="Sentinel-1 GRD documentation, processing options",
    ),
    Rule(
        code="evalscript-version",
        severity="warning",
        reason="Without //VERSION=3 on its first line a script may be read as an older version.",
        source="Evalscript V3 documentation",
    ),
)

RULES: Mapping[str, Rule] = {rule.code: rule for rule in _RULES}
CODES = frozenset(RULES)
