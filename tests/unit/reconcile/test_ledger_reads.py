"""How often a round asks for the ledger: before the list, after it, and once more only where it wrote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from shbatch_sync.ledger_line import Entry
from shbatch_sync.reconcile.looking import look
from tests.unit.reconcile.conftest import Ledger, job


class Counting(Ledger):
    """Gives the same tuple while nothing is new, as the ledgers of files and buckets do."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.shown: tuple[Entry, ...] = ()

    def read(self) -> Sequence[Entry]:
        self.reads += 1
        if len(self._entries) != len(self.shown):
            self.shown = tuple(self._entries)
        return self.shown


def test_a_round_that_writes_nothing_reads_twice_and_sorts_once(
    world: Callable[..., Any],
) -> None:
    here = world()
    here.ledger = Counting()
    here.apply(job())
    run = here.run(job())
    look(run)
    here.ledger.reads = 0
    before = look(run).ledger
    assert here.ledger.reads == 2
    assert look(run, record=False).ledger is before


def test_what_another_run_wrote_while_the_list_was_read_counts(world: Callable[..., Any]) -> None:
    here = world()
    here.ledger = Counting()
    run = here.run(job())
    listing = run.client.iter_requests

    def slow_list(**options: Any) -> Any:
        yield from listing(**options)
        here.remember("start", job(), "0b9d6bcd-0000-4000-8000-000000000001")

    run.client.iter_requests = slow_list
    assert [entry.event for entry in look(run).ledger.entries] == ["start"]
    assert not any(
        change.action == "create" and change.effective for change in look(run).plan.changes
    )
