"""What git says of the checkout that the manifests stand in."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from shbatch_sync.marker import Commit

TIMEOUT = 10.0


def current_commit(folder: Path) -> Commit | None:
    """Return the checked-out commit, or None where there is no git, no repository or no commit yet."""
    answer = _git(folder, "log", "-1", "--format=%H %ct")
    sha, _, seconds = answer.strip().partition(" ")
    if not seconds.isdigit():
        return None
    return Commit(sha[:7], datetime.fromtimestamp(int(seconds), tz=UTC))


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command; the folder is an argument of its own
            command,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
            encoding="utf-8",
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
