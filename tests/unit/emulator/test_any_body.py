"""Whatever is sent, the answer is a yes or a no of the service and never a fault of the program."""

from __future__ import annotations

import copy
import json
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=5)
    | st.sampled_from(["s3://b/<tileName>", "raster", "zarr", "geopackage", "S1GRD", 10**400]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        return found + [one for key in value for one in places(value[key], (*path, key))]
    if isinstance(value, list):
        return found + [one for n, item in enumerate(value) for one in places(item, (*path, n))]
    return found


@st.composite
def altered(draw, starts):
    body = copy.deepcopy(draw(st.sampled_from(starts)))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(body)))
        node = body
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = draw(VALUES)
    return body


@settings(max_examples=400)
@given(data=st.data())
def test_create(lasting: httpx.Client, starts: list[Any], data: st.DataObject):
    body = data.draw(altered(starts))
    http, text = lasting, json.dumps(body)
    headers = {"Content-Type": "application/json"}
    answer = http.post("/batch/v2/process", content=text, headers=headers)
    assert answer.status_code in {201, 400}, answer.text
    if answer.status_code == 400:
        assert answer.json()["error"]["message"]
    else:
        path = f"/batch/v2/process/{answer.json()['id']}"
        assert http.get(path).json()["request"]["input"].keys() >= body["input"].keys()


@pytest.mark.parametrize(
    "description", ['"\\ud800"', "[" * 900 + "]" * 900, '{"a":' * 300 + "1" + "}" * 300]
)
def test_text_that_is_no_unicode_and_deep_nesting(lasting, starts, description):
    http, text = lasting, json.dumps(starts[0])[:-1] + f', "extra": {description}}}'
    headers = {"Content-Type": "application/json"}
    answer = http.post("/batch/v2/process", content=text, headers=headers)
    assert answer.status_code in {201, 400}
    update = f'{{"description": {description}}}'
    path = "/batch/v2/process"
    mine = http.post(path, json=starts[0]).json()["id"]
    answer = http.put(f"{path}/{mine}", content=update, headers=headers)
    assert answer.status_code == 400
    assert http.get(f"{path}/{mine}").json()["request"]["description"] == "May"


def test_a_form_that_is_broken_or_large(lasting, starts):
    http = lasting
    headers = {"Content-Type": "multipart/form-data"}
    broken = http.post("/batch/v2/process", content=b"--x\r\n", headers=headers)
    assert broken.status_code == 400
    many = {f"part-{n}": (None, "x") for n in range(1001)}
    assert http.post("/batch/v2/process", files=many).status_code == 413
    parts = {"request": (None, json.dumps({**starts[0], "description": "x" * 1_000_000}))}
    assert http.post("/batch/v2/process", files=parts).status_code == 201
