"""Acting on requests that exist: writing a description, analysing, starting, stopping.

Every refusal is judged by reading the request again: what matters is where it stands, not what one call was told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from shbatch_sync import marker as markers
from shbatch_sync.errors import ApiError, RateLimitedError, RequestNotFoundError
from shbatch_sync.inventory import Live
from shbatch_sync.ledger_line import Event
from shbatch_sync.marker import Marker
from shbatch_sync.phase import (
    AT_REST,
    COUNTS_AS_RUNNING,
    COUNTS_AS_STARTED,
    Phase,
    phase_of,
    stopped_at,
)
from shbatch_sync.plan import Action, Change, Reason
from shbatch_sync.reconcile.calls import READS_LAG
from shbatch_sync.reconcile.result import Outcome
from shbatch_sync.reconcile.run import Run
from shbatch_sync.request import BatchProcessRequest
from shbatch_sync.restart import REFUSAL_WAIT


def act_on_job(run: Run, changes: Sequence[Change]) -> None:
    """Take the steps of one job in order; what a failed one was to prepare is not begun.

    Raises:
        LedgerError: A line could not be written.
    """
    for change in changes:
        if run.halted or not _STEPS[change.action](run, change):
            return


def _update(run: Run, change: Change) -> bool:
    live, mark = _subject(change)
    assert mark is not None  # noqa: S101 - an update says what to write
    description = markers.describe(change.text, mark)
    try:
        if (live.id, description) not in run.calls.written:
            run.client.update_request(live.id, description)
            run.calls.written.add((live.id, description))
        seen = run.client.get_request(live.id)
    except ApiError as error:
        return _write_refused(run, change, error)
    if markers.parse(seen.description) != mark:
        run.calls.written.discard((live.id, description))
        return _written_over(run, change, seen)
    if mark.seal is not None and live.marker.seal is None:
        run.write(Event.SEALED, mark, live.id, lag=run.lag.lags.get(live.id))
    if mark.retired is not None:
        run.write(Event.RETIRED, mark, live.id)
    came = markers.human_text(seen.description)
    wanted = change.text or ""
    if markers.same_text(came, wanted):
        run.calls.refused.pop((live.id, change.action), None)
        run.calls.written.discard((live.id, description))
        run.note(change, Outcome.DONE, live.id)
        return True
    # Where the marker changed too, a read that shows it is no old one.
    stale = mark == live.marker and markers.same_text(came, live.text)
    if stale and run.calls.patient(live.id, change.action, READS_LAG):
        run.note(change, Outcome.WAITING, live.id, "written; what the service shows lags behind")
        return False
    # Writing it again would give the same answer again.
    run.calls.stubborn.add((live.id, change.text))
    run.note(change, Outcome.DONE, live.id, "the service stores the text in other words")
    return True


def _written_over(run: Run, change: Change, seen: BatchProcessRequest) -> bool:
    """Another run wrote too, a read lags, or the service does not keep what it was given."""
    live, _ = _subject(change)
    before = live.request.description
    if isinstance(markers.parse(seen.description), Marker) or seen.description == before:
        detail = "the description did not come back as it was written; another run may have written it too"
        outcome = Outcome.WAITING if run.calls.patient(live.id, change.action) else Outcome.FAILED
        run.note(change, outcome, live.id, detail)
        return False
    detail = "the service did not keep the description to the letter, so the old one was written back; is there a limit to its length?"
    try:
        run.client.update_request(live.id, before)
    except ApiError as error:
        detail = f"the service did not keep the description to the letter, and the old one cannot be written back: {error}"
    run.note(change, Outcome.FAILED, live.id, detail)
    return False


def _write_refused(run: Run, change: Change, error: ApiError) -> bool:
    live, _ = _subject(change)
    if _passing(error) and run.calls.patient(live.id, change.action):
        run.note(change, Outcome.WAITING, live.id, f"not accepted yet: {error.detail}")
        return False
    seen = _read(run, live)
    if seen is not None and phase_of(seen) in COUNTS_AS_RUNNING:
        # Somebody started it meanwhile: it has won, and is written to when it is at rest.
        run.note(change, Outcome.WAITING, live.id, "started meanwhile; written when it is at rest")
        return False
    went_on = seen is not None and phase_of(seen) is not live.phase
    if went_on and run.calls.patient(live.id, change.action):
        # It was refused where it stood then, which is not where the list had shown it, nor where it is now.
        run.note(
            change, Outcome.WAITING, live.id, "it went on meanwhile; written when that is listed"
        )
        return False
    return _failed(run, change, error)


def _under_way(run: Run, change: Change) -> bool:
    """Say whether the service has taken the action already and does not show it yet; nothing more is written of it."""
    if not run.calls.lately_accepted(change):
        return False
    run.note(
        change, Outcome.WAITING, change.request_id, "accepted; what the service shows lags behind"
    )
    return True


def _analyse(run: Run, change: Change) -> bool:
    return not _under_way(run, change) and _call(
        run, change, run.client.start_analysis, lambda phase: phase is not Phase.CREATED
    )


def _start(run: Run, change: Change) -> bool:
    live, mark = _subject(change)
    if _under_way(run, change):
        return False
    if mark is not None and mark.attempt != live.marker.attempt:
        # The count is on the request before the money is spent, so that no crash loses it.
        written = replace(change, action=Action.UPDATE, reason=Reason.RESUME)
        if not _update(run, written):
            return False
    run.write(
        Event.START,
        mark or live.marker,
        live.id,
        norm_digest=change.declared.norm_digest if change.declared else None,
    )
    if change.estimate is not None and change.estimate.high is not None:
        run.spent[live.id] = change.estimate.high
    begun = COUNTS_AS_STARTED - ({Phase.STOPPED} if live.phase is Phase.STOPPED else set())
    return _call(run, change, run.client.start_job, lambda phase: phase in begun)


def _stop(run: Run, change: Change) -> bool:
    live, _ = _subject(change)
    if _under_way(run, change):
        return False
    norm_digest = change.declared.norm_digest if change.declared else None
    run.write(Event.STOP, live.marker, live.id, norm_digest=norm_digest)
    ended = {Phase.STOPPING, Phase.STOPPED, Phase.DONE, Phase.FAILED}
    return _call(run, change, run.client.stop_job, lambda phase: phase in ended)


def _adopt(run: Run, change: Change) -> bool:
    live, mark = _subject(change)
    assert mark is not None  # noqa: S101 - an adoption says what to write
    mark = replace(mark, nonce=markers.new_nonce())
    run.write_adopted(live, mark, change.declared.norm_digest if change.declared else None)
    if not _update(run, replace(change, marker=mark)):
        return False
    run.write(Event.SEALED, mark, live.id)
    return True


_STEPS: dict[Action, Callable[[Run, Change], bool]] = {
    Action.ADOPT: _adopt,
    Action.UPDATE: _update,
    Action.ANALYSE: _analyse,
    Action.START: _start,
    Action.STOP: _stop,
}


def _subject(change: Change) -> tuple[Live, Marker | None]:
    assert change.live is not None  # noqa: S101 - these actions are done to a request
    return change.live, change.marker


def _call(
    run: Run, change: Change, call: Callable[[str], object], reached: Callable[[Phase], bool]
) -> bool:
    """Make an action call; where it is refused, the request itself says whether the end was reached."""
    live, _ = _subject(change)
    try:
        call(live.id)
    except ApiError as error:
        seen = _read(run, live)
        if seen is not None and reached(phase_of(seen)):
            run.note(change, Outcome.ALREADY, live.id, "another call had done it already")
            return True
        return _refused(run, change, error, seen)
    run.calls.accept(change)
    run.note(change, Outcome.DONE, live.id)
    return True


def _refused(run: Run, change: Change, error: ApiError, seen: BatchProcessRequest | None) -> bool:
    live, _ = _subject(change)
    if not error.outcome_unknown:
        run.spent.pop(live.id, None)
    if _may_pass(change, error, seen) and run.calls.patient(
        live.id, change.action, READS_LAG if _started_already(change, error) else None
    ):
        run.note(change, Outcome.WAITING, live.id, f"not accepted yet: {error.detail}")
        return False
    if change.action is Action.START and seen is not None and _stopped_lately(run, seen):
        run.later.add(change.job)
        run.note(change, Outcome.WAITING, live.id, f"too soon after its stop: {error.detail}")
        return False
    return _failed(run, change, error)


def _passing(error: ApiError) -> bool:
    """Say whether an error is one that time mends: lag, load, an answer that was lost."""
    return error.outcome_unknown or isinstance(error, (RequestNotFoundError, RateLimitedError))


def _may_pass(change: Change, error: ApiError, seen: BatchProcessRequest | None) -> bool:
    if _passing(error):
        return True
    if _started_already(change, error):
        return True
    return change.action is Action.STOP and seen is not None and phase_of(seen) not in AT_REST


def _started_already(change: Change, error: ApiError) -> bool:
    """Say whether a start was refused for another one that no read shows yet (the service's own words)."""
    return change.action is Action.START and "userAction from START to START" in error.detail


def _stopped_lately(run: Run, seen: BatchProcessRequest) -> bool:
    at = stopped_at(seen)
    return phase_of(seen) is Phase.STOPPED and at is not None and run.now() < at + REFUSAL_WAIT


def _failed(run: Run, change: Change, error: ApiError) -> bool:
    live, _ = _subject(change)
    run.note(change, Outcome.FAILED, live.id, str(error))
    return False


def _read(run: Run, live: Live) -> BatchProcessRequest | None:
    try:
        return run.client.get_request(live.id)
    except ApiError:
        return None
