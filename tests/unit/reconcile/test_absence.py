"""What an earlier list or the ledger has shown, and the list at hand lacks."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

import pytest

from shbatch_sync.emulator import Status
from shbatch_sync.job import DeclaredState
from shbatch_sync.ledger_line import Event
from shbatch_sync.marker import parse
from shbatch_sync.plan import Gate
from shbatch_sync.reconcile.absence import MOST_READS
from shbatch_sync.reconcile.looking import look
from tests.unit.reconcile.conftest import description, job, paid

SETTLE = {"settle": 60.0, "poll": 30.0, "wait": True}


def lacking(w, *ids):
    """Return an answer to a list call from which requests have slipped while the pages moved."""

    def answer(_):
        page = [task for task in w.tasks() if task["id"] not in ids]
        return Status(200, json.dumps({"data": page, "links": {}}).encode())

    return answer


def two(w):
    """Make two requests of one job as other runs would have, not sealed yet; the older one first."""
    older = w.put(job(), sealed=False, nonce="aaaaaaaa")
    w.pass_time(1.0)
    return older, w.put(job(), sealed=False)


def created_at(w):
    """Return when the create calls of our applies were answered."""
    return [
        line.at.timestamp()
        for line in w.ledger.read()
        if line.event is Event.CREATED and line.commit is None
    ]


def test_what_slips_from_a_later_list_is_not_made_again(world, faults):
    w = world()
    id_ = w.put(job(), sealed=False)
    faults.plan("list", None, *[lacking(w, id_)] * 6)
    assert w.apply(job(), **SETTLE).exit_code == 0
    assert [task["id"] for task in w.tasks()] == [id_]
    assert w.phases() == [("DONE", "START")]


def test_nor_does_its_rival_win_without_it(world, faults):
    w = world()
    older, younger = two(w)
    faults.plan("list", None, *[lacking(w, older)] * 6)
    assert w.apply(job(), **SETTLE).exit_code == 0
    marks = {task["id"]: parse(description(task)) for task in w.tasks()}
    assert marks[older].seal == older[:8]
    assert marks[younger].retired == "dup"
    assert paid(w.tasks()) == 1


def test_nor_without_one_that_only_the_ledger_knows(world, faults):
    w = world()
    older, younger = two(w)
    w.remember("created", job(), older, nonce="aaaaaaaa")
    faults.plan("list", *[lacking(w, older)] * 2)
    assert w.apply(job(), wait=True).exit_code == 0
    assert parse(description(w.service.task(younger))).retired == "dup"
    assert paid(w.tasks()) == 1


def test_nor_is_it_replaced_with_again(world, faults):
    w = world()
    old, new = w.put(job()), w.put(job(version=2))
    w.service.force(old, status="PROCESSING", action="START")
    w.remember("created", job(version=2), new, nonce="aaaaaaaa")
    w.pass_time(1000.0)
    faults.plan("list", lacking(w, new))
    assert w.apply(job(version=2), allow=frozenset({Gate.REPLACE}), wait=True).exit_code == 0
    assert [(task["id"], task["status"]) for task in w.tasks()] == [(old, "STOPPED"), (new, "DONE")]


def test_where_a_read_has_no_answer_nothing_is_done(world, faults):
    w = world()
    id_ = w.put(job(), sealed=False)
    faults.plan("list", None, *[lacking(w, id_)] * 2)
    faults.plan("get", *[Status(503)] * 6)
    assert w.apply(job("a"), job("b"), **SETTLE).exit_code == 0
    assert [task["id"] for task in w.tasks("a")] == [id_]
    assert w.phases("b") == [("DONE", "START")]


def test_what_is_gone_is_made_again_when_a_read_would_know_it(world, faults):
    w = world()
    id_ = w.put(job(), sealed=False)
    faults.plan("list", None, lambda _: w.service.forget(id_))
    began = w.time.seconds
    assert w.apply(job(), settle=200.0, poll=30.0, wait=True).exit_code == 0
    assert created_at(w)[0] >= began + 200.0
    assert w.phases() == [("DONE", "START")]
    assert faults.calls.count("create") == 1


def test_what_comes_back_counts_again(world, faults):
    w = world()
    id_ = w.put(job(), sealed=False)
    w.pass_time(1000.0)
    run = w.run(job(), settle=60.0)
    faults.plan("list", None, lacking(w, id_))
    faults.plan("get", Status(404))
    look(run)
    assert look(run).inventory.ids == set()
    assert run.sightings.forgotten == {id_}
    look(run)
    assert run.sightings.forgotten == set()
    assert run.sightings.shown.keys() == {id_}


def test_what_no_list_shows_for_long_fails_its_job_alone(world, faults):
    w = world()
    id_ = w.put(job(), sealed=False)
    faults.plan("list", None, *[lacking(w, id_)] * 99)
    result = w.apply(job("a"), job("b"), **SETTLE)
    assert result.exit_code == 1
    assert f"request {id_} is known, but no list shows it" in result.failures["a"]
    assert result.failures.keys() == {"a"}
    assert len(w.tasks("a")) == 1
    assert w.phases("b") == [("DONE", "START")]


@pytest.mark.parametrize("answers", [True, False])
def test_what_is_of_no_declared_job_may_be_anybodys_twin(world, faults, answers):
    w = world()
    w.put(job("a"), sealed=False)
    orphan = w.put(job("gone"))
    faults.plan("list", None, *[lacking(w, orphan)] * 20)
    if not answers:
        faults.plan("get", *[Status(403)] * 20)
    began = w.time.seconds
    assert w.apply(job("a"), **SETTLE).exit_code == 0
    started = next(line.at for line in w.ledger.read() if line.event is Event.START)
    assert (started.timestamp() < began + 120.0) is answers


def test_copies_and_damaged_ones_are_missed_as_well(world, faults):
    w = world()
    copied = w.put(job("a"))
    text = description(w.service.task(copied))
    w.service.forget(copied)
    copy = w.service.create({**job("a").spec, "description": text})
    damaged = w.service.create({**job("b").spec, "description": "[shbatch-sync/1 crops/b r1 no]"})
    w.pass_time(1000.0)
    run = w.run(job("a"), job("b"))
    faults.plan("list", None, lacking(w, copy, damaged))
    look(run)
    assert look(run).inventory.ids == {copy, damaged}
    assert set(run.sightings.unlisted) == {copy, damaged}


def test_a_list_that_lacks_many_is_asked_about_in_parts(world, faults):
    w = world()
    for n in range(MOST_READS + 30):
        w.remember("created", job(), str(UUID(int=n, version=4)), nonce=f"aaaa{n:04}")
    w.pass_time(1000.0)
    run = w.run(job())
    reads = []
    for _ in range(3):
        before = faults.calls.count("get")
        look(run, record=False)
        reads.append((faults.calls.count("get") - before, len(run.sightings.unlisted)))
    assert reads == [(MOST_READS, 30), (30, 0), (0, 0)]


def test_only_what_may_matter_is_asked_for(world, faults):
    w = world()
    w.remember("created", job("a"), str(UUID(int=1, version=4)), nonce="aaaaaaaa")
    w.pass_time(31 * 86400.0)
    w.remember("created", job("b"), str(UUID(int=2, version=4)), nonce="aaaaaaab")
    w.remember("created", job("gone"), str(UUID(int=3, version=4)), nonce="aaaaaaac")
    w.remember("created", job("a"), str(UUID(int=4, version=4)), nonce="aaaaaaad")
    w.remember("final", job("a"), str(UUID(int=4, version=4)), status="DONE")
    look(w.run(job("a"), job("b"), selected=frozenset({"a"})), record=False)
    assert faults.calls.count("get") == 0
    look(w.run(job("a"), job("b")), record=False)
    assert faults.calls.count("get") == 1


def test_an_interrupt_ends_the_asking(world, faults):
    w = world()
    for n in range(3):
        w.remember("created", job(), str(UUID(int=n, version=4)), nonce=f"aaaaaaa{n}")
    w.pass_time(1000.0)
    run = w.run(job())
    faults.plan("get", lambda _: run.interrupt.set())
    look(run)
    assert faults.calls.count("get") == 1
    assert len(run.sightings.unlisted) == 2


def test_one_that_cannot_be_read_holds_up_only_its_own_job(world, faults):
    w = world()
    for name in ("a", "b", "c"):
        id_ = w.put(job(name))
        w.remember("created", job(name), id_)
        if name != "a":
            w.service.forget(id_)
    w.pass_time(3600.0)
    (bad,) = (task["id"] for task in w.tasks())
    faults.plan("list", lacking(w, bad))
    faults.plan("get", Status(400))
    result = w.apply(job("a"), job("b"), job("c"), wait=True, poll=30.0, settle=1.0)
    assert result.exit_code == 0
    assert len(w.tasks()) == 3


def test_a_renamed_job_misses_what_it_had_under_its_earlier_name(world, faults):
    w = world()
    idle = job("a", state=DeclaredState.CREATED)
    renamed = replace(job("a2", previous_names=("a",)), spec=idle.spec)
    w.apply(idle, wait=True)
    w.apply(replace(renamed, state=DeclaredState.CREATED), wait=True)
    (task,) = w.tasks()
    faults.plan("list", *[lacking(w, task["id"])] * 2)
    before = faults.calls.count("get")
    look(w.run(replace(renamed, previous_names=())))
    assert faults.calls.count("get") == before + 1
