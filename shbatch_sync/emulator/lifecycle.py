"""How a request moves: what people may ask for in which state, and what then happens by itself.

The state is the pair (status, userAction). Instants are microseconds since 1970 of the service's clock. A step
that is due carries its own instant, so that a request that nobody looked at for a day is where it would be had
somebody watched. Everything here is pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

SECOND = 1_000_000
_ALL = 1.0 - 1e-9


class Status(StrEnum):
    """Where a request is."""

    CREATED = "CREATED"
    ANALYSING = "ANALYSING"
    ANALYSIS_DONE = "ANALYSIS_DONE"
    PROCESSING = "PROCESSING"
    DONE = "DONE"
    FAILED = "FAILED"
    STOPPED = "STOPPED"


class UserAction(StrEnum):
    """What was last asked of it."""

    NONE = "NONE"
    ANALYSE = "ANALYSE"
    START = "START"
    STOP = "STOP"


class StopReason(StrEnum):
    """Why it is STOPPED."""

    OUT_OF_PU = "OUT_OF_PU"
    USER_ACTION = "USER_ACTION"
    UNHEALTHY = "UNHEALTHY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long things take, in microseconds.

    Attributes:
        accept: From a start to the next status; a stop is refused meanwhile.
        accept_analyse: The same for an analysis.
        analysis: The whole analysis.
        processing: The whole processing.
        charges: How many times processing units are charged in that time.
        stopping: From a stop to rest; what is in flight is finished and charged.
        restart: After a user's stop, how long a start is refused.
        start_in_analysing: Whether a start is taken while the analysis runs.
    """

    accept: int
    accept_analyse: int
    analysis: int
    processing: int
    charges: int
    stopping: int
    restart: int
    start_in_analysing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Where a request stands.

    Attributes:
        status: See `Status`; a plain text, so that tests can set one that nobody knows.
        action: See `UserAction`.
        action_at: When it was asked; None before anything was.
        updated: Last change of anything.
        due: When the next step happens by itself; None at rest.
        since: When the running share of the processing began.
        share: Of the processing that is done and charged, 0 to 1.
        price: Of the whole, in PU.
        cost: Charged so far, in PU.
        reason: See `StopReason`; only while STOPPED.
        error: What went wrong; only once FAILED.
    """

    status: str = Status.CREATED
    action: str = UserAction.NONE
    action_at: int | None = None
    updated: int
    due: int | None = None
    since: int | None = None
    share: float = 0.0
    price: float
    cost: float = 0.0
    reason: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """What the analysis finds.

    Attributes:
        skip: Share of the outputs that are there already and are not made again.
        error: Why the request cannot be processed.
    """

    skip: float = 0.0
    error: str | None = None


class IllegalActionError(Exception):
    """The action is not possible in this state; the text is the service's."""


def _illegal(state: State, action: UserAction) -> IllegalActionError:
    return IllegalActionError(
        f"Illegal to change userAction from {state.action} to {action} with task status {state.status}"
    )


def _asked(state: State, action: UserAction, now: int, due: int | None) -> State:
    return replace(state, action=action, action_at=now, updated=now, due=due)


def analyse(state: State, now: int, timing: Timing) -> State:
    """Ask for the analysis.

    Raises:
        IllegalActionError: Not possible now.
    """
    if (state.status, state.action) != (Status.CREATED, UserAction.NONE):
        raise _illegal(state, UserAction.ANALYSE)
    asked = _asked(state, UserAction.ANALYSE, now, now + timing.accept_analyse)
    return asked if timing.accept_analyse else _step_created(asked, now, timing)


def start(state: State, now: int, timing: Timing) -> State:
    """Ask for the processing, with the analysis before it if there was none.

    Raises:
        IllegalActionError: Not possible now; within `timing.restart` of a user's stop, for that reason.
    """
    if state.action == UserAction.START and state.due is not None:
        raise _illegal(state, UserAction.START)
    if state.status == Status.ANALYSING and state.action == UserAction.ANALYSE:
        if not timing.start_in_analysing:
            raise _illegal(state, UserAction.START)
        return _asked(state, UserAction.START, now, state.due)
    if state.status not in {Status.CREATED, Status.ANALYSIS_DONE, Status.STOPPED}:
        raise _illegal(state, UserAction.START)
    _refuse_early_restart(state, now, timing)
    return _asked(state, UserAction.START, now, now + timing.accept)


