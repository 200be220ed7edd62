from __future__ import annotations

import json

import pytest

from shbatch_sync.cost.calibration import MANY, Calibration, below_minimum, calibrate, calibrated
from shbatch_sync.cost.estimate import Estimate, estimate
from shbatch_sync.cost.features import Features

CORSICA = {"bbox": [8.44, 41.31, 9.66, 43.1]}
JANUARY = {"timeRange": {"from": "2024-01-01T00:00:00Z", "to": "2024-01-31T23:59:59Z"}}
TILE_1 = (
    1100 * 1100 / 512**2
) / 3  # PU of a grid 1 tile at 10 m with buffers of 50 pixels, for 3 bands


def script(inputs: str, output: str = "{bands: 1}", rest: str = "") -> str:
    return (
        f"//VERSION=3\nfunction setup() {{ return {{input: {inputs}, output: {output}{rest}}} }}\n"
    )


def body(
    evalscript: str = "", data: list | None = None, responses: list | None = None, **more
) -> dict:
    evalscript = evalscript or script('["B02", "B03", "B04"]')
    spec = {
        "processRequest": {
            "input": {
                "bounds": CORSICA,
                "data": data or [{"type": "sentinel-2-l2a", "dataFilter": JANUARY}],
            },
            "output": {
                "responses": responses
                or [{"identifier": "default", "format": {"type": "image/tiff"}}]
            },
            "evalscript": evalscript,
        },
        "input": {"type": "tiling-grid", "id": 1, "resolution": 10, "bufferX": 50, "bufferY": 50},
        "output": {"type": "raster"},
    }
    return spec | more


def test_simple_request():
    found = estimate(body())
    assert (found.tiles, found.pixels) == (231, 231 * 1100 * 1100)
    assert found.pu == pytest.approx(231 * TILE_1)
    assert (found.low, found.high) == (found.pu, found.pu)
    assert found.assumptions == ("tiles without data are counted in full",)


def test_minimum_of_100():
    found = estimate(body(input={"type": "tiling-grid", "id": 0, "resolution": 60}))
    assert found.pu == found.low == found.high == 100
    assert found.unfloored == pytest.approx(66 * 334 * 334 / 512**2 / 3)
    assert "a request costs at least 100 PU" in found.assumptions


def test_small_tiles_are_worked_out_in_the_issue_of_705_tiles():
    one = estimate(body(input={"type": "tiling-grid", "id": 0, "resolution": 60})).unfloored / 66
    assert 704 * one < 100 < 705 * one


@pytest.mark.parametrize(
    ("inputs", "bands"),
    [
        ('["B04", "dataMask"]', 1),
        ('["dataMask"]', 1),
        ('[{bands: ["B04", "B08", "SCL", "dataMask"], units: ["DN", "DN", "DN", "DN"]}]', 3),
        ('[{bands: ["B04", "B04"], units: ["DN", "REFLECTANCE"]}]', 2),
    ],
)
def test_bands(inputs, bands):
    found = estimate(body(script(inputs)))
    assert found.pu == pytest.approx(231 * TILE_1 * bands / 3)


def test_a_band_listed_twice_widens():
    found = estimate(body(script('["B04", "B04", "B08"]')))
    assert found.pu == pytest.approx(231 * TILE_1 * 2 / 3)
    assert found.high == pytest.approx(231 * TILE_1)


def test_samples():
    orbit = script('["B02", "B03", "B04"]', rest=', mosaicking: "ORBIT"')
    found = estimate(body(orbit))
    assert found.pu == pytest.approx(231 * TILE_1 * 10)
    assert found.low == pytest.approx(231 * TILE_1)
    assert found.high == found.pu
    said = estimate(body(orbit), samples=4)
    assert (said.low, said.pu, said.high) == (pytest.approx(231 * TILE_1 * 4),) * 3
    assert "samples a pixel 4, as the manifest says" in said.assumptions
    assert estimate(body(), samples=4).pu == pytest.approx(231 * TILE_1)


