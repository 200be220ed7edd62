from __future__ import annotations

import json

import pytest

from shbatch_sync.dates import DateError, periods
from shbatch_sync.expressions import Scope
from shbatch_sync.files import FileRefusedError, TextFile
from shbatch_sync.matrix import MatrixError, combinations
from shbatch_sync.slug import slug


class Files:
    def __init__(self, **texts):
        self.texts = texts

    def read(self, path, *, beside):
        if path not in self.texts:
            message = f"{path} is not beside {beside}"
            raise FileRefusedError(message)
        return TextFile(path=path, text=self.texts[path])


def rows(matrix, files=None, **variables):
    return combinations(matrix, Scope({"vars": variables}), files or Files(), "jobs/a.yaml")


def spans(first, last, step, most=100):
    return [(period.start, period.end, period.label) for period in periods(first, last, step, most)]


def test_product_in_order():
    assert rows({"a": [1, 2], "b": ["x", "y"]}) == [
        {"a": 1, "b": "x"},
        {"a": 1, "b": "y"},
        {"a": 2, "b": "x"},
        {"a": 2, "b": "y"},
    ]


def test_exclude_matches_in_part_and_within_maps():
    matrix = {
        "a": [{"n": 1, "m": 5}, {"n": 2}],
        "b": [1, True],
        "exclude": [{"a": {"n": 1}, "b": 1}, {"b": 7}],
    }
    assert rows(matrix) == [
        {"a": {"n": 1, "m": 5}, "b": True},
        {"a": {"n": 2}, "b": 1},
        {"a": {"n": 2}, "b": True},
    ]


def test_an_exclude_names_axes():
    matrix = {"year": [1, 2], "b": [], "exclude": [{"year": 1}, {"yaer": 1, "q": 2}]}
    with pytest.raises(MatrixError) as caught:
        rows(matrix)
    told = [(str(one), one.steps) for one in (caught.value, *caught.value.others)]
    assert told[1:] == [
        ("no axis 'yaer'; did you mean 'year'?", ("exclude", 1, "yaer")),
        ("no axis 'q' (known: year, b)", ("exclude", 1, "q")),
    ]
    with pytest.raises(MatrixError, match=r"no axis 'a' \(known: nothing\)"):
        rows({"include": [{"a": 1}], "exclude": [{"a": 1}]})


def test_include_as_in_github_actions():
    # the example of the GitHub Actions documentation
    matrix = {
        "fruit": ["apple", "pear"],
        "animal": ["cat", "dog"],
        "include": [
            {"color": "green"},
            {"color": "pink", "animal": "cat"},
            {"fruit": "apple", "shape": "circle"},
            {"fruit": "banana"},
            {"fruit": "banana", "animal": "cat"},
        ],
    }
    assert rows(matrix) == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]


def test_include_alone():
    assert rows({"include": [{"a": 1}, {"a": 2}]}) == [{"a": 1}, {"a": 2}]


def test_axes_from_variables():
    assert rows({"a": "${{ vars.list }}"}, list=[1, 2]) == [{"a": 1}, {"a": 2}]
    with pytest.raises(MatrixError, match="an axis is a list"):
        rows({"a": "${{ vars.list }}"}, list="text")
    with pytest.raises(MatrixError, match="not defined"):
        rows({"a": "${{ vars.nope }}"})


def test_features():
    features = [
        {"type": "Feature", "properties": {"nr": "SI-00123/4"}, "geometry": {"type": "Polygon"}},
        {"type": "Feature", "properties": {"nr": 7}, "geometry": None},
    ]
    files = Files(f=json.dumps({"type": "FeatureCollection", "features": features}))
    found = rows({"f": {"features": "f", "id": "properties.nr"}}, files)
    assert found[0]["f"] == {
        "id": "SI-00123/4",
        "slug": "si-00123-4",
        "properties": {"nr": "SI-00123/4"},
        "geometry": {"type": "Polygon"},
    }
    assert found[1]["f"]["slug"] == "7"
    empty = Files(f='{"type": "FeatureCollection", "features": []}')
    with pytest.raises(MatrixError, match="has no features"):
        rows({"f": {"features": "f"}}, empty)
    with pytest.raises(MatrixError, match=r"feature 1 has no properties\.nr\.x"):
        rows({"f": {"features": "f", "id": "properties.nr.x"}}, files)


