"""Every worked example of the processing unit pages, to the digits that are printed there."""

from __future__ import annotations

import pytest

from shbatch_sync.cost.formula import (
    BATCH_FACTOR,
    area_factor,
    batch_factors,
    batch_pu,
    format_factor,
    fusion_factor,
    image_pu,
    radar_factor,
    samples_in,
)

FLOAT = format_factor(float32=True)
ORTHO = radar_factor(orthorectify=True)


def test_sentinel_1_change_detection():
    price = image_pu(area_factor(1024, 1024), bands=4, factors=(FLOAT, 2, ORTHO))
    assert f"{price:.3f}" == "42.667"


def test_small_parcel_pays_the_smallest_area():
    assert f"{image_pu(area_factor(20, 20), bands=2):.4f}" == "0.0067"


def test_500_pixels_orthorectified():
    price = image_pu(area_factor(500, 500), bands=2, factors=(ORTHO,))
    assert f"{price:.2f}" == "1.27"
    assert f"{500 * price:.2f}" == "635.78"


def test_5000_pixels_orthorectified():
    price = image_pu(area_factor(5000, 5000), bands=2, factors=(ORTHO,))
    assert int(price * 100) / 100 == 127.15  # the page cuts the digits off
    assert int(500 * price) == 63_578
    assert int(500 * price * BATCH_FACTOR) == 21_192


@pytest.mark.parametrize(
    ("side", "bands", "factors", "printed"),
    [
        (512, 3, (), 1),
        (1024, 3, (), 4),
        (512, 6, (), 2),
        (512, 3, (FLOAT,), 2),
        (512, 3, (12,), 12),
        (1, 1, (), 0.005),
    ],
)
def test_simple_images(side, bands, factors, printed):
    assert image_pu(area_factor(side, side), bands=bands, factors=factors) == pytest.approx(printed)


def test_the_area_has_a_floor():
    assert area_factor(51, 51) == 0.01
    assert area_factor(52, 52) > 0.01


@pytest.mark.parametrize(
    ("side", "printed"),
    [
        (2004, "5.107"),
        (1002, "1.277"),
        (334, "0.1419"),
        (1000, "1.272"),
        (1668, "3.538"),
        (10_000, "127.2"),
    ],
)
def test_one_batch_tile_of_each_grid(side, printed):
    digits = len(printed.partition(".")[2])
    assert batch_factors(side, side) == (BATCH_FACTOR, BATCH_FACTOR)
    price = image_pu(area_factor(side, side), bands=3) * BATCH_FACTOR
    assert f"{price:.{digits}f}" == printed


def test_small_tiles_reach_the_minimum_at_705():
    tile = image_pu(area_factor(334, 334), bands=3) * BATCH_FACTOR
    assert batch_pu(704 * tile) == 100
    assert batch_pu(705 * tile) > 100


def test_tiles_of_up_to_10000_pixels_have_no_discount():
    assert batch_factors(99, 101) == (1.0, 1.0)
    assert batch_factors(100, 100) == (BATCH_FACTOR, 1.0)
    assert batch_factors(100, 101) == (BATCH_FACTOR, BATCH_FACTOR)


def test_fusion_counts_remote_collections_twice():
    assert fusion_factor(2, 1) == 4
    assert fusion_factor(1) == 1


@pytest.mark.parametrize(
    ("options", "factor"),
    [
        ({}, 1),
        ({"orthorectify": True}, 2),
        ({"terrain": True}, 2.5),
        ({"orthorectify": True, "terrain": True}, 2.5),
        ({"speckle": True}, 2),
        ({"orthorectify": True, "terrain": True, "speckle": True}, 5),
    ],
)
def test_radar_factors(options, factor):
    assert radar_factor(**options) == factor


@pytest.mark.parametrize(("days", "samples"), [(0, 1), (1, 1), (30, 10), (31, 10), (365, 122)])
def test_a_sample_for_every_three_days(days, samples):
    assert samples_in(days) == samples