@pytest.mark.parametrize(
    ("last", "words"),
    [
        ("2024-01-01T01:00:00Z", "samples a pixel 1, for 1 day"),
        ("2024-01-03T23:59:59Z", "samples a pixel 1, for 3 days"),
        ("2024-01-30T23:59:59Z", "samples a pixel 10, one for every 3 of 30 days"),
    ],
)
def test_samples_are_told_with_their_days(last, words):
    orbit = script('["B02", "B03", "B04"]', rest=', mosaicking: "ORBIT"')
    data = {"timeRange": {"from": "2024-01-01T00:00:00Z", "to": last}}
    found = estimate(body(orbit, [{"type": "sentinel-2-l2a", "dataFilter": data}]))
    assert f"sentinel-2-l2a: {words}" in found.assumptions


def test_daily_sensors_have_a_higher_limit():
    orbit = script('["B02", "B03", "B04"]', rest=', mosaicking: "ORBIT"')
    found = estimate(body(orbit, [{"type": "sentinel-5p-l2", "dataFilter": JANUARY}]))
    assert found.high == pytest.approx(found.pu * 3.1)


def test_without_a_time_range_samples_are_unknown():
    tile = script('["B02"]', rest=', mosaicking: "TILE"')
    for data_filter in (
        {},
        {"timeRange": {"from": "soon", "to": 5}},
        {"timeRange": {"from": "2024-01-01"}},
    ):
        found = estimate(body(tile, [{"type": "byoc-x", "dataFilter": data_filter}]))
        assert (found.pu, found.high) == (None, None)
        assert any("estimate.samples" in note for note in found.assumptions)
    backwards = {"timeRange": {"from": "2024-02-01T00:00:00Z", "to": "2024-01-01T00:00:00Z"}}
    assert estimate(body(tile, [{"type": "byoc-x", "dataFilter": backwards}])).pu is None
    assert estimate(body(tile, [{"type": "dem"}])).pu == pytest.approx(231 * TILE_1 / 3)


def test_dropping_scenes_is_said():
    orbit = (
        script('["B02"]', rest=', mosaicking: "ORBIT"')
        + "function preProcessScenes(c) { return c }"
    )
    assert any("drops scenes" in note for note in estimate(body(orbit)).assumptions)


@pytest.mark.parametrize(
    ("output", "responses", "factors"),
    [
        ('{bands: 1, sampleType: "FLOAT32"}', ["default"], (2, 2)),
        ('{bands: 1, sampleType: "UINT16"}', ["default"], (1, 1)),
        ('[{id: "a", bands: 1, sampleType: "FLOAT32"}, {id: "b", bands: 1}]', ["a", "b"], (1, 2)),
        ('[{id: "a", bands: 1, sampleType: "FLOAT32"}, {id: "b", bands: 1}]', ["b"], (1, 1)),
        ('[{id: "a", bands: 1, sampleType: "FLOAT32"}]', ["userdata"], (1, 1)),
        ('[{id: "a", bands: 1, sampleType: "UINT8"}]', ["missing"], (1, 2)),
        ('[{id: "a", bands: 1, sampleType: Date.now()}]', ["a"], (1, 2)),
    ],
)
def test_output_factor(output, responses, factors):
    kinds = {"userdata": "application/json"}
    asked = [{"identifier": r, "format": {"type": kinds.get(r, "image/tiff")}} for r in responses]
    found = estimate(body(script('["B02", "B03", "B04"]', output), responses=asked))
    low, likely = factors
    assert found.pu == pytest.approx(231 * TILE_1 * likely)
    if "Date" not in output:
        assert found.low == pytest.approx(231 * TILE_1 * low)


def test_zarr_floats_are_doubled_with_a_word():
    asked = [{"identifier": "default", "format": {"type": "zarr/array"}}]
    found = estimate(body(script('["B02"]', '{bands: 1, sampleType: "FLOAT32"}'), responses=asked))
    assert found.pu == pytest.approx(2 * 231 * TILE_1 / 3)
    assert any("Zarr" in note for note in found.assumptions)


@pytest.mark.parametrize(
    ("processing", "factor"),
    [
        ({}, 1),
        ({"orthorectify": True}, 2),
        ({"orthorectify": "true", "backCoeff": "SIGMA0_ELLIPSOID"}, 2),
        ({"orthorectify": True, "backCoeff": "GAMMA0_TERRAIN"}, 2.5),
        ({"speckleFilter": {"type": "LEE", "windowSizeX": 3}}, 2),
        ({"speckleFilter": {"type": "NONE"}}, 1),
    ],
)
def test_sentinel_1(processing, factor):
    data = [{"type": "sentinel-1-grd", "dataFilter": JANUARY, "processing": processing}]
    assert estimate(body(script('["VV", "VH"]'), data)).pu == pytest.approx(
        231 * TILE_1 * 2 / 3 * factor
    )


