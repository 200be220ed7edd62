"""Faults to plant in the product, one for each oracle: what would be wrong if a rule of the product were missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch

from shbatch_sync import decision, gates, ownership, twins
from shbatch_sync.adopting import take_over
from shbatch_sync.ledger_line import Event
from shbatch_sync.making import bring_about
from shbatch_sync.plan import Change
from shbatch_sync.reconcile import apply as applying
from shbatch_sync.reconcile.run import Run


class Plant(NamedTuple):
    """One fault.

    Attributes:
        where: What is replaced, and under which name.
        seeds: Schedules in which it shows, or in one of them at least.
        found: What the oracle says of it.
    """

    where: Any
    name: str
    instead: Any
    seeds: tuple[int, ...]
    found: str


def _unqueued(changes: Any, *_: object, **__: object) -> list[Change]:
    return list(changes)


def _free(changes: list[Change], *_: object, **__: object) -> list[Change]:
    return changes


def _made_anyway(case: Any, scene: Any) -> list[Change]:
    changes = take_over(case, scene)
    return (
        changes
        if case.adoptable is not None and not changes[0].fields
        else bring_about(case, scene)
    )


class Blind(ownership._Sorter):
    """Takes a damaged marker for none at all."""

    def _damage(self, request: Any, why: str, description: str) -> None:
        del why, description
        self._foreign(request)


class Trusting(ownership._Sorter):
    """Takes every marker for the request's own."""

    def _marked(self, request: Any, marker: Any) -> None:
        self.ids.add(request.request_id)
        self.owned[marker.job].append(ownership.Live(request, marker, ownership.phase_of(request)))


_write = Run.write
_create_all = applying.create_all


def _forgets_starts(run: Run, event: Event, *given: Any, **named: Any) -> None:
    if event is not Event.START:
        _write(run, event, *given, **named)


def _forgets_intents(run: Run, event: Event, *given: Any, **named: Any) -> None:
    if event is not Event.INTENT:
        _write(run, event, *given, **named)


def _all_at_once(run: Run, changes: Any) -> bool:
    run.proven = True
    return _create_all(run, changes)


PLANTS = {
    "no queue": Plant(decision.gates, "queue", _unqueued, (6, 7, 8), "is not DONE"),
    "no limit": Plant(decision.gates, "queue", _unqueued, (14, 47, 69), "may run"),
    "no cost gate": Plant(gates, "_cost", _free, (2, 17, 37), "PU, at most"),
    "no adoption": Plant(decision, "take_over", _made_anyway, (22, 26, 32), "is to adopt"),
    "damage unseen": Plant(ownership, "_Sorter", Blind, (8, 11, 12), "nobody says so"),
    "copies believed": Plant(ownership, "_Sorter", Trusting, (10, 12, 58), "not ours"),
    "starts unwritten": Plant(Run, "write", _forgets_starts, (2, 3, 4), "before the ledger knew"),
    "creates unwritten": Plant(Run, "write", _forgets_intents, (1, 2, 3), "before the ledger knew"),
    "no ledger demanded": Plant(
        applying, "refusals", lambda *_: iter(()), (18, 21, 67), "without a ledger"
    ),
    "too many at once": Plant(
        applying, "create_all", _all_at_once, (2, 5, 7), "before the first was read back"
    ),
    "no witness": Plant(twins, "_alike", lambda *_: None, (221,), "paid twice"),
}


@contextmanager
def planted(plant: Plant) -> Iterator[None]:
    """Have the product lack a rule."""
    with patch.object(plant.where, plant.name, plant.instead):
        yield
