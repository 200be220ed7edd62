"""The digest: the same for the same request, today and in the next release."""

from __future__ import annotations

import copy
import json
import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shbatch_sync.digest import DIGEST, digest, instant, without_credentials
from tests.unit.core.factories import BODY, COSMETIC, OTHER, job, spec

RASTER = spec() | {"description": "not part of it"}
GEOPACKAGE = {
    "processRequest": {
        "input": {"data": [{"type": "byoc-0f8b3d6e", "dataFilter": {}}]},
        "output": {"responses": [{"identifier": "default", "format": {"type": "image/tiff"}}]},
        "evalscript": "//VERSION=3\nfunction setup() { return {input: ['B1'], output: {bands: 1}} }\n",
    },
    "input": {"type": "geopackage", "features": {"s3": {"url": "s3://bucket/parcels.gpkg"}}},
    "output": {
        "type": "raster",
        "delivery": {"s3": {"url": "s3://bucket/out", "iamRoleARN": "arn:aws:iam::0:role/sh"}},
    },
}
ZARR = {
    "processRequest": {
        "input": {
            "bounds": {
                "bbox": [460000.0, 5080000.5, 470000, 5090000],
                "properties": {"crs": "http://www.opengis.net/def/crs/EPSG/0/32633"},
            },
            "data": [
                {
                    "type": "sentinel-1-grd",
                    "dataFilter": {
                        "timeRange": {
                            "from": "2024-05-01T00:00:00.250Z",
                            "to": "2024-06-01T02:00:00+02:00",
                        }
                    },
                    "processing": {"orthorectify": True, "backCoeff": "GAMMA0_TERRAIN"},
                }
            ],
        },
        "output": {"responses": [{"identifier": "vv", "format": {"type": "zarr/array"}}]},
        "evalscript": "//VERSION=3\n// ümläut – “quotes” \U0001f6f0\n",
    },
    "input": {"type": "tiling-grid", "id": 6, "resolution": 100.0, "bufferX": 0},
    "output": {
        "type": "zarr",
        "delivery": {"s3": {"url": "s3://bucket/cube/<requestId>"}},
        "group": {"zarr_format": 2},
        "arrayParameters": {"dtype": "<u2", "chunks": [1, 1000, 1000], "fill_value": 0},
    },
}

# Written down once. A release that changes one of them takes every request of every user for another one.
GOLDEN = [
    (RASTER, "1.6b0726754d8a"),
    (GEOPACKAGE, "1.0715ecb8e623"),
    (ZARR, "1.34e9068a08e4"),
    ({}, "1.44136fa355b3"),
    ({"a": [None, True, 1, 1.5, "ä"]}, "1.a4ce01df4996"),
]


@pytest.mark.parametrize(("body", "expected"), GOLDEN)
def test_golden_digests(body, expected):
    assert digest(body) == expected


SAME: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("numbers by value", {"a": 10, "b": [0, -0.0]}, {"a": 10.0, "b": [0.0, 0]}),
    ("large numbers", {"a": 10**15}, {"a": 1e15}),
    ("null is absent", {"a": 1, "b": None}, {"a": 1}),
    ("an empty object is absent", {"a": 1, "b": {}}, {"a": 1}),
    ("and so is what becomes empty", {"a": 1, "b": {"c": {"d": None}}}, {"a": 1}),
    ("the description", {"a": 1, "description": "x"}, {"a": 1}),
    ("order of keys", {"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1}),
    (
        "offset",
        {"timeRange": {"from": "2024-05-01T00:00:00Z"}},
        {"timeRange": {"from": "2024-05-01T00:00:00+00:00"}},
    ),
    (
        "zone",
        {"timeRange": {"from": "2024-05-01T00:00:00Z"}},
        {"timeRange": {"from": "2024-05-01T02:00:00+02:00"}},
    ),
    (
        "fraction",
        {"timeRange": {"from": "2024-05-01T00:00:00Z"}},
        {"timeRange": {"from": "2024-05-01T00:00:00.000Z"}},
    ),
    (
        "digits of a fraction",
        {"timeRange": {"from": "2024-05-01T00:00:00.5Z"}},
        {"timeRange": {"from": "2024-05-01T00:00:00.500000Z"}},
    ),
    (
        "case of a time",
        {"timeRange": {"from": "2024-05-01T00:00:00Z"}},
        {"timeRange": {"from": "2024-05-01t00:00:00z"}},
    ),
]
DIFFERENT: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("true is not 1", {"a": True}, {"a": 1}),
    ("text is not a number", {"a": "10"}, {"a": 10}),
    ("an empty list is there", {"a": []}, {}),
    ("empty text is there", {"a": ""}, {}),
    ("false is there", {"a": False}, {}),
    ("zero is there", {"a": 0}, {}),
    ("order of a list", {"a": [1, 2]}, {"a": [2, 1]}),
    ("a null in a list", {"a": [None]}, {"a": []}),
    ("a description further down", {"a": {"description": "x"}}, {"a": {"description": "y"}}),
    (
        "a time elsewhere is text",
        {"evalscript": "2024-05-01T00:00:00Z"},
        {"evalscript": "2024-05-01T00:00:00+00:00"},
    ),
    (
        "another instant",
        {"timeRange": {"from": "2024-05-01T00:00:00Z"}},
        {"timeRange": {"from": "2024-05-01T00:00:00.1Z"}},
    ),
    ("blanks", {"evalscript": "a"}, {"evalscript": "a "}),
    ("a default spelt out", {"output": {"overwrite": False}}, {"output": {}}),
    ("the other name of a collection", {"type": "S2L2A"}, {"type": "sentinel-2-l2a"}),
    ("a role", {"s3": {"iamRoleARN": "a"}}, {"s3": {"iamRoleARN": "b"}}),
]


