from __future__ import annotations

import copy
from typing import Any

import pytest

from shbatch_sync.emulator.checks import check_body, check_update
from shbatch_sync.emulator.grids import GRIDS

GONE = object()


def altered(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    body = copy.deepcopy(body)
    *parents, last = [int(key) if key.isdigit() else key for key in path.split("/")]
    node: Any = body
    for key in parents:
        node = node[key]
    if value is GONE:
        del node[last]
    else:
        node[last] = value
    return body


def faults(body: Any) -> list[tuple[str, str]]:
    return [(one.parameter, one.violation) for one in check_body(body, GRIDS)]


PROCESS = "processRequest"
BOUNDS = f"{PROCESS}/input/bounds"
DATA = f"{PROCESS}/input/data"
ENTRY = f"{DATA}/0"
RESPONSES = f"{PROCESS}/output/responses"
S3 = "output/delivery/s3"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
SQUARE = [[[14, 45], [15, 45], [15, 46], [14, 45]]]
TIFF = {"type": "image/tiff"}
KEYS = {"url": "s3://bucket/x", "accessKey": "k", "secretAccessKey": "s"}
ROLE = {"iamRoleARN": "arn:aws:iam::0:role/r"}


def test_the_bodies_to_start_from_are_accepted(body, zarr, geopackage):
    assert [faults(one) for one in (body, zarr, geopackage)] == [[], [], []]


@pytest.mark.parametrize("nothing", [None, [], "text", 1, 1.5, True])
def test_not_an_object(nothing):
    ((parameter, violation),) = faults(nothing)
    assert parameter == ""
    assert violation.startswith("Request body must be an object, not ")


ACCEPTED = [
    ("description", GONE),
    ("description", ""),
    ("instanceType", "large"),
    ("undocumented", {"a": None}),
    (f"{PROCESS}/evalscript", "some evalscript"),
    (f"{BOUNDS}/properties", GONE),
    (f"{BOUNDS}/bbox", [14.2, 46.0, 14.0, 45.8]),
    (BOUNDS, {"geometry": {"type": "Polygon", "coordinates": SQUARE}}),
    (BOUNDS, {"geometry": {"type": "MultiPolygon", "coordinates": [SQUARE, SQUARE]}}),
    (
        BOUNDS,
        {
            "bbox": [400000, 5000000, 500000, 5100000],
            "properties": {"crs": "http://www.opengis.net/def/crs/EPSG/0/32633"},
        },
    ),
    (f"{ENTRY}/type", "S2L2A"),
    (f"{ENTRY}/type", "sentinel-3-synergy-l2"),
    (f"{ENTRY}/type", "byoc-017aa0ae-33a6-45d3-8548-0f7d1041b40c"),
    (f"{ENTRY}/type", "batch-1"),
    (f"{ENTRY}/type", "zarr-1"),
    (f"{ENTRY}/dataFilter", GONE),
    (f"{ENTRY}/dataFilter", {}),
    (f"{ENTRY}/dataFilter/timeRange", {"from": "2024-05-01T02:00:00.5+02:00"}),
    (
        f"{ENTRY}/dataFilter/timeRange",
        {"from": "2024-05-01T00:00:00Z", "to": "2024-05-01T02:00:00+02:00"},
    ),
    (f"{ENTRY}/dataFilter/mosaickingOrder", "leastCC"),
    (f"{ENTRY}/dataFilter/maxCloudCoverage", 0),
    (f"{ENTRY}/processing", {"upsampling": "BICUBIC", "harmonizeValues": False}),
    (DATA, [{"type": "sentinel-1-grd", "processing": {"speckleFilter": {"type": "NONE"}}}]),
    (
        DATA,
        [
            {
                "type": "S1GRD",
                "processing": {
                    "speckleFilter": {"type": "LEE", "windowSizeX": 3, "windowSizeY": 7},
                    "radiometricTerrainOversampling": 2.5,
                },
            }
        ],
    ),
    (DATA, [{"type": "dem", "dataFilter": {"demInstance": "COPERNICUS_30"}}]),
    (f"{RESPONSES}/0/identifier", GONE),
    (
        RESPONSES,
        [
            {"identifier": "a", "format": TIFF},
            {"identifier": "userdata", "format": {"type": "application/json"}},
        ],
    ),
    ("input/resolution", 60.0),
    ("input/bufferX", 50),
    (f"{S3}/url", "s3://bucket"),
    (f"{S3}/url", "s3://bucket/<requestId>/<tileName>/<outputId>.<format>"),
    (f"{S3}/url", "s3://bucket/<tileId>.tif"),
    (f"{S3}/region", "eu-central-1"),
    (S3, KEYS),
    ("output/delivery", {"gs": {"url": "gs://bucket/x", "credentials": "e30="}}),
    ("output/overwrite", True),
    ("output/collectionId", "c"),
    (
        "output/cogParameters",
        {"overviewLevels": [2, 4], "blockxsize": 512, "resamplingAlgorithm": "mode"},
    ),
]


@pytest.mark.parametrize(("path", "value"), ACCEPTED)
def test_accepted(body, path, value):
    assert faults(altered(body, path, value)) == []


REFUSED = [
    (PROCESS, GONE, "processRequest", "is required"),
    (PROCESS, [], "processRequest", "must be an object, not a list"),
    ("input", GONE, "input", "is required"),
    ("input", 1, "input", "must be an object, not a number"),
    ("output", GONE, "output", "is required"),
    ("output", True, "output", "must be an object, not a boolean"),
    ("description", None, "description", "must not be null; leave it out"),
    ("description", 1, "description", "must be a string, not a number"),
    ("instanceType", "huge", "instanceType", "'huge' is not one of large, normal"),
    (f"{PROCESS}/evalscript", GONE, "processRequest->evalscript", "is required"),
    (f"{PROCESS}/evalscript", "", "processRequest->evalscript", "must not be empty"),
    (f"{PROCESS}/input", GONE, "processRequest->input", "is required"),
    (f"{PROCESS}/output", GONE, "processRequest->output", "is required"),
    (BOUNDS, GONE, "processRequest->input->bounds", "is required"),
    (BOUNDS, {}, "processRequest->input->bounds", "needs a bbox or a geometry"),
    (f"{BOUNDS}/bbox", [], "processRequest->input->bounds->bbox", "must be a list of 4 numbers"),
    (
        f"{BOUNDS}/bbox",
        [1, 2, 3],
        "processRequest->input->bounds->bbox",
        "must be a list of 4 numbers",
    ),
    (
        f"{BOUNDS}/bbox",
        [1, 2, 3, True],
        "processRequest->input->bounds->bbox",
        "must be a list of 4 numbers",
    ),
    (f"{BOUNDS}/bbox", "x", "processRequest->input->bounds->bbox", "must be a list of 4 numbers"),
    (f"{BOUNDS}/bbox", [1, 2, 1, 3], "processRequest->input->bounds->bbox", "has no area"),
    (
        f"{BOUNDS}/bbox",
        [1, 2, 3, 91],
        "processRequest->input->bounds->bbox",
        "is outside of longitude ±180, latitude ±90",
    ),
    (
        BOUNDS,
        {"bbox": [0, 0, 1e308, 1], "properties": {"crs": f"{EPSG}3857"}},
        "processRequest->input->bounds->bbox",
        "is outside of the Earth",
    ),
    (
        f"{BOUNDS}/properties/crs",
        "EPSG:4326",
        "processRequest->input->bounds->properties->crs",
        "'EPSG:4326' is not supported",
    ),
    (DATA, [], "processRequest->input->data", "must not be empty"),
    (DATA, {}, "processRequest->input->data", "must be a list, not an object"),
    (f"{S3}/url", "", "output->delivery->s3->url", "must not be empty"),
    (DATA, ["x"], "processRequest->input->data[0]", "must be an object"),
    (f"{ENTRY}/type", GONE, "processRequest->input->data[0]->type", "is required"),
    (
        f"{ENTRY}/type",
        "sentinel-9",
        "processRequest->input->data[0]->type",
        "'sentinel-9' is not a known data set",
    ),
    (
        f"{ENTRY}/dataFilter",
        None,
        "processRequest->input->data[0]->dataFilter",
        "must not be null; leave it out",
    ),
    (
        f"{ENTRY}/dataFilter/maxCloudCoverage",
        101,
        "processRequest->input->data[0]->dataFilter->maxCloudCoverage",
        "101 is outside 0 to 100",
    ),
    (
        f"{ENTRY}/dataFilter/maxCloudCoverage",
        "5",
        "processRequest->input->data[0]->dataFilter->maxCloudCoverage",
        "must be a number, not a string",
    ),
    (
        f"{ENTRY}/processing",
        {"upsampling": "LANCZOS"},
        "processRequest->input->data[0]->processing->upsampling",
        "'LANCZOS' is not one of BICUBIC, BILINEAR, NEAREST",
    ),
    (
        f"{ENTRY}/processing",
        {"harmonizeValues": "yes"},
        "processRequest->input->data[0]->processing->harmonizeValues",
        "must be true or false, not a string",
    ),
    (RESPONSES, GONE, "processRequest->output->responses", "is required"),
    (RESPONSES, [], "processRequest->output->responses", "must not be empty"),
    (RESPONSES, [None], "processRequest->output->responses[0]", "must be an object"),
    (f"{RESPONSES}/0/format", GONE, "processRequest->output->responses[0]->format", "is required"),
    (
        f"{RESPONSES}/0/format",
        {"type": "image/png"},
        "processRequest->output->responses[0]->format->type",
        "'image/png' is not one of application/json, image/tiff, zarr/array",
    ),
    (
        RESPONSES,
        [{"identifier": "a", "format": TIFF}, {"identifier": "a", "format": TIFF}],
        "processRequest->output->responses[1]->identifier",
        "'a' stands twice",
    ),
    (
        f"{RESPONSES}/0/format",
        {"type": "application/json"},
        "processRequest->output->responses[0]->format",
        "is application/json, which only userdata can be",
    ),
    (
        "input/type",
        "tilinggrid",
        "input->type",
        "'tilinggrid' is not one of geopackage, tiling-grid",
    ),
    ("input/id", GONE, "input->id", "is required"),
    ("input/id", "1", "input->id", "must be an integer, not a string"),
    ("input/id", True, "input->id", "must be an integer, not a boolean"),
    ("input/id", 4, "input->id", "4 is not a tiling grid (0, 1, 2, 3, 6, 7)"),
    ("input/id", 10**400, "input->id", "must be an integer, not a number of more than 64 bits"),
    (
        "input/resolution",
        10**400,
        "input->resolution",
        "must be a number, not a number of more than 64 bits",
    ),
    ("input/resolution", GONE, "input->resolution", "is required"),
    ("input/resolution", 15, "input->resolution", "15 is not one of tiling grid 0 (10, 20, 60)"),
    ("input/bufferX", 1.5, "input->bufferX", "must be an integer, not a number"),
    ("input/bufferY", -1, "input->bufferY", "-1 is outside 0 to 32767"),
    ("output/type", "cog", "output->type", "'cog' is not one of raster, zarr"),
    ("output/delivery", GONE, "output->delivery", "is required"),
    ("output/delivery", "test", "output->delivery", "must be an object, not a string"),
    ("output/delivery", {}, "output->delivery", "must have exactly one of s3, gs"),
    (
        "output/delivery",
        {"s3": {}, "gs": {}},
        "output->delivery",
        "must have exactly one of s3, gs",
    ),
    ("output/delivery", {"s3": "x"}, "output->delivery->s3", "must be an object, not a string"),
    (f"{S3}/url", GONE, "output->delivery->s3->url", "is required"),
    (f"{S3}/url", "bucket/x", "output->delivery->s3->url", "must look like s3://bucket/path"),
    (f"{S3}/url", "gs://bucket/x", "output->delivery->s3->url", "must look like s3://bucket/path"),
    (f"{S3}/iamRoleARN", "role", "output->delivery->s3->iamRoleARN", "must be an ARN"),
    (
        S3,
        {**KEYS, **ROLE},
        "output->delivery->s3",
        "has both iamRoleARN and access keys; give exactly one kind of credentials",
    ),
    (
        S3,
        {"url": "s3://bucket/x"},
        "output->delivery->s3",
        "needs credentials: iamRoleARN, or accessKey and secretAccessKey",
    ),
    (
        S3,
        {"url": "s3://bucket/x", "accessKey": "k"},
        "output->delivery->s3",
        "needs credentials: iamRoleARN, or accessKey and secretAccessKey",
    ),
    (
        "output/delivery",
        {"gs": {"url": "gs://bucket/x"}},
        "output->delivery->gs->credentials",
        "is required",
    ),
    (
        f"{S3}/url",
        "s3://bucket/<requestId>/x",
        "output->delivery->s3->url",
        "is a template and must contain <tileName>",
    ),
    (
        f"{S3}/url",
        "s3://bucket/<tileName>/<date>",
        "output->delivery->s3->url",
        "has the unknown placeholder <date>; possible are <format>, <outputId>, <requestId>, <tileId>, <tileName>",
    ),
    ("output/overwrite", "yes", "output->overwrite", "must be true or false, not a string"),
    ("output/skipExisting", None, "output->skipExisting", "must not be null; leave it out"),
    ("output/createCollection", True, "output->createCollection", "needs cogOutput"),
    ("output/cogParameters", 1, "output->cogParameters", "must be an object, not a number"),
    (
        "output/cogParameters",
        {"overviewLevels": [True]},
        "output->cogParameters->overviewLevels[0]",
        "must be an integer",
    ),
    (
        f"{RESPONSES}/0/format",
        {"type": "zarr/array"},
        "output",
        "type is raster but a response is zarr/array",
    ),
]


@pytest.mark.parametrize(("path", "value", "parameter", "violation"), REFUSED)
def test_refused(body, path, value, parameter, violation):
    assert faults(altered(body, path, value)) == [(parameter, violation)]


GEOMETRIES = [
    ({"coordinates": SQUARE}, "is required"),
    ({"type": "Point", "coordinates": [1, 2]}, "'Point' is not one of MultiPolygon, Polygon"),
    ({"type": "Polygon"}, "is required"),
    ({"type": "Polygon", "coordinates": []}, "has a polygon without rings"),
    ({"type": "MultiPolygon", "coordinates": []}, "must be a list of polygons"),
    ({"type": "MultiPolygon", "coordinates": {}}, "must be a list of polygons"),
    ({"type": "MultiPolygon", "coordinates": [SQUARE, []]}, "has a polygon without rings"),
    ({"type": "Polygon", "coordinates": [[1, 2]]}, "has a position that is not two numbers"),
    ({"type": "Polygon", "coordinates": [1]}, "has a position that is not two numbers"),
    (
        {"type": "Polygon", "coordinates": [[[1, 2, 3]]]},
        "has a position that is not two numbers",
    ),
    (
        {"type": "Polygon", "coordinates": [[[1, 2], [2, 2], [1, 2]]]},
        "has a ring of 3 positions, at least 4 are needed",
    ),
    (
        {"type": "Polygon", "coordinates": [[[1, 2], [2, 2], [2, 3], [1, 3]]]},
        "has a ring that is not closed",
    ),
    (
        {"type": "Polygon", "coordinates": [[[181, 2], [2, 2], [2, 3], [181, 2]]]},
        "is outside of longitude ±180, latitude ±90",
    ),
]


@pytest.mark.parametrize(("geometry", "violation"), GEOMETRIES)
def test_geometry(body, geometry, violation):
    ((parameter, found),) = faults(altered(body, BOUNDS, {"geometry": geometry}))
    assert parameter.startswith("processRequest->input->bounds->geometry")
    assert found == violation


@pytest.mark.parametrize(
    "text", ["2024-05-01", "2024-05-01T00:00:00", "yesterday", "", "20240501", "2024-13-01T00:00Z"]
)
def test_times_need_a_time_and_an_offset(body, text):
    ((parameter, _),) = faults(altered(body, f"{ENTRY}/dataFilter/timeRange/from", text))
    assert parameter == "processRequest->input->data[0]->dataFilter->timeRange->from"


def test_time_order(body):
    late = altered(body, f"{ENTRY}/dataFilter/timeRange/from", "2024-06-01T00:00:00Z")
    ((parameter, violation),) = faults(late)
    assert (parameter.rpartition(">")[2], violation) == ("from", "is after to")


@pytest.mark.parametrize(
    ("type_", "order", "fine"),
    [
        ("sentinel-1-grd", "leastCC", False),
        ("byoc-1", "leastCC", False),
        ("hls", "leastCC", True),
        ("byoc-1", "leastRecent", True),
    ],
)
def test_order_by_cloud_cover_needs_clouds(body, type_, order, fine):
    entry = {"type": type_, "dataFilter": {"mosaickingOrder": order}}
    assert (faults(altered(body, ENTRY, entry)) == []) is fine


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dataFilter", {"resolution": "LOW"}),
        ("dataFilter", {"polarization": "XX"}),
        ("processing", {"backCoeff": "SIGMA"}),
        ("processing", {"radiometricTerrainOversampling": 5}),
        ("processing", {"orthorectify": 1}),
        ("processing", {"speckleFilter": {}}),
        ("processing", {"speckleFilter": {"type": "LEE", "windowSizeX": 3}}),
        ("processing", {"speckleFilter": {"type": "LEE", "windowSizeX": 8, "windowSizeY": 1}}),
    ],
)
def test_sentinel_1(body, key, value):
    assert len(faults(altered(body, ENTRY, {"type": "sentinel-1-grd", key: value}))) == 1


