from __future__ import annotations

import json
import random
import re
from types import MappingProxyType

import pyproj
import pytest
import shapely
from shapely.geometry import mapping, shape

from shbatch_sync.cost import tiles as module
from shbatch_sync.cost.area import bounds_geometry, to_lonlat
from shbatch_sync.cost.crs import AreaError, epsg_of
from shbatch_sync.cost.mgrs import band, square_name
from shbatch_sync.cost.tiles import Tiles, count_tiles

CORSICA = {"bbox": [8.44, 41.31, 9.66, 43.1]}
RESOLUTION = {0: 20, 1: 10, 2: 60, 3: 0.0002, 6: 100, 7: 20}
UTM_GRIDS = {0: (5, 20_040, 60), 1: (10, 10_000, 1), 2: (1, 100_080, 60)}


def url(epsg: int) -> str:
    return f"http://www.opengis.net/def/crs/EPSG/0/{epsg}"


def box(west: float, south: float, east: float, north: float, epsg: int = 4326) -> dict:
    return {"bbox": [west, south, east, north], "properties": {"crs": url(epsg)}}


def polygon(geometry, epsg: int = 4326) -> dict:
    return {"geometry": mapping(geometry), "properties": {"crs": url(epsg)}}


def tiles(grid: int, bounds: dict) -> Tiles:
    return count_tiles(grid, bounds, RESOLUTION[grid])


def names(grid: int, bounds: dict) -> set[str]:
    found = tiles(grid, bounds)
    listed = list(found.names())
    assert len(listed) == len(set(listed)) == found.count
    assert found.low <= found.count <= found.high
    return set(listed)


@pytest.mark.parametrize(("grid", "count"), [(0, 66), (1, 231)])
def test_corsica(grid, count):
    found = tiles(grid, CORSICA)
    assert (found.low, found.count, found.high) == (count, count, count)
    assert {name[:2] for name in found.names()} == {"32"}


@pytest.mark.parametrize(
    ("name", "grid", "bounds"),
    [
        ("31UDS_7_2", 1, box(470_000, 5_670_000, 480_000, 5_680_000, 32631)),
        ("28PBB_2_6", 1, box(220_000, 1_630_000, 230_000, 1_640_000, 32628)),
        ("N04E004", 3, box(4, 4, 5, 5)),
    ],
)
def test_verified_tile_is_the_only_one_that_its_own_outline_reaches_into(name, grid, bounds):
    found = tiles(grid, bounds)
    assert list(found.names()) == [name]
    assert found.high == 9
    assert any("only touch" in note for note in found.inferred)


def test_verified_100_km_tile():
    inside = box(399_960 + 200, 3_899_940 + 200, 500_040 - 200, 4_000_020 - 200, 32631)
    assert names(2, inside) == {"31SDV_0_0"}
    assert names(2, box(399_960 - 5, 3_950_000, 399_960 + 5, 3_950_010, 32631)) == {
        "31SCV_0_0",
        "31SDV_0_0",
    }
    found = count_tiles(2, inside, 360, 5, 10)
    assert found.pixels_per_tile == (288, 298)
    assert found.total_pixels == 288 * 298


@pytest.mark.parametrize(
    ("grid", "resolution", "side"),
    [
        (0, 10, 2004),
        (0, 60, 334),
        (1, 10, 1000),
        (1, 1.4999, 6667),
        (2, 60, 1668),
        (2, 360, 278),
        (3, 0.0001, 10_000),
        (6, 40, 2500),
        (7, 10, 2000),
    ],
)
def test_pixels(grid, resolution, side):
    assert count_tiles(grid, CORSICA, resolution).pixels_per_tile == (side, side)


def test_degree_names_in_every_quarter():
    assert names(3, box(-0.5, -0.5, 0.5, 0.5)) == {"N00E000", "N00W001", "S01E000", "S01W001"}


