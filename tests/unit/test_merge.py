from __future__ import annotations

import pytest

from shbatch_sync.merge import fill_credentials, merge, settle

KEY = {"accessKey": {"fromEnv": "K"}, "secretAccessKey": {"fromEnv": "S"}}


@pytest.mark.parametrize(
    ("base", "over", "result"),
    [
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, {"a": {"b": 3, "c": 2}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": 1}, "text", "text"),
        ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
        ({"a": None}, {"b": {"c": None, "d": 1}}, {"b": {"d": 1}}),
        ({"a": "text"}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        (
            {"a": {"fromFile": "x", "expand": True}},
            {"a": {"fromFile": "y"}},
            {"a": {"fromFile": "y"}},
        ),
        ({"g": {"type": "Polygon"}}, {"g": {"fromFile": "y"}}, {"g": {"fromFile": "y"}}),
        ({"g": {"fromFile": "y"}}, {"g": {"type": "Polygon"}}, {"g": {"type": "Polygon"}}),
        (
            {"s3": {"iamRoleARN": "r", "region": "e"}},
            {"s3": {"url": "u", **KEY}},
            {"s3": {"region": "e", "url": "u", **KEY}},
        ),
        (
            {"s3": {"iamRoleARN": "r"}},
            {"s3": {"url": "u", "accessKey": None}},
            {"s3": {"iamRoleARN": "r", "url": "u"}},
        ),
        (
            {"delivery": {"s3": {"url": "u"}}},
            {"delivery": {"gs": {"url": "g"}}},
            {"delivery": {"gs": {"url": "g"}}},
        ),
        (
            {"delivery": {"s3": {"region": "u"}}},
            {"delivery": {"s3": {"url": "g"}}},
            {"delivery": {"s3": {"region": "u", "url": "g"}}},
        ),
    ],
)
def test_layers(base, over, result):
    assert merge(base, over) == result


def test_neither_layer_is_changed():
    base, over = {"a": {"b": 1}}, {"a": {"c": 2}}
    merge(base, over)["a"]["d"] = 3
    assert (base, over) == ({"a": {"b": 1}}, {"a": {"c": 2}})


def test_a_targets_credentials_fill_the_gaps_only():
    request = {
        "input": {"features": {"s3": {"url": "a", "iamRoleARN": "own"}}},
        "output": {"delivery": {"s3": {"url": "b", "region": "mine"}}},
    }
    filled = fill_credentials(request, {**KEY, "region": "theirs"}, None)
    assert filled["input"]["features"]["s3"] == {"url": "a", "iamRoleARN": "own"}
    assert filled["output"]["delivery"]["s3"] == {"url": "b", "region": "mine", **KEY}
    assert request["output"]["delivery"]["s3"] == {"url": "b", "region": "mine"}


def test_what_is_no_storage_is_left_alone():
    request = {"input": "x", "output": {"delivery": {"gs": {"url": "g"}, "other": 1, "s3": "text"}}}
    assert fill_credentials(request, KEY, None) == request
    filled = fill_credentials(request, None, {"credentials": {"fromEnv": "G"}})
    assert filled["output"]["delivery"]["gs"] == {"url": "g", "credentials": {"fromEnv": "G"}}


@pytest.mark.parametrize(
    ("before", "after", "base", "settled"),
    [
        ({"a": "${{ x }}"}, {"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        ({"a": "${{ x }}"}, {"a": {"b": None}}, {"a": {"b": 2}}, {"a": {}}),
        ({"a": "${{ x }}"}, {"a": None}, {"a": 1}, {}),
        ({"a": {"b": "${{ x }}"}}, {"a": {"b": {"c": 1}}}, {"a": 5}, {"a": {"b": {"c": 1}}}),
        ({"a": None}, {"a": None}, {}, {"a": None}),
        (["${{ x }}", 1], [{"b": None}, 1], {}, [{}, 1]),
        ("text", "text", {}, "text"),
    ],
)
def test_expressions_take_part_with_their_values(before, after, base, settled):
    assert settle(before, after, base) == settled