def test_several_outputs_need_a_place_each(body):
    two = [{"identifier": name, "format": TIFF} for name in "ab"]
    templated = altered(altered(body, RESPONSES, two), f"{S3}/url", "s3://b/<tileName>.tif")
    assert faults(templated) == [
        (
            "output->delivery->s3->url",
            "is a template and must contain <outputId>, there are several outputs",
        )
    ]
    assert faults(altered(templated, f"{S3}/url", "s3://b/<tileName>/<outputId>.tif")) == []


def test_cog_may_stand_beside_userdata(body):
    cog = altered(body, "output/cogOutput", True)
    userdata = {"identifier": "userdata", "format": {"type": "application/json"}}
    assert faults(altered(cog, RESPONSES, [*cog[PROCESS]["output"]["responses"], userdata])) == []
    zarr = altered(cog, f"{RESPONSES}/0/format", {"type": "zarr/array"})
    assert ("output->cogOutput", "needs every output to be image/tiff") in faults(zarr)


@pytest.mark.parametrize(
    ("defaults", "fine"),
    [
        ({"width": 512, "height": 512}, True),
        ({"resolution": 10}, True),
        ({}, True),
        ({"width": 512}, False),
        ({"width": 512, "height": 3501}, False),
        ({"width": 0, "height": 1}, False),
        ({"resolution": 0}, False),
        ({"width": 1, "height": 1, "resolution": 10}, False),
        (1, False),
    ],
)
def test_geopackage_defaults(geopackage, defaults, fine):
    found = faults(altered(geopackage, "input/defaults", defaults))
    assert (found == []) is fine


