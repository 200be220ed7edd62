"""The local copy of a GeoPackage, held against what the documentation asks of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shbatch_sync.checks.area import is_listed
from shbatch_sync.checks.rule import Finding
from shbatch_sync.cost.crs import AreaError
from shbatch_sync.package import MAX_FEATURES, MAX_SIDE, FeatureTable, Package
from shbatch_sync.plural import counted

if TYPE_CHECKING:
    from shbatch_sync.cost.features import Features
    from shbatch_sync.local_copy import LocalCopy

_STEPS = ("localCopy",)
_SHOWN = 60


def check_package(copy: LocalCopy, body: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with a local copy; the steps are those within the manifest.

    Args:
        copy: Of the GeoPackage that the body names.
        body: The request.
    """
    if body["input"]["type"] != "geopackage":
        message = f"means nothing for a {body['input']['type']}: it is for GeoPackage input"
        yield Finding(code="local-copy-unused", steps=_STEPS, message=message)
        return
    package = copy.package()
    found = [*_tables(package), *_rows(package), *_sizes(copy, body)]
    for code, message in found:
        yield Finding(code=code, steps=_STEPS, message=f"{copy.path}: {message}")


def _tables(package: Package) -> Iterator[tuple[str, str]]:
    if package.open_elsewhere:
        yield (
            "package-open",
            "has a journal beside it: close what has it open, so that all is in it",
        )
    if not package.tables:
        yield "package-tables", "has no table of features"
        return
    for table in package.tables:
        if table.epsg is None or not is_listed(table.epsg):
            crs = "a CRS without an EPSG code" if table.epsg is None else f"EPSG {table.epsg}"
            yield "package-crs", f"{_name(table)} is in {crs}, not in the documentation's list"
        if not table.has_id:
            yield "package-id", f"{_name(table)} has no integer primary key `id`"
        if "identifier" not in table.columns:
            yield "package-identifier", f"{_name(table)} has no column `identifier`"
    if package.count == 0:
        yield "package-empty", "has no features"


def _name(table: FeatureTable) -> str:
    return f"table {table.name[:_SHOWN]!r}"


def _rows(package: Package) -> Iterator[tuple[str, str]]:
    if package.count > MAX_FEATURES:
        yield "package-many", f"has more than {MAX_FEATURES:,} features"
    if package.unnamed and all("identifier" in table.columns for table in package.tables):
        yield "package-identifier", f"{counted(package.unnamed, 'feature')} without an identifier"
    for name, count in package.twins.items():
        message = f"{count:,} features are called {name[:_SHOWN]!r}: identifiers are unique across all tables"
        yield "package-identifier", message
    for kind, count in package.shapes.items():
        message = f"{counted(count, 'feature')} with a {kind}, must be a Polygon or a MultiPolygon"
        yield "package-geometry", message
    if package.shapeless:
        yield "package-shapeless", f"{counted(package.shapeless, 'feature')} without a geometry"


def _sizes(copy: LocalCopy, body: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    package, defaults = copy.package(), body["input"].get("defaults")
    found = _wrong(copy.features(None, defaults), package.shapeless) if package.tables else []
    bounds = body["processRequest"]["input"].get("bounds")
    if not found or not bounds:
        return found
    # Only features that meet the bounds are processed; comparing them is slow, so it is done where it matters.
    try:
        return _wrong(copy.features(bounds, defaults))
    except AreaError:
        return []


def _wrong(features: Features, shapeless: int = 0) -> list[tuple[str, str]]:
    found = []
    large = {size: count for size, count in features.sizes.items() if max(size) > MAX_SIDE}
    if large:
        width, height = max(large)
        words = f"{counted(sum(large.values()), 'feature')} larger than {MAX_SIDE} pixels"
        found.append(("package-size", f"{words}: one has {width:,} × {height:,}"))
    # Without a geometry there is nothing to take a size from, which is said elsewhere.
    unsized = features.unsized - shapeless
    if unsized > 0:
        words = "without a size: width and height, or resolution, in the file or in input.defaults"
        found.append(("package-unsized", f"{counted(unsized, 'feature')} {words}"))
    return found