@pytest.mark.parametrize(("left", "right"), [pytest.param(a, b, id=name) for name, a, b in SAME])
def test_two_ways_to_write_one_request(left, right):
    assert digest(left) == digest(right)


@pytest.mark.parametrize(
    ("left", "right"), [pytest.param(a, b, id=name) for name, a, b in DIFFERENT]
)
def test_two_requests(left, right):
    assert digest(left) != digest(right)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)
OBJECTS = st.dictionaries(st.text(max_size=5), JSON, max_size=5)


def shuffled(value: Any, dice: random.Random) -> Any:
    """Return the same JSON with its keys in another order and its whole numbers as floats, and the like."""
    if isinstance(value, dict):
        items = [(key, shuffled(item, dice)) for key, item in value.items()]
        items += [
            (f"absent {number}", dice.choice([None, {}])) for number in range(dice.randint(0, 2))
        ]
        dice.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        return [shuffled(item, dice) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


@given(OBJECTS, st.randoms(use_true_random=False))
def test_order_and_spelling_mean_nothing(body, dice):
    kept = copy.deepcopy(body)
    assert digest(shuffled(body, dice)) == digest(body)
    assert digest(json.loads(json.dumps(body))) == digest(body)
    assert body == kept


@given(OBJECTS)
def test_its_form(body):
    assert re.fullmatch(DIGEST, digest(body))


def test_what_json_cannot_say_has_no_digest():
    with pytest.raises(ValueError, match="Out of range float"):
        digest({"a": float("nan")})


INSTANTS = [
    ("2024-05-01T00:00:00Z", "2024-05-01T00:00:00Z"),
    ("2024-05-01T01:30:00+01:30", "2024-05-01T00:00:00Z"),
    ("2024-04-30T22:00:00-02:00", "2024-05-01T00:00:00Z"),
    ("2024-05-01T00:00:00.123456789Z", "2024-05-01T00:00:00.123456789Z"),
    ("2024-05-01T00:00:00.1200Z", "2024-05-01T00:00:00.12Z"),
    ("2024-05-01", None),
    ("2024-05-01T00:00:00", None),
    ("2024-13-01T00:00:00Z", None),
    ("2016-12-31T23:59:60Z", None),
    ("0001-01-01T00:00:00+23:00", None),
    ("9999-12-31T23:00:00-23:00", None),
    ("2024-05-01T00:00:00+99:00", None),
    ("٢٠٢٤-05-01T00:00:00Z", None),
    ("now", None),
]


@pytest.mark.parametrize(("text", "expected"), INSTANTS)
def test_instants(text, expected):
    assert instant(text) == expected


def test_a_time_that_is_none_counts_as_text():
    assert digest({"timeRange": {"from": "May"}}) != digest({"timeRange": {"from": "June"}})
    assert digest({"timeRange": {"from": 1}}) == digest({"timeRange": {"from": 1.0}})


SECRET = {"accessKey": "A", "secretAccessKey": "B"}


def test_credentials_are_taken_out_where_the_api_defines_them():
    body = {
        "input": {"features": {"s3": {"url": "u", **SECRET}}},
        "output": {"delivery": {"gs": {"url": "u", "credentials": "C"}, "s3": "text"}},
        "evalscript": "x",
        "userdata": [{"accessKey": "a band"}, (1, 2)],
    }
    kept = copy.deepcopy(body)
    assert without_credentials(body) == {
        "input": {"features": {"s3": {"url": "u"}}},
        "output": {"delivery": {"gs": {"url": "u"}, "s3": "text"}},
        "evalscript": "x",
        "userdata": [{"accessKey": "a band"}, [1, 2]],
    }
    assert body == kept


def test_credentials_are_no_part_of_the_digest():
    keyed = spec()
    keyed["output"]["delivery"]["s3"] |= SECRET
    assert digest(keyed) == digest(BODY)


def test_a_job_has_two_digests():
    assert job().digest == digest(BODY) == "1.6b0726754d8a"
    cosmetic = job(spec=COSMETIC)
    assert cosmetic.digest != job().digest
    assert cosmetic.norm_digest == job().norm_digest
    assert job(spec=OTHER).norm_digest != job().norm_digest
    assert str(job().origin) == "jobs/ndvi.yaml:3"
