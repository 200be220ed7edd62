"""The shape of the code: what lies directly in the package is the core, and every contract knows all of it."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import shbatch_sync

PACKAGE = Path(shbatch_sync.__file__).parent
# They put edges together, or are nothing but a clock or a number.
APART = {"__init__", "__main__", "clock", "session", "version", "workspace"}


def core() -> dict[str, Path]:
    return {path.stem: path for path in PACKAGE.glob("*.py") if path.stem not in APART}


def test_the_contract_of_the_core_names_all_of_it() -> None:
    text = (PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    (pure,) = [one for one in contracts if one["name"].startswith("The core knows")]
    named = {name.removeprefix("shbatch_sync.") for name in pure["source_modules"]}
    assert named == {*core(), "checks", "cost"}


def test_no_module_of_the_core_opens_anything() -> None:
    """import-linter cannot tell urllib.parse from urllib.request."""
    for name, path in core().items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
        } | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not imported & {"urllib.request", "urllib.error", "os", "shutil", "tempfile"}, name
