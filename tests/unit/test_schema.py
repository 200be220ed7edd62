from __future__ import annotations

import sys

import pytest

from shbatch_sync.allow import allowed_through
from shbatch_sync.faults import MAX_FAULTS, SchemaFault
from shbatch_sync.schema import Schema
from shbatch_sync.suggest import did_you_mean, nearest

PEOPLE = Schema(
    {
        "type": "object",
        "properties": {
            "kind": {"enum": ["a", 1]},
            "size": {"type": ["number", "null"]},
            "names": {"patternProperties": {"^x": True}, "additionalProperties": False},
            "word": {"type": "string", "pattern": "^a"},
            "few": {"maxItems": 1},
            "odd": {"multipleOf": 2},
            "one": {"maxProperties": 1, "minProperties": 1},
            "value": {"anyOf": [{"type": "number"}, {"$ref": "#/$defs/expression"}]},
            "accessKey": {"type": "object", "maxProperties": 1},
        },
        "additionalProperties": False,
        "$defs": {"expression": {"type": "string", "pattern": "\\$\\{\\{"}},
    }
)


def messages(data, schema=PEOPLE):
    return [fault.message for fault in schema.faults(data)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"kind": "b"}, '"b" is not one of a, 1'),
        ({"size": True}, "true is true or false, must be a number or empty"),
        ({"size": {}}, "{} is a mapping, must be a number or empty"),
        ({"names": {"y": 1}}, "'y' is no name: ^x"),
        ({"word": "b"}, '"b": does not match ^a'),
        ({"few": [1, 2]}, "has 2 items, must have at most 1"),
        ({"odd": 3}, "3 is not a multiple of 2"),
        ({"one": {}}, "is empty: needs a member"),
        ({"one": {"a": 1, "b": 2}}, "must have only one of a member"),
        ({"value": "x" * 100}, f'"{"x" * 58}… is text, must be a number'),
        ({"value": None}, "null is empty, must be a number"),
        (
            {"accessKey": "hunter2"},
            "a secret must not stand in a file: write {fromEnv: NAME_OF_A_VARIABLE}",
        ),
        ({"accessKey": 12345}, "must be a mapping"),
        ({"accessKey": {"a": "hunter2", "b": 1}}, "not allowed here"),
    ],
)
def test_messages(data, message):
    assert messages(data) == [message]


def test_alternatives_without_a_type_do_not_know_one():
    schema = Schema(
        {
            "anyOf": [
                {"properties": {"a": {}}, "required": ["a"], "additionalProperties": False},
                {"properties": {"b": {}}, "required": ["b", "c"], "additionalProperties": False},
            ]
        }
    )
    assert messages({"type": 1}, schema) == ["'a' is missing", "unknown key 'type' (known: a)"]


def test_expressions_are_for_the_first_reading_only():
    strict = PEOPLE.without_expressions()
    assert messages({"value": "${{ x }}"}) == []
    assert messages({"value": "${{ x }}"}, strict) == ['"${{ x }}" is text, must be a number']
    assert messages({"value": 5}, strict) == []


def test_faults_are_counted_out():
    assert len(messages({"names": {f"y{number}": 1 for number in range(60)}, "zzz": 1})) >= 50
    many = Schema({"items": {"type": "number"}})
    found = many.faults(["x"] * 1000)
    assert len(found) == MAX_FAULTS + 1
    assert found[-1].message.startswith("there is more than these")
    assert len(many.faults(["x"] * MAX_FAULTS)) == MAX_FAULTS


def test_without_the_fast_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    schema = Schema({"type": "number"})
    assert schema.accepts(5)
    assert messages("x", schema) == ['"x" is text, must be a number']


def test_suggestions():
    assert nearest("Resolutoin", ["resolution", "id"]) == "resolution"
    assert nearest("x" * 1000, ["x" * 999]) is None
    assert did_you_mean("qqq", ["resolution"]) == ""


def fault(code, *steps):
    return SchemaFault(steps=steps, message="m", code=code)


def test_only_what_is_new_is_let_through():
    faults = [
        fault("unknown-key", "request", "output", "new"),
        fault("unknown-value", "request", "processRequest", "input", "data", 0, "type"),
        fault("missing-key", "request", "output"),
        fault("unknown-value", "request", "output", "type"),
        fault("unknown-key", "request", "other"),
        fault("schema", "request", "output", "delivery"),
    ]
    data = {"x-allow": ["/request/output", "/request/processRequest/input/data/*/type", 5]}
    assert allowed_through(faults, data) == [*faults[2:6]]
    assert allowed_through(faults, {"x-allow": "text"}) == faults
    assert allowed_through(faults, []) == faults
