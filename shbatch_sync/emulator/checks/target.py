"""`output`: raster or Zarr, and where it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shbatch_sync.emulator.checks.storage import (
    check_raster_template,
    check_storage,
    check_zarr_template,
)
from shbatch_sync.emulator.checks.zarr import check_arrays, check_group

if TYPE_CHECKING:
    from shbatch_sync.emulator.checks.shape import Node
    from shbatch_sync.emulator.grids import Grid

_RESAMPLING = frozenset(
    {
        *("nearest", "average", "gauss", "cubic", "cubicspline", "lanczos"),
        *("average_magphase", "mode"),
    }
)


@dataclass(frozen=True, slots=True)
class Context:
    """What the rules of an output depend on: the responses (identifier, format), grid and resolution."""

    responses: list[tuple[str, str]]
    grid: tuple[Grid, float] | None


def check_target(parent: Node, context: Context) -> None:
    """Check `output`."""
    target = parent.object("output", required=True)
    if target is None:
        return
    kind = target.choice("type", {"raster", "zarr"}, required=True)
    if kind == "raster":
        _check_raster(target, context)
    elif kind == "zarr":
        _check_zarr(target, context)


def _check_raster(target: Node, context: Context) -> None:
    place = check_storage(target, "delivery")
    if place is not None:
        check_raster_template(*place, len(context.responses))
    for key in ("overwrite", "skipExisting"):
        target.flag(key)
    target.text("collectionId")
    if any(form == "zarr/array" for _, form in context.responses):
        target.fault("type is raster but a response is zarr/array")
    _check_cog(target, context)


def _check_cog(target: Node, context: Context) -> None:
    cog = target.flag("cogOutput")
    _check_cog_parameters(target)
    if target.flag("createCollection") and not cog:
        target.blame("createCollection", "needs cogOutput")
    # Real bodies ask for COG beside a userdata JSON, so that one is no hindrance.
    tiffs = [form for name, form in context.responses if name != "userdata"]
    if cog and any(form != "image/tiff" for form in tiffs):
        target.blame("cogOutput", "needs every output to be image/tiff")


def _check_cog_parameters(target: Node) -> None:
    chosen = target.object("cogParameters")
    if chosen is None:
        return
    chosen.choice("resamplingAlgorithm", _RESAMPLING)
    chosen.flag("usePredictor")
    for key in ("overviewMinSize", "blockxsize", "blockysize"):
        chosen.number(key, 1, whole=True)
    for level in chosen.items("overviewLevels"):
        if not isinstance(level.value, int) or isinstance(level.value, bool):
            level.fault("must be an integer")


def _check_zarr(target: Node, context: Context) -> None:
    place = check_storage(target, "delivery")
    if place is not None:
        check_zarr_template(*place)
    if any(form != "zarr/array" for _, form in context.responses):
        target.fault("type is zarr, so every response must be zarr/array")
    if context.grid is not None and not context.grid[0].zarr:
        target.fault(f"Zarr output is not possible on tiling grid {context.grid[0].id}")
    check_group(target)
    check_arrays(target, [name for name, _ in context.responses], context.grid)
