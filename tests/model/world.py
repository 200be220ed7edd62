"""A world: one service, what is remembered, and who is at work."""

from __future__ import annotations

from collections import Counter
from typing import cast

from shbatch_sync.phase import Phase
from tests.model.applier import Applier, Job, Line, Step
from tests.model.service import Chooser, Mark, Request, Rules, Service


class World:
    """All there is; a clone goes its own way.

    Attributes:
        rules: What may happen.
        service: The service.
        appliers: Who is at work, by name.
        shared: The ledger that all see, or into which copies are merged.
        forgotten: What the service has dropped, paid or not.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.service = Service(rules)
        self.appliers: list[Applier] = []
        self.shared: tuple[Line, ...] = ()
        self.forgotten: tuple[Request, ...] = ()
        self.found: list[str] = []

    def begin(self, *jobs: Job) -> Applier:
        """Let another applier begin."""
        ledger = self.shared if self.rules.ledger == "own" else ()
        me = Applier(len(self.appliers), jobs, ledger)
        self.appliers.append(me)
        return me

    def clone(self) -> World:
        """Return a world in the same state."""
        other = World.__new__(World)
        other.rules, other.shared = self.rules, self.shared
        other.forgotten, other.found = self.forgotten, []
        other.appliers = [one if one.over else one.clone() for one in self.appliers]
        service = Service.__new__(Service)
        service.rules, service.now, service.count = self.rules, self.service.now, self.service.count
        service.requests = dict(self.service.requests)
        service.under_way = list(self.service.under_way)
        service.left = dict(self.service.left)
        other.service = service
        return other

    def key(self) -> tuple[object, ...]:
        """Return what tells two worlds apart in what may still happen: ages as far as they matter, and orders."""
        now, rules, service = self.service.now, self.rules, self.service
        dates = sorted({one.created for one in service.requests.values()})
        several = len({line.key for line in self.shared}) > 1
        return (
            None if rules.horizon is None else min(now, rules.horizon),
            frozenset(
                (
                    *one[:2],
                    dates.index(one.created),
                    min(now - one.born, rules.lag),
                    *one[5:9],
                    (min(now - one.changed, rules.stale), one.was) if rules.stale else None,
                )
                for one in service.requests.values()
            ),
            tuple((due - now, body, mark) for due, body, mark in service.under_way),
            tuple(service.left.values()),
            _lines_key(self.shared, now, rules, several=several),
            tuple(None if one.over else one.key(self) for one in self.appliers),
        )

    def unsealed(self, id_: int) -> bool:
        """Say whether it may still matter when a request was first seen."""
        request = self.service.requests.get(id_)
        if request is None or request.mark is None:
            return False
        return self.rules.stale > 0 or request.mark.seal is None

    # --- the ledger -------------------------------------------------------------------------------------------

    def lines(self, me: Applier) -> tuple[Line, ...]:
        """Return what an applier remembers."""
        return self.shared if self.rules.ledger == "shared" else me.ledger

    def lines_key(self, me: Applier) -> frozenset[object]:
        """Return what an applier's own copy means."""
        several = len({line.key for line in me.ledger}) > 1
        return _lines_key(me.ledger, self.service.now, self.rules, several=several)

    def write(self, me: Applier, event: str, step: Step) -> bool:
        """Write a line down; it is safe before this returns."""
        mark = cast("Mark", step.mark)
        self._append(me, Line(event, mark.key, self.service.now, mark.nonce, step.id))
        return True

    def write_once(self, me: Applier, line: Line) -> None:
        """Write an end down, unless it was written before."""
        if not any(one._replace(at=0) == line for one in self.lines(me)):
            self._append(me, line._replace(at=self.service.now))

    def _append(self, me: Applier, line: Line) -> None:
        if self.rules.ledger == "shared":
            self.shared += (line,)
        else:
            me.ledger += (line,)

    def end(self, me: Applier, *, saved: bool = True) -> None:
        """End a run; its own copy of the ledger is merged if it gets that far."""
        me.over = True
        if self.rules.ledger == "own" and saved:
            self.shared += tuple(line for line in me.ledger if line not in self.shared)

    # --- people and time ---------------------------------------------------------------------------------------

    def forget(self) -> None:
        """Let the service drop what is finished."""
        for request in list(self.service.requests.values()):
            if request.phase.value in {"done", "failed", "stopped"}:
                del self.service.requests[request.id]
                self.forgotten += (request,)

    def unmark(self, request: Request) -> None:
        """Let a person take the marker out of a description."""
        self.service.set(request._replace(mark=None))

    def copy(self, request: Request, dice: Chooser, body: str) -> None:
        """Let a person make a request of their own with another one's description."""
        self.service.make(body, request.mark, dice, foreign=True)

    # --- what must hold ----------------------------------------------------------------------------------------

    def violations(self) -> list[str]:
        """Return what is wrong now, whatever may follow."""
        requests = (*self.forgotten, *self.service.requests.values())
        ours = [(one.origin, one) for one in requests if one.origin and not one.foreign]
        paid = Counter(mark.key for mark, one in ours if one.paid)
        wrong = [f"{key} paid {times} times" for key, times in paid.items() if times > 1]
        runs = Counter((key.job, key.generation) for key in paid)
        if not (self.rules.consent or self.rules.hasty or self.rules.hands):
            wrong += [f"{run} paid for {specs} specs" for run, specs in runs.items() if specs > 1]
        if self.rules.settle >= self.rules.lag and not self.rules.late + self.rules.shifts:
            made = Counter((mark.key, mark.nonce // 100) for mark, _ in ours)
            wrong += [f"{key} made twice by {name}" for (key, name), n in made.items() if n > 1]
        wrong += [
            f"foreign request {one.id} was touched"
            for one in requests
            if one.foreign and (one.phase, one.paid, one.mark) != (Phase.CREATED, False, one.origin)
        ]
        return wrong


def _lines_key(
    lines: tuple[Line, ...], now: int, rules: Rules, *, several: bool
) -> frozenset[object]:
    """Lines mean the same in any order; an intent ages until it is answered, and two specs have an order."""
    dates = sorted({line.at for line in lines}) if several else []
    answered = {line.nonce for line in lines if line.event == "created"}
    return frozenset(
        (
            *line[:2],
            *line[3:],
            dates.index(line.at) if several else 0,
            min(now - line.at, rules.settle)
            if line.event == "intent" and line.nonce not in answered
            else 0,
        )
        for line in lines
    )
