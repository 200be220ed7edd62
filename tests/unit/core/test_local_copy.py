"""What naming, changing and leaving out a local copy means for a request that exists, or did."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from shbatch_sync.case import explained, read_case
from shbatch_sync.cost.features import Features
from shbatch_sync.diff import FieldChange, Kind
from shbatch_sync.digest import digest
from shbatch_sync.inventory import Inventory
from shbatch_sync.ledger import Ledger
from shbatch_sync.ledger_key import is_of_other_copy
from shbatch_sync.ledger_line import Event
from shbatch_sync.local_copy import may_be_same, parts, with_copy
from shbatch_sync.marker import Retired
from shbatch_sync.package import Package
from shbatch_sync.plan import Action, Gate, Reason
from tests.unit.core import factories
from tests.unit.core.factories import BODY, COSMETIC, OTHER, mark


@dataclass(frozen=True)
class Copy:
    sha256: str
    path: str = "jobs/a.gpkg"

    def package(self) -> Package:
        return Package(tables=())

    def features(self, bounds: Any, defaults: Any) -> Features:
        return Features(sizes={(10, 10): len([bounds, defaults])})


NONCES = {1: "nonceaaa", 2: "noncebbb"}
A, B = Copy("a" * 64), Copy("b" * 64)


def job(copy: Copy | None = None, **members: Any):
    return factories.job(local_copy=copy, **members)


# --- digests -------------------------------------------------------------------------------------------------


def test_golden_digests_with_a_copy():
    """Written down once, like those of bodies alone."""
    assert digest(BODY, A.sha256) == job(A).digest == "1.5d2b30431017"


def test_without_a_copy_the_digests_are_those_of_the_body():
    assert job().digest == job(A).body_digest == digest(BODY)
    assert job().norm_digest == parts(job(A).norm_digest)[0]


def test_other_areas_are_another_request():
    assert len({job().digest, job(A).digest, job(B).digest}) == 3
    assert len({job().norm_digest, job(A).norm_digest, job(B).norm_digest}) == 3
    assert job(A).norm_digest == job(A, spec=COSMETIC).norm_digest
    assert job(A).digest == job(replace(A, path="elsewhere.gpkg")).digest


def test_normalised_digests_name_their_copy():
    one, other = with_copy("1.0", A), with_copy("1.0", B)
    assert (with_copy("1.0", None), one) == ("1.0", "1.0+aaaaaaaaaaaa")
    assert may_be_same(one, one)
    assert may_be_same(one, "1.0")
    assert may_be_same("1.0", one)
    assert not may_be_same(one, other)
    assert not may_be_same(one, with_copy("1.1", A))


# --- a request is live ---------------------------------------------------------------------------------------


def live(made_for, number: int = 1, **members: Any):
    """Return a request with the marker of a job, as far as digests go."""
    own = mark(number, digest=made_for.digest, nonce=NONCES[number])
    return factories.request(
        number, body=made_for.spec, marker=members.pop("marker", own), **members
    )


def planned(declared, *requests, lines=()):
    return factories.plan([declared], list(requests), lines)


DONE = {"status": "DONE", "action": "START", "cost": 500.0}
NONE = job()
OTHER_WORDS = job(A, spec=COSMETIC)


def line(event: str, made_for, number: int = 1, **members: Any):
    """Return a line as it is written for a job's request while just that is declared."""
    members.setdefault("digest", made_for.digest)
    members.setdefault("norm_digest", made_for.norm_digest)
    return factories.entry(event, number, nonce=NONCES[number], **members)


def history(made_for, number: int = 1, *, ago: float = 50.0):
    """Return the lines of a request that was made, paid and done."""
    return [
        line("intent", made_for, number, at=factories.ago(hours=ago)),
        line("created", made_for, number, at=factories.ago(hours=ago - 1)),
        line("start", made_for, number, at=factories.ago(hours=ago - 2)),
        line(
            "final",
            made_for,
            number,
            at=factories.ago(hours=ago - 3),
            status="DONE",
            cost_pu=500.0,
        ),
    ]


