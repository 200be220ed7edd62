"""The marker: what is written is read again, and nothing else is."""

from __future__ import annotations

import random
import string
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shbatch_sync.marker import (
    MAX_LENGTH,
    Absent,
    Commit,
    Damaged,
    Marker,
    Retired,
    describe,
    human_text,
    mentions_marker,
    new_nonce,
    parse,
    seal_of,
)
from tests.unit.core.factories import mark, rid

BASE32 = "abcdefghijklmnopqrstuvwxyz234567"
HEX = "0123456789abcdef"
PLAIN = mark(1)
FULL = Marker(
    project="a" + "b" * 31,
    job="0" + "c" * 62,
    generation=9999,
    digest="1.0123456789ab",
    nonce="k7q2m7xa",
    seal="1b9d6bcd",
    attempt=99,
    commit=Commit("3f9c2ab", datetime(2453, 1, 1, tzinfo=UTC)),
    stopped=True,
    protected=True,
    retired=Retired.OLD,
)
EXAMPLE = Marker(
    project="crops",
    job="ndvi-slovenia-2024-05",
    generation=1,
    digest="1.3f9c2ab17d04",
    nonce="k7q2m7xa",
    seal="1b9d6bcd",
)


def text_of(alphabet: str, least: int, most: int) -> st.SearchStrategy[str]:
    return st.text(alphabet, min_size=least, max_size=most)


PROJECTS = st.builds(
    str.__add__,
    st.sampled_from(string.ascii_lowercase),
    text_of(string.ascii_lowercase + string.digits + "-", 0, 31),
)
JOBS = st.builds(
    str.__add__,
    st.sampled_from(string.ascii_lowercase + string.digits),
    text_of(string.ascii_lowercase + string.digits + "._-", 0, 62),
)
COMMITS = st.builds(
    Commit,
    text_of(HEX, 7, 7),
    st.integers(0, 36**7 - 1).map(lambda seconds: datetime.fromtimestamp(seconds, tz=UTC)),
)
MARKERS = st.builds(
    Marker,
    project=PROJECTS,
    job=JOBS,
    generation=st.integers(1, 9999),
    digest=text_of(HEX, 12, 12).map(lambda digits: f"1.{digits}"),
    nonce=text_of(BASE32, 8, 8),
    seal=st.none() | text_of(HEX, 8, 8),
    attempt=st.integers(1, 99),
    commit=st.none() | COMMITS,
    stopped=st.booleans(),
    protected=st.booleans(),
    retired=st.none() | st.sampled_from(Retired),
)
WORDS = st.text().filter(lambda text: not mentions_marker(text))


def test_the_text_is_a_contract():
    assert str(EXAMPLE).startswith(
        "[shbatch-sync/1 crops/ndvi-slovenia-2024-05 r1 h=1.3f9c2ab17d04 t=k7q2m7xa i=1b9d6bcd #"
    )
    commit = Commit("3f9c2ab", datetime(2024, 6, 10, tzinfo=UTC))
    marked = replace(
        EXAMPLE, attempt=2, commit=commit, stopped=True, protected=True, retired=Retired.DUPLICATE
    )
    # The checksum is written down: no release may change how it is computed.
    assert str(marked) == (
        "[shbatch-sync/1 crops/ndvi-slovenia-2024-05 r1 h=1.3f9c2ab17d04 t=k7q2m7xa i=1b9d6bcd n=2 "
        "c=3f9c2ab@seu800 s p x=dup #qcwfw7]"
    )


def test_the_longest_marker_fits():
    assert len(str(FULL)) == MAX_LENGTH == 199
    assert str(FULL).isascii()
    assert parse(str(FULL)) == FULL


@given(MARKERS, WORDS, WORDS)
@example(replace(PLAIN, project="crops", job="2024"), "", "")
def test_a_marker_is_read_as_it_was_written(marker, before, after):
    if "shbatch-sync" in marker.project:
        marker = replace(marker, project="crops")
    assert parse(f"{before} {marker} {after}") == marker
    assert parse(describe(before, marker)) == marker


@pytest.mark.parametrize("project", ["shbatch-sync", "my-shbatch-sync"])
def test_a_project_may_be_called_like_the_program(project):
    marker = replace(PLAIN, project=project, job="2024")
    assert parse(str(marker)) == marker


@given(MARKERS, WORDS)
def test_people_keep_their_text(marker, words):
    assert human_text(describe(words, marker)) == human_text(words) == words.strip()
    assert describe(human_text(describe(words, marker)), marker) == describe(words, marker)


def test_text_on_both_sides_belongs_to_people():
    assert human_text(f" May {PLAIN}  for Ana ") == "May for Ana"
    assert human_text(None) == ""
    assert human_text(" May ") == "May"