def _refuse_early_restart(state: State, now: int, timing: Timing) -> None:
    by_user = state.status == Status.STOPPED and state.reason == StopReason.USER_ACTION
    if by_user and state.action_at is not None and now < state.action_at + timing.restart:
        minutes = round(timing.restart / SECOND / 60)
        message = (
            f"Task was stopped by user action and cannot be restarted within {minutes} minutes"
        )
        raise IllegalActionError(message)


def stop(state: State, now: int, timing: Timing) -> State:
    """Ask for the end: an analysis is finished first, and so is what is in flight.

    Raises:
        IllegalActionError: Not possible now.
    """
    if state.action == UserAction.STOP:
        raise _illegal(state, UserAction.STOP)
    match state.status:
        case Status.ANALYSING:
            return _asked(state, UserAction.STOP, now, state.due)
        case Status.ANALYSIS_DONE:
            return _stopped(_asked(state, UserAction.STOP, now, None), now, StopReason.USER_ACTION)
        case Status.PROCESSING:
            return _asked(state, UserAction.STOP, now, now + timing.stopping)
        case _:
            raise _illegal(state, UserAction.STOP)


def can_update(state: State) -> bool:
    """Tell whether the description may change: neither being processed nor waiting to be."""
    waiting = state.action == UserAction.START and state.due is not None
    return state.status != Status.PROCESSING and not waiting


def advance(state: State, timing: Timing, *, survey: Survey, balance: float) -> State:
    """Take the one step that is due.

    `survey` counts at the end of an analysis, `balance` (PU) when units are charged. What was charged is the
    difference of the two costs.
    """
    at = state.due
    if at is None:
        return state
    match state.status:
        case Status.CREATED:
            return _step_created(state, at, timing)
        case Status.ANALYSING:
            return _step_analysed(state, at, timing, survey)
        case Status.STOPPED:
            resumed = replace(state, status=Status.ANALYSIS_DONE, reason=None)
            return replace(resumed, updated=at, due=at + timing.accept)
        case Status.ANALYSIS_DONE:
            begun = replace(state, status=Status.PROCESSING, updated=at, since=at)
            return replace(begun, due=at + timing.processing // timing.charges)
        case _:
            return _step_processed(state, at, timing, balance)


def _step_created(state: State, at: int, timing: Timing) -> State:
    return replace(state, status=Status.ANALYSING, updated=at, due=at + timing.analysis)


def _step_analysed(state: State, at: int, timing: Timing, survey: Survey) -> State:
    ended = replace(state, updated=at, due=None)
    if survey.error is not None:
        return replace(ended, status=Status.FAILED, error=survey.error)
    if state.action == UserAction.STOP:
        return _stopped(ended, at, StopReason.USER_ACTION)
    if survey.skip >= _ALL:
        return replace(ended, status=Status.DONE, share=1.0, price=0.0)
    due = at + timing.accept if state.action == UserAction.START else None
    price = state.price * (1.0 - survey.skip)
    return replace(ended, status=Status.ANALYSIS_DONE, price=price, due=due)


def _step_processed(state: State, at: int, timing: Timing, balance: float) -> State:
    if state.action == UserAction.STOP:
        elapsed = at - (state.since or at)
        halted = _charged(state, at, state.share + elapsed / max(timing.processing, 1))
        done = halted.status == Status.DONE
        return halted if done else _stopped(halted, at, StopReason.USER_ACTION)
    charged = _charged(state, at, state.share + 1.0 / timing.charges)
    if charged.cost - state.cost > balance:
        return _stopped(state, at, StopReason.OUT_OF_PU)
    if charged.status == Status.DONE:
        return charged
    return replace(charged, since=at, due=at + timing.processing // timing.charges)


def _charged(state: State, at: int, share: float) -> State:
    whole = share >= _ALL
    share = 1.0 if whole else share
    charged = replace(state, share=share, cost=state.price * share, updated=at)
    return replace(charged, status=Status.DONE, due=None) if whole else charged


def _stopped(state: State, at: int, reason: StopReason) -> State:
    return replace(state, status=Status.STOPPED, reason=reason, updated=at, due=None, since=None)
