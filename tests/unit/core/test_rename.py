"""A job whose name is part of where it delivers, and that is called otherwise: what is paid for is not paid again."""

from __future__ import annotations

import pytest

from shbatch_sync.digest import digest
from shbatch_sync.normalize import normalize
from shbatch_sync.plan import Gate, Policy
from shbatch_sync.rename import digests_under, place_under, spec_at
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
    ("url", "name", "place"),
    [
        ("s3://b/x/new/<tileName>", "old", "s3://b/x/old/<tileName>"),
        ("s3://b/x-new_1.new/new", "old", "s3://b/x-old_1.old/old"),
        ("s3://new/new", "old", "s3://new/old"),  # a bucket is not called after a job
        ("gs://new/a/new/", "n.e-w", "gs://new/a/n.e-w/"),
        ("new/new", "old", "old/old"),
        ("s3://new/renewed/anew", "old", None),
        ("s3://b", "old", None),
    ],
)
def test_the_place_under_another_name(url, name, place):
    assert place_under(job("new", spec=spec(url)), name) == place


def test_a_body_that_delivers_nowhere_has_no_other_place():
    nowhere = job("new", spec={"output": {}})
    assert place_under(nowhere, "old") is None
    assert list(digests_under(nowhere, ["old"])) == []
    assert list(digests_under(job("new", spec=spec("s3://b/x")), ["old"])) == []


def test_a_digest_under_another_name_is_the_one_of_the_spec_at_that_place():
    declared = job("new", spec=NEW)
    assert spec_at(declared, place_under(declared, "old")) == OLD
    assert list(digests_under(declared, ["old"])) == [("old", digest(normalize(OLD)))]
    gs = job("new", spec=GS)
    moved = spec_at(gs, "gs://a-b/old")
    assert moved["output"]["delivery"] == {
        "gs": {"url": "gs://a-b/old", "credentials": "x"}, "odd": 7
    }  # fmt: skip
    assert list(digests_under(gs, ["old"])) == [("old", digest(normalize(moved)))]


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
