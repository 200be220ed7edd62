"""A job whose name is part of where it delivers, and that is called otherwise: what is paid for is not paid again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shbatch_sync.digest import digest
from shbatch_sync.normalize import normalize
from shbatch_sync.plan import Gate, Policy
from shbatch_sync.rename import Names, digests_under, moulds, spec_at
from tests.unit.core.factories import entry, job, mark, plan, request, spec, steps

OLD, NEW = spec("s3://a-b/fields/old/<tileName>.tif"), spec("s3://a-b/fields/new/<tileName>.tif")
GS = NEW | {"output": {"delivery": {"gs": {"url": "gs://a-b/new", "credentials": "x"}, "odd": 7}}}


def ran(body=OLD, **members):
    """Return the lines of a job that ran, under its old name."""
    lines = [entry("start", body=body, job="old", **members)]
    return [*lines, entry("final", body=body, job="old", status="DONE", cost_pu=9.0, **members)]


def listed(phase="DONE", body=OLD):
    return request(1, phase, "START", body=body, marker=mark(1, body, job="old"), cost=9.0)


@pytest.mark.parametrize(
    ("url", "cut"),
    [
        ("s3://b/x/new/<tileName>", [("s3://b/x/", "/<tileName>")]),
        (
            "s3://b/x-new_1/new",
            [("s3://b/x-", "_1/", ""), ("s3://b/x-", "_1/new"), ("s3://b/x-new_1/", "")],
        ),
        ("s3://new/new", [("s3://new/", "")]),  # a bucket is not called after a job
        ("new/b", [("", "/b")]),
        ("s3://new/renewed/anew", []),
        ("s3://b", []),
    ],
)
def test_a_name_is_cut_out_of_the_place_everywhere_and_at_each_spot(url, cut):
    assert moulds(spec(url), "new") == cut


def test_a_body_that_delivers_nowhere_has_no_other_place():
    assert moulds({"output": {}}, "new") == []
    assert list(digests_under(job("new", spec={"output": {}}), ["old"])) == []


def test_a_digest_under_another_name_is_the_one_of_the_spec_at_that_place():
    declared = job("new", spec=NEW)
    place = OLD["output"]["delivery"]["s3"]["url"]
    assert spec_at(NEW, place) == OLD
    assert list(digests_under(declared, ["old"])) == [(place, digest(normalize(OLD)))]
    moved = spec_at(GS, "gs://a-b/old")
    assert moved["output"]["delivery"] == {
        "gs": {"url": "gs://a-b/old", "credentials": "x"}, "odd": 7
    }  # fmt: skip
    under = list(digests_under(job("new", spec=GS), ["old"]))
    assert under == [("gs://a-b/old", digest(normalize(moved)))]


def test_of_many_names_those_that_begin_or_end_alike_are_asked_for():
    few = [f"{n}" for n in range(100)]
    assert sorted(Names(few).near("zzz")) == sorted(few)
    many = Names(f"{field}-{n:04}" for field in ("ndvi", "swir") for n in range(5000))
    assert "swir-0077" in many.near("evi-0077")
    assert "ndvi-0077" in many.near("ndvi-0077b")
    assert len(many.near("evi-0077")) <= 200
    assert Names([]).near("x") == []


@pytest.mark.parametrize("lines", [[], ran()])
@pytest.mark.parametrize("phase", ["DONE", "PROCESSING"])
def test_one_that_is_listed_under_the_old_name_is_a_twin(phase, lines):
    made = plan(job("new", state="started", spec=NEW), [listed(phase)], lines)
    assert steps(made)[:2] == ["create missing !twin", "start declared !twin"]
    held = str(made.changes[0].withheld)
    assert "job old, not declared any more), but for its name in the delivery url" in held
    assert (
        "write previousNames: [old] in jobs/new.yaml:3 and deliver to s3://a-b/fields/old/" in held
    )
    allowed = Policy(allow=frozenset({Gate.TWIN}))
    again = plan(job("new", state="started", spec=NEW), [listed(phase)], lines, allowed)
    assert steps(again)[:2] == ["create missing", "start declared"]


def test_and_one_that_only_the_ledger_remembers():
    made = plan(job("new", state="started", spec=NEW), [], ran())
    assert steps(made) == ["create missing !twin", "start declared !twin"]
    assert "job old, which the ledger knows as run, but for its name" in str(
        made.changes[0].withheld
    )


@pytest.mark.parametrize(
    ("declared", "requests", "lines"),
    [
        (NEW, [request(1, "CREATED", body=OLD, marker=mark(1, OLD, job="old"))], []),  # free
        (NEW, [listed(body=spec("s3://a-b/fields/older/<tileName>.tif"))], []),
        (NEW, [listed(body=spec("s3://a-b/fields/old/<tileName>.tif", resolution=20))], []),
        (NEW, [], ran(spec("s3://a-b/fields/old/<tileName>.tif", resolution=20))),
        (spec("s3://a-b/fields"), [listed()], ran()),
    ],
)
def test_what_differs_in_more_than_the_name_is_another_job(declared, requests, lines):
    made = plan(job("new", state="started", spec=declared), requests, lines)
    assert steps(made)[:2] == ["create missing", "start declared"]


def test_a_job_that_is_declared_still_is_nobodys_earlier_name():
    both = [job("new", state="started", spec=NEW), job("old", state="started", spec=OLD)]
    assert steps(plan(both, [listed()], ran())) == ["create missing", "start declared"]


@pytest.mark.parametrize("requests", [[listed()], []])
def test_a_rename_that_is_said_tells_which_place_to_keep(requests):
    declared = job("new", state="started", spec=NEW, previous_names=("older", "old"))
    made = plan(declared, requests, ran())
    held = made.changes[0].withheld
    assert held.gate is Gate.REPLACE
    assert held.lift.startswith(
        "deliver to s3://a-b/fields/old/<tileName>.tif as before the rename, or declare"
    )
    kept = job("new", state="started", spec=OLD, previous_names=("older", "old"))
    assert not any("create" in step for step in steps(plan(kept, requests, ran())))


def test_a_rename_with_another_spec_is_told_no_place_to_keep():
    other = spec("s3://a-b/fields/new/<tileName>.tif", evalscript="//VERSION=3\n// two\n")
    declared = job("new", state="started", spec=other, previous_names=("old",))
    for requests in ([listed()], []):
        held = plan(declared, requests, ran()).changes[0].withheld
        assert held.gate is Gate.REPLACE
        assert held.lift.startswith("declare generation 2")


@pytest.mark.parametrize("requests", [[listed()], []])
def test_the_new_name_may_be_a_fixed_part_of_the_place_as_well(requests):
    fixed = spec("s3://a-b/fields/fields/<tileName>.tif")
    made = plan(job("fields", state="started", spec=fixed), requests, ran())
    assert steps(made)[0] == "create missing !twin"
    assert "deliver to s3://a-b/fields/old/" in made.changes[0].withheld.lift


@pytest.mark.parametrize("between", ["m", "zm"])
def test_a_job_that_was_renamed_twice(between):
    lines = [*ran(), *(replace(line, job=between) for line in ran())]
    made = plan(job("new", state="started", spec=NEW), [], lines)
    assert steps(made)[0] == "create missing !twin"
