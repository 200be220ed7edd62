"""What an import makes of a body: nothing that counts is lost, no secret is taken over, YAML reads back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shbatch_sync.document import Source, parse
from shbatch_sync.files import FileRefusedError
from shbatch_sync.import_body import without_service
from shbatch_sync.import_judging import _FilesToBe
from shbatch_sync.import_names import name_all
from shbatch_sync.importing import (
    Manner,
    Subject,
    Variables,
    import_all,
    letting_through,
    subject_of,
)
from shbatch_sync.normalize import normalize
from shbatch_sync.request import BatchProcessRequest
from shbatch_sync.store.schemas import load_schema
from shbatch_sync.yamldump import dump

MANNER = Manner(schema="s.json")
SCRIPT = "//VERSION=3\nfunction setup() {}\n"


def subject(body: dict[str, Any] | None = None, **members: Any) -> Subject:
    return Subject(body={} if body is None else body, label="here", **members)


def body(script: str = SCRIPT, **members: Any) -> dict[str, Any]:
    return {
        "processRequest": {
            "input": {"bounds": {"bbox": [1, 2, 3, 4]}, "data": [{"type": "S2L2A"}]},
            "output": {"responses": [{"identifier": "ndvi", "format": {"type": "image/tiff"}}]},
            "evalscript": script,
        },
        "input": {"type": "tiling-grid", "id": 0, "resolution": 10.0},
        "output": {"type": "raster", "delivery": {"s3": {"url": "s3://b/p"}}},
        **members,
    }


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.sampled_from(["yes", "1e5", "0x1", "010", "~", "", "- a", "a: b", "#", "a #b", "2020-01-01", "|\n", "\n a", "a \nb", "\t", "<<"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=400)
@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8), JSON, min_size=1, max_size=4
    )
)
def test_yaml_reads_back_as_it_was(data: dict[str, Any]) -> None:
    documents, problems = parse(Source(file="a.yaml", text=dump(data)))
    assert problems == []
    assert documents[0].data == data
    assert json.dumps(documents[0].data) == json.dumps(data)


def test_texts_of_several_lines_are_blocks() -> None:
    assert dump({"a": "one\ntwo\n"}) == "a: |\n  one\n  two\n"
    assert dump({"a": "one\r\ntwo\n"}) == 'a: "one\\r\\ntwo\\n"\n'


def test_what_the_service_adds_is_left_out_and_what_is_needed_stays() -> None:
    echo = {
        "instanceType": "normal",
        "processRequest": {
            "input": {
                "bounds": {"bbox": [1, 2, 3, 4], "properties": {"crs": "http://www.opengis.net/def/crs/EPSG/0/4326"}},
                "data": [{"type": "S1GRD", "dataFilter": {"maxCloudCoverage": 100.0, "resolution": "HIGH", "timeRange": {"from": "2020-01-01T00:00:00+00:00"}}}, "odd"],
            },
            "output": {"responses": [{"identifier": "a", "format": {"type": "zarr/array"}, "logo": False}]},
            "evalscript": SCRIPT,
        },
        "input": {"type": "tiling-grid", "id": 6, "resolution": 100.0},
        "output": {
            "type": "zarr",
            "delivery": {"s3": {"url": "s3://b"}},
            "arrayParameters": {"order": "C", "dtype": "<f4", "fill_value": 1e300},
            "group": {},
        },
    }  # fmt: skip
    plain = without_service(echo)
    assert list(plain) == ["processRequest", "input", "output"]
    assert plain["processRequest"]["input"]["data"] == [
        {"type": "sentinel-1-grd", "dataFilter": {"timeRange": {"from": "2020-01-01T00:00:00Z"}, "resolution": "HIGH"}},
        "odd",
    ]  # fmt: skip
    assert plain["processRequest"]["input"]["bounds"]["properties"]["crs"].endswith("/4326")
    assert plain["output"]["arrayParameters"] == {"dtype": "<f4", "fill_value": 1e300, "order": "C"}
    assert isinstance(plain["output"]["arrayParameters"]["fill_value"], float)
    assert plain["output"]["group"] == {}
    assert normalize(plain) == normalize(echo)


def test_a_short_name_of_a_crs_is_written_out() -> None:
    sent = body()
    sent["processRequest"]["input"]["bounds"]["properties"] = {"crs": "EPSG:32633"}
    bounds = without_service(sent)["processRequest"]["input"]["bounds"]
    assert bounds["properties"]["crs"] == "http://www.opengis.net/def/crs/EPSG/0/32633"


@pytest.mark.parametrize("given", [{}, {"processRequest": {}}, {"processRequest": {"input": {"data": 1}}, "output": {"type": "zarr"}}])  # fmt: skip
def test_what_is_hardly_a_body_is_carried_along(given: dict[str, Any]) -> None:
    [made] = import_all([subject(given)], (), MANNER)
    assert made.data["request"]["processRequest"] == given.get("processRequest", {})


def test_a_secret_becomes_the_name_of_a_variable() -> None:
    places = {
        "s3": {"accessKey": "AKIA", "secretAccessKey": "hush", "url": "s3://b/p", "region": "x"}
    }
    sent = body(
        input={"type": "geopackage", "features": {"gs": {"url": "gs://b", "credentials": "hush"}}},
        output={"type": "raster", "delivery": places},
    )
    [made] = import_all(
        [subject(sent)], (), Manner(schema="s", variables=Variables(access_key="K"))
    )
    assert made.data["request"]["output"]["delivery"]["s3"] == {
        "url": "s3://b/p",
        "region": "x",
        "accessKey": {"fromEnv": "K"},
        "secretAccessKey": {"fromEnv": "S3_SECRET_ACCESS_KEY"},
    }
    assert made.data["request"]["input"]["features"]["gs"]["credentials"] == {
        "fromEnv": "GS_CREDENTIALS"
    }
    assert "hush" not in made.text
    assert "AKIA" not in made.text


def test_names_come_from_the_description_or_from_what_it_is_about() -> None:
    ids = [f"{number}{'abcdef' * 2}" for number in range(4)]
    made = [
        subject(description="Žito, 1. teden\nmore", request_id=ids[0]),
        subject(body()),
        subject(),
        subject(description="the longest description that anybody ever wrote for a batch request"),
        subject(description="x" * 80),
        subject(description="same", request_id=ids[1]),
        subject(description="same", request_id=ids[2]),
        subject(description="taken", request_id=ids[3]),
    ]
    names = name_all(made, {"taken"})
    assert names[:5] == [
        "zito-1-teden", "sentinel-2-l2a-ndvi", "imported",
        "the-longest-description-that-anybody-ever-wrote-for-a", "x" * 54,
    ]  # fmt: skip
    assert names[5:] == [f"same-{ids[1][:8]}", f"same-{ids[2][:8]}", f"taken-{ids[3][:8]}"]


def test_ids_that_begin_alike_get_as_many_digits_as_it_takes() -> None:
    twins = [
        subject(description="d", request_id="00000000-0000-4000-8000-00000000000a"),
        subject(description="d", request_id="00000000-0000-4000-8000-00000000000b"),
        subject(description="d", request_id="00000000-0000-4000-9000-00000000000b"),
    ]
    names = name_all(twins, ())
    assert len(set(names)) == 3
    assert all(len(name) <= 63 for name in names)


def test_expressions_of_others_stay_text() -> None:
    sent = body(output={"type": "raster", "delivery": {"s3": {"url": "s3://b/${{ x }}/$${{ y }}"}}})
    [made] = import_all([subject(sent, description="${{ z }}")], (), MANNER)
    assert made.data["description"] == "$${{ z }}"
    assert made.data["request"]["output"]["delivery"]["s3"]["url"] == "s3://b/$${{ x }}/$$${{ y }}"


@pytest.mark.parametrize("script", ["a\r\nb", "\ufeffa", "a\0", " \n"])
def test_a_script_that_a_file_would_change_stays_in_the_manifest(script: str) -> None:
    [made] = import_all([subject(body(script))], (), MANNER)
    assert made.files == {}
    documents, _ = parse(Source(file="a.yaml", text=made.text))
    assert documents[0].data["request"]["processRequest"]["evalscript"] == script


@pytest.mark.parametrize(
    ("geometry", "moved"),
    [
        ({"type": "Polygon", "coordinates": [[[n, n] for n in range(9)]]}, True),
        ({"type": "Polygon", "coordinates": [[[n, n] for n in range(8)]]}, False),
        ({"type": "MultiPolygon", "coordinates": [[[[n, n] for n in range(5)]]] * 2}, True),
        ({"type": "Polygon", "coordinates": [[[n, n] for n in range(9)]], "bbox": [1]}, False),
        ({"type": "Blob", "coordinates": [[[n, n] for n in range(9)]]}, False),
        ({"type": "Polygon", "coordinates": "none"}, False),
        ("none", False),
    ],
)
def test_large_areas_go_into_a_file(geometry: Any, moved: bool) -> None:
    sent = body()
    sent["processRequest"]["input"]["bounds"] = {"geometry": geometry}
    [made] = import_all([subject(sent, description="d")], (), MANNER)
    bounds = made.data["request"]["processRequest"]["input"].get("bounds", {})
    assert ("areas/d.geojson" in made.files) is moved
    if moved:
        assert bounds["geometry"] == {"fromFile": "areas/d.geojson"}
        assert json.loads(made.files["areas/d.geojson"]) == geometry


def test_null_takes_away_what_only_the_defaults_have() -> None:
    defaults = {
        "description": "ours",
        "target": "eu",
        "state": "started",
        "request": {
            "output": {"overwrite": True, "delivery": {"s3": {"region": "x"}}},
            "processRequest": {"evalscript": {"fromFile": "x.js"}, "input": {"bounds": {"geometry": {"fromFile": "a"}}}},
        },
    }  # fmt: skip
    [made] = import_all(
        [subject(body(), description="d")], (), Manner(schema="s", defaults=defaults)
    )
    assert made.data["target"] is None
    assert made.data["state"] is None
    assert made.data["description"] == "d"
    request = made.data["request"]
    assert request["output"]["overwrite"] is None
    assert request["output"]["delivery"]["s3"] == {"url": "s3://b/p", "region": None}
    assert request["processRequest"]["input"]["bounds"] == {"bbox": [1, 2, 3, 4], "geometry": None}
    assert request["processRequest"]["evalscript"] == {"fromFile": "evalscripts/d.js"}


def test_members_that_are_new_are_let_through_by_name() -> None:
    sent = body(input={"type": "tiling-grid", "id": 0, "resolution": 10, "new": 1})
    [made] = import_all([subject(sent)], (), MANNER)
    allowed = letting_through(made, load_schema("job"))
    assert allowed.data["x-allow"] == ["/request/input/new"]
    assert list(allowed.data)[-2:] == ["x-allow", "request"]
    [known] = import_all([subject(body())], (), MANNER)
    assert letting_through(known, load_schema("job")) is known


@pytest.mark.parametrize(
    ("status", "action", "state"),
    [
        ("CREATED", "NONE", "created"),
        ("CREATED", "START", "started"),
        ("ANALYSING", "ANALYSE", "analysed"),
        ("DONE", "START", "started"),
        ("STOPPED", "STOP", "stopped"),
        ("MELTED", "NONE", "created"),
        ("FAILED", "START", None),
    ],
)
def test_the_state_is_the_milestone_it_has_reached(
    status: str, action: str, state: str | None
) -> None:
    live = {
        "id": "A" * 8,
        "status": status,
        "userAction": action,
        "request": {"description": " d "},
    }
    found = subject_of(BatchProcessRequest.from_dict(live))
    assert (found.state, found.request_id, found.description) == (state, "A" * 8, "d")


def places(value: Any, steps: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield steps
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in items:
        yield from places(item, (*steps, key))


def with_value(value: Any, steps: tuple[str | int, ...], new: Any) -> Any:
    if not steps:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[steps[0]] = with_value(value[steps[0]], steps[1:], new)  # type: ignore[index, call-overload]
    return copy


FULL = body(
    input={"type": "geopackage", "features": {"gs": {"url": "gs://b", "credentials": "*****"}}},
    output={"type": "zarr", "group": {"zarr_format": 2}, "delivery": {"s3": {"url": "s3://b", "accessKey": "*****"}}, "arrayParameters": {"order": "C"}},
)  # fmt: skip
FULL["processRequest"]["input"]["bounds"] = {
    "geometry": {"type": "Polygon", "coordinates": [[[n, n] for n in range(9)]]},
    "properties": {"crs": "http://www.opengis.net/def/crs/EPSG/0/4326"},
}


@settings(max_examples=400)
@given(st.sampled_from(list(places(FULL))[1:]), JSON)
def test_whatever_the_service_says_becomes_yaml(steps: tuple[str | int, ...], new: Any) -> None:
    odd = with_value(FULL, steps, new)
    [made] = import_all([subject(odd, description="d")], (), MANNER)
    documents, problems = parse(Source(file="a.yaml", text=made.text))
    assert problems == []
    assert documents[0].data == made.data


def test_what_tells_subjects_apart_is_the_id_or_the_content():
    assert subject({"a": 1}).hex != subject({"a": 2}).hex
    assert subject({"a": 1}, request_id="1B9D6BCD-BBFD").hex == "1b9d6bcdbbfd"


def test_an_import_has_no_local_copy():
    with pytest.raises(FileRefusedError, match="not among the files"):
        _FilesToBe({}).package("a.gpkg", beside="jobs/a.yaml")