LIVE = [
    ("named for the first time", job(A), NONE, DONE, [], ["update cosmetic"]),
    ("named while it runs", job(A), NONE, {"status": "PROCESSING"}, [], ["wait deferred"]),
    ("the same as ever", job(A), job(A), DONE, [], []),
    ("named no more", NONE, job(A), DONE, [], ["update cosmetic"]),
    ("changed", job(B), job(A), DONE, [], ["replace spec_changed !replace"]),
    ("changed before it cost anything", job(B), job(A), {}, [], ["replace spec_changed"]),
    (
        "changed while it runs",
        job(B),
        job(A),
        {"status": "PROCESSING", "action": "START"},
        [],
        ["replace spec_changed !replace"],
    ),
    (
        "changed, and meant",
        job(B, generation=2),
        job(A),
        DONE,
        [],
        ["replace generation_raised"],
    ),
    ("said in other words", OTHER_WORDS, job(A), DONE, history(job(A)), ["update cosmetic"]),
    (
        "said in other words, and nobody remembers",
        OTHER_WORDS,
        job(A),
        DONE,
        [],
        ["replace spec_changed !replace"],
    ),
    (
        "named and said in other words at once",
        OTHER_WORDS,
        NONE,
        DONE,
        history(NONE),
        ["update cosmetic"],
    ),
    (
        "named, restamped, and changed then",
        job(B),
        job(A),
        DONE,
        history(NONE),
        ["replace spec_changed !replace"],
    ),
    (
        "another body as well",
        job(B, spec=OTHER),
        job(A),
        DONE,
        [],
        ["replace spec_changed !replace"],
    ),
]


@pytest.mark.parametrize(
    ("declared", "made_for", "stands", "lines", "expected"),
    [pytest.param(*case[1:], id=case[0]) for case in LIVE],
)
def test_a_request_is_live(declared, made_for, stands, lines, expected):
    made = planned(declared, live(made_for, **stands), lines=lines)
    assert factories.steps(made) == expected


def test_what_changed_is_shown():
    case = read_case(job(B), inventory(job(A)), Ledger())
    [shown, *quiet] = explained(job(B), case.others[0])
    after = f"sha256:{B.sha256}"
    assert shown == FieldChange("/localCopy", Kind.CHANGED, "unknown", after)
    assert all(field.reason for field in quiet)
    # Where more is known to differ, only that is shown.
    assert [field.path for field in explained(job(B, spec=OTHER), case.others[0])][:1] == [
        "/processRequest/evalscript"
    ]
    assert not [field for field in explained(job(A), case.others[0]) if not field.reason]


def inventory(made_for) -> Inventory:
    own = mark(1, digest=made_for.digest)
    return Inventory(owned={"ndvi": (factories.live(1, marker=own, **DONE),)})


# --- only the ledger remembers -------------------------------------------------------------------------------

REMEMBERED = [
    ("named since", job(A), history(NONE), []),
    ("the same", job(A), history(job(A)), []),
    ("named no more", NONE, history(job(A)), []),
    ("changed", job(B), history(job(A)), ["create missing !replace"]),
    ("changed, and meant", job(B, generation=2), history(job(A)), ["create missing"]),
    ("in other words", OTHER_WORDS, history(job(A)), []),
    ("in other words, and named since", OTHER_WORDS, history(NONE), []),
    (
        # The end of a request whose digest is not the declared one is written from its echo, which knows no copy.
        "changed before its end was seen",
        job(B),
        [
            *history(job(A))[:3],
            line("final", job(A), norm_digest=NONE.norm_digest, status="DONE", cost_pu=500.0),
        ],
        ["create missing !replace"],
    ),
    (
        "back again",
        job(A),
        [*history(job(A)), *history(job(B), 2, ago=20.0)],
        ["attention reverted"],
    ),
    ("no line of it", job(A), history(job(A, spec=OTHER)), ["create missing !replace"]),
]


