"""The data sets of both deployments: how the service calls them back and what their filters allow."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TypeAlias

_OWN_DATA = re.compile(r"(byoc|batch|zarr)-\S+")
_RESAMPLING = frozenset({"NEAREST", "BILINEAR", "BICUBIC"})
_ORBITS = frozenset({"ASCENDING", "DESCENDING"})
_DEM = frozenset({"MAPZEN", "COPERNICUS_30", "COPERNICUS_90"})

Choices: TypeAlias = dict[str, frozenset[str]]
Ranges: TypeAlias = dict[str, tuple[float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """What the service knows of one kind of data.

    Attributes:
        alias: The name in its answers; None where it is what was sent.
        clouds: Cloud cover is known, so `leastCC` is an order.
        optical: The filter has a `previewMode`.
        filtered: There is a filter with an order of mosaicking.
        filters: Closed lists in `dataFilter`.
        processing: Closed lists in `processing`.
        ranges: Numbers in `processing`.
        switches: Booleans in `processing`.
    """

    alias: str | None = None
    clouds: bool = False
    optical: bool = False
    filtered: bool = True
    filters: Choices = field(default_factory=dict)
    processing: Choices = field(default_factory=dict)
    ranges: Ranges = field(default_factory=dict)
    switches: frozenset[str] = frozenset()


RESAMPLING: Choices = {"upsampling": _RESAMPLING, "downsampling": _RESAMPLING}
"""What every data set's `processing` has."""

_OWN = Dataset()
_S2 = Dataset(clouds=True, optical=True, switches=frozenset({"harmonizeValues"}))
_LANDSAT = Dataset(clouds=True, optical=True, filters={"tiers": frozenset({"TIER_1", "ALL_TIERS"})})
_LANDSAT_RT = replace(
    _LANDSAT, filters={"tiers": frozenset({"TIER_1", "TIER_1_AND_RT", "ALL_TIERS"})}
)
_S1 = Dataset(
    alias="S1GRD",
    filters={
        "resolution": frozenset({"HIGH", "MEDIUM", "FULL"}),
        "acquisitionMode": frozenset({"SM", "IW", "EW", "WV", "EN", "AN", "IM"}),
        "polarization": frozenset({"SH", "SV", "DH", "DV", "HH", "HV", "VV", "VH"}),
        "orbitDirection": _ORBITS,
        "timeliness": frozenset(
            {"NRT10m", "NRT1h", "NRT3h", "Fast24h", "Offline", "Reprocessing", "ArchNormal"}
        ),
    },
    processing={
        "backCoeff": frozenset({"BETA0", "SIGMA0_ELLIPSOID", "GAMMA0_ELLIPSOID", "GAMMA0_TERRAIN"}),
        "demInstance": _DEM | {"COPERNICUS"},
    },
    ranges={"radiometricTerrainOversampling": (1, 4)},
    switches=frozenset({"orthorectify"}),
)

DATASETS: dict[str, Dataset] = {
    "sentinel-1-grd": _S1,
    "sentinel-2-l1c": replace(_S2, alias="S2L1C"),
    "sentinel-2-l2a": replace(_S2, alias="S2L2A"),
    "landsat-8-l1c": replace(_LANDSAT_RT, alias="L8L1C"),
    "landsat-ot-l1": replace(_LANDSAT_RT, alias="LOTL1"),
    "landsat-ot-l2": replace(_LANDSAT, alias="LOTL2"),
    "landsat-etm-l1": replace(_LANDSAT_RT, alias="LETML1"),
    "landsat-etm-l2": replace(_LANDSAT, alias="LETML2"),
    "landsat-tm-l1": replace(_LANDSAT, alias="LTML1"),
    "landsat-tm-l2": replace(_LANDSAT, alias="LTML2"),
    "landsat-mss-l1": replace(_LANDSAT, alias="LMSSL1"),
    "modis": Dataset(alias="MODIS"),
    "hls": Dataset(
        alias="HLS",
        clouds=True,
        optical=True,
        filters={"constellation": frozenset({"SENTINEL", "LANDSAT"})},
    ),
    "dem": Dataset(
        alias="DEM",
        filtered=False,
        filters={"demInstance": _DEM | {"COPERNICUS"}},
        switches=frozenset({"clampNegative", "egm"}),
    ),
    "sentinel-3-olci": Dataset(alias="S3OLCI"),
    "sentinel-3-olci-l2": Dataset(clouds=True),
    "sentinel-3-slstr": Dataset(
        alias="S3SLSTR",
        clouds=True,
        filters={"orbitDirection": _ORBITS},
        processing={"view": frozenset({"NADIR", "OBLIQUE"})},
    ),
    "sentinel-3-slstr-l2": Dataset(clouds=True, filters={"orbitDirection": _ORBITS}),
    "sentinel-3-synergy-l2": Dataset(clouds=True),
    "sentinel-5p-l2": Dataset(
        alias="S5PL2",
        filters={"timeliness": frozenset({"NRTI", "OFFL", "RPRO"})},
        ranges={"minQa": (0, 100)},
    ),
}
"""By the name in the documentation. Sentinel-3 and 5P are only on Copernicus Data Space."""

_BY_ALIAS = {dataset.alias: dataset for dataset in DATASETS.values() if dataset.alias}


def find_dataset(name: str) -> Dataset | None:
    """Return what is known of a `type`: a documented name, an alias of old, or one's own collection."""
    if _OWN_DATA.fullmatch(name):
        return _OWN
    return DATASETS.get(name) or _BY_ALIAS.get(name)