def test_fusion_weighs_each_source():
    data = [
        {"type": "sentinel-2-l2a", "id": "s2", "dataFilter": JANUARY},
        {
            "type": "sentinel-1-grd",
            "id": "s1",
            "dataFilter": JANUARY,
            "processing": {"orthorectify": True},
        },
    ]
    inputs = '[{datasource: "s2", bands: ["B02", "dataMask"], mosaicking: "ORBIT"}, {datasource: "s1", bands: ["VV"]}]'
    found = estimate(body(script(inputs), data))
    assert found.pu == pytest.approx(231 * TILE_1 / 3 * (10 + 2) * 2)
    assert any("fusion" in note for note in found.assumptions)
    twice = estimate(body(script('["B02"]'), [data[0], data[0] | {"id": "again"}]))
    assert twice.low < twice.pu == twice.high


def test_mask_alone_in_one_source_of_a_fusion():
    data = [{"type": "sentinel-2-l2a", "id": "a"}, {"type": "dem", "id": "b"}]
    inputs = '[{datasource: "a", bands: ["dataMask"]}, {datasource: "b", bands: ["DEM"]}]'
    found = estimate(body(script(inputs), data))
    assert found.pu == pytest.approx(231 * TILE_1 * 2 / 3 * 2)
    assert found.low == pytest.approx(231 * TILE_1 * 1 / 3 * 2)


def test_script_that_cannot_be_told_has_no_upper_limit():
    found = estimate(body(script("bandsFromElsewhere")))
    assert (found.pu, found.high) == (None, None)
    doubted = estimate(body(script('["B02"]') + "let x = notDeclared;"))
    assert doubted.pu == pytest.approx(231 * TILE_1 / 3)
    assert doubted.high is None
    assert any("notDeclared" in note for note in doubted.assumptions)


def test_script_with_two_ways_has_limits():
    found = estimate(body(script('Math.random() > 1 ? ["B1"] : ["B1", "B2"]')))
    assert found.low == pytest.approx(231 * TILE_1 / 3)
    assert found.pu == found.high == pytest.approx(231 * TILE_1 * 2 / 3)
    counted = estimate(body(script('[{bands: ["a" + Date.now(), "b"]}]')))
    assert counted.pu == pytest.approx(231 * TILE_1 * 2 / 3)


def test_skip_existing_may_cost_nothing():
    assert estimate(body(output={"type": "raster", "skipExisting": True})).low == 0


def test_an_area_without_tiles_costs_nothing_at_least():
    spec = body(input={"type": "tiling-grid", "id": 6, "resolution": 100})
    spec["processRequest"]["input"]["bounds"] = {"bbox": [100, 0, 101, 1]}
    found = estimate(spec)
    assert (found.tiles, found.low, found.pu) == (0, 0.0, 100)


def test_touching_tiles_are_in_the_high_figure():
    spec = body(input={"type": "tiling-grid", "id": 3, "resolution": 0.0002})
    spec["processRequest"]["input"]["bounds"] = {"bbox": [4, 4, 5, 5]}
    found = estimate(spec)
    assert found.tiles == 1
    assert found.high > 2 * found.pu


GEOPACKAGE = {"type": "geopackage", "features": {"s3": {"url": "s3://b/a.gpkg"}}}


def test_geopackage_without_a_copy_is_unknown():
    found = estimate(body(input=GEOPACKAGE))
    assert (found.tiles, found.pu, found.high) == (None, None, None)
    assert any("localCopy" in note for note in found.assumptions)


def test_geopackage_with_a_copy():
    sizes = {(1100, 1100): 400, (50, 50): 10, (100, 100): 10}
    found = estimate(body(input=GEOPACKAGE), features=lambda: Features(sizes=sizes))
    small, edge = max(2500 / 512**2, 0.01), 10_000 / 512**2
    assert found.tiles == 420
    assert found.pu == pytest.approx(400 * TILE_1 + 10 * small + 10 * edge)
    assert found.low == pytest.approx(400 * TILE_1 + 10 * small + 10 * edge / 3)
    assert any("10,000" in note for note in found.assumptions)


