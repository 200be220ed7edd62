"""The service: requests that are listed late, cost money once they are processed, and are never deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import NamedTuple, Protocol

from shbatch_sync.phase import Phase


class Key(NamedTuple):
    """What is to be paid once."""

    job: str
    generation: int
    digest: str


class Mark(NamedTuple):
    """What a description says."""

    key: Key
    nonce: int
    commit: int = 0
    seal: int | None = None
    retired: str | None = None


class Request(NamedTuple):
    """A request, what it was made with, and how it was before it last changed."""

    id: int
    body: str
    created: int
    born: int
    origin: Mark | None
    mark: Mark | None
    phase: Phase = Phase.CREATED
    accepted: bool = True
    paid: bool = False
    foreign: bool = False
    changed: int = 0
    was: tuple[Mark | None, Phase] | None = None


class Answer(StrEnum):
    """How a call ends for who made it."""

    YES = "yes"
    NO = "no"
    LOST = "lost"


class Chooser(Protocol):
    """Decides whatever may go one way or another."""

    def pick(self, options: int, what: str) -> int:
        """Return a number below `options`; 0 is the harmless one."""
        ...


class Rules(NamedTuple):
    """What may happen in a world, in ticks and in times.

    Attributes:
        settle: What the appliers wait before they judge.
        lag: A request younger than this may be missing from any list.
        stale: A change younger than this may be missing from any answer.
        skew: `created` may be earlier than that of this many made before.
        late: A create call without an answer may arrive this much later.
        hasty: Whether the service goes on while appliers are at work.
        horizon: Ticks that pass before everybody waits for them; None for any number.
        ledger: `shared` by all, `own` copies that are merged when a run ends, or `none`.
        omissions: How often a list lacks something young; so on for the others.
        losses: Answers that are lost.
        kills: Appliers that are killed.
        shifts: Pages that move while they are read, so that anything is missing.
        hands: Edits by people.
        consent: Whether replacing what was paid for is allowed.
        forgetful: Whether finished requests may be dropped as soon as all appliers have ended.
    """

    settle: int = 2
    lag: int = 2
    stale: int = 0
    skew: int = 0
    late: int = 0
    hasty: bool = True
    horizon: int | None = None
    ledger: str = "shared"
    omissions: int = 99
    losses: int = 0
    kills: int = 0
    shifts: int = 0
    hands: int = 0
    consent: bool = False
    forgetful: bool = False


WRITABLE = frozenset({Phase.CREATED, Phase.ANALYSIS_DONE, Phase.DONE, Phase.STOPPED})
_STARTABLE = frozenset({Phase.CREATED, Phase.ANALYSIS_DONE, Phase.STOPPED})
_NEXT = {
    Phase.STARTING: Phase.PROCESSING,
    Phase.PROCESSING: Phase.DONE,
    Phase.STOPPING: Phase.STOPPED,
}


class Service:
    """What it holds; every call may be answered, refused, or not answered."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.now = 0
        self.requests: dict[int, Request] = {}
        self.count = 0
        self.under_way: list[tuple[int, str, Mark]] = []
        self.left = {
            "omit": rules.omissions,
            "lose": rules.losses,
            "kill": rules.kills,
            "shift": rules.shifts,
            "hand": rules.hands,
        }

    def may(self, dice: Chooser, what: str, options: int = 2) -> int:
        """Let something happen, as long as it has not happened too often."""
        if options < 2 or self.left[what] <= 0:
            return 0
        taken = dice.pick(options, what)
        self.left[what] -= taken > 0
        return taken

    # --- calls ------------------------------------------------------------------------------------------------

    def create(self, dice: Chooser, body: str, mark: Mark) -> tuple[Answer, int | None]:
        """Make a request."""
        fate = self.may(dice, "lose", 4 if self.rules.late else 3)
        if fate == 3:
            self.under_way.append((self.now + self.rules.late, body, mark))
        if fate in {1, 3}:
            return Answer.LOST, None
        made = self.make(body, mark, dice)
        return (Answer.LOST, None) if fate == 2 else (Answer.YES, made)

    def make(self, body: str, mark: Mark | None, dice: Chooser, *, foreign: bool = False) -> int:
        """Put a request there; its date is its turn, and may be a little wrong."""
        odd = dice.pick(2, "skew") if self.rules.skew else 0
        self.count += 1
        id_ = 500 + self.count
        created = self.count - odd * self.rules.skew
        self.requests[id_] = Request(id_, body, created, self.now, mark, mark, foreign=foreign)
        return id_

    def put(self, dice: Chooser, id_: int, mark: Mark) -> Answer:
        """Write a description; refused while it is processed or waits for that."""

        def change(request: Request) -> Request | None:
            return request._replace(mark=mark) if request.phase in WRITABLE else None

        return self._act(dice, id_, change)

    def start(self, dice: Chooser, id_: int) -> Answer:
        """Start; it is taken in a little later."""

        def change(request: Request) -> Request | None:
            if request.phase not in _STARTABLE:
                return None
            return request._replace(phase=Phase.STARTING, accepted=False)

        return self._act(dice, id_, change)

    def stop(self, dice: Chooser, id_: int) -> Answer:
        """Stop; refused while a start is being taken in."""

        def change(request: Request) -> Request | None:
            if request.phase not in {Phase.STARTING, Phase.PROCESSING} or not request.accepted:
                return None
            return request._replace(phase=Phase.STOPPING)

        return self._act(dice, id_, change)

    def _act(self, dice: Chooser, id_: int, change: Callable[[Request], Request | None]) -> Answer:
        fate = self.may(dice, "lose", 3)
        if fate == 1:
            return Answer.LOST
        request = self.requests.get(id_)
        changed = change(request) if request is not None else None
        if changed is not None:
            self.set(changed)
        return Answer.LOST if fate else Answer.NO if changed is None else Answer.YES

    def set(self, request: Request) -> None:
        """Change a request, remembering how it was."""
        old = self.requests[request.id]
        if self.rules.stale:
            request = request._replace(was=(old.mark, old.phase), changed=self.now)
        self.requests[request.id] = request

    def get(self, dice: Chooser, id_: int) -> Request | None:
        """Read one."""
        request = self.requests.get(id_)
        return None if request is None else self._seen(dice, request)

    def list(self, dice: Chooser) -> tuple[Request, ...]:
        """List all, but for what is too young, too fresh, or on a page that moved."""
        shown = []
        for request in self.requests.values():
            young = self.now - request.born < self.rules.lag
            if young and self.may(dice, "omit"):
                continue
            shown.append(self._seen(dice, request))
        gone = self.may(dice, "shift", len(shown) + 1)
        return tuple(shown[: gone - 1] + shown[gone:] if gone else shown)

    def _seen(self, dice: Chooser, request: Request) -> Request:
        fresh = request.was is not None and self.now - request.changed < self.rules.stale
        if fresh and request.was is not None and dice.pick(2, "stale"):
            mark, phase = request.was
            return request._replace(mark=mark, phase=phase)
        return request

    # --- time -------------------------------------------------------------------------------------------------

    def tick(self, dice: Chooser) -> None:
        """Let time pass; what was under way arrives at the latest now."""
        self.now += 1
        for due, body, mark in list(self.under_way):
            if due <= self.now or dice.pick(2, "arrive"):
                self.under_way.remove((due, body, mark))
                self.make(body, mark, dice)

    def movable(self) -> Iterator[Request]:
        """Yield what goes on by itself."""
        return (request for request in self.requests.values() if request.phase in _NEXT)

    def advance(self, request: Request) -> None:
        """Let a request go on; being processed is what costs."""
        if request.phase is Phase.STARTING and not request.accepted:
            self.set(request._replace(accepted=True))
            return
        phase = _NEXT[request.phase]
        self.set(request._replace(phase=phase, paid=request.paid or phase is Phase.PROCESSING))

    def finish(self) -> None:
        """Let everything go on to its end, and the lists catch up."""
        while moving := list(self.movable()):
            for request in moving:
                self.advance(self.requests[request.id])
