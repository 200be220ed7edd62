"""The ledger's lines: written and read alike, the same in any order and however often repeated."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shbatch_sync.ledger import Ledger
from shbatch_sync.ledger_line import Entry, Event, dump, parse
from tests.unit.core.factories import (
    ACCOUNT,
    BODY,
    COSMETIC,
    NOW,
    OTHER,
    PROJECT,
    TARGET,
    ago,
    entry,
    job,
    ledger,
    rid,
)

SHORT = st.text(max_size=6)
MAYBE = st.none() | SHORT
ENTRIES = st.builds(
    Entry,
    at=st.integers(1_600_000_000_000_000, 2_200_000_000_000_000).map(
        lambda micro: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micro)
    ),
    event=st.sampled_from(Event),
    target=SHORT,
    project=SHORT,
    job=SHORT,
    generation=st.integers(1, 9999),
    digest=SHORT,
    account=MAYBE,
    norm_digest=MAYBE,
    attempt=st.integers(1, 99),
    nonce=MAYBE,
    request_id=st.none() | st.text(min_size=1, max_size=6),
    status=st.none() | st.sampled_from(["DONE", "FAILED", "STOPPED"]),
    cost_pu=st.none() | st.floats(0, 1e6) | st.integers(0, 10**6),
    commit=MAYBE,
)


@given(st.lists(ENTRIES, max_size=5))
def test_lines_are_read_as_they_were_written(entries):
    text = "".join(f"{dump(line)}\n" for line in entries)
    assert parse(text) == (entries, [])
    assert text.isascii()
    assert all("\n" not in dump(line) for line in entries)


def test_the_form_of_a_line_is_a_contract():
    line = entry("final", status="DONE", cost_pu=12.5, commit="3f9c2ab", attempt=2, at=NOW)
    assert json.loads(dump(line)) == {
        "v": 1,
        "at": "2024-06-10T12:00:00Z",
        "event": "final",
        "target": TARGET,
        "project": PROJECT,
        "job": "ndvi",
        "generation": 1,
        "digest": job().digest,
        "account": ACCOUNT,
        "normDigest": job().norm_digest,
        "try": 2,
        "nonce": "nonceaaa",
        "requestId": rid(1),
        "status": "DONE",
        "costPU": 12.5,
        "commit": "3f9c2ab",
    }
    assert "status" not in dump(entry("start"))


GOOD = dump(entry("start", at=NOW))
UNREADABLE = [
    GOOD[:-1],
    GOOD[: len(GOOD) // 2],
    "<<<<<<< HEAD",
    "=======",
    ">>>>>>> feature",
    "null",
    "[]",
    '"at"',
    "7",
    "{}",
    GOOD.replace('"v":1', '"v":2'),
    GOOD.replace('"event":"start"', '"event":"burnt"'),
    GOOD.replace('"event":"start"', '"event":["start"]'),
    GOOD.replace("2024-06-10T12:00:00Z", "yesterday"),
    GOOD.replace('"2024-06-10T12:00:00Z"', "17"),
    GOOD.replace("2024-06-10T12:00:00Z", "0001-01-01T00:00:00+05:00"),
    GOOD.replace('"generation":1', '"generation":"1"'),
    GOOD.replace('"try":1', '"try":1.5'),
    GOOD.replace('"job":"ndvi"', '"job":7'),
    GOOD.replace(rid(1), ""),
    GOOD.replace('"try":1', '"try":1,"lag":1e999'),
    GOOD.replace('"nonce":"nonceaaa"', '"nonce":7'),
    GOOD.replace('"job":"ndvi",', ""),
    GOOD.replace('"try":1', '"try":1,"costPU":"much"'),
    GOOD.replace('"try":1', '"try":1,"costPU":NaN'),
    "[" * 100_000,
]


@pytest.mark.parametrize("line", UNREADABLE, ids=range(len(UNREADABLE)))
def test_a_line_that_says_nothing_is_told_and_spoils_nothing_else(line):
    entries, unreadable = parse(f"{GOOD}\n{line}\n\n{GOOD}\r\n")
    assert [found.event for found in entries] == [Event.START, Event.START]
    merging = line.startswith(("<<<", "===", ">>>"))
    assert [(one.number, one.harmless) for one in unreadable] == [(2, merging)]


def test_members_of_later_releases_are_passed_over():
    assert parse(GOOD.replace('"v":1', '"v":1,"mood":"good"'))[0] == parse(GOOD)[0]


def test_an_instant_counts_as_utc_wherever_it_is_read():
    for text in ("2024-06-10T12:00:00", "2024-06-10T14:00:00+02:00"):
        assert parse(GOOD.replace("2024-06-10T12:00:00Z", text))[0][0].at == NOW


@settings(max_examples=300)
@given(st.text())
def test_any_text_can_be_read(text):
    entries, unreadable = parse(text)
    assert entries == []
    assert len(unreadable) == sum(bool(line.strip()) for line in text.split("\n"))


# --- order and repeats ---------------------------------------------------------------------------------------

HISTORY = [
    entry("intent", None, nonce="aaaaaaaa", at=ago(days=9)),
    entry("created", 1, nonce="aaaaaaaa", at=ago(days=9, hours=-1)),
    entry("start", 1, at=ago(days=8)),
    entry("stop", 1, at=ago(days=7)),
    entry("final", 1, status="STOPPED", cost_pu=3.0, at=ago(days=6)),
    entry("start", 1, attempt=2, at=ago(days=5)),
    entry("final", 1, status="DONE", attempt=2, cost_pu=9.0, at=ago(days=4)),
    # Two machines saw one end, one of them before the bill was complete.
    entry("final", 1, status="DONE", attempt=2, cost_pu=12.0, at=ago(days=4, minutes=-5)),
    entry("intent", None, nonce="bbbbbbbb", body=OTHER, at=ago(days=3)),
    entry("retired", None, nonce="bbbbbbbb", body=OTHER, at=ago(days=3)),
]


@given(st.permutations(HISTORY), st.lists(st.sampled_from(HISTORY), max_size=8))
def test_order_and_repeats_mean_nothing(lines, again):
    assert ledger(*lines, *again) == ledger(*HISTORY)


@settings(max_examples=100)
@given(
    st.lists(
        ENTRIES.map(lambda line: replace(line, project=PROJECT, target=TARGET, account=None)),
        max_size=8,
    ),
    st.randoms(use_true_random=False),
)
def test_no_line_depends_on_where_it_stands(lines, dice):
    other = lines * 2
    dice.shuffle(other)
    assert ledger(*lines) == ledger(*other)


def merged(base: list[str], ours: list[str], theirs: list[str], dice: random.Random) -> str:
    """Return what a union merge, a careless one or a torn disk leaves of two branches."""
    lines = dice.choice(
        [
            base + ours + theirs,
            base + theirs + ours,
            [*base, "<<<<<<< HEAD", *ours, "=======", *theirs, ">>>>>>> feature"],
            base + ours + base + theirs,
        ]
    )
    return "\n".join([*lines, dice.choice(["", GOOD[: dice.randrange(1, len(GOOD))], "\0\0"])])


@settings(max_examples=100)
@given(st.integers(0, len(HISTORY)), st.randoms(use_true_random=False))
def test_branches_are_merged_by_union(split, dice):
    lines = [dump(line) for line in HISTORY]
    base, rest = lines[:split], lines[split:]
    dice.shuffle(rest)
    half = len(rest) // 2
    entries, _ = parse(merged(base, rest[:half], rest[half:], dice))
    assert ledger(*entries) == ledger(*HISTORY)


# --- what is read out of it ----------------------------------------------------------------------------------


def test_whose_lines_count():
    mine = entry("start", 1)
    unknown = entry("start", 2, account=None)
    lines = [mine, unknown, entry("start", 3, project="fields"), entry("start", 4, account="b")]
    lines += [entry("start", 5, target="cdse"), entry("start", 6, account=None, target="cdse")]

    def seen(account, target=TARGET):
        found = Ledger.of(lines, project=PROJECT, target=target, account=account)
        return sorted(int(line.request_id[:8], 16) for line in found.entries)

    assert seen(ACCOUNT) == [1, 2, 5]
    assert seen("b") == [2, 4]
    assert seen(None) == [1, 2, 4]
    assert seen(ACCOUNT, "cdse") == [1, 5, 6]
    assert ledger(unknown).account is None
    assert ledger(unknown, mine).account == ACCOUNT


def test_a_key_is_known_by_either_digest():
    lines = [
        entry("start", 1),
        entry("start", 2, body=COSMETIC),
        entry("start", 3, body=OTHER),
        entry("start", 4, generation=2),
        entry("start", 5, job="evi"),
    ]
    found = ledger(*lines).record(job()).entries
    assert {line.request_id for line in found} == {rid(1), rid(2)}
    assert ledger(*lines).generation(job()) == 2
    assert ledger(*lines).generation(job("none")) == 0
    assert ledger(*lines).jobs() == {"ndvi", "evi"}
    assert len(ledger(*lines).of_job(job())) == 4
    assert ledger().of_job(job()) == ()


def test_a_key_is_known_under_its_old_names():
    lines = [
        entry("start", 1),
        entry("start", 2, job="new", at=ago(hours=1)),
        entry("start", 3, job="evi"),
    ]
    renamed = job("new", previous_names=("ndvi", "older"))
    found = ledger(*lines).record(renamed).entries
    assert [line.request_id for line in found] == [rid(1), rid(2)]
    assert ledger(entry("start", generation=4)).generation(renamed) == 4


def test_what_a_record_says():
    record = ledger(*HISTORY).record(job())
    assert record.done is not None
    assert record.done.status == "DONE"
    assert record.final is not None
    assert record.final.attempt == 2
    assert record.paid is not None
    assert record.attempt == 2
    assert record.words(rid(1), Event.START) == [ago(days=8), ago(days=5)]
    assert record.unfinished(set()) == 0
    assert list(record.unanswered()) == []
    empty = ledger().record(job())
    assert (empty.done, empty.paid, empty.final, empty.attempt) == (None, None, None, 0)


def test_what_counts_as_paid():
    def paid(*lines):
        return ledger(*lines).record(job()).paid

    assert paid(entry("intent", None), entry("created"), entry("sealed"), entry("stop")) is None
    assert paid(entry("final", status="FAILED", cost_pu=0.0)) is None
    assert paid(entry("final", status="FAILED")) is None
    assert paid(entry("final", status="STOPPED", cost_pu=0.5)) is not None
    assert paid(entry("start", None)) is not None
    late = entry("start", 2, at=ago(hours=1))
    assert paid(entry("start", 1), late) == late


def test_creates_without_an_answer():
    lines = [
        entry("intent", None, nonce="answered"),
        entry("created", 1, nonce="answered"),
        entry("intent", None, nonce="refused_"),
        entry("retired", None, nonce="refused_"),
        entry("intent", None, nonce="unheard_"),
    ]
    assert [line.nonce for line in ledger(*lines).record(job()).unanswered()] == ["unheard_"]


def test_requests_that_were_made_and_are_not_to_be_seen():
    lines = [entry("created", number, nonce=f"nonce{number}") for number in (1, 2, 3)]
    lines.append(entry("final", 3, status="FAILED"))
    record = ledger(*lines).record(job())
    assert [line.request_id for line in record.created({rid(1)})] == [rid(2)]


def test_requests_of_which_no_end_is_known():
    lines = [
        entry("intent", None, nonce="refused_", at=ago(hours=9)),
        entry("retired", None, nonce="refused_", at=ago(hours=8)),
        *(
            entry("created", number, nonce=f"nonce{number}", at=ago(hours=9))
            for number in (1, 2, 3)
        ),
        entry("start", 4, at=ago(hours=9)),
        entry("sealed", 1, at=ago(hours=7)),
        entry("stop", 4, at=ago(hours=7)),
        entry("retired", 2, at=ago(hours=6)),
        entry("final", 3, status="STOPPED", at=ago(hours=6)),
        entry("final", 4, status="STOPPED", at=ago(hours=6)),
        entry("start", 4, attempt=2, at=ago(hours=5)),
    ]
    unended = ledger(*lines).unended
    assert unended.keys() == {rid(1), rid(4)}
    assert unended[rid(1)].at == ago(hours=9)
    assert ledger(*lines, entry("start", 2, at=ago(hours=1))).unended.keys() == {
        rid(1),
        rid(2),
        rid(4),
    }


def test_starts_without_an_end():
    def unfinished(*lines, listed=()):
        return ledger(*lines).record(job()).unfinished(set(listed))

    start, resume = entry("start", 1), entry("start", 1, attempt=2, at=ago(hours=2))
    end = entry("final", 1, status="STOPPED", at=ago(hours=5))
    assert unfinished() == 0
    assert unfinished(start) == 1
    assert unfinished(start, listed=[rid(1)]) == 0
    assert unfinished(start, end) == 0
    assert unfinished(start, end, resume) == 2
    assert unfinished(start, entry("start", 2, attempt=3)) == 3


def test_ids():
    lines = [entry("created", 1), entry("adopted", 2), entry("start", 3), entry("intent", None)]
    assert ledger(*lines).created_ids == {rid(1), rid(2)}
    assert ledger(*lines).ids == {rid(1), rid(2), rid(3)}
    ended = ledger(entry("final", 1, status="DONE", attempt=2))
    assert ended.finals == {("ndvi", rid(1), "DONE", 2)}


def test_what_is_known_of_one_request():
    lines = [entry("start", 1), entry("stop", 1, body=OTHER), entry("start", 2)]
    assert {line.event for line in ledger(*lines).of_request(rid(1)).entries} == {
        Event.START,
        Event.STOP,
    }


def test_lines_under_an_old_name_are_to_be_written_again():
    renamed = job("new", previous_names=("ndvi",))
    lines = [entry("start", 1), entry("start", 2), entry("start", 1, job="new")]
    assert ledger(*lines).renamed(renamed) == [entry("start", 2, job="new")]
    assert ledger(*lines).renamed(job()) == []


def test_the_longest_lag_is_remembered():
    assert ledger(entry("created")).longest_lag == 0.0
    lines = [entry("created", number, lag=lag) for number, lag in ((1, 7.5), (2, 100.0), (3, None))]
    assert ledger(*lines).longest_lag == 100.0


def test_twins_are_jobs_that_are_gone_and_cost():
    twin = job().norm_digest
    assert ledger(entry("start", job="old")).twin(twin, frozenset({"ndvi"})) == "old"
    assert ledger(entry("final", job="old", status="DONE")).twin(twin, frozenset()) == "old"
    assert ledger(entry("start", job="old")).twin(twin, frozenset({"old"})) is None
    assert ledger(entry("created", job="old")).twin(twin, frozenset()) is None
    assert ledger(entry("start", job="old", body=OTHER)).twin(twin, frozenset()) is None


def test_a_thousand_jobs_are_read_in_no_time():
    lines = [
        entry("start", number, job=f"j{number}", at=NOW - timedelta(seconds=number))
        for number in range(1000)
    ]
    assert len(ledger(*lines).entries) == 1000
    assert job(spec=BODY).digest == lines[0].digest


def test_what_ended_is_open_again_only_by_a_later_start():
    end, seen = ago(days=3), ago(days=1)
    done = entry("final", status="DONE", at=end)
    stopped = entry("final", status="STOPPED", at=end)
    late = [entry(event, at=seen) for event in ("adopted", "sealed", "created")]
    assert ledger(done, *late).unended == {}
    assert ledger(stopped, *late).unended == {}
    again = entry("start", at=seen, attempt=2)
    assert ledger(stopped, *late, again).unended == {again.request_id: again}
    assert ledger(entry("start", at=ago(days=4)), stopped).unended == {}


def test_a_number_that_no_machine_can_hold_spoils_its_line_alone():
    whole = dump(entry("start"))
    entries, unread = parse(f'{whole[:-1]},"costPU":1{"0" * 400}}}\n{whole}\n')
    assert [len(entries), len(unread)] == [1, 1]