def test_geopackage_with_sizes_missing_is_unknown():
    found = estimate(
        body(input=GEOPACKAGE), features=lambda: Features(sizes={(1100, 1100): 400}, unsized=2)
    )
    assert (found.tiles, found.pixels, found.pu) == (402, None, None)
    assert found.low == pytest.approx(400 * TILE_1)


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"processRequest": None, "input": 5},
        {"input": {"type": "tiling-grid"}},
        {"input": {"type": "tiling-grid", "id": "1", "resolution": 10}},
        {"input": {"type": "tiling-grid", "id": True, "resolution": 10}},
        {"processRequest": {"input": {"data": "x", "bounds": []}, "evalscript": 5}},
    ],
)
def test_bodies_that_make_no_sense_are_estimated_as_unknown(spec):
    found = estimate(spec)
    assert found.pu is None
    assert found.assumptions


def test_every_corpus_request_is_estimated(corpus):
    paths = sorted((corpus / "requests").rglob("*.json"))
    assert paths
    for path in paths:
        found = estimate(json.loads(path.read_text()))
        assert found.assumptions, path.name
        assert found.pu is None or found.low <= found.pu, path.name
        assert found.pu is None or found.high is None or found.pu <= found.high, path.name


def test_the_area_of_a_request_is_worked_out_once(corpus):
    path = corpus / "requests" / "cdse_docs_v2_raster_corsica.json"
    assert estimate(json.loads(path.read_text())) == estimate(json.loads(path.read_text()))


def test_calibration():
    found = calibrate([(1000, 500), (2000, 1600), (100, 100), (500, 0), (0, 10)])
    assert found == Calibration(ratio=0.7, pairs=2, lowest=0.5, highest=0.8)
    assert calibrate([]) == Calibration()


def test_a_calibrated_estimate_is_scaled_but_not_narrowed():
    guess = Estimate(pu=1000, low=800, high=1200, unfloored=1000)
    cheaper = calibrated(guess, Calibration(ratio=0.7, pairs=2, lowest=0.5, highest=0.8))
    assert (cheaper.low, cheaper.pu, cheaper.high) == (400, 700, 1200)
    dearer = calibrated(guess, Calibration(ratio=1.5, pairs=3, lowest=1.2, highest=2.0))
    assert (dearer.low, dearer.pu, dearer.high) == (800, 1500, 2400)
    assert "3 past requests" in dearer.assumptions[-1]
    assert calibrated(guess, Calibration()) == guess
    unknown = Estimate()
    assert calibrated(unknown, Calibration(pairs=1)) == unknown
    floor = Estimate(pu=100, low=100, high=None, unfloored=50)
    assert calibrated(floor, Calibration(ratio=3, pairs=1, lowest=0.1, highest=3)).pu == 150


def test_many_small_requests_are_warned_of():
    small = [Estimate(pu=100, unfloored=14)] * 60
    assert below_minimum(small) == (
        "these 60 jobs cost 6,000 PU at the minimum of 100 PU a request; as one request they would cost 840"
    )
    assert below_minimum(small[:MANY]) is not None
    assert below_minimum(small[: MANY - 1]) is None
    assert below_minimum([Estimate(pu=100, unfloored=90)] * 60) is None
    assert below_minimum([Estimate()]) is None


def test_mosaicking_that_cannot_be_told_is_taken_for_orbit():
    found = estimate(body(script('["B1"]', rest=", mosaicking: Date.now()")))
    assert found.pu == pytest.approx(231 * TILE_1 / 3 * 10)
    assert any("ORBIT is assumed" in note for note in found.assumptions)


def test_bands_of_one_source_that_cannot_be_told():
    found = estimate(body(script("[{bands: unheardOf}]")))
    assert found.pu is None
    assert any("how many bands" in note for note in found.assumptions)


def test_scripts_with_two_ways_to_write():
    found = estimate(
        body(script('["B1"]', '{bands: 1, sampleType: Math.random() > 1 ? "UINT8" : "FLOAT32"}'))
    )
    assert found.low == pytest.approx(231 * TILE_1 / 3)
    assert found.pu == pytest.approx(2 * 231 * TILE_1 / 3)


def test_outputs_that_cannot_be_told():
    found = estimate(body(script('["B1"]', "unheardOf")))
    assert found.pu == pytest.approx(2 * 231 * TILE_1 / 3)
    assert found.high is None
