"""All that the ledger says of one key, and what follows from it: paid, ended, or still without an answer."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from shbatch_sync.ledger_line import Entry, Event

# A `retired` line that names a nonce and no request says that its create call was refused.
_ANSWERS = frozenset({Event.CREATED, Event.RETIRED})


@dataclass(frozen=True)
class Record:
    """All that the ledger says of one key: a job in one generation with one spec.

    Attributes:
        entries: Its lines, oldest first.
    """

    entries: tuple[Entry, ...]

    @cached_property
    def done(self) -> Entry | None:
        """The line that says it finished; it bars every further try."""
        return next((entry for entry in self._of(Event.FINAL) if entry.status == "DONE"), None)

    @cached_property
    def paid(self) -> Entry | None:
        """The last line that says money may have been spent."""
        spent = [
            *self._of(Event.START),
            *(entry for entry in self._of(Event.FINAL) if (entry.cost_pu or 0) > 0),
        ]
        return max(spent, key=lambda entry: entry.at, default=None)

    @cached_property
    def final(self) -> Entry | None:
        """The last end that was seen."""
        return max(self._of(Event.FINAL), key=lambda entry: entry.at, default=None)

    @property
    def ended_or_paid(self) -> bool:
        """Whether the key got as far as costing, or to an end."""
        return self.paid is not None or self.final is not None

    def costs_of_other(self, request_id: str) -> bool:
        """Say whether any other request than this one got as far as costing, or to an end."""
        costly = (*self._of(Event.START), *self._of(Event.FINAL))
        return any(entry.request_id != request_id for entry in costly)

    def end_of_other(self, listed: Collection[str], attempt: int) -> Entry | None:
        """Return the last end of a request that is not listed, of this try or a later one, or None.

        One that was stopped before it cost anything made room for another, so it does not count.
        """
        return max(
            (
                entry
                for entry in self._of(Event.FINAL)
                if entry.request_id not in listed
                and entry.attempt >= attempt
                and (entry.status != "STOPPED" or entry.cost_pu != 0)
            ),
            key=lambda entry: entry.at,
            default=None,
        )

    @cached_property
    def attempt(self) -> int:
        """The highest try that was started or ended; creating alone uses no try up."""
        return max(
            (entry.attempt for entry in self.entries if entry.event in {Event.START, Event.FINAL}),
            default=0,
        )

    def created(self, listed: Collection[str]) -> Iterator[Entry]:
        """Yield the create calls that answered with a request which is not listed and not known to have ended."""
        ended = {entry.request_id for entry in self._of(Event.FINAL)}
        for entry in self._of(Event.CREATED):
            if entry.request_id not in listed and entry.request_id not in ended:
                yield entry

    def unfinished(self, listed: Collection[str]) -> int:
        """Return the highest try that was started, of which no end is known and whose request is not listed; or 0."""
        ended = {(entry.request_id, entry.attempt) for entry in self._of(Event.FINAL)}
        return max(
            (
                entry.attempt
                for entry in self._of(Event.START)
                if entry.request_id not in listed and (entry.request_id, entry.attempt) not in ended
            ),
            default=0,
        )

    def words(self, request_id: str, event: Event) -> list[datetime]:
        """Return when we asked a request to start, or to stop."""
        return [entry.at for entry in self._of(event) if entry.request_id == request_id]

    def unanswered(self) -> Iterator[Entry]:
        """Yield the create calls of which no answer is recorded, neither a request nor a definite no."""
        answered = {entry.nonce for entry in self.entries if entry.event in _ANSWERS}
        yield from (entry for entry in self._of(Event.INTENT) if entry.nonce not in answered)

    def _of(self, event: Event) -> Iterator[Entry]:
        return (entry for entry in self.entries if entry.event is event)
