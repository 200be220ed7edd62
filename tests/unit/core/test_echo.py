"""What the service makes of a body is no difference; what it loses is one."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shbatch_sync.diff import Kind, changed_fields, pointer, same, suppressed_fields
from shbatch_sync.digest import digest
from shbatch_sync.job import Job
from shbatch_sync.normalize import ALIASES, normalize
from shbatch_sync.witness import witness
from tests.unit.core.factories import BODY, COSMETIC, OTHER, echo, job, spec

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG_4326 = "http://www.opengis.net/def/crs/EPSG/0/4326"
EPSG_32633 = "http://www.opengis.net/def/crs/EPSG/0/32633"
URN_CRS84 = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC::CRS84"}}


def changed(path: str, value: Any, body: dict[str, Any] = BODY) -> dict[str, Any]:
    """Return a copy of a body with one member set; None takes it out."""
    made = copy.deepcopy(body)
    place: Any = made
    *way, last = [int(step) if step.isdigit() else step for step in path.split("/")]
    for step in way:
        place = place[step] if isinstance(step, int) else place.setdefault(step, {})
    if value is None:
        place.pop(last)
    else:
        place[last] = value
    return made


DATA = "processRequest/input/data/0"
BOUNDS = "processRequest/input/bounds"

# What the service answers with, in our words: sent, answered. Seen in recorded answers, or documented as a default.
ECHOES = [
    ("as it was", BODY, BODY),
    ("all of it", BODY, echo(BODY)),
    ("instance type", BODY, COSMETIC),
    ("short name", BODY, changed(f"{DATA}/type", "S2L2A")),
    ("whole numbers", BODY, changed("input/resolution", 10.0)),
    ("crs member", BODY, changed(f"{BOUNDS}/geometry/crs", URN_CRS84)),
    ("crs of the bounds", BODY, changed(f"{BOUNDS}/properties/crs", CRS84)),
    ("4326 is longitude first", BODY, changed(f"{BOUNDS}/properties/crs", EPSG_4326)),
    ("an empty member", BODY, changed(f"{DATA}/processing", {})),
    ("order of dates", BODY, changed(f"{DATA}/dataFilter/mosaickingOrder", "mostRecent")),
    ("cloud", BODY, changed(f"{DATA}/dataFilter/maxCloudCoverage", 100.0)),
    ("preview", BODY, changed(f"{DATA}/dataFilter/previewMode", "DETAIL")),
    ("logo", BODY, changed("processRequest/output/responses/0/logo", False)),
    ("buffers", BODY, changed("input/bufferX", 0)),
    ("overwrite", BODY, changed("output/overwrite", False)),
    ("times", BODY, changed(f"{DATA}/dataFilter/timeRange/from", "2024-05-01T00:00:00.000Z")),
    ("upsampling", BODY, changed(f"{DATA}/processing/upsampling", "NEAREST")),
    ("masked", BODY, changed("output/delivery/s3/accessKey", "*****")),
    ("masked too", BODY, changed("output/delivery/s3/secretAccessKey", "<REDACTED>")),
    ("masked role file", BODY, changed("output/delivery/s3/credentials", "***")),
    ("a null", BODY, BODY | {"collectionId": None}),
    ("the description", BODY, BODY | {"description": "[shbatch-sync/1 …]"}),
    (
        "utm",
        changed(f"{BOUNDS}/properties/crs", EPSG_32633),
        changed(
            f"{BOUNDS}/geometry/crs",
            {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32633"}},
            changed(f"{BOUNDS}/properties/crs", EPSG_32633),
        ),
    ),
]


@pytest.mark.parametrize(("sent", "said"), [pytest.param(a, b, id=name) for name, a, b in ECHOES])
def test_an_echo_is_no_difference(sent, said):
    assert changed_fields(sent, said) == ()
    assert changed_fields(said, sent) == ()
    assert digest(normalize(sent)) == digest(normalize(said))
    assert witness(sent) == witness(said)
    assert all(field.reason for field in suppressed_fields(sent, said))


# Declared, answered → where it shows.
LOST = [
    (changed("output/overwrite", True), echo(BODY), "/output/overwrite", Kind.ADDED),
    (changed("output/cogOutput", True), echo(BODY), "/output/cogOutput", Kind.ADDED),
    (changed("instanceType", "large"), echo(BODY), "/instanceType", Kind.ADDED),
    (changed("input/bufferX", 5), echo(BODY), "/input/bufferX", Kind.ADDED),
    (
        changed(f"{DATA}/dataFilter/maxCloudCoverage", 20),
        echo(BODY),
        f"/{DATA}/dataFilter/maxCloudCoverage",
        Kind.ADDED,
    ),
    (
        BODY,
        changed(f"{DATA}/dataFilter/mosaickingOrder", "leastCC", echo(BODY)),
        f"/{DATA}/dataFilter/mosaickingOrder",
        Kind.REMOVED,
    ),
    (
        changed(f"{DATA}/processing/upsampling", "BILINEAR"),
        echo(BODY),
        f"/{DATA}/processing",
        Kind.ADDED,
    ),
    (changed("input/resolution", 20), echo(BODY), "/input/resolution", Kind.CHANGED),
    (changed("input/id", True), changed("input/id", 1, echo(BODY)), "/input/id", Kind.CHANGED),
    (changed(f"{DATA}/type", "sentinel-2-l1c"), echo(BODY), f"/{DATA}/type", Kind.CHANGED),
    (
        changed(f"{DATA}/dataFilter/timeRange/from", "2024-05-02T00:00:00Z"),
        echo(BODY),
        f"/{DATA}/dataFilter/timeRange/from",
        Kind.CHANGED,
    ),
    (
        changed(f"{BOUNDS}/properties/crs", EPSG_32633),
        echo(BODY),
        f"/{BOUNDS}/properties",
        Kind.ADDED,
    ),
    (
        changed("output/delivery/s3/url", "s3://other"),
        echo(BODY),
        "/output/delivery/s3/url",
        Kind.CHANGED,
    ),
    (
        changed("output/delivery/s3/iamRoleARN", "arn"),
        echo(BODY),
        "/output/delivery/s3/iamRoleARN",
        Kind.ADDED,
    ),
    (BODY | {"newMember": 1}, BODY, "/newMember", Kind.ADDED),
    (OTHER, echo(BODY), "/processRequest/evalscript", Kind.CHANGED),
    (changed("a~b/c", 1), BODY, "/a~0b", Kind.ADDED),
    (changed("__proto", 1), changed("__proto", 2), "/__proto", Kind.CHANGED),
]


@pytest.mark.parametrize(("sent", "said", "path", "kind"), LOST, ids=range(len(LOST)))
def test_what_is_lost_or_other_shows(sent, said, path, kind):
    (field,) = changed_fields(sent, said)
    assert (field.path, field.kind, field.reason) == (path, kind, "")
    assert (field.before is None, field.after is None) == (kind is Kind.ADDED, kind is Kind.REMOVED)


def test_fields_are_sorted_by_path():
    sent = changed("input/resolution", 20, changed("output/overwrite", True, OTHER))
    paths = [field.path for field in changed_fields(sent, BODY)]
    assert paths == sorted(paths)
    assert len(paths) == 3


def test_an_area_that_changed_is_told():
    moved = copy.deepcopy(BODY)
    moved["processRequest"]["input"]["bounds"]["geometry"]["coordinates"][0][1] = [15.5, 46]
    paths = [field.path for field in changed_fields(moved, echo(BODY))]
    assert paths
    assert all(path.startswith("/processRequest/input/bounds/geometry") for path in paths)


def test_suppressed_differences_keep_their_reason():
    reasons = {field.path: field.reason for field in suppressed_fields(BODY, echo(BODY))}
    assert reasons["/instanceType"] == "filled in by the service"
    assert reasons[f"/{DATA}/type"] == "the same value in other words"
    assert reasons[f"/{DATA}/dataFilter/maxCloudCoverage"] == "filled in by the service"
    spelt = suppressed_fields(changed("output/overwrite", False), BODY)
    assert [field.reason for field in spelt] == ["the service's default, spelt out"]


def test_suppressed_differences_hold_no_secret():
    sent = changed("output/delivery/s3/secretAccessKey", "hush")
    said = changed("output/delivery/s3/secretAccessKey", "***")
    assert suppressed_fields(sent, said) == changed_fields(sent, said) == ()


def test_what_really_differs_is_not_suppressed():
    both = changed("input/resolution", 20)
    assert "/input/resolution" not in {field.path for field in suppressed_fields(both, echo(BODY))}


@pytest.mark.parametrize(("short", "long"), sorted(ALIASES.items()))
def test_names_of_collections(short, long):
    assert changed_fields(changed(f"{DATA}/type", long), changed(f"{DATA}/type", short)) == ()


@pytest.mark.parametrize("kind", ["byoc-0f8b3d6e", "batch-1", "zarr-1", "S1GRD2"])
def test_other_names_stand_as_they_are(kind):
    assert (
        normalize(changed(f"{DATA}/type", kind))["processRequest"]["input"]["data"][0]["type"]
        == kind
    )


RASTER_DEFAULTS = [
    ({"cogParameters": {"resamplingAlgorithm": "average", "usePredictor": True}}, {}),
    (
        {"cogParameters": {"blockxsize": 256, "usePredictor": True}},
        {"cogParameters": {"blockxsize": 256}},
    ),
    ({"cogParameters": "odd"}, {"cogParameters": "odd"}),
    ({"arrayParameters": {"order": "C", "dtype": "<u2"}}, {"arrayParameters": {"dtype": "<u2"}}),
    ({"arrayParameters": []}, {"arrayParameters": []}),
    (
        {
            "arrayParameters": {
                "compressor": {
                    "id": "blosc",
                    "cname": "lz4",
                    "clevel": 5.0,
                    "shuffle": 1,
                    "blocksize": 0,
                }
            }
        },
        {},
    ),
    (
        {"group": {"zarr_format": 2, "coordinates": {"origin": "topLeft", "x": 1}}},
        {"group": {"zarr_format": 2, "coordinates": {"x": 1}}},
    ),
    ({"group": {"zarr_format": 2}}, {"group": {"zarr_format": 2}}),
]


@pytest.mark.parametrize(("written", "kept"), RASTER_DEFAULTS, ids=range(len(RASTER_DEFAULTS)))
def test_defaults_of_outputs(written, kept):
    assert normalize({"output": written}) == ({"output": kept} if kept else {})


CRSES = [
    (None, None),
    (CRS84, None),
    (EPSG_4326, None),
    ("urn:ogc:def:crs:EPSG::4326", None),
    ("EPSG:4326", None),
    ("http://www.opengis.net/def/crs/EPSG/0/3035", "EPSG:3035"),
    ("urn:ogc:def:crs:EPSG::3035", "EPSG:3035"),
    ("EPSG:3035", "EPSG:3035"),
    ("my own", "my own"),
]


@pytest.mark.parametrize(("written", "kept"), CRSES)
def test_reference_systems(written, kept):
    body = {
        "processRequest": {
            "input": {"bounds": {"bbox": [1, 2, 3, 4], "properties": {"crs": written}}}
        }
    }
    bounds = normalize(body)["processRequest"]["input"]["bounds"]
    assert bounds == {"bbox": [1, 2, 3, 4]} | ({"properties": {"crs": kept}} if kept else {})


def test_an_area_in_another_system_than_its_bounds_keeps_it():
    odd = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3035"}}
    body = changed(f"{BOUNDS}/geometry/crs", odd)
    assert normalize(body)["processRequest"]["input"]["bounds"]["geometry"]["crs"] == odd


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(-5, 5)
    | st.sampled_from(["a", "S2L2A", "2024-05-01T00:00:00Z", CRS84]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "a",
                    "type",
                    "crs",
                    "name",
                    "properties",
                    "geometry",
                    "bounds",
                    "data",
                    "dataFilter",
                    "processing",
                    "timeRange",
                    "from",
                    "output",
                    "responses",
                    "logo",
                    "s3",
                    "accessKey",
                    "overwrite",
                    "input",
                    "coordinates",
                    "group",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "processRequest": st.fixed_dictionaries(
            {},
            optional={
                "input": st.fixed_dictionaries(
                    {}, optional={"bounds": JSON, "data": st.lists(JSON, max_size=2) | JSON}
                )
                | JSON,
                "output": st.fixed_dictionaries(
                    {}, optional={"responses": st.lists(JSON, max_size=2) | JSON}
                )
                | JSON,
                "evalscript": JSON,
            },
        )
        | JSON,
        "input": JSON,
        "output": JSON,
        "instanceType": JSON,
        "description": JSON,
        "other": JSON,
    },
)


@settings(max_examples=300)
@given(BODIES)
def test_normalize_is_idempotent_and_changes_nothing(body):
    kept = copy.deepcopy(body)
    once = normalize(body)
    assert normalize(once) == once
    assert body == kept
    assert changed_fields(body, body) == ()
    assert changed_fields(once, body) == ()
    assert isinstance(witness(body), str)


@settings(max_examples=150)
@given(BODIES, BODIES)
def test_no_field_differs_only_where_the_comparable_forms_are_equal(left, right):
    fields = changed_fields(left, right)
    assert not (fields and same(normalize(left), normalize(right)))
    assert list(fields) == sorted(fields, key=lambda field: field.path)


def test_true_in_a_list_is_not_one():
    (field,) = changed_fields(BODY | {"chunks": [1, 2]}, BODY | {"chunks": [True, 2]})
    assert field.path.startswith("/chunks")


def test_pointers():
    assert pointer([]) == ""
    assert pointer(["a/b", 0, "c~d"]) == "/a~1b/0/c~0d"


def test_what_only_the_echo_has_and_nobody_declared_is_no_difference():
    said = BODY | {"newMember": 1, "tags": []}
    assert changed_fields(BODY, said) == ()
    assert {field.path for field in suppressed_fields(BODY, said)} == {"/newMember", "/tags"}


def test_witness_knows_what_the_service_keeps_to_the_letter():
    assert witness(BODY) == witness(echo(BODY)) == witness(BODY | {"newMember": 1})
    for other in (
        OTHER,
        spec(url="s3://other"),
        spec(resolution=20),
        spec(to="2024-06-01T00:00:00Z"),
        changed(f"{BOUNDS}/geometry/coordinates", []),
    ):
        assert witness(other) != witness(BODY)
    assert witness({}) == witness({"processRequest": {"input": {"data": None}}})


# --- recorded answers ----------------------------------------------------------------------------------------

RECORDED = [
    ("shpy_notebook_v2_california_ndvi.json", "create_201_created.json"),
    ("shpy_notebook_v2_california_ndvi.json", "get_one_analysis_done_recorded.json"),
    ("shpy_notebook_v2_california_ndvi.json", "get_one_done.json"),
    ("shpy_notebook_v2_california_ndvi.json", "get_one_processing.json"),
    ("shpy_notebook_v2_california_ndvi.json", "get_one_failed_synthetic.json"),
    ("shpy_notebook_v2_california_ndvi.json", "get_one_stopped_user_action_synthetic.json"),
    ("shpy_notebook_v2_california_ndvi.json", "get_one_stopped_out_of_pu_synthetic.json"),
    ("shpy_notebook_v2_california_ndvi.json", "get_one_stopped_unhealthy_synthetic.json"),
    ("shpy_notebook_v2_california_ndvi.json", "get_one_created_userAction_start_synthetic.json"),
    (
        "shpy_notebook_v2_california_ndvi.json",
        "get_one_done_after_analyse_skip_existing_synthetic.json",
    ),
    ("card4l_grid2_polygon_from_get.json", "get_one_done_card4l_grid2.json"),
]


def job_of(body: dict[str, Any]) -> Job:
    return job(spec={key: value for key, value in body.items() if key != "description"})


def pair(corpus: Path, sent: str, said: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what was sent and what was answered; the collection hides the bucket differently in the two."""
    body = json.loads((corpus / "requests" / sent).read_text(encoding="utf-8"))
    body["output"]["delivery"]["s3"]["url"] = said["request"]["output"]["delivery"]["s3"]["url"]
    return body, said["request"]