def test_limits():
    with pytest.raises(MatrixError, match=r"gives 10,000 jobs.*\(a 100 × b 100\)"):
        rows({"a": list(range(100)), "b": list(range(100))})
    with pytest.raises(MatrixError, match="gives 5,001 jobs"):
        rows({"a": [1], "include": [{"a": number} for number in range(2, 5002)]})


def test_months_and_years():
    assert spans("2024-01", "2024-03", "P1M") == [
        ("2024-01-01T00:00:00Z", "2024-01-31T23:59:59Z", "2024-01"),
        ("2024-02-01T00:00:00Z", "2024-02-29T23:59:59Z", "2024-02"),
        ("2024-03-01T00:00:00Z", "2024-03-31T23:59:59Z", "2024-03"),
    ]
    assert spans(2023, 2024, "P1Y") == [
        ("2023-01-01T00:00:00Z", "2023-12-31T23:59:59Z", "2023"),
        ("2024-01-01T00:00:00Z", "2024-12-31T23:59:59Z", "2024"),
    ]
    assert spans("2024-03", "2025-02", "P1Y") == [
        ("2024-03-01T00:00:00Z", "2025-02-28T23:59:59Z", "2024-03")
    ]


def test_a_month_lacking_the_day_ends_on_its_last():
    assert [label for _, _, label in spans("2024-01-31", "2024-04-01", "P1M")] == [
        "2024-01-31",
        "2024-02-29",
        "2024-03-31",
    ]


def test_days_weeks_hours_and_a_short_last_period():
    assert spans("2024-01-01", "2024-01-11", "P10D")[1] == (
        "2024-01-11T00:00:00Z",
        "2024-01-11T23:59:59Z",
        "2024-01-11",
    )
    assert [label for _, _, label in spans("2024-01-01", "2024-01-14", "P1W")] == [
        "2024-01-01",
        "2024-01-08",
    ]
    assert spans("2024-01-01T01:00:00+01:00", "2024-01-01T06:00:00", "PT6H") == [
        ("2024-01-01T00:00:00Z", "2024-01-01T05:59:59Z", "2024-01-01-0000"),
    ]
    assert spans("2024-12", "2024-12", "P1M")[0][1] == "2024-12-31T23:59:59Z"
    assert len(spans("9998-01", "9998-12", "P9999Y")) == 1


def test_an_instant_ends_the_last_period_and_begins_none():
    found = [
        start[11:16] for start, _, _ in spans("2024-01-01T06:00Z", "2024-01-01T18:00Z", "PT6H")
    ]
    assert found == ["06:00", "12:00"]
    assert spans("2024-01-01", "2024-01-01T15:00:00Z", "PT12H")[-1] == (
        "2024-01-01T12:00:00Z",
        "2024-01-01T15:00:00Z",
        "2024-01-01-1200",
    )
    with pytest.raises(DateError, match="is the same instant as 2024"):
        spans("2024", "2024-01-01T00:00:00Z", "P1D")
    with pytest.raises(DateError, match="is before 2024"):
        spans("2024", "2023-12-31T00:00:00Z", "P1D")


@pytest.mark.parametrize(
    ("first", "last", "step", "key"),
    [
        ("2024-05", "2024-04", "P1M", "to"),
        ("2024-13", "2025", "P1M", "from"),
        ("now", "2025", "P1M", "from"),
        ("2024", "2024-W01", "P1M", "to"),
        ("2024", "9999", "P1M", "to"),
        ("2024", "2025", "month", "step"),
        ("2024", "2025", "P", "step"),
        ("2024", "2025", "PT", "step"),
        ("2024", "2025", "P0M", "step"),
        ("2000", "2024", "PT1S", "step"),
    ],
)
def test_spans_that_cannot_be_cut(first, last, step, key):
    with pytest.raises(DateError) as caught:
        periods(first, last, step, 100)
    assert caught.value.key == key


def test_slugs():
    assert slug("Žužemberk, polje 3") == "zuzemberk-polje-3"
    assert slug("--///--") == ""