def test_laea_tiles_lie_at_multiples_of_their_size():
    found = tiles(6, box(4_110_000, 2_010_000, 4_190_000, 2_090_000, 3035))
    assert list(found.names()) == ["E4100N2000"]
    assert tiles(7, box(4_110_000, 2_010_000, 4_130_000, 2_030_000, 3035)).count == 4
    assert found.inferred


def test_laea_has_no_tile_outside_europe():
    found = tiles(6, box(100, 0, 101, 1))
    assert (found.count, found.high) == (0, 0)
    assert any("outside Europe" in note for note in found.inferred)


def test_zone_border_has_tiles_of_both_zones():
    found = tiles(1, box(5.95, 45.0, 6.05, 45.05))
    zones = {name[:2] for name in found.names()}
    assert zones == {"31", "32"}
    beyond = tiles(1, box(6.001, 45.0, 6.01, 45.05))
    assert {name[:2] for name in beyond.names()} == {"31", "32"}
    assert beyond.low < beyond.count
    assert any("zone border" in note for note in beyond.inferred)
    assert not any("zone" in note for note in tiles(1, box(8.5, 45.0, 8.6, 45.05)).inferred)


@pytest.mark.parametrize(
    ("place", "zone"),
    [
        ((4.0, 60.0), "32V"),  # Norway: zone 32 begins at 3 degrees
        ((2.5, 60.0), "31V"),
        ((4.0, 55.0), "31U"),
        ((4.0, 65.0), "31W"),
        ((8.0, 78.0), "31X"),  # Svalbard: zones 32, 34 and 36 are not used
        ((10.0, 78.0), "33X"),
        ((22.0, 78.0), "35X"),
        ((34.0, 78.0), "37X"),
    ],
)
def test_norway_and_svalbard(place, zone):
    x, y = place
    assert {name[:3] for name in names(1, box(x, y, x + 0.01, y + 0.01))} == {zone}


def test_zones_that_svalbard_leaves_out_have_no_tile():
    found = {name[:3] for name in names(2, box(0, 74, 42, 79))}
    assert found - {"30X", "38X"} == {"31X", "33X", "35X", "37X"}


@pytest.mark.parametrize(
    ("latitude", "letter"),
    [(-80.5, "C"), (-0.1, "M"), (0.1, "N"), (47.9, "T"), (48.1, "U"), (71.9, "W"), (80.5, "X")],
)
def test_bands(latitude, letter):
    assert band(latitude) == letter


def test_row_letters_go_on_across_the_equator():
    assert square_name(31, 1, 0, 0.5) == "31NAA"
    assert square_name(31, 1, -1, -0.5) == "31MAV"
    assert square_name(32, 1, 0, 0.5) == "32NJF"


def test_antimeridian_in_two_parts():
    parts = shapely.MultiPolygon(
        [shapely.box(179.9, 0, 180, 0.1), shapely.box(-180, 0, -179.9, 0.1)]
    )
    split = names(1, polygon(parts))
    assert {name[:2] for name in split} == {"60", "01"}
    assert split == names(1, polygon(shapely.box(179.9, 0, 180.1, 0.1)))
    assert split == names(1, polygon(shapely.box(-180.1, 0, -179.9, 0.1)))
    assert names(3, polygon(shapely.box(179.9, 0.1, 180.1, 0.2))) == {"N00E179", "N00W180"}


def test_antimeridian_in_a_projected_crs():
    across = box(255_000, 5_000_000, 275_000, 5_010_000, 32601)
    east, west = {"60"}, {"01"}
    found = {name[:2] for name in names(1, across)}
    assert found & west
    assert found <= east | west
    assert tiles(1, across).count < 30


def test_an_area_once_round_the_world_is_noticed():
    assert any("antimeridian" in note for note in tiles(2, box(-179, 0, 179, 0.1)).inferred)


def test_pole():
    around = box(-300_000, -300_000, 300_000, 300_000, 3413)
    found = names(3, around)
    assert {name for name in found if name.startswith("N89")} == {
        f"N89{side}{n:03d}"
        for side, n in [("E", i) for i in range(180)] + [("W", i) for i in range(1, 181)]
    }
    south = names(3, box(-300_000, -300_000, 300_000, 300_000, 3031))
    assert sum(name.startswith("S90") for name in south) == 360
    assert tiles(1, around).count == 0  # the UTM grids end before