@pytest.mark.parametrize(("sent", "said"), RECORDED)
def test_recorded_answers_say_what_was_sent(corpus, sent, said):
    body, answer = pair(
        corpus, sent, json.loads((corpus / "responses" / said).read_text(encoding="utf-8"))
    )
    assert changed_fields(body, answer) == ()
    assert job_of(body).norm_digest == job_of(answer).norm_digest
    assert witness(body) == witness(answer)


def test_listed_requests_say_what_was_sent(corpus):
    pages = sorted((corpus / "responses").glob("list_page*.json"))
    tasks = [
        task for page in pages for task in json.loads(page.read_text(encoding="utf-8"))["data"]
    ]
    assert tasks
    for task in tasks:
        assert changed_fields(*pair(corpus, RECORDED[0][0], task)) == ()


def test_every_body_of_the_field_is_its_own_echo(corpus):
    for path in sorted((corpus / "requests").glob("*.json")):
        body = json.loads(path.read_text(encoding="utf-8"))
        assert changed_fields(body, body) == ()
        said = copy.deepcopy(body)
        for response in said["processRequest"]["output"]["responses"]:
            response["logo"] = False
        for data in said["processRequest"]["input"]["data"]:
            names = {long: short for short, long in ALIASES.items()}
            data["type"] = names.get(data["type"], data["type"])
        assert changed_fields(body, said) == (), path.name
        assert digest(normalize(body)) == digest(normalize(said))
        assert normalize(normalize(body)) == normalize(body)


