"""The price of a request in processing units (Processing Unit definition, Sentinel Hub docs).

    PU = max(width x height / 512^2, 0.01) x bands / 3 x format x samples x fusion x Sentinel-1

Batch: a third for tiles of more than 10,000 pixels, and at least 100 PU a request.
"""

from __future__ import annotations

from collections.abc import Iterable

PIXELS_OF_ONE = 512 * 512
SMALLEST_AREA = 0.01
SMALLEST_REQUEST = 0.005
BANDS_OF_ONE = 3
FLOAT_FACTOR = 2.0
ORTHORECTIFICATION = 2.0
TERRAIN_CORRECTION = 2.5
SPECKLE_FILTER = 2.0
BATCH_FACTOR = 1 / 3
BATCH_PIXELS = 10_000
BATCH_MINIMUM = 100.0
DAYS_PER_SAMPLE = 3.0


def area_factor(width: int, height: int) -> float:
    """Give how many times 512 x 512 pixels an image has, at least 0.01."""
    return max(width * height / PIXELS_OF_ONE, SMALLEST_AREA)


def format_factor(*, float32: bool) -> float:
    """Give the factor of the output: 2 for 32-bit float, 1 for 8 and 16 bits."""
    return FLOAT_FACTOR if float32 else 1.0


def fusion_factor(local: int, remote: int = 0) -> float:
    """Give the factor of data fusion: collections of this deployment, and twice those of others; 1 without fusion."""
    return float(local + 2 * remote) if local + remote > 1 else 1.0


def radar_factor(
    *, orthorectify: bool = False, terrain: bool = False, speckle: bool = False
) -> float:
    """Give the factor of Sentinel-1 processing; terrain correction takes the place of orthorectification."""
    shape = ORTHORECTIFICATION if orthorectify else 1.0
    factor = TERRAIN_CORRECTION if terrain else shape
    return factor * (SPECKLE_FILTER if speckle else 1.0)


def image_pu(area: float, *, bands: float, factors: Iterable[float] = ()) -> float:
    """Give the PU of one image outside batch, at least 0.005.

    Args:
        area: From `area_factor`.
        bands: Input bands, without `dataMask` unless it is the only one.
        factors: Format, samples, fusion, Sentinel-1.
    """
    price = area * bands / BANDS_OF_ONE
    for factor in factors:
        price *= factor
    return max(price, SMALLEST_REQUEST)


def batch_factors(width: int, height: int) -> tuple[float, float]:
    """Give the lowest and highest batch factor of a tile: they differ at exactly 10,000 pixels, which no page settles."""
    pixels = width * height
    if pixels == BATCH_PIXELS:
        return BATCH_FACTOR, 1.0
    factor = BATCH_FACTOR if pixels > BATCH_PIXELS else 1.0
    return factor, factor


def batch_pu(pu: float) -> float:
    """Give the price of a whole batch request from that of its tiles."""
    return max(pu, BATCH_MINIMUM)


def samples_in(days: float) -> float:
    """Give the samples a pixel has in so many days with ORBIT or TILE mosaicking, by the service's own rule of thumb."""
    return float(max(1, int(days / DAYS_PER_SAMPLE + 0.5)))
