from __future__ import annotations

import pytest

from shbatch_sync.expressions import ExpressionError, Scope, expand, expand_text, has_expression
from shbatch_sync.variables import from_environment, typed, written

SCOPE = Scope(
    {
        "vars": {"res": 10, "flag": True, "half": 0.5, "list": [1, {"a": "b"}], "none": None},
        "project": "crops",
    },
    {"matrix": "this manifest has no matrix"},
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("${{ vars.res }}", 10),
        ("${{vars.flag}}", True),
        ("${{ vars.list }}", [1, {"a": "b"}]),
        ("${{ vars.list.1.a }}", "b"),
        ("${{ vars.none }}", None),
        ("a-${{ vars.res }}-${{ project }}", "a-10-crops"),
        ("${{ vars.flag }} ${{ vars.half }}", "true 0.5"),
        ("$${{ vars.res }}", "${{ vars.res }}"),
        ("$${{ a }} ${{ project }}", "${{ a }} crops"),
    ],
)
def test_values(text, value):
    found = expand_text(text, SCOPE)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${{ vars.rse }}", "${{ vars.rse }} is not defined; did you mean 'vars.res'?"),
        ("${{ zzz }}", "${{ zzz }} is not defined (known: vars, project)"),
        ("${{ vars.list.5 }}", "${{ vars.list.5 }} is not defined: vars.list is a list of 2"),
        ("${{ project.x }}", "${{ project.x }} is not defined: project is a single value"),
        ("${{ matrix.a }}", "${{ matrix.a }}: this manifest has no matrix"),
        (
            "${{ 1 + 1 }}",
            "${{ 1 + 1 }} is not a name: only names such as vars.bucket may stand there",
        ),
        ("${{ a", "${{ is not closed by }}: to mean it as text, write $${{"),
        ("x ${{ vars.list }}", "${{ vars.list }} is a list, which cannot stand within text"),
        ("x ${{ vars }}", "${{ vars }} is a mapping, which cannot stand within text"),
        ("x ${{ vars.none }}", "${{ vars.none }} is empty, which cannot stand within text"),
    ],
)
def test_faults(text, message):
    with pytest.raises(ExpressionError) as caught:
        expand_text(text, SCOPE)
    assert str(caught.value) == message


def test_an_unknown_variable_says_how_to_set_it():
    with pytest.raises(ExpressionError, match="by --var x=… or SHBATCH_VAR_x"):
        expand_text("${{ vars.x }}", Scope({"vars": {}}))


def test_expand_collects_every_fault():
    unresolved = []
    data = {"a": ["${{ project }}", "${{ nope }}"], "b": {"c": "${{ nope }}"}, "d": 1}
    assert expand(data, SCOPE, unresolved)["a"][0] == "crops"
    assert [one.pointer for one in unresolved] == ["/a/1", "/b/c"]


def test_has_expression():
    assert has_expression({"a": [1, {"b": "x ${{ y }}"}]})
    assert not has_expression({"a": [1, {"b": "${ y }"}]})


def test_variables_from_outside_take_the_types_that_are_meant():
    env = {"SHBATCH_VAR_res": "20", "SHBATCH_VAR_": "x", "OTHER": "y", "SHBATCH_VAR_id": "7"}
    texts = from_environment(env)
    assert texts == {"res": "20", "id": "7"}
    assert typed(texts, {"id": "text"}) == {"res": 20, "id": "7"}
    given = {"a": "true", "b": "010", "c": "[draft]", "d": "two words", "e": 5, "f": ""}
    assert typed(given, {}) == {
        "a": True,
        "b": "010",
        "c": "[draft]",
        "d": "two words",
        "e": 5,
        "f": "",
    }


def test_variables_as_json_are_what_json_says():
    given = {"a": "[1]", "b": '{"c": null}', "d": '"20"', "e": '"', "f": '"10"', "g": "null"}
    assert typed(given, {"f": "text"}) == {
        "a": [1],
        "b": {"c": None},
        "d": "20",
        "e": '"',
        "f": "10",
        "g": "null",
    }


@pytest.mark.parametrize("value", ["10", "", 'a "word"', 5, 0.5, True, [1, "a"], {"a": None}])
def test_what_is_written_is_read_back(value):
    assert typed({"x": written(value)}, {}) == {"x": value}
    assert typed({"x": written(value)}, {"x": "text"}) == {
        "x": value if isinstance(value, (str, list, dict)) else written(value)
    }