def test_geopackage_needs_no_bounds_but_a_file(geopackage):
    assert faults(altered(geopackage, BOUNDS, GONE)) == []
    assert faults(altered(geopackage, "input/features", GONE)) == [
        ("input->features", "is required")
    ]


ARRAY = {"dtype": "<f4", "order": "C", "chunks": [1, 500, 500], "fill_value": "NaN"}


@pytest.mark.parametrize(
    ("path", "value", "parameter", "violation"),
    [
        ("output/group", GONE, "output->group", "is required"),
        ("output/delivery", GONE, "output->delivery", "is required"),
        ("output/group/zarr_format", 3, "output->group->zarr_format", "must be 2"),
        (
            "output/group/coordinates",
            {"origin": "centre"},
            "output->group->coordinates->origin",
            "'centre' is not one of bottomLeft, topLeft",
        ),
        (
            "output/arrayParameters",
            GONE,
            "output->arrayParameters",
            "is required unless arrayOverrides says everything of every output",
        ),
        (
            "output/arrayParameters/chunks",
            GONE,
            "output->arrayParameters->chunks",
            "is required",
        ),
        (
            "output/arrayParameters/dtype",
            "u2",
            "output->arrayParameters->dtype",
            "'u2' is not one of <f4, <f8, <i2, <u2, >f4, >f8, >i2, >u2, |i1, |u1",
        ),
        (
            "output/arrayParameters/order",
            "F",
            "output->arrayParameters->order",
            "'F' is not one of C",
        ),
        (
            "output/arrayParameters/chunks",
            [],
            "output->arrayParameters->chunks",
            "must be a list of 3 numbers",
        ),
        (
            "output/arrayParameters/chunks",
            [1, 1000],
            "output->arrayParameters->chunks",
            "must be a list of 3 numbers",
        ),
        (
            "output/arrayParameters/chunks",
            [1, 0, 1],
            "output->arrayParameters->chunks",
            "must be whole numbers above 0",
        ),
        (
            "output/arrayParameters/chunks",
            [2, 1000, 1000],
            "output->arrayParameters->chunks",
            "must begin with 1",
        ),
        (
            "output/arrayParameters/chunks",
            [1, 300, 1000],
            "output->arrayParameters->chunks",
            "must divide the 1000 pixels of a tile",
        ),
        (
            "output/arrayParameters/fill_value",
            -1,
            "output->arrayParameters->fill_value",
            "-1 cannot be written as <u2",
        ),
        (
            "output/arrayParameters/fill_value",
            0.5,
            "output->arrayParameters->fill_value",
            "0.5 cannot be written as <u2",
        ),
        (
            "output/arrayParameters/fill_value",
            "NaN",
            "output->arrayParameters->fill_value",
            "NaN cannot be written as <u2",
        ),
        (
            "output/arrayParameters/fill_value",
            "none",
            "output->arrayParameters->fill_value",
            "must be a number",
        ),
        (
            "output/arrayParameters/fill_value",
            [0],
            "output->arrayParameters->fill_value",
            "must be a number",
        ),
        (
            "output/arrayOverrides",
            {"default": 1},
            "output->arrayOverrides->default",
            "must be an object, not a number",
        ),
        (
            "output/arrayOverrides",
            {"default": {"fill_value": -1}},
            "output->arrayOverrides->default->fill_value",
            "-1 cannot be written as <u2",
        ),
        (
            "output/delivery/s3/url",
            "s3://bucket/<tileName>",
            "output->delivery->s3->url",
            "has the unknown placeholder <tileName>; possible are <requestId>",
        ),
        (
            f"{RESPONSES}/0/format",
            TIFF,
            "output",
            "type is zarr, so every response must be zarr/array",
        ),
    ],
)
def test_zarr_refused(zarr, path, value, parameter, violation):
    assert faults(altered(zarr, path, value)) == [(parameter, violation)]