def test_a_ring_around_the_pole_has_no_tiles_inside():
    ring = shapely.Point(0, 0).buffer(2_000_000).difference(shapely.Point(0, 0).buffer(1_500_000))
    found = names(3, polygon(ring, 3413))
    assert not any(name.startswith("N89") for name in found)
    assert len({name[3:] for name in found}) == 360


def test_utm_grids_end_near_80_degrees():
    north = [tiles(grid, box(3.4, 79, 3.6, 84)) for grid in (0, 1, 2)]
    assert all(any("inferred" in note for note in found.inferred) for found in north)
    assert tiles(1, box(3.4, 80.65, 3.6, 84)).count == 0
    assert tiles(0, box(3.4, 80.65, 3.6, 84)).count > 0
    assert tiles(2, box(3.4, 80.95, 3.6, 84)).count > 0
    assert tiles(1, box(3.4, -84, 3.6, -80.65)).count == 0


def test_holes_have_no_tiles():
    hole = shapely.box(450_000, 5_050_000, 550_000, 5_150_000)
    outer = shapely.box(400_000, 5_000_000, 600_000, 5_200_000)
    whole, cut = names(1, polygon(outer, 32633)), names(1, polygon(outer.difference(hole), 32633))
    assert len(whole) == 400
    assert len(whole) - len(cut) == 100


def test_bbox_frames_and_geometry_clips():
    both = {"bbox": [8.0, 41.0, 9.0, 42.0], "geometry": mapping(shapely.box(8.5, 41.5, 9.5, 42.5))}
    assert names(1, both) == names(1, box(8.5, 41.5, 9.0, 42.0))


@pytest.mark.parametrize(
    ("written", "epsg"),
    [
        (None, 4326),
        ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", 4326),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", 4326),
        ("http://www.opengis.net/def/crs/EPSG/0/32633", 32633),
        ("urn:ogc:def:crs:EPSG::3035", 3035),
        ("EPSG:3857", 3857),
        (32633, 32633),
        ({"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::28992"}}, 28992),
    ],
)
def test_crs_references(written, epsg):
    assert epsg_of(written) == epsg


SERVICE_CRS = [3857, 2154, 2180, 2193, 3003, 3004, 3005, 3006, 3031, 3035, 3161, 3346, 3413, 3416]
SERVICE_CRS += [3578, 3580, 3765, 3794, 3844, 3912, 3995, 4026, 5514, 28992, 32184, 32601, 32760]


@pytest.mark.parametrize("epsg", SERVICE_CRS)
def test_every_crs_of_the_service_is_understood(epsg):
    crs = pyproj.CRS.from_epsg(epsg)
    middle = crs.area_of_use
    x = (middle.west + middle.east) / 2 if middle.west < middle.east else 179.0
    y = max(-78.0, min(78.0, (middle.south + middle.north) / 2))
    to = pyproj.Transformer.from_crs(4326, epsg, always_xy=True)
    east, north = to.transform(x, y)
    found = names(1, box(east - 500, north - 500, east + 500, north + 500, epsg))
    assert 1 <= len(found) <= 8
    assert found & names(1, box(x - 1e-4, y - 1e-4, x + 1e-4, y + 1e-4))


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ({}, "neither"),
        ({"geometry": {"type": "Point", "coordinates": [1, 2]}}, "not Point"),
        ({"geometry": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}}, "broken"),
        ({"geometry": {"type": "Polygon", "coordinates": "x"}}, "broken"),
        ({"geometry": {"type": "Polygon", "coordinates": []}}, "empty"),
        ({"geometry": [1]}, "not nothing"),
        ({"bbox": [1, 2, 3]}, "four numbers"),
        ({"bbox": [3, 0, 1, 1]}, "no area"),
        ({"bbox": [500_000, 5_000_000, 500_010, 5_000_010]}, "is a crs missing"),
        ({"bbox": [0, 0, 1, 1], "properties": {"crs": "EPSG:1"}}, "not a coordinate"),
        ({"bbox": [0, 0, 1, 1], "properties": {"crs": url(99999)}}, "not a known"),
        (box(1e9, 1e9, 2e9, 2e9, 32633), "no meaning"),
    ],
)
def test_areas_that_cannot_be_used_are_named(bounds, said):
    with pytest.raises(AreaError, match=said):
        tiles(1, bounds)


