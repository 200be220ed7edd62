"""Which of the ledger's lines are about a job's key, where a local copy is part of it; the rules: `local_copy.py`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from shbatch_sync.job import Job
from shbatch_sync.ledger_line import Entry, Event
from shbatch_sync.local_copy import parts

# These lines are written with the normalised digest of the job as it was declared, copy included; others may have
# been written from the service's echo, which knows of no copy.
_DECLARED = frozenset({Event.INTENT, Event.CREATED})
_PAID = frozenset({Event.START, Event.FINAL})


def lines_of_key(job: Job, lines: Iterable[Entry], strangers: Collection[str]) -> Sequence[Entry]:
    """Return the lines of a job's key among those of the job's generation.

    Args:
        job: As declared.
        lines: Of the job and its generation, oldest first.
        strangers: Nonces of requests that are known to be of another copy.
    """
    if job.local_copy is None:
        return [
            line
            for line in lines
            if line.digest == job.digest
            or (line.norm_digest is not None and parts(line.norm_digest)[0] == job.norm_digest)
        ]
    return _of_copy(job, list(lines), strangers)


def _of_copy(job: Job, lines: list[Entry], strangers: Collection[str]) -> list[Entry]:
    """Return the lines of this copy, and those from before there was any.

    A request that any line ties to another copy is that copy's. Once a request of this copy was paid for, what came
    before any copy is past.
    """
    own = [line for line in lines if _is_own(job, line)]
    nonces = {line.nonce for line in own}
    elsewhere = {line.nonce for line in lines if _names_other(job, line)} | set(strangers)
    paid = any(line.event in _PAID for line in own)
    return [
        line
        for line in lines
        if _is_own(job, line)
        or (_is_bare(job, line) and (line.nonce in nonces or not (paid or line.nonce in elsewhere)))
    ]


def _is_own(job: Job, line: Entry) -> bool:
    return line.digest == job.digest or line.norm_digest == job.norm_digest


def _is_bare(job: Job, line: Entry) -> bool:
    return line.digest == job.body_digest or line.norm_digest == parts(job.norm_digest)[0]


def _names_other(job: Job, line: Entry) -> bool:
    named = line.norm_digest is not None and parts(line.norm_digest)[1] != ""
    return named and line.norm_digest != job.norm_digest


def is_of_other_copy(job: Job, digest: str, lines: Iterable[Entry]) -> bool:
    """Say whether a digest over an equal body stands for another local copy than the job's, or may do so.

    Args:
        job: As declared.
        digest: That a request carries.
        lines: Of the job's key.
    """
    if job.local_copy is None or digest in {job.digest, job.body_digest}:
        return False
    return not any(
        line.digest == digest and (line.norm_digest == job.norm_digest or line.event in _DECLARED)
        for line in lines
    )