@pytest.mark.parametrize("marker", [FULL, EXAMPLE, replace(EXAMPLE, seal=None, attempt=7)])
def test_a_hundred_thousand_edits_are_never_taken_for_another_marker(marker):
    dice = random.Random(20240610)
    signs = string.printable + "äß–\u200b"
    written = f"Monthly NDVI {marker}"
    for number in range(100_000):
        edited = edit(dice, written, signs) if number % 2 else forge(dice, written)
        found = parse(edited)
        assert not isinstance(found, Marker) or found == marker, edited


def forge(dice: random.Random, text: str) -> str:
    """Return a text with one to three signs of its marker changed into others of their kind.

    Nearly all of these keep the form of a marker, so that nothing but the checksum tells.
    """
    signs = list(text)
    places = [at for at in range(text.index("[") + 1, len(text)) if text[at].isalnum()]
    for at in dice.sample(places, dice.randint(1, 3)):
        kind = string.digits if signs[at].isdigit() else string.ascii_lowercase
        signs[at] = dice.choice(kind)
    return "".join(signs)


def edit(dice: random.Random, text: str, signs: str) -> str:
    """Return a text after one to three things that a person or a program may do to it."""
    for _ in range(dice.randint(1, 3)):
        at, end = sorted((dice.randrange(len(text) + 1), dice.randrange(len(text) + 1)))
        some = "".join(dice.choice(signs) for _ in range(dice.randint(1, 3)))
        text = dice.choice(
            [
                text[:at] + some + text[at:],
                text[:at] + text[at + dice.randint(1, 3) :],
                text[:at] + some + text[at + len(some) :],
                text[:at],
                text[:at] + text[at:end][::-1] + text[end:],
                text[:at] + text[at:end] * 2 + text[end:],
                text.upper(),
                text.replace(" ", dice.choice(["", "  ", "\n", "\u00a0"])),
            ]
        )
    return text


@pytest.mark.parametrize(
    "description", [None, "", "May", "see shbatch-sync.example/guide", "[sh] batch-sync"]
)
def test_no_trace_is_absent(description):
    assert parse(description) == Absent()
    assert not mentions_marker(description or "")


@pytest.mark.parametrize(
    ("description", "why"),
    [
        (f"{PLAIN} {PLAIN}", "more than one marker"),
        (f"{PLAIN} {mark(2)}", "more than one marker"),
        (str(PLAIN).replace("t=nonce", "t=nonc3"), "its checksum does not match"),
        (str(PLAIN).replace(" r1", " r0"), "not the form of a marker"),
        (str(PLAIN).replace(" r1", " r10000"), "not the form of a marker"),
        (str(PLAIN).upper(), "not the form of a marker"),
        (str(PLAIN)[:-1], "not the form of a marker"),
        (str(PLAIN)[1:], "not the form of a marker"),
        ("[ SHBATCH-SYNC", "not the form of a marker"),
        ("shbatch-sync/2 crops/ndvi", "not the form of a marker"),
    ],
)
def test_a_trace_that_is_no_marker_is_damaged(description, why):
    assert parse(description) == Damaged(why)


def test_another_order_of_options_is_damaged():
    body = str(FULL)[1:].rsplit(" #", 1)[0].replace(" s p", " p s")
    assert isinstance(parse(f"[{body} #aaaaaa]"), Damaged)


@given(WORDS, st.integers(0, 400))
def test_the_text_is_trimmed_before_the_marker_is(words, limit):
    description = describe(words, FULL, limit)
    assert parse(description) == FULL
    assert len(description) <= max(limit, MAX_LENGTH)


def test_seals():
    assert seal_of("1B9D6BCD-bbfd-4b2d-9b5d-ab8dfbbd4bed") == "1b9d6bcd"
    assert PLAIN.sealed_for(rid(255)).seal == "000000ff"


def test_nonces_are_fresh():
    nonces = {new_nonce() for _ in range(1000)}
    assert len(nonces) == 1000
    assert all(len(nonce) == 8 and set(nonce) <= set(BASE32) for nonce in nonces)


def test_a_time_before_the_epoch_is_written_as_the_epoch():
    early = replace(PLAIN, commit=Commit("3f9c2ab", datetime(1960, 1, 1, tzinfo=UTC)))
    found = parse(str(early))
    assert isinstance(found, Marker)
    assert found.commit == Commit("3f9c2ab", datetime(1970, 1, 1, tzinfo=UTC))


@settings(max_examples=300)
@given(st.text())
def test_any_text_can_be_read(text):
    assert isinstance(parse(text), Absent | Damaged)
    assert isinstance(parse(f"[shbatch-sync{text}"), Damaged)
