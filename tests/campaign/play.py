"""Playing a schedule: stage by stage, then clean applies until nothing moves any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from shbatch_sync.api.client import BatchProcessClient
from shbatch_sync.api.retry import RetryPolicy
from shbatch_sync.config import Config
from shbatch_sync.errors import ShbatchError, TargetRefusedError
from shbatch_sync.marker import Commit
from shbatch_sync.plan import Action, Policy
from shbatch_sync.reconcile import ApplyResult, Outcome, Step, apply_plan
from shbatch_sync.reconcile.looking import look
from shbatch_sync.reconcile.mending import mend
from shbatch_sync.reconcile.options import Options
from shbatch_sync.reconcile.recording import take_in
from shbatch_sync.reconcile.round import Round
from shbatch_sync.reconcile.run import Run
from shbatch_sync.reconcile.scope import Scope
from shbatch_sync.repair import mends
from tests.campaign.declared import estimate, jobs_of, prices_of
from tests.campaign.ledger import Objects, Sheet, Store, merged
from tests.campaign.link import Link
from tests.campaign.schedule import Apply, Stage, Weather
from tests.campaign.timeline import EPOCH, Actor, Endless
from tests.campaign.watch import Caller
from tests.campaign.world import PROJECT, TARGET, World

CLEAN_APPLIES = 8
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
        refusals: Why applies were refused.
        violations: What must not be; filled by the oracles and by an apply that never ends.
    """

    world: World
    last: ApplyResult | ShbatchError | None = None
    after: Round | None = None
    applies: int = 0
    calls: int = 0
    refusals: list[ShbatchError] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)


def play(world: World) -> Played:
    """Play a schedule to its end."""
    played = Played(world)
    schedule = world.schedule
    world.put_foreign(schedule.foreign)
    world.put_hands()
    try:
        for stage in schedule.stages:
            _stage(played, stage)
        _until_quiet(played)
    except Endless as error:
        played.violations.append(f"apply {error} does not end")
    except Exception as error:  # noqa: BLE001 - whatever falls over is a violation, not the end of the campaign
        played.violations.append(f"an apply falls over: {type(error).__name__}: {error}")
    world.observe()
    return played


def _stage(played: Played, stage: Stage) -> None:
    world, weather = played.world, played.world.schedule.weather
    begun = world.timeline.seconds
    sheets = []
    for apply in stage.applies:
        sheet = world.sheet.copy() if stage.separate else world.sheet
        sheets.append(sheet)
        run, caller = _run(played, apply, sheet, weather, alone=len(stage.applies) == 1)
        world.timeline.begin(partial(_work, played, run, caller), begun + apply.after)
    for fate in stage.fates:
        world.timeline.at(begun + fate.after, partial(world.befall, fate))
    world.timeline.drive()
    if stage.separate:
        world.sheet = merged(world.sheet, sheets)
    if stage.lost_lines:
        world.sheet.cut(stage.lost_lines)
        world.lost = True
    world.timeline.advance(stage.pause)


def _work(played: Played, run: Run, caller: Caller) -> None:
    name = caller.name
    try:
        result = apply_plan(run)
        played.world.watch.ended(caller, result.plan)
        played.world.say(name, 0, "ends", int(result.exit_code), result.failures, result.held)
    except ShbatchError as error:
        played.refusals.append(error)
        played.world.say(name, 0, "refused", f"{type(error).__name__}: {error}"[:150])


