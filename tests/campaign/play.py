"""Playing a schedule: stage by stage, then clean applies until nothing moves any more."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from shbatch_sync.api.client import BatchProcessClient
from shbatch_sync.api.retry import RetryPolicy
from shbatch_sync.config import Config
from shbatch_sync.errors import ShbatchError
from shbatch_sync.marker import Commit
from shbatch_sync.plan import Action, Policy
from shbatch_sync.reconcile import ApplyResult, Outcome, Step, apply_plan
from shbatch_sync.reconcile.apply import Round, look
from shbatch_sync.reconcile.run import Options, Run, Scope
from tests.campaign.ledger import Sheet, Store, merged
from tests.campaign.link import Link, Weather
from tests.campaign.schedule import Apply, Declared, Stage
from tests.campaign.timeline import EPOCH, Actor, Endless
from tests.campaign.world import PROJECT, TARGET, World, job_of

CALM = Weather()
CLEAN_APPLIES = 6
MOST_CALLS = 4000
_CONFIG = Config(
    base_url="http://127.0.0.1",
    token_url="http://127.0.0.1/oauth/token",
    client_id="id",
    client_secret="secret",
)


@dataclass
class Played:
    """What came of a schedule.

    Attributes:
        last: The last clean apply's result, or why it was refused.
        after: A plan over the state at the end.
        violations: What must not be; filled by the oracles and by an apply that never ends.
    """

    world: World
    last: ApplyResult | ShbatchError | None = None
    after: Round | None = None
    applies: int = 0
    calls: int = 0
    violations: list[str] = field(default_factory=list)


def play(world: World) -> Played:
    """Play a schedule to its end."""
    played = Played(world)
    schedule = world.schedule
    world.put_foreign(schedule.foreign)
    try:
        for stage in schedule.stages:
            _stage(played, stage)
        _until_quiet(played)
    except Endless as error:
        played.violations.append(f"apply {error} does not end")
    world.observe()
    return played


def _stage(played: Played, stage: Stage) -> None:
    world = played.world
    begun = world.timeline.seconds
    sheets = []
    for apply in stage.applies:
        sheet = world.sheet.copy() if stage.separate else world.sheet
        sheets.append(sheet)
        actor = Actor(world.timeline, apply.name)
        world.timeline.run(actor, partial(_work, played, apply, actor, sheet), begun + apply.after)
    for fate in stage.fates:
        world.timeline.at(begun + fate.after, partial(world.befall, fate))
    world.timeline.drive()
    if stage.separate:
        world.sheet = merged(world.sheet, sheets)
    if stage.lost_lines:
        world.sheet.cut(stage.lost_lines)
    world.timeline.advance(stage.pause)


def _work(played: Played, apply: Apply, actor: Actor, sheet: Sheet) -> None:
    run = _run(played, apply, actor, sheet, played.world.schedule.weather)
    try:
        result = apply_plan(run)
        played.world.say(actor.name, 0, "ends", int(result.exit_code), result.failures, result.held)
    except ShbatchError as error:
        played.world.say(actor.name, 0, "refused", f"{type(error).__name__}: {error}"[:150])


def _run(played: Played, apply: Apply, actor: Actor, sheet: Sheet, weather: Weather) -> Run:
    world, schedule = played.world, played.world.schedule
    played.applies += 1

    def record(who: str, number: int, *words: object) -> None:
        played.calls += 1
        world.say(who, number, *words)
        world.blows += words[:2] == ("stop", 204)
        if number > MOST_CALLS:
            actor.dead = True
            raise Endless(who)

    client = BatchProcessClient(
        _CONFIG,
        transport=Link(world.emulator.app, actor, weather, world.dice, record),
        clock=actor,
        retry=RetryPolicy(draw=world.dice.of(f"jitter {apply.name}").random),
    )
    return Run(
        client=client,
        ledger=Store(sheet, actor, weather.crashes, world.dice),
        jobs=[job_of(declared) for declared in apply.manifests],
        policy=Policy(prune=apply.prune, allow=schedule.allow),
        scope=Scope(
            project=PROJECT,
            target=TARGET,
            commit=_commit(apply.commit) if schedule.commits else None,
        ),
        in_history=lambda sha: int(sha, 16) <= apply.commit,
        options=Options(
            wait=apply.wait,
            timeout=apply.timeout,
            poll=apply.poll,
            settle=schedule.settle,
            parallelism=1,
            must_have_ledger=False,
        ),
        report=partial(_told, world, actor.name),
        clock=actor,
    )


def _commit(number: int) -> Commit:
    return Commit(f"{number:07x}", datetime.fromtimestamp(EPOCH - 1e6 + 3600.0 * number, UTC))


def _told(world: World, who: str, step: Step) -> None:
    if step.action in {Action.CREATE, Action.REPLACE} and step.outcome is Outcome.DONE:
        world.created.append((who, step.request_id or ""))
    words = (step.job, step.action, step.outcome, (step.request_id or "")[:8], step.detail[:90])
    world.say(who, 0, "   ", *words)


def _until_quiet(played: Played) -> None:
    world = played.world
    lag = Weather(lag=world.schedule.weather.lag)
    for number in range(CLEAN_APPLIES):
        _clean(played, f"clean{number}", world.schedule.manifests, lag)
        if isinstance(played.last, ShbatchError) or (not played.last.done and number):
            break
        world.timeline.advance(300.0)


def _clean(played: Played, name: str, manifests: tuple[Declared, ...], weather: Weather) -> None:
    world = played.world
    actor = Actor(world.timeline, name)
    apply = Apply(
        name=name, after=0.0, manifests=manifests, commit=max(world.schedule.commits - 1, 0),
        wait=True, timeout=None, prune=False, poll=120.0,
    )  # fmt: skip
    run = _run(played, apply, actor, world.sheet, weather)

    def work() -> None:
        try:
            played.last = apply_plan(run)
            played.after = look(run, record=False)
            world.say(
                name, 0, "ends", int(played.last.exit_code), played.last.failures, played.last.held
            )
        except ShbatchError as error:
            played.last = error
            world.say(name, 0, "refused", f"{type(error).__name__}: {error}")

    world.timeline.run(actor, work, world.timeline.seconds)
    world.timeline.drive()
