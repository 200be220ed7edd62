"""Creating requests: the one call that may never be repeated blindly.

The service has no idempotency key. A create whose answer is lost may have made a request; sending it again would
make two. So each call carries a nonce in its marker, is written down before it is made, and is looked for in a
list that began after the settle time before it is given up and made again under a new nonce.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from shbatch_sync import marker as markers
from shbatch_sync.errors import (
    ApiError,
    AuthenticationError,
    PermissionDeniedError,
    RateLimitedError,
    RequestNotFoundError,
    ShbatchError,
    TargetRefusedError,
)
from shbatch_sync.job import Job
from shbatch_sync.ledger_line import Event
from shbatch_sync.marker import Marker, new_nonce
from shbatch_sync.plan import Change
from shbatch_sync.reconcile.result import Outcome
from shbatch_sync.reconcile.run import Run
from shbatch_sync.request import BatchProcessRequest

READ_BACK_LIMIT = 100.0


class MangledError(ShbatchError):
    """The service does not keep descriptions to the letter: markers would not survive, so nothing is started."""


def create_all(run: Run, changes: Sequence[Change]) -> bool:
    """Make the create calls of a plan, the first of the run alone; return whether any was made.

    Raises:
        LedgerError: A line could not be written.
        MangledError: A description did not come back to the letter.
        TargetRefusedError: The first answer names another account than the target's.
    """
    waiting = list(changes)
    while waiting and not run.proven and run.creating and not run.halted:
        _create(run, waiting.pop(0))
    with ThreadPoolExecutor(max_workers=run.options.parallelism) as pool:
        for future in [pool.submit(_create, run, change) for change in waiting]:
            future.result()
    return bool(changes)


def _hold(run: Run, change: Change) -> None:
    detail = "not tried: the service has refused to create, and would refuse this one for the same reason"
    run.note(change, Outcome.HELD, detail=detail)


def body_of(job: Job, description: str, env: dict[str, str]) -> dict[str, Any]:
    """Render the body that is posted: the spec, the credentials from the environment, the description.

    Raises:
        KeyError: A variable that a credential is taken from is not set; its argument is the name.
    """
    body: dict[str, Any] = copy.deepcopy(dict(job.spec))
    for pointer, variable in job.credentials.items():
        steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
        place: Any = body
        for step in steps[:-1]:
            place = place[int(step)] if isinstance(place, list) else place[step]
        if not env.get(variable):
            raise KeyError(variable)
        place[steps[-1]] = env[variable]
    body["description"] = description
    return body


def _create(run: Run, change: Change) -> None:
    if not run.creating:
        _hold(run, change)
    if run.halted or not run.creating:
        return
    job, mark = change.declared, change.marker
    assert job is not None  # noqa: S101 - a create has both
    assert mark is not None  # noqa: S101
    mark = replace(mark, nonce=new_nonce())
    description = markers.describe(change.text, mark)
    try:
        body = body_of(job, description, dict(run.env))
    except KeyError as error:
        detail = (
            f"environment variable {error.args[0]} is not set; the request needs it as a credential"
        )
        run.note(change, Outcome.FAILED, detail=detail)
        return
    run.write(Event.INTENT, mark, norm_digest=job.norm_digest)
    try:
        made = run.client.post_body(body)
    except ApiError as error:
        _not_created(run, change, mark, error)
        return
    _created(run, change, mark, made)


def _not_created(run: Run, change: Change, mark: Marker, error: ApiError) -> None:
    if error.outcome_unknown:
        run.calls.unanswered[change.job] = run.clock.monotonic()
        detail = f"no answer, so it is looked for before it is made again ({error})"
        run.note(change, Outcome.WAITING, detail=detail)
        return
    run.write(Event.RETIRED, mark)
    if isinstance(error, RateLimitedError) and run.calls.patient(change.job, change.action):
        run.note(change, Outcome.WAITING, detail=f"not created: {error}")
        run.pause(error.retry_after or run.options.poll)
        return
    if isinstance(error, AuthenticationError) and change.job not in run.calls.renewed:
        # The client has renewed its token meanwhile, and what is refused for its token was not done.
        run.calls.renewed.add(change.job)
        run.note(
            change,
            Outcome.WAITING,
            detail=f"not created, tried again with a new token: {error.detail}",
        )
        return
    run.note(change, Outcome.FAILED, detail=str(error))
    # Too few processing units, or no right to create: the next one would be told the same.
    if isinstance(error, PermissionDeniedError):
        run.creating = False


def _created(run: Run, change: Change, mark: Marker, made: BatchProcessRequest) -> None:
    job = change.declared
    told = made.domain_account_id
    pinned, account = run.account, told if isinstance(told, str) else None
    run.lag.make(made.request_id, change.job, run.clock.monotonic())
    run.calls.unanswered.pop(change.job, None)
    run.calls.refused.pop((change.job, change.action), None)
    run.calls.ran_again(change)
    run.account = account or pinned
    run.write(
        Event.CREATED,
        mark,
        made.request_id,
        norm_digest=job.norm_digest if job is not None else None,
    )
    if pinned is not None and account is not None and account != pinned:
        message = other_account(run, pinned, account)
        message += (
            f". Request {made.request_id} was made there; it costs nothing and is not started"
        )
        raise TargetRefusedError(message)
    seen = _read_back(run, made)
    if seen is not None and not _same_marker(seen, mark):
        message = (
            f"request {made.request_id} of job {change.job}: its description did not come back as it was sent. "
            "Without it nobody could tell whose request it is, so nothing is started. Is there a limit to its length?"
        )
        raise MangledError(message)
    run.proven = run.proven or seen is not None
    run.note(change, Outcome.DONE, made.request_id)


def other_account(run: Run, pinned: str, seen: str) -> str:
    """Say that the credentials lead to another account than the target is pinned to."""
    declared = run.scope.account is not None
    by, mend = ("`account` in shbatch.yaml", "correct") if declared else ("its ledger", "set")
    return (
        f"target {run.scope.target} belongs to account {pinned} by {by}, but these credentials lead to account {seen}; "
        f"nothing more is changed. Use the credentials of that account, or {mend} `account` in shbatch.yaml"
    )


def _read_back(run: Run, made: BatchProcessRequest) -> BatchProcessRequest | None:
    """Get a new request by its id; for a while after the create the service may not find it."""
    delay, end = min(run.options.poll, 1.0), run.clock.monotonic() + READ_BACK_LIMIT
    while True:
        try:
            return run.client.get_request(made.request_id)
        except RequestNotFoundError:
            if run.halted or run.clock.monotonic() >= end:
                return None
            run.pause(delay)
            delay *= 2
        except ApiError:
            return None  # the next list shows it, or does not


def _same_marker(seen: BatchProcessRequest, mark: Marker) -> bool:
    found = markers.parse(seen.description)
    # Another run may have sealed or retired it already; everything else must be as it was sent.
    return isinstance(found, Marker) and replace(found, seal=None, retired=None) == mark
