from __future__ import annotations

import copy

import pytest

from shbatch_sync.emulator.datasets import DATASETS
from shbatch_sync.emulator.echo import echo

CRS84 = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC::CRS84"}}
SQUARE = {"type": "Polygon", "coordinates": [[[14, 45], [15, 45], [15, 46], [14, 45]]]}


def data(body, entry):
    body["processRequest"]["input"]["data"] = [entry]
    return echo(body)["processRequest"]["input"]["data"][0]


def test_defaults_are_filled_in(body):
    answer = echo(body)
    assert answer["instanceType"] == "normal"
    assert answer["description"] == "May"
    assert answer["input"] == {"type": "tiling-grid", "id": 0, "resolution": 10.0}
    assert isinstance(answer["input"]["resolution"], float)
    flags = {
        key: value for key, value in answer["output"].items() if key not in {"type", "delivery"}
    }
    assert flags == {
        "overwrite": False,
        "skipExisting": False,
        "cogOutput": False,
        "createCollection": False,
    }
    assert answer["processRequest"]["output"]["responses"][0]["logo"] is False
    assert answer["processRequest"]["evalscript"] == body["processRequest"]["evalscript"]


def test_what_was_sent_wins_over_defaults(body):
    body["output"]["overwrite"] = True
    body["instanceType"] = "large"
    answer = echo(body)
    assert (answer["output"]["overwrite"], answer["instanceType"]) == (True, "large")


def test_the_input_is_left_alone(body, geopackage, zarr):
    for one in (body, geopackage, zarr):
        before = copy.deepcopy(one)
        echo(one)
        assert one == before


def test_filter_of_sentinel_2(body):
    sent = {"type": "sentinel-2-l2a", "dataFilter": {"maxCloudCoverage": 30}}
    assert data(body, sent) == {
        "type": "S2L2A",
        "dataFilter": {
            "mosaickingOrder": "mostRecent",
            "maxCloudCoverage": 30.0,
            "previewMode": "DETAIL",
        },
    }


def test_filter_of_sentinel_1_has_no_preview(body):
    answer = data(body, {"type": "sentinel-1-grd", "dataFilter": {"resolution": "HIGH"}})
    assert answer == {
        "type": "S1GRD",
        "dataFilter": {
            "mosaickingOrder": "mostRecent",
            "maxCloudCoverage": 100.0,
            "resolution": "HIGH",
        },
    }


@pytest.mark.parametrize("name", ["byoc-1", "sentinel-3-synergy-l2"])
def test_names_without_an_alias_stay(body, name):
    assert data(body, {"type": name}) == {"type": name}


def test_an_elevation_model_gets_no_filter_defaults(body):
    sent = {"type": "dem", "dataFilter": {"demInstance": "MAPZEN"}}
    assert data(body, sent) == {"type": "DEM", "dataFilter": {"demInstance": "MAPZEN"}}


def test_numbers_of_processing_become_floats(body):
    sent = {"type": "S1GRD", "processing": {"radiometricTerrainOversampling": 2}}
    assert isinstance(data(body, sent)["processing"]["radiometricTerrainOversampling"], float)


def test_every_alias_is_understood_again(body):
    for name, dataset in DATASETS.items():
        if dataset.alias:
            assert data(body, {"type": dataset.alias})["type"] == dataset.alias, name


@pytest.mark.parametrize(
    ("properties", "urn"),
    [
        ({}, "urn:ogc:def:crs:OGC::CRS84"),
        (
            {"properties": {"crs": "http://www.opengis.net/def/crs/EPSG/0/4326"}},
            "urn:ogc:def:crs:OGC::CRS84",
        ),
        (
            {"properties": {"crs": "http://www.opengis.net/def/crs/EPSG/0/32633"}},
            "urn:ogc:def:crs:EPSG::32633",
        ),
    ],
)
def test_geometry_gets_a_crs_member(body, properties, urn):
    body["processRequest"]["input"]["bounds"] = {"geometry": SQUARE, **properties}
    geometry = echo(body)["processRequest"]["input"]["bounds"]["geometry"]
    assert geometry["crs"]["properties"]["name"] == urn
    assert geometry["coordinates"] == SQUARE["coordinates"]


def test_a_crs_member_that_was_sent_stays(body):
    bounds = {"geometry": {**SQUARE, "crs": CRS84}}
    body["processRequest"]["input"]["bounds"] = bounds
    assert echo(body)["processRequest"]["input"]["bounds"] == bounds


def test_no_bounds_stay_none(geopackage):
    del geopackage["processRequest"]["input"]["bounds"]
    assert "bounds" not in echo(geopackage)["processRequest"]["input"]


def test_geopackage_defaults(geopackage):
    geopackage["input"]["defaults"] = {"resolution": 10}
    assert isinstance(echo(geopackage)["input"]["defaults"]["resolution"], float)


def test_zarr_has_no_raster_defaults(zarr):
    assert set(echo(zarr)["output"]) == {"type", "delivery", "group", "arrayParameters"}


def test_keys_are_masked(geopackage):
    delivery = {"url": "s3://b/x", "accessKey": "AKIA", "secretAccessKey": "shh", "region": "eu"}
    geopackage["output"]["delivery"] = {"s3": delivery}
    answer = echo(geopackage)
    assert answer["output"]["delivery"]["s3"] == {
        "url": "s3://b/x",
        "accessKey": "*****",
        "secretAccessKey": "<REDACTED>",
        "region": "eu",
    }
    assert answer["input"]["features"]["s3"]["secretAccessKey"] == "<REDACTED>"


def test_everything_unknown_at_a_storage_is_masked(body):
    body["output"]["delivery"] = {
        "gs": {"url": "gs://b/x", "credentials": "c2VjcmV0", "sessionToken": "shh"},
        "pl:destinations": "shh",
    }
    assert echo(body)["output"]["delivery"] == {
        "gs": {"url": "gs://b/x", "credentials": "*****", "sessionToken": "*****"},
        "pl:destinations": "*****",
    }


def test_secrets_in_the_wrong_place_are_masked(body):
    body["output"]["s3"] = [{"accessKey": "shh", "secretAccessKey": "shh"}]
    body["extra"] = {"credentials": "shh", "other": 1}
    answer = echo(body)
    assert answer["output"]["s3"] == [{"accessKey": "*****", "secretAccessKey": "<REDACTED>"}]
    assert answer["extra"] == {"credentials": "*****", "other": 1}
