"""What an apply refuses as a whole, and a plan warns of: changes that nothing would remember, or that something forgot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shbatch_sync.plan import Change
from shbatch_sync.reconcile.result import MAKING
from shbatch_sync.reconcile.run import Run
from shbatch_sync.store.ledger import unread


def refusals(run: Run, changes: Iterable[Change]) -> Iterator[str]:
    """Yield why some of `changes` may not be made on this target, each with what to do."""
    chosen = [change for change in changes if change.effective]
    hidden = unread(run.ledger)
    if hidden is not None:
        yield hidden
    if not run.options.must_have_ledger:
        return
    target = run.scope.target
    if chosen and not run.ledger.exists():
        yield (
            f"target {target} has no ledger ({run.ledger.place}), so nothing would remember what was paid for; "
            f"begin one with `shbatch-sync init --target {target}` and commit it, or set `ledger: none`"
        )
    if run.strays and any(change.action in MAKING for change in chosen):
        yield (
            f"request {run.strays[0]} is ours and older than a day, but the ledger ({run.ledger.place}) does not say "
            f"who made it: was the ledger of an earlier run not saved? `shbatch-sync status --target {target} --record` "
            "takes such requests in"
        )
