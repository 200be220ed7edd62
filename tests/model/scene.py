"""What one list shows of one job, beside what is remembered of its key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tests.model.applier import Job, Line
from tests.model.service import Key, Request


class Scene(NamedTuple):
    """What one list shows of one job, and what is remembered of its key."""

    job: Job
    claimants: tuple[Request, ...]
    others: tuple[Request, ...]
    retired: tuple[Request, ...]
    copies: tuple[Request, ...]
    suspects: tuple[Request, ...]
    record: tuple[Line, ...]
    past: tuple[Line, ...]


def view(
    job: Job,
    seen: Sequence[Request],
    lines: Sequence[Line],
    is_copy: Callable[[Request], bool],
) -> Scene:
    """Sort a list and a ledger by what they mean to a job."""
    marked = [one for one in seen if one.mark is not None and one.mark.key.job == job.key.job]
    copies = [one for one in marked if is_copy(one)]
    lives = [one for one in marked if one not in copies]
    standing = [one for one in lives if not is_retired(one)]
    return Scene(
        job,
        tuple(one for one in standing if key_of(one) == job.key),
        tuple(one for one in standing if key_of(one) != job.key),
        tuple(one for one in lives if is_retired(one)),
        tuple(one for one in copies if key_of(one) == job.key and not is_retired(one)),
        tuple(one for one in seen if one.mark is None),
        tuple(line for line in lines if line.key == job.key),
        tuple(line for line in lines if line.key.job == job.key.job and line.key != job.key),
    )


def key_of(request: Request) -> Key:
    assert request.mark is not None
    return request.mark.key


def is_retired(request: Request) -> bool:
    return request.mark is not None and request.mark.retired is not None
