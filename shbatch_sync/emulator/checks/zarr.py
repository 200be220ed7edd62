"""The arrays of a Zarr output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shbatch_sync.emulator.checks.shape import is_number

if TYPE_CHECKING:
    from shbatch_sync.emulator.checks.shape import Node
    from shbatch_sync.emulator.grids import Grid

_REQUIRED = ("dtype", "order", "chunks", "fill_value")
_NOT_FINITE = frozenset({"NaN", "Infinity", "-Infinity"})
_RANGES: dict[str, tuple[float, float]] = {
    "|u1": (0, 255),
    "|i1": (-128, 127),
    "<u2": (0, 65535),
    ">u2": (0, 65535),
    "<i2": (-32768, 32767),
    ">i2": (-32768, 32767),
}
_DTYPES = frozenset({*_RANGES, "<f4", ">f4", "<f8", ">f8"})


def check_group(target: Node) -> None:
    """Check `group`."""
    group = target.object("group", required=True)
    if group is None:
        return
    if group.number("zarr_format", required=True, whole=True) not in {None, 2.0}:
        group.blame("zarr_format", "must be 2")
    coordinates = group.object("coordinates")
    if coordinates is not None:
        coordinates.choice("origin", {"topLeft", "bottomLeft"})
    group.object("customAttributes")


def check_arrays(target: Node, outputs: list[str], grid: tuple[Grid, float] | None) -> None:
    """Check `arrayParameters` and `arrayOverrides`."""
    common = target.object("arrayParameters")
    overrides = target.object("arrayOverrides")
    covered = overrides is not None and all(_is_complete(overrides, name) for name in outputs)
    if common is None and not target.has("arrayParameters") and not covered:
        target.blame(
            "arrayParameters", "is required unless arrayOverrides says everything of every output"
        )
    if common is not None:
        for key in _REQUIRED if not covered else ():
            common.need(key)
        _check_array(common, {}, grid)
    if overrides is None:
        return
    inherited = common.value if common is not None else {}
    for name in overrides.value:
        array = overrides.object(name)
        if array is not None:
            array.object("customAttributes")
            _check_array(array, inherited, grid)


def _is_complete(overrides: Node, name: str) -> bool:
    array = overrides.value.get(name)
    return isinstance(array, dict) and all(key in array for key in _REQUIRED)


def _check_array(
    array: Node, inherited: dict[str, object], grid: tuple[Grid, float] | None
) -> None:
    array.choice("order", {"C"})
    array.object("compressor")
    array.choice("dtype", _DTYPES)
    _check_chunks(array, grid)
    fill = array.get("fill_value")
    if fill is not None:
        _check_fill(fill, array.value.get("dtype", inherited.get("dtype")))


def _check_chunks(array: Node, grid: tuple[Grid, float] | None) -> None:
    sizes = array.numbers("chunks", 3)
    if sizes is None:
        return
    if any(size < 1 or size != int(size) for size in sizes):
        array.blame("chunks", "must be whole numbers above 0")
        return
    if sizes[0] != 1:
        array.blame("chunks", "must begin with 1")
    pixels = round(grid[0].size / grid[1]) if grid is not None else None
    if pixels is not None and any(pixels % size for size in sizes[1:]):
        array.blame("chunks", f"must divide the {pixels} pixels of a tile")


def _check_fill(fill: Node, dtype: object) -> None:
    value = fill.value
    named = isinstance(value, str) and value in _NOT_FINITE
    if not named and not is_number(value):
        fill.fault("must be a number")
        return
    limits = _RANGES.get(dtype) if isinstance(dtype, str) else None
    whole = not named and value == int(value)
    if limits is not None and not (whole and limits[0] <= value <= limits[1]):
        fill.fault(f"{value} cannot be written as {dtype}")
