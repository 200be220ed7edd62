from __future__ import annotations

import json

import pytest
import yaml

from shbatch_sync import yamltext
from shbatch_sync.document import Source, parse
from shbatch_sync.yamlquick import OddError, quick
from shbatch_sync.yamltext import Construction, compose


def data(text, file="a.yaml"):
    documents, problems = parse(Source(file=file, text=text))
    assert problems == []
    return documents[0].data


def problems(text, file="a.yaml"):
    documents, found = parse(Source(file=file, text=text))
    assert documents == []
    return [str(problem) for problem in found]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("On", "On"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("1e3", 1000.0),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("+3", 3),
        ("0x10", 16),
        ("0o17", 15),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2024-05-01", "2024-05-01"),
        ("2024-05", "2024-05"),
        ("2024-05-01T00:00:00Z", "2024-05-01T00:00:00Z"),
        ("'010'", "010"),
        ("!!str 010", "010"),
        ("!!int 7", 7),
        ("!!float 7", 7.0),
        ("!!bool true", True),
        ("!!map {a: 1}", {"a": 1}),
        ("=", "="),
        ("<<", "<<"),
        (".", "."),
    ],
)
def test_scalars_follow_yaml_1_2(text, value):
    found = data(f"a: {text}")["a"]
    assert found == value
    assert type(found) is type(value)


def test_what_two_versions_read_differently_is_refused():
    assert problems("a: 010\nb: -.inf\nc: 1e999\nd: !!int x\ne: !!set {a}\nf: !!bool 5\n") == [
        "a.yaml:1:4: /a: 010 begins with a zero: quote it if it is text, drop the zero if it is a number [yaml-number]",
        'a.yaml:2:4: /b: -.inf is no JSON number: where the API takes it as text, quote it ("NaN") [yaml-number]',
        "a.yaml:3:4: /c: not a finite number: quote it if it is text [yaml-number]",
        "a.yaml:4:4: /d: not an integer [yaml-tag]",
        "a.yaml:5:4: /e: the tag !!set is not supported: a manifest is plain data [yaml-tag]",
        "a.yaml:6:4: /f: the tag !!bool is not supported: a manifest is plain data [yaml-tag]",
    ]


def test_anchors_and_merge_keys():
    text = "x: &x {b: 1, c: 2}\ny: &y {c: 3, d: 4}\nz: {<<: [*x, *y], c: 9}\nw: {<<: *x, <<: *y}\n"
    found = data(text)
    assert found["z"] == {"c": 9, "b": 1, "d": 4}
    assert found["w"] == {"b": 1, "c": 2, "d": 4}


def test_aliases_are_copies():
    found = data("a: &a [1]\nb: *a\n")
    found["a"].append(2)
    assert found["b"] == [1]


def test_several_documents_know_their_lines():
    documents, found = parse(Source(file="a.yaml", text="a: 1\n---\n# two\nb: {c: [5, 6]}\n"))
    assert found == []
    assert [document.line for document in documents] == [1, 4]
    assert documents[1].locate(("b", "c", 1)) == (4, 12)
    assert documents[1].locate(("b", "c"), key=True) == (4, 5)
    assert documents[1].locate(("b", "nowhere", 3)) == (4, 4)
    assert documents[1].locate(("b", "c", 7)) == (4, 8)
    assert documents[1].locate(("b", "c", "x")) == (4, 8)
    assert documents[1].locate(("b", "c", 0, "x")) == (4, 9)


def test_merged_values_are_found_where_they_stand():
    documents, _ = parse(
        Source(file="a.yaml", text="x: &x {b: 1}\ny: {<<: [*x], c: 2}\nz: {<<: *x}\n")
    )
    assert documents[0].locate(("y", "b")) == (1, 11)
    assert documents[0].locate(("z", "b")) == (1, 11)
    assert documents[0].locate(("z", "q")) == (3, 4)