@pytest.mark.parametrize(
    ("grid", "resolution", "buffer"),
    [(4, 10, 0), (1, 0, 0), (1, -1, 0), (1, 1e-9, 0), (1, 10, -600)],
)
def test_grids_and_resolutions_that_do_not_exist(grid, resolution, buffer):
    with pytest.raises(AreaError):
        count_tiles(grid, CORSICA, resolution, buffer)


def test_a_bow_tie_is_repaired():
    bow = {"type": "Polygon", "coordinates": [[[8, 42], [9, 43], [9, 42], [8, 43], [8, 42]]]}
    assert 0 < tiles(1, {"geometry": bow}).count < tiles(1, box(8, 42, 9, 43)).count


# --- brute force -------------------------------------------------------------------------------------------------
# Every reported tile is turned into longitudes and latitudes and must meet the area there; every point of the area
# must lie in a reported tile of the zone that another library (utm) puts it in.


def areas(folder):
    for path in sorted(folder.glob("*.geojson")):
        read = json.loads(path.read_text())
        crs = read.get("crs")
        if path.stem == "cdse_serre_poncon_3035":
            crs = "EPSG:3035"
        found = read.get("features", [read])
        shapes = [shape(item.get("geometry", item)) for item in found]
        flat = [part for part in shapes if part.area > 0]
        if flat and path.stem not in ("oe_near_and_far", "shpy_utmzones"):
            yield path.stem, shapely.union_all(flat), epsg_of(crs)


