"""A saved plan as text and back, and what counts as moved."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest

from shbatch_sync.cost.price import Estimate
from shbatch_sync.diff import FieldChange, Kind
from shbatch_sync.errors import SettingsError, StalePlanError
from shbatch_sync.job import DeclaredState, Job, Origin
from shbatch_sync.marker import Commit
from shbatch_sync.plan import Action, Change, Facts, Gate, Plan, Policy, Reason, Withheld
from shbatch_sync.planfile import (
    Terms,
    file_digest,
    from_json,
    shown_fields,
    terms_from_json,
    to_json,
)
from shbatch_sync.savedplan import check_account, check_policy, is_plan, read_plan
from shbatch_sync.shape import GEOMETRY, shape_of, shape_text
from shbatch_sync.store.schemas import load_schema

NOW = datetime(2026, 11, 22, tzinfo=UTC)
POLICY = Policy(
    prune=True,
    allow=frozenset({Gate.REPLACE, Gate.COST}),
    restart=frozenset({"a", "b"}),
    max_start_pu=5.5,
    monthly_pu=100.0,
    max_running=3,
    many_share=0.5,
    many_from=20,
)
TERMS = Terms(
    service="https://services.sentinel-hub.com/api/v2/batch",
    policy=POLICY,
    prune=True,
    allow=("cost", "replace"),
    restart=("a*",),
    max_pu=7.0,
    paths=("jobs",),
    globs=("n*",),
    labels=("a=b",),
    names=("ndvi",),
    variables={"x": "y"},
)
CHANGE = Change(
    job="ndvi",
    action=Action.REPLACE,
    reason=Reason.SPEC_CHANGED,
    detail="why",
    request_id="1b9d6bcd",
    origin=Origin("jobs/ndvi.yaml", 3),
    fields=(
        FieldChange("/input/resolution", Kind.CHANGED, 10, 20),
        FieldChange("/a", Kind.ADDED, None, "x", "why"),
    ),
    estimate=Estimate(tiles=4, pixels=9, pu=120.0, low=100.0, high=160.0, assumptions=("floor",)),
    withheld=Withheld(Gate.REPLACE, "1", "2", "3"),
)
PLAN = Plan(
    facts=Facts(
        project="crops", target="eu", now=NOW, account="acc", commit=Commit("3f9c2ab", NOW)
    ),
    changes=(CHANGE, Change(job="gone", action=Action.STOP, reason=Reason.ORPHAN, request_id="2")),
    in_sync=4,
    orphans=2,
    warnings=("careful",),
)


def saved(**members: Any) -> str:
    document = {**to_json(PLAN, TERMS), **members}
    return json.dumps({**document, "digest": file_digest(document)})


def test_a_plan_comes_back_as_it_was():
    document = json.loads(saved())
    assert load_schema("plan").faults(document) == []
    back = from_json(document)
    assert back.changes == PLAN.changes
    assert (back.in_sync, back.orphans, back.warnings) == (4, 2, ("careful",))
    assert (back.facts.project, back.facts.target, back.facts.account) == ("crops", "eu", "acc")
    assert back.facts.commit is not None
    assert back.facts.commit.sha == "3f9c2ab"


def test_terms_come_back_as_they_were():
    assert terms_from_json(json.loads(saved())) == TERMS
    plain = Terms(service="x")
    assert terms_from_json(to_json(PLAN, plain)) == plain
    for name in Policy.__dataclass_fields__:
        assert getattr(POLICY, name) != getattr(Policy(), name), f"{name} is not tried"
    for field in fields(Terms):
        assert getattr(TERMS, field.name) != getattr(plain, field.name), (
            f"{field.name} is not tried"
        )


def test_a_plan_is_told_from_a_manifest():
    assert is_plan(saved())
    assert not is_plan('{"apiVersion": "shbatch-sync/v1", "x-note": "formatVersion"}')
    assert not is_plan('{"apiVersion": "shbatch-sync/v1", "description": "\\"formatVersion\\""}')


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("{", SettingsError, "p.json:1:2: cannot be read as a saved plan"),
        ("[]", SettingsError, "p.json holds no plan"),
        (saved(formatVersion="2.0"), StalePlanError, "format version 2.0, this program reads 1.x"),
        ("{}", StalePlanError, "format version none"),
        (saved().replace("careful", "careless"), StalePlanError, "its digest does not match"),
        (saved(changes=[{}]), SettingsError, "/changes/0"),
        (saved(changes="none"), SettingsError, "/changes: "),
    ],
)
def test_what_cannot_be_read(text: str, error: type[Exception], words: str):
    with pytest.raises(error) as raised:
        read_plan(text, "p.json", load_schema("plan"))
    assert words in str(raised.value)


def test_a_plan_of_a_later_minor_version_is_read():
    plan = read_plan(saved(formatVersion="1.7", more={"a": 1}), "p.json", load_schema("plan"))
    assert plan.plan.changes == PLAN.changes


def test_a_plan_without_terms_can_be_shown_and_not_applied():
    plan = read_plan(json.dumps(to_json(PLAN)), "p.json", load_schema("plan"))
    assert plan.plan.changes == PLAN.changes
    with pytest.raises(SettingsError, match="save it with `plan --out`"):
        _ = plan.terms


def test_accounts_and_policies():
    plan = read_plan(saved(), "p.json", load_schema("plan"))
    check_account(plan, "acc")
    check_policy(plan, POLICY)
    with pytest.raises(StalePlanError, match="made for account acc, this is other"):
        check_account(plan, "other")
    with pytest.raises(StalePlanError, match="one that does not say which"):
        check_account(plan, None)
    with pytest.raises(
        StalePlanError,
        match="prune was true and is false; allow was cost, replace and is empty",
    ):
        check_policy(plan, Policy())
    check_account(read_plan(saved(account=None), "p.json", load_schema("plan")), "any")


# --- shapes --------------------------------------------------------------------------------------------------


def body(geometry: Any, crs: str | None = None) -> dict[str, Any]:
    properties = {"properties": {"crs": f"http://www.opengis.net/def/crs/{crs}"}} if crs else {}
    return {"processRequest": {"input": {"bounds": {"geometry": geometry, **properties}}}}


SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}


def test_the_area_of_a_degree_at_the_equator():
    shape = shape_of(body(SQUARE))
    assert shape is not None
    # One degree by one at the equator; WGS 84 gives 12,308.8 km², the sphere 12,363.7.
    assert shape["areaKm2"] == pytest.approx(12_364, rel=1e-3)
    assert (shape["type"], shape["points"], shape["box"]) == ("Polygon", 5, [0, 0, 1, 1])


def test_metres_holes_and_several_polygons():
    ring = [[0, 0], [4000, 0], [4000, 2000], [0, 2000], [0, 0]]
    hole = [[0, 0], [1000, 0], [1000, 1000], [0, 1000], [0, 0]]
    single = shape_of(body({"type": "Polygon", "coordinates": [ring, hole]}, "EPSG/0/32633"))
    several = shape_of(
        body({"type": "MultiPolygon", "coordinates": [[ring], [hole]]}, "EPSG/0/32633")
    )
    assert single is not None
    assert several is not None
    assert (single["areaKm2"], several["areaKm2"]) == (7.0, 9.0)


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [1, 2]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon"},
        {"type": "Polygon", "coordinates": [[1, 2], 3]},
        {"type": "MultiPolygon", "coordinates": "x"},
    ],
)
def test_what_has_no_area(geometry: Any):
    shape = shape_of(body(geometry))
    assert shape is not None
    assert shape["areaKm2"] == 0


def test_no_geometry_is_no_shape():
    for spec in ({}, body(None), {"processRequest": {"input": {"bounds": 3}}}):
        assert shape_of(spec) is None


def test_a_changed_area_in_words():
    job = Job(
        name="a",
        target="eu",
        spec=body({**SQUARE, "coordinates": [[[0, 0], [2, 0], [1, 1], [0, 1], [0, 0]]]}),
        origin=Origin("a", 1),
    )
    assert job.state is DeclaredState.CREATED

    class Live:
        spec = body(SQUARE)

    field = FieldChange(GEOMETRY, Kind.CHANGED, SQUARE, job.spec)
    whole = FieldChange("", Kind.CHANGED, {"a": 1}, {"a": 2})
    change = Change(
        job="a",
        action=Action.REPLACE,
        reason=Reason.SPEC_CHANGED,
        fields=(field, whole),
        declared=job,
        live=Live(),  # type: ignore[arg-type]
    )
    short, body_change = shown_fields(change)
    assert (short.after["newPoints"], short.after["gonePoints"]) == (1, 1)
    assert "1 new, 1 gone; box [0, 0, 1, 1] → [0, 0, 2, 1]" in shape_text(short.before, short.after)
    assert str(body_change.before).startswith("1.")
    assert shape_text(None, short.after).startswith("none → Polygon of 5 points, ")
    same = shape_text({**short.before, "box": None}, {**short.after, "box": None})
    assert same.endswith("box none as before")
    assert (
        shape_text({"type": "Point", "points": 1, "areaKm2": 0, "digest": "x", "box": None}, None)
        == "Point of 1 point, 0 km² → none"
    )