def test_json_keeps_its_own_rules():
    assert data('{"a": "\\ud83d\\ude00", "b": 1e3}', "a.json") == {"a": "😀", "b": 1000.0}
    assert problems("", "a.json") == ["a.json:1:1: the file is empty [empty]"]
    assert problems('{"a": 1' + "0" * 50 + "}", "a.json") == [
        "a.json:1:1: a number is too large to be sent [json-syntax]"
    ]
    assert problems('{"a": 1e999}', "a.json") == [
        "a.json:1:1: a number is too large to be sent [json-syntax]"
    ]
    assert "too deep" in problems("[" * 100_000, "a.json")[0]
    assert "deeper than 100 levels" in problems("[" * 150 + "]" * 150, "a.json")[0]


def test_json_positions_fall_back_to_the_document():
    documents, _ = parse(Source(file="a.json", text='{"a": "\\ud83d\\ude00",\n "b": 1}'))
    assert documents[0].locate(("b",)) == (1, 1)


def test_standard_input_may_be_either():
    assert data('{"a": 1}', "-") == {"a": 1}
    assert data("a: 1", "-") == {"a": 1}
    assert "empty" in problems("", "-")[0]


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "{a: " * 50_000, "? " * 100_000])
def test_depth_is_bounded_before_the_parser_is_in_danger(text):
    assert "nested deeper than 100 levels" in problems(text)[0]


def test_size_is_bounded():
    assert "more than 500,000 values" in problems("[" + "1," * 600_000 + "]")[0]


def test_the_loader_without_libyaml_reads_the_same(monkeypatch):
    text = "a: &a {b: [1, no, 010x]}\nc: {<<: *a}\n"
    expected = data(text)
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    loader = yamltext._loader()
    assert loader is yamltext._PurePythonLoader
    monkeypatch.setattr(yamltext, "_LOADER", loader)
    assert data(text) == expected
    assert "nested deeper" in problems("[" * 500)[0]
    assert "mapping values" in problems("a: b: c")[0]
    assert "special characters" in problems("a: \x07")[0]
    loader("a").dispose()


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nb: [1.5, -2, 0x1F, 0o7, +3, 1e3, .5, 1.]\nc: {d: null, e: ~, f: , g: true, h: False}\n",
        "- text\n- 'quoted 1'\n- \"1.5\"\n- 2024-05-01\n- 12:30\n- no\n- -\n- ''\n",
        "a: |\n  function () { return a && b * c }\n",
        "a: 1234567890123456\nb: 1234567890.123456789012345678\nc: 1e-5\n",
        "? a\n: 1\n",
        "!!map {a: !!seq [1, !!str 2]}\n",
        "~",
        "text",
    ],
)
def test_a_quick_look_sees_what_a_careful_one_sees(text: str) -> None:
    root = compose(text)[0]
    careful = Construction()
    assert json.dumps(quick(root)) == json.dumps(careful.value(root))
    assert careful.faults == []


@pytest.mark.parametrize(
    "text",
    [
        "a: 010",
        "a: .inf",
        f"a: {'9' * 400}.0",
        f"a: {'9' * 40}",
        "a: 1e999",
        "a: 1\na: 2",
        "1: a",
        "null: a",
        "[a]: b",
        "<<: {a: 1}",
        "a: !!int 5",
        "a: !mine [1]",
        "!!set {a, b}",
        "!!binary a",
        "!x a: b",
    ],
)
def test_a_quick_look_leaves_whatever_is_odd_to_the_careful_one(text: str) -> None:
    with pytest.raises(OddError):
        quick(compose(text)[0])


def test_aliases_are_copied_even_in_text_that_looks_ordinary() -> None:
    (document,), problems = parse(Source(file="a.yaml", text="a: &x [1]\nb: *x\n"))
    assert problems == []
    assert document.data == {"a": [1], "b": [1]}
    assert document.data["a"] is not document.data["b"]


def test_a_merge_key_as_a_value_is_text():
    assert data("a: <<") == {"a": "<<"}
    (node,) = compose("a: <<")
    assert Construction().value(node) == {"a": "<<"}


def test_what_is_built_slowly_is_bounded_too():
    (node,) = compose("a: 1")
    with pytest.raises(yamltext.RefusedError):
        Construction().value(node, ("a",) * (yamltext.MAX_DEPTH + 1))