@pytest.mark.parametrize(
    ("declared", "lines", "expected"), [pytest.param(*case[1:], id=case[0]) for case in REMEMBERED]
)
def test_only_the_ledger_remembers(declared, lines, expected):
    assert factories.steps(planned(declared, lines=lines)) == expected


def test_what_ran_before_any_copy_does_not_stand_for_one_that_runs():
    """First without a copy and done; then with one, changed, and allowed to run again."""
    lines = [*history(NONE), *history(job(B), 2, ago=20.0)[:3]]
    running = live(job(B), 2, status="PROCESSING", action="START")
    assert factories.steps(planned(job(B, state="started"), running, lines=lines)) == [
        "wait processing"
    ]
    record = factories.ledger(*lines).record(job(B))
    assert record.done is None
    assert {entry.nonce for entry in record.entries} == {NONCES[2]}


def test_lines_of_a_request_stay_together():
    """Its copy was named after its create and before its start."""
    lines = [*history(NONE)[:2], *history(job(A))[2:]]
    record = factories.ledger(*lines).record(job(A))
    assert [entry.event for entry in record.entries] == [
        Event.INTENT,
        Event.CREATED,
        Event.START,
        Event.FINAL,
    ]
    assert factories.ledger(*lines).record(job(B)).entries == ()


def test_requests_of_another_copy_are_no_witnesses():
    ledger = factories.ledger(*history(NONE))
    assert ledger.record(job(B)).done is not None
    assert ledger.record(job(B), {NONCES[1]}).entries == ()
    assert ledger.record(NONE, {NONCES[1]}).done is not None


@pytest.mark.parametrize(
    ("declared", "twin"),
    [(job(A, name="evi"), True), (job(B, name="evi"), False), (job(name="evi"), True)],
)
def test_a_renamed_job_is_known_by_its_copy_too(declared, twin):
    made = planned(declared, lines=history(job(A)))
    assert factories.steps(made) == ["create missing" + (f" !{Gate.TWIN}" if twin else "")]


def test_a_line_without_a_normalised_digest_is_known_by_its_digest():
    lines = [line("start", job(A), norm_digest=None), line("start", NONE, 2, norm_digest=None)]
    ledger = factories.ledger(*lines)
    assert len(ledger.record(job(A)).entries) == 1
    assert len(ledger.record(NONE).entries) == 1
    assert ledger.twin(NONE.norm_digest, frozenset()) is None


def test_a_retired_request_of_another_copy_is_none_of_the_key():
    old = live(
        job(A), marker=mark(1, digest=job(A).digest, nonce=NONCES[1], retired=Retired.OLD), **DONE
    )
    new = live(job(B), 2, **DONE)
    made = planned(job(B), old, new, lines=history(NONE))
    assert made.changes == ()


def test_which_digests_may_stand_for_another_copy():
    assert not is_of_other_copy(NONE, job(A).digest, ())
    assert not is_of_other_copy(job(A), job(A).digest, ())
    assert not is_of_other_copy(job(A), NONE.digest, ())
    assert is_of_other_copy(job(A), job(B).digest, ())
    assert not is_of_other_copy(OTHER_WORDS, job(A).digest, [line("start", job(A))])
    # Written from an echo: the body is known, the copy is not.
    echoed = line("final", job(A), norm_digest=NONE.norm_digest, status="DONE")
    assert is_of_other_copy(OTHER_WORDS, job(A).digest, [echoed])


def test_reasons_and_actions_are_the_usual_ones():
    [change] = planned(job(B), live(job(A), **DONE)).changes
    assert (change.action, change.reason) == (Action.REPLACE, Reason.SPEC_CHANGED)
    assert change.withheld is not None
    assert change.marker is not None
    assert change.marker.digest == job(B).digest