def _run(
    played: Played, apply: Apply, sheet: Sheet, weather: Weather, *, alone: bool
) -> tuple[Run, Caller]:
    world, schedule = played.world, played.world.schedule
    extras, actor = schedule.extras, Actor(world.timeline, apply.name)
    played.applies += 1

    def record(who: str, number: int, *words: object) -> None:
        played.calls += 1
        world.say(who, number, *words)
        world.blows += words[:2] == ("stop", 204)
        if number > MOST_CALLS:
            actor.dead = True
            raise Endless(who)

    jobs = jobs_of(apply.manifests, world.hands)
    renames = {(job.name, earlier) for job in jobs for earlier in job.previous_names}
    prices = prices_of(apply.manifests, dict(extras.prices))
    policy = Policy(
        prune=apply.prune,
        allow=schedule.allow,
        max_running=extras.max_running,
        max_start_pu=extras.max_start_pu,
    )
    # A start that arrives late is not seen in time by anybody, nor is one that a person makes or a stale read hides.
    undisturbed = alone and not (extras.people or schedule.weather.late or schedule.weather.stale)
    caller = Caller(
        name=apply.name,
        jobs=jobs,
        sheet=sheet,
        policy=policy,
        prices=prices,
        alone=undisturbed,
        slack=max(schedule.weather.lag, schedule.weather.stale),
        parallelism=extras.parallelism,
    )
    client = BatchProcessClient(
        _CONFIG,
        transport=Link(world, actor, caller, weather, record),
        clock=actor,
        retry=RetryPolicy(draw=world.dice.of(f"jitter {apply.name}").random),
    )
    store = Objects if extras.objects else Store
    run = Run(
        client=client,
        ledger=store(sheet, actor, weather, world.dice),
        jobs=jobs,
        policy=policy,
        scope=Scope(
            project=PROJECT,
            target=TARGET,
            commit=_commit(apply.commit) if schedule.commits else None,
            estimates={name: estimate(high) for name, high in prices.items()},
        ),
        in_history=lambda sha: int(sha, 16) <= apply.commit,
        options=Options(
            wait=apply.wait,
            timeout=apply.timeout,
            poll=apply.poll,
            settle=schedule.settle,
            parallelism=extras.parallelism,
            must_have_ledger=extras.must_have_ledger,
        ),
        report=partial(_told, world, actor.name),
        watch=lambda _: world.renames.update(renames),
        clock=actor,
    )
    return run, caller


def _commit(number: int) -> Commit:
    return Commit(f"{number:07x}", datetime.fromtimestamp(EPOCH - 1e6 + 3600.0 * number, UTC))


def _told(world: World, who: str, step: Step) -> None:
    if step.action in {Action.CREATE, Action.REPLACE} and step.outcome is Outcome.DONE:
        world.created.append((who, step.request_id or ""))
    words = (step.job, step.action, step.outcome, (step.request_id or "")[:8], step.detail[:90])
    world.say(who, 0, "   ", *words)


# --- until nothing moves -----------------------------------------------------------------------------------------


def _until_quiet(played: Played) -> None:
    """Apply without faults; a person begins the ledger, takes in what it lacks, and mends markers, where it is for that."""
    world = played.world
    world.sheet.begun = True
    mended = not world.schedule.extras.repair
    for number in range(CLEAN_APPLIES):
        _clean(played, f"clean{number}")
        if isinstance(played.last, TargetRefusedError) and number < 2:
            _by_hand(played, f"taken{number}", _take_in)
        elif not mended:
            mended = True
            _by_hand(played, "repair", _repair)
        elif isinstance(played.last, ShbatchError) or (not played.last.done and number):
            break
        world.timeline.advance(300.0)


def _clean(played: Played, name: str) -> None:
    def work(run: Run) -> None:
        try:
            played.last = apply_plan(run)
            played.after = look(run, record=False)
            result = played.last
            played.world.say(name, 0, "ends", int(result.exit_code), result.failures, result.held)
        except ShbatchError as error:
            played.last = error
            played.world.say(name, 0, "refused", f"{type(error).__name__}: {error}")

    _by_hand(played, name, work)


def _by_hand(played: Played, name: str, work: Callable[[Run], None]) -> None:
    """Let somebody run a command while nothing goes wrong."""
    world, schedule = played.world, played.world.schedule
    apply = Apply(
        name=name, after=0.0, manifests=schedule.manifests, commit=max(schedule.commits - 1, 0),
        wait=True, timeout=None, prune=False, poll=120.0,
    )  # fmt: skip
    calm = replace(Weather(), lag=schedule.weather.lag, stale=schedule.weather.stale)
    run, _ = _run(played, apply, world.sheet, calm, alone=True)
    world.timeline.begin(partial(work, run), world.timeline.seconds)
    world.timeline.drive()


def _take_in(run: Run) -> None:
    """Do what `status --record` does."""
    take_in(run, look(run))


def _repair(run: Run) -> None:
    """Do what `repair` does."""
    current = look(run, record=False)
    for one in mends(run.jobs, current.inventory, current.ledger, current.plan.facts):
        if one.marker is not None:
            mend(run, one)
