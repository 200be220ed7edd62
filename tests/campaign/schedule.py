"""What a seed stands for: manifests, how they change, who applies them when, and how rough it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from shbatch_sync.job import DeclaredState, RestartPolicy
from shbatch_sync.plan import Gate

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


@dataclass(frozen=True)
class Weather:
    """How rough it is.

    Attributes:
        faults: Share of calls that something happens to.
        crashes: Share of calls at which the process dies.
        slow: Share of calls that take long.
        late: Share of creates and starts that take effect after their caller has given up.
        lag: Seconds after which a list shows a new request, at most.
        get_lag: The same for a read by id.
        stale: Seconds for which some reads still show a request as it was before a call or a step of its own.
        unwritable: Share of ledger writes that end with an error, whether the lines are there or not.
    """

    faults: float = 0.0
    crashes: float = 0.0
    slow: float = 0.0
    late: float = 0.0
    lag: float = 0.0
    get_lag: float = 0.0
    stale: float = 0.0
    unwritable: float = 0.0


@dataclass(frozen=True)
class Declared:
    """A manifest, in short.

    Attributes:
        name: Of the job.
        place: Where it delivers to; stays through a rename.
        version: Of its spec.
        previous: Names that it had before and says so.
        adopt: Whether it is to take over the request that somebody made by hand for its place.
        depends: Places of the jobs that must be done before.
    """

    name: str
    place: str
    version: int = 1
    generation: int = 1
    state: DeclaredState = DeclaredState.STARTED
    restart: RestartPolicy = RestartPolicy.NEVER
    description: str | None = None
    previous: tuple[str, ...] = ()
    adopt: bool = False
    depends: tuple[str, ...] = ()
    max_pu: float | None = None


@dataclass(frozen=True)
class Apply:
    """One run of the program.

    Attributes:
        name: Unique in the schedule.
        after: Seconds after the stage began.
        manifests: Its checkout, which may be an older one.
        commit: Number of the commit it is of.
    """

    name: str
    after: float
    manifests: tuple[Declared, ...]
    commit: int
    wait: bool
    timeout: float | None
    prune: bool
    poll: float


@dataclass(frozen=True)
class Fate:
    """What happens to a request without anybody's call."""

    name: str
    kind: str
    after: float


@dataclass(frozen=True)
class Stage:
    """Applies that run at the same time, after an edit.

    Attributes:
        edits: What was changed before, for people.
        lost_lines: Ledger lines that go missing afterwards.
        separate: Whether each apply has a copy of the ledger, merged afterwards.
        pause: Seconds until the next stage.
    """

    edits: tuple[str, ...]
    applies: tuple[Apply, ...]
    fates: tuple[Fate, ...]
    lost_lines: int
    separate: bool
    pause: float


@dataclass(frozen=True)
class Hand:
    """A request that somebody made before, and that a job is to take over.

    Attributes:
        version: Of the spec that it was made with.
        state: Where it stands: CREATED, PROCESSING, DONE or FAILED; "missing" for an id that nobody has.
    """

    place: str
    version: int
    state: str


@dataclass(frozen=True)
class Extras:
    """What a schedule has beyond the plain ones.

    Attributes:
        kinds: Which of them, for people and for counting.
        people: Whether people edit descriptions, copy markers, make requests and start them.
        repair: Whether somebody runs `repair` at last.
        alone: Whether never two applies run at once.
        prices: Place → high estimate; None where there is no telling.
        parallelism: Calls at once of each apply.
        must_have_ledger: Whether creating needs a ledger that a person has begun.
        begun: Whether it is there from the beginning; else only for the clean applies.
        objects: Whether each line is an object of its own, as on S3.
    """

    kinds: tuple[str, ...] = ()
    people: bool = False
    repair: bool = False
    hands: tuple[Hand, ...] = ()
    alone: bool = False
    max_running: int | None = None
    prices: tuple[tuple[str, float | None], ...] = ()
    max_start_pu: float | None = None
    parallelism: int = 1
    must_have_ledger: bool = False
    begun: bool = True
    objects: bool = False


@dataclass(frozen=True)
class Schedule:
    """All of it.

    Attributes:
        mixed: Whether applies of different checkouts ran at the same time.
        analysis: Seconds that an analysis takes.
        commits: How many commits there are; 0 where the manifests are not in git.
        manifests: As they are declared at last.
    """

    seed: int
    stages: tuple[Stage, ...]
    weather: Weather
    settle: float
    allow: frozenset[Gate]
    page_size: int
    puts: str
    start_in_analysing: bool
    put_in_analysing: bool
    foreign: int
    mixed: bool
    analysis: float
    commits: int
    manifests: tuple[Declared, ...] = ()
    extras: Extras = field(default=Extras())
