"""The source distribution: whoever unpacks it can run its Makefile and its tests."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]


def included() -> set[str]:
    text = (TOP / "pyproject.toml").read_text(encoding="utf-8")
    build = tomllib.loads(text)["tool"]["hatch"]["build"]
    return {*build["targets"]["sdist"]["include"], "pyproject.toml"}  # that one is in by itself


def test_it_has_all_that_is_in_the_repository() -> None:
    if shutil.which("git") is None or not (TOP / ".git").exists():
        pytest.skip("no checkout of git")
    done = subprocess.run(["git", "ls-files"], cwd=TOP, capture_output=True, text=True, check=True)
    tops = {name.partition("/")[0] for name in done.stdout.splitlines()}
    assert tops - included() == set()


def test_all_that_it_names_is_there() -> None:
    assert {name for name in included() if not (TOP / name).exists()} == set()