# The essentials of the recorded pairs in our own words, for a clone without the corpus.
OWN_WORDS = [
    (
        {
            "instanceType": "normal",
            "description": "a tutorial",
            "processRequest": {
                "input": {
                    "bounds": {
                        "properties": {"crs": EPSG_4326},
                        "geometry": {
                            "type": "MultiPolygon",
                            "coordinates": [[[[1.5, 2.25], [3, 4], [5, 6.125], [1.5, 2.25]]]],
                        },
                    },
                    "data": [
                        {
                            "type": "sentinel-2-l1c",
                            "dataFilter": {
                                "timeRange": {
                                    "from": "2020-07-01T00:00:00Z",
                                    "to": "2020-07-30T23:59:59Z",
                                }
                            },
                        }
                    ],
                },
                "output": {"responses": [{"identifier": "NDVI", "format": {"type": "image/tiff"}}]},
                "evalscript": "//VERSION=3\n",
            },
            "input": {
                "type": "tiling-grid",
                "id": 1,
                "resolution": 10,
                "bufferX": 50,
                "bufferY": 50,
            },
            "output": {
                "type": "raster",
                "delivery": {
                    "s3": {
                        "url": "s3://b/first",
                        "region": "eu-central-1",
                        "iamRoleARN": "arn:aws:iam::0:role/r",
                    }
                },
            },
        },
        {
            "instanceType": "normal",
            "processRequest": {
                "input": {
                    "bounds": {
                        "geometry": {
                            "type": "MultiPolygon",
                            "crs": URN_CRS84,
                            "coordinates": [[[[1.5, 2.25], [3.0, 4.0], [5.0, 6.125], [1.5, 2.25]]]],
                        },
                        "properties": {"crs": EPSG_4326},
                    },
                    "data": [
                        {
                            "dataFilter": {
                                "timeRange": {
                                    "from": "2020-07-01T00:00:00Z",
                                    "to": "2020-07-30T23:59:59Z",
                                },
                                "mosaickingOrder": "mostRecent",
                                "maxCloudCoverage": 100.0,
                                "previewMode": "DETAIL",
                            },
                            "type": "S2L1C",
                        }
                    ],
                },
                "output": {
                    "responses": [
                        {"identifier": "NDVI", "format": {"type": "image/tiff"}, "logo": False}
                    ]
                },
                "evalscript": "//VERSION=3\n",
            },
            "input": {
                "type": "tiling-grid",
                "id": 1,
                "bufferY": 50,
                "bufferX": 50,
                "resolution": 10.0,
            },
            "output": {
                "delivery": {
                    "s3": {
                        "url": "s3://b/first",
                        "region": "eu-central-1",
                        "iamRoleARN": "arn:aws:iam::0:role/r",
                    }
                },
                "type": "raster",
                "overwrite": False,
                "skipExisting": False,
                "cogOutput": False,
                "createCollection": False,
            },
            "description": "a tutorial",
        },
    ),
    (
        {
            "processRequest": {
                "input": {
                    "bounds": {
                        "geometry": {
                            "type": "Polygon",
                            "coordinates": [[[36.165, -6.774], [36.166, -6.774], [36.165, -6.774]]],
                        }
                    },
                    "data": [
                        {
                            "type": "sentinel-1-grd",
                            "dataFilter": {
                                "resolution": "HIGH",
                                "acquisitionMode": "IW",
                                "polarization": "DV",
                            },
                            "processing": {
                                "backCoeff": "GAMMA0_TERRAIN",
                                "orthorectify": True,
                                "demInstance": "COPERNICUS_30",
                            },
                        }
                    ],
                },
                "output": {
                    "responses": [
                        {"identifier": "userdata", "format": {"type": "application/json"}}
                    ]
                },
                "evalscript": "//VERSION=3\n",
            },
            "input": {"type": "tiling-grid", "id": 2, "resolution": 360},
            "output": {
                "type": "raster",
                "overwrite": True,
                "cogOutput": True,
                "delivery": {
                    "s3": {"url": "s3://b/<tileName>", "accessKey": "K", "secretAccessKey": "S"}
                },
            },
        },
        {
            "instanceType": "normal",
            "processRequest": {
                "input": {
                    "bounds": {
                        "geometry": {
                            "type": "Polygon",
                            "crs": URN_CRS84,
                            "coordinates": [[[36.165, -6.774], [36.166, -6.774], [36.165, -6.774]]],
                        },
                        "properties": {"crs": EPSG_4326},
                    },
                    "data": [
                        {
                            "dataFilter": {
                                "mosaickingOrder": "mostRecent",
                                "maxCloudCoverage": 100.0,
                                "resolution": "HIGH",
                                "acquisitionMode": "IW",
                                "polarization": "DV",
                            },
                            "processing": {
                                "backCoeff": "GAMMA0_TERRAIN",
                                "orthorectify": True,
                                "demInstance": "COPERNICUS_30",
                            },
                            "type": "S1GRD",
                        }
                    ],
                },
                "output": {
                    "responses": [
                        {
                            "identifier": "userdata",
                            "format": {"type": "application/json"},
                            "logo": False,
                        }
                    ]
                },
                "evalscript": "//VERSION=3\n",
            },
            "input": {"type": "tiling-grid", "id": 2, "resolution": 360.0},
            "output": {
                "delivery": {
                    "s3": {
                        "url": "s3://b/<tileName>",
                        "accessKey": "*****",
                        "secretAccessKey": "<REDACTED>",
                    }
                },
                "type": "raster",
                "overwrite": True,
                "skipExisting": False,
                "cogOutput": True,
                "createCollection": False,
            },
        },
    ),
]


@pytest.mark.parametrize(("sent", "said"), OWN_WORDS, ids=["role", "keys"])
def test_the_essentials_of_what_was_recorded(sent, said):
    assert changed_fields(sent, said) == ()
    assert digest(normalize(sent)) == digest(normalize(said))
    assert witness(sent) == witness(said)
    shown = suppressed_fields(sent, said)
    assert {field.reason for field in shown} <= {
        "filled in by the service",
        "the same value in other words",
    }
    assert not {"K", "S", "*****"} & {
        str(value) for field in shown for value in (field.before, field.after)
    }
