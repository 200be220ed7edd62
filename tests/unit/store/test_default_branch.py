"""The branch that a repository's merges go to."""

from __future__ import annotations

import subprocess
from pathlib import Path

from shbatch_sync.store.git import default_branch


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


def test_a_clone_knows_the_branch_of_its_origin(tmp_path: Path) -> None:
    git(tmp_path, "init", "-b", "lines/trunk", "origin")
    git(
        tmp_path / "origin",
        *("-c", "user.name=a", "-c", "user.email=a@b", "commit", "--allow-empty", "-m", "first"),
    )
    git(tmp_path, "clone", "origin", "clone")
    git(tmp_path / "clone", "checkout", "-b", "another")
    assert default_branch(tmp_path / "clone") == "lines/trunk"


def test_without_an_origin_it_is_the_current_branch(tmp_path: Path) -> None:
    git(tmp_path, "init", "-b", "trunk")
    assert default_branch(tmp_path) == "trunk"


def test_where_git_knows_none_there_is_none(tmp_path: Path) -> None:
    assert default_branch(tmp_path) is None
    git(tmp_path, "init", "-b", "trunk")
    git(
        tmp_path,
        *("-c", "user.name=a", "-c", "user.email=a@b", "commit", "--allow-empty", "-m", "first"),
    )
    git(tmp_path, "checkout", "--detach")
    assert default_branch(tmp_path) is None