def test_zarr_needs_a_grid_of_one_crs(zarr):
    found = faults(altered(zarr, "input", {"type": "tiling-grid", "id": 1, "resolution": 10}))
    assert found == [("output", "Zarr output is not possible on tiling grid 1")]


def test_zarr_parameters_may_come_from_overrides_alone(zarr):
    alone = altered(zarr, "output/arrayParameters", GONE)
    assert faults(altered(alone, "output/arrayOverrides", {"default": ARRAY})) == []
    both = altered(
        zarr, "output/arrayOverrides", {"default": {"dtype": "<f4", "fill_value": "NaN"}}
    )
    assert faults(both) == []
    partial = altered(alone, "output/arrayOverrides", {"default": {"dtype": "<f4"}})
    assert [parameter for parameter, _ in faults(partial)] == ["output->arrayParameters"]


def test_the_misspelt_key_of_sentinelhub_py_is_refused(zarr):
    parameters = zarr["output"].pop("arrayParameters")
    zarr["output"]["arrayParameter"] = parameters
    assert [parameter for parameter, _ in faults(zarr)] == ["output->arrayParameters"]


def test_all_faults_are_named_at_once(body):
    body["input"]["id"] = 1000
    body["output"]["delivery"] = "test"
    body["description"] = None
    assert {parameter for parameter, _ in faults(body)} == {
        "input->id",
        "output->delivery",
        "description",
    }


@pytest.mark.parametrize(
    ("update", "parameters"),
    [
        ({}, []),
        ({"description": "x"}, []),
        ({"description": None}, ["description"]),
        ({"description": 1}, ["description"]),
        ([], [""]),
    ],
)
def test_update(update, parameters):
    assert [one.parameter for one in check_update(update)] == parameters
