"""What git says of the checkout that the manifests stand in."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from shbatch_sync.errors import SettingsError
from shbatch_sync.marker import Commit

TIMEOUT = 10.0


def current_commit(folder: Path) -> Commit | None:
    """Return the checked-out commit, or None where there is no git, no repository or no commit yet."""
    answer = _git(folder, "log", "-1", "--format=%H %ct")
    sha, _, seconds = answer.strip().partition(" ")
    if not seconds.isdigit():
        return None
    return Commit(sha[:7], datetime.fromtimestamp(int(seconds), tz=UTC))


def in_history(folder: Path, sha: str) -> bool:
    """Say whether the checked-out commit is, or descends from, the commit `sha`; a shallow clone may not know."""
    base = _git(folder, "merge-base", sha, "HEAD").strip()
    return bool(base) and base == _git(folder, "rev-parse", "--verify", f"{sha}^{{commit}}").strip()


def prefix(folder: Path) -> str:
    """Return a folder as seen from the top of its repository, ending with a slash; nothing for the top itself."""
    return _git(folder, "rev-parse", "--show-prefix").strip("\n")


def default_branch(folder: Path) -> str | None:
    """Return the branch that `origin` begins with, else the one that is checked out; None where git knows neither."""
    known = _git(folder, "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD").strip()
    current = _git(folder, "symbolic-ref", "--quiet", "--short", "HEAD").strip()
    return known.removeprefix("origin/") or current or None


def changed_files(folder: Path, revision: str) -> frozenset[str]:
    """Return the files below `folder` that differ from where HEAD and `revision` parted, relative to it.

    What is not committed counts as well: it is what the manifests are read from.

    Raises:
        SettingsError: There is no repository, no such revision, or no common commit to be found in a shallow clone.
    """
    if not _git(folder, "rev-parse", "--git-dir"):
        message = f"--changed-since {revision}: {folder.resolve()} is not in a git repository that git can read"
        raise SettingsError(message)
    commit = _git(
        folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
    ).strip()
    base = _git(folder, "merge-base", commit, "HEAD").strip() if commit else ""
    if not base:
        raise SettingsError(_no_base(folder, revision, known=bool(commit)))
    changed = _git(folder, "diff", "--name-only", "--no-renames", "--relative", "-z", base, "--")
    untracked = _git(folder, "ls-files", "--others", "--exclude-standard", "-z")
    return frozenset(name for name in f"{changed}{untracked}".split("\0") if name)


def _no_base(folder: Path, revision: str, *, known: bool) -> str:
    what = f"has no commit in common with {revision}" if known else f"knows no revision {revision}"
    message = f"--changed-since {revision}: this repository {what}"
    if _git(folder, "rev-parse", "--is-shallow-repository").strip() == "true":
        message += "; it is a shallow clone: fetch its history (`git fetch --unshallow`, or `fetch-depth: 0` in CI)"
    return message


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
