"""What an applier knows: its declarations, and what no list can tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.model.service import Key

if TYPE_CHECKING:
    from tests.model.world import World


class Line(NamedTuple):
    """A line of the ledger."""

    event: str
    key: Key
    at: int
    nonce: int | None = None
    id: int | None = None
    status: str | None = None


class Job(NamedTuple):
    """What is declared of a job: its key, the commit that it was declared in, and the body that is posted."""

    key: Key
    commit: int = 0

    @property
    def body(self) -> str:
        """The body; one letter of the digest is all that differs between two."""
        return f"{self.key.job}.{self.key.digest}"


class Step(NamedTuple):
    """One call, or one line, that is to be made next."""

    call: str
    job: Job
    id: int | None = None
    mark: object = None


class Applier:
    """One run of the tool.

    Attributes:
        name: A number that no other applier has.
        jobs: What it declares.
        todo: What it is about to do, in order.
        ledger: Its own copy, where the ledger is not shared.
        made: Requests whose create answered and which no list has shown yet.
        first_seen: Unsealed request → when it was first seen or made.
        unanswered: Key → when a create call without an answer ended.
        known: Requests of ours that the first list showed.
        seen: Requests of ours that any list has shown.
        held: Jobs left alone for the rest of the run.
        nonces: How many create calls were made.
        asleep: Since when it waits; None while it acts.
        lists: How often it listed.
        over: Whether it has ended.
        told: Jobs of which it told a person something.
    """

    __slots__ = (
        "asleep",
        "first_seen",
        "held",
        "jobs",
        "known",
        "ledger",
        "lists",
        "made",
        "name",
        "nonces",
        "over",
        "seen",
        "todo",
        "told",
        "unanswered",
    )

    def __init__(self, name: int, jobs: tuple[Job, ...], ledger: tuple[Line, ...] = ()) -> None:
        self.name = name
        self.jobs = jobs
        self.todo: tuple[Step, ...] = ()
        self.ledger = ledger
        self.made: dict[int, Key] = {}
        self.first_seen: dict[int, int] = {}
        self.unanswered: dict[Key, int] = {}
        self.known: frozenset[int] | None = None
        self.seen: frozenset[int] = frozenset()
        self.held: frozenset[str] = frozenset()
        self.nonces = 0
        self.asleep: int | None = None
        self.lists = 0
        self.over = False
        self.told: frozenset[str] = frozenset()

    def clone(self) -> Applier:
        """Return one that knows the same."""
        other = Applier.__new__(Applier)
        for name in Applier.__slots__:
            value = getattr(self, name)
            setattr(other, name, dict(value) if isinstance(value, dict) else value)
        return other

    def key(self, world: World) -> tuple[object, ...]:
        """Return what tells two of them apart in what they may still do."""
        now, settle = world.service.now, world.rules.settle
        return (
            self.todo,
            world.lines_key(self),
            frozenset(self.made),
            frozenset(
                (id_, min(now - at, settle))
                for id_, at in self.first_seen.items()
                if world.unsealed(id_)
            ),
            frozenset((key, min(now - at, settle)) for key, at in self.unanswered.items()),
            self.known
            if len({job.key for one in world.appliers for job in one.jobs}) > 1
            else None,
            self.seen if world.rules.shifts else None,
            self.held,
            self.nonces,
            None if self.asleep is None else self.asleep < now,
        )