def outline(grid: int, name: str) -> tuple[shapely.Polygon, int]:
    """Work out a UTM tile from its name, by searching rather than by the code's own arithmetic."""
    side, size, snap = UTM_GRIDS[grid]
    zone, letter, column, row, across, down = re.fullmatch(
        r"(\d\d)([C-X])([A-Z])([A-V])_(\d)_(\d)", name
    ).groups()
    start = {1: "A", 2: "J", 0: "S"}[int(zone) % 3]
    east = (
        "ABCDEFGHJKLMNPQRSTUVWXYZ".index(column) - "ABCDEFGHJKLMNPQRSTUVWXYZ".index(start) + 1
    ) * 100_000
    back = pyproj.Transformer.from_crs(32600 + int(zone), 4326, always_xy=True)
    bottom = -80 + 8 * "CDEFGHJKLMNPQRSTUVWX".index(letter)
    first = "ABCDEFGHJKLMNPQRSTUV".index(row) - (5 if int(zone) % 2 == 0 else 0)
    for cycle in range(-6, 7):
        north = (first + 20 * cycle) * 100_000
        latitude = back.transform(east + 50_000, north + 50_000)[1]
        if bottom - 1.5 <= latitude <= bottom + (12 if letter == "X" else 8) + 0.5:
            break
    else:
        raise AssertionError(name)
    left = east // snap * snap + int(across) * size
    top = -(-(north + 100_000) // snap) * snap - int(down) * size
    assert 0 <= int(across) < side
    return shapely.box(left, top - size, left + size, top), int(zone)


def turned_to(geometry, source: int, target: int):
    move = pyproj.Transformer.from_crs(source, target, always_xy=True).transform
    return shapely.transform(geometry, move, interleaved=False)


@pytest.mark.parametrize("grid", [0, 1, 2])
def test_corpus_areas_by_brute_force(corpus, grid):
    utm = pytest.importorskip("utm")
    chance = random.Random(7)
    checked = 0
    for stem, area, epsg in areas(corpus / "aois"):
        found = tiles(grid, polygon(area, epsg))
        listed = set(found.names())
        assert len(listed) == found.count, stem
        fine = area if epsg == 4326 else area.segmentize(area.length / 2000)
        lonlat = turned_to(fine, epsg, 4326)
        shapely.prepare(lonlat)
        for name in chance.sample(sorted(listed), min(25, len(listed))):
            square, zone = outline(grid, name)
            seen = turned_to(square.segmentize(1000), 32600 + zone, 4326)
            assert lonlat.intersects(seen.buffer(1e-3)), (stem, name)
        for point in _points(area, chance):
            x, y = pyproj.Transformer.from_crs(epsg, 4326, always_xy=True).transform(
                point.x, point.y
            )
            if abs(y) > 80:
                continue
            east, north, zone, _ = utm.from_latlon(y, x)
            holder = _holder(grid, east, north - (0 if y >= 0 else 10_000_000), zone, y)
            assert holder & listed, (stem, x, y, holder)
            checked += 1
    assert checked > 500


def _points(area, chance):
    """Take vertices and points inside."""
    west, south, east, north = area.bounds
    made = [shapely.Point(p) for p in shapely.get_coordinates(area)]
    chosen = chance.sample(made, min(20, len(made)))
    inside = []
    shapely.prepare(area)
    for _ in range(400):
        point = shapely.Point(chance.uniform(west, east), chance.uniform(south, north))
        if area.contains(point):
            inside.append(point)
    return chosen + inside[:20]


def _holder(grid: int, east: float, north: float, zone: int, latitude: float) -> set[str]:
    """Name the tiles that hold a point; near an edge, all that might."""
    side, size, snap = UTM_GRIDS[grid]
    made = set()
    for de in (-2, 2):
        for dn in (-2, 2):
            for column in range(int((east + de) // 100_000) - 1, int((east + de) // 100_000) + 2):
                for row in range(
                    int((north + dn) // 100_000) - 1, int((north + dn) // 100_000) + 2
                ):
                    left = column * 100_000 // snap * snap
                    top = -(-(row + 1) * 100_000 // snap) * snap
                    i, j = int((east + de - left) // size), int((top - north - dn) // size)
                    if 0 <= i < side and 0 <= j < side and 1 <= column <= 8:
                        made |= {
                            f"{square_name(zone, column, row, latitude + d)}_{i}_{j}"
                            for d in (-0.9, 0, 0.9)
                        }
    return made


def test_corpus_areas_by_brute_force_in_degrees(corpus):
    for stem, area, epsg in areas(corpus / "aois"):
        lonlat = to_lonlat(*bounds_geometry(polygon(area, epsg)))
        west, south, east, north = lonlat.bounds
        if (east - west) * (north - south) > 900:
            continue
        expected, edge = set(), 2e-5
        for x in range(int(west // 1), int(east // 1) + 1):
            for y in range(max(-90, int(south // 1)), min(89, int(north // 1)) + 1):
                inner = shapely.clip_by_rect(lonlat, x + edge, y + edge, x + 1 - edge, y + 1 - edge)
                if not inner.is_empty:
                    lon = (x + 180) % 360 - 180
                    expected.add(
                        f"{'S' if y < 0 else 'N'}{abs(y):02d}{'W' if lon < 0 else 'E'}{abs(lon):03d}"
                    )
        assert names(3, polygon(area, epsg)) == expected, stem


def test_tuples_and_other_mappings_are_areas_too():
    frozen = MappingProxyType({"bbox": (8.5, 41.5, 9.0, 42.0), "properties": MappingProxyType({})})
    assert names(1, frozen) == names(1, box(8.5, 41.5, 9.0, 42.0))


def test_only_the_last_areas_are_remembered(monkeypatch):
    monkeypatch.setattr(module, "MAX_KNOWN", 2)
    monkeypatch.setattr(module, "_KNOWN", {})
    for i in range(4):
        assert tiles(3, box(i + 0.1, 0.1, i + 0.2, 0.2)).count == 1
        assert len(module._KNOWN) <= 2
