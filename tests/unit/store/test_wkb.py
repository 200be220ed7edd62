from __future__ import annotations

import struct

import pytest
import shapely

from shbatch_sync.store.wkb import (
    GeometryError,
    body_of,
    box_of,
    check_area,
    is_area,
    is_plain,
    kind_of,
)
from tests.geopackages import FIELD, blob

HOLED = shapely.box(0, 0, 9, 9).difference(shapely.box(2, 2, 3, 3))
MULTI = shapely.MultiPolygon([HOLED, shapely.box(20, 20, 30, 40)])
HIGH = shapely.force_3d(HOLED, 7.0)


@pytest.mark.parametrize("geometry", [FIELD, HOLED, MULTI, HIGH], ids=lambda one: one.wkt[:20])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("envelope", [False, True])
def test_areas_are_read_as_they_are(geometry, big, envelope):
    data = blob(geometry, envelope=envelope, big=big)
    body = body_of(data)
    if not geometry.has_z:  # shapely writes those with the flag of another dialect
        assert is_area(kind_of(body))
        check_area(body)
        assert box_of(data) == geometry.bounds
    assert is_plain(body) == (geometry is FIELD and not big)


def iso(geometry: shapely.Geometry) -> bytes:
    return shapely.to_wkb(geometry, byte_order=1, flavor="iso")


def test_heights_are_passed_over():
    check_area(iso(HIGH))
    assert kind_of(iso(HIGH)) == "Polygon"
    assert box_of(b"GP\0\1\0\0\0\0" + iso(HIGH)) == HIGH.bounds


@pytest.mark.parametrize(
    ("geometry", "kind"),
    [
        (shapely.Point(1, 2), "Point"),
        (shapely.LineString([(0, 0), (1, 1)]), "LineString"),
        (shapely.GeometryCollection([FIELD]), "GeometryCollection"),
    ],
)
def test_others_are_named(geometry, kind):
    body = body_of(blob(geometry))
    assert kind_of(body) == kind
    assert not is_area(kind)
    with pytest.raises(GeometryError, match=f"is a {kind}"):
        check_area(body)


def test_a_kind_that_nobody_knows():
    assert kind_of(b"\1" + struct.pack("<I", 17)) == "type 17"
    assert kind_of(b"\1" + struct.pack("<I", 0x8000_0003)) == "type 2147483651"


def test_nothing_has_no_box():
    empty = b"GP\0\x11\0\0\0\0" + shapely.to_wkb(shapely.Polygon(), byte_order=1)
    assert box_of(empty) is None
    check_area(body_of(empty))
    no_ring = struct.pack("<BIII", 1, 3, 1, 0)
    assert box_of(b"GP\0\1\0\0\0\0" + no_ring) is None


def test_a_box_that_is_no_number():
    head = b"GP\0\3\0\0\0\0" + struct.pack("<4d", float("nan"), 1, 0, 1)
    assert box_of(head + shapely.to_wkb(FIELD)) is None


@pytest.mark.parametrize(
    "data",
    [
        None,
        5,
        b"",
        b"GP",
        b"XX\0\1\0\0\0\0",
        b"GP\0\x0f\0\0\0\0",
        b"GP\0\3\0\0\0\0",
        b"GP\0\x21\0\0\0\0",
    ],
)
def test_headers_that_are_none(data):
    with pytest.raises(GeometryError, match=r"GeoPackage's form|unknown kind"):
        body_of(data)


WHOLE = shapely.to_wkb(MULTI, byte_order=1)


def test_no_cut_is_taken_for_whole():
    for length in range(len(WHOLE)):
        with pytest.raises(GeometryError):
            check_area(WHOLE[:length])


@pytest.mark.parametrize(
    "body",
    [
        # more rings, polygons and positions than there are bytes
        struct.pack("<BII", 1, 3, 2**32 - 1),
        struct.pack("<BII", 1, 6, 2**32 - 1),
        struct.pack("<BIII", 1, 3, 1, 2**32 - 1) + bytes(64),
        # a byte order that is none
        b"\2" + WHOLE[1:],
        # collections within collections, as deep as it goes
        struct.pack("<BII", 1, 6, 1) + struct.pack("<BII", 1, 7, 1) * 100_000,
    ],
)
def test_lengths_are_not_believed(body):
    with pytest.raises(GeometryError):
        check_area(body)


@pytest.mark.parametrize(
    "ring", [[(0, 0), (1, 0), (1, 1), (0, 1)], [(0, 0), (1, 0), (0, 0)], [(0, 0)], []]
)
def test_open_rings(ring):
    body = struct.pack("<BIII", 1, 3, 1, len(ring)) + b"".join(struct.pack("<2d", *p) for p in ring)
    assert not is_plain(body)
    with pytest.raises(GeometryError, match="not closed"):
        check_area(body)
