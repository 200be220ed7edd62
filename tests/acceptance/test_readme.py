"""What the README shows is what happens: its console blocks are run, its tables compared."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from shbatch_sync.checks.catalogue import RULES
from shbatch_sync.cli.main import COMMANDS
from shbatch_sync.errors import ExitCode
from shbatch_sync.plan import Gate
from shbatch_sync.store.schemas import load_schema
from tests.acceptance.conftest import Folder

TOP = Path(__file__).resolve().parents[2]
README = (TOP / "README.md").read_text(encoding="utf-8")
REFERENCE = (TOP / "REFERENCE.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def commands() -> list[tuple[str, str]]:
    """Return (command, output) of every console block, in order."""
    found = []
    for block in _BLOCK.findall(README):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


def test_the_tour_is_true(tmp_path: Path) -> None:
    program = f"{sys.executable} -m shbatch_sync"
    for command, expected in commands():
        done = subprocess.run(
            ["bash", "-c", command.replace("shbatch-sync", program)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, (command, done.stderr)
        assert _ID.sub("ID", done.stdout) == _ID.sub("ID", expected), command


def test_its_scripts_run(folder: Folder) -> None:
    folder.job("ndvi")
    scripts = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(scripts) == 2
    done = [
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=folder.root,
            capture_output=True,
            text=True,
            check=False,
        )
        for script in scripts
    ]
    assert [run.returncode for run in done] == [0, 0], done
    assert done[1].stdout == "['ndvi']\nexit code 0, 0 changes left\n"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_in_the_readme_and_has_help(name: str) -> None:
    from click.testing import CliRunner  # noqa: PLC0415

    from shbatch_sync.cli.main import cli  # noqa: PLC0415

    assert f"| `{name}` |" in README
    answer = CliRunner().invoke(cli, [name, "--help"])
    assert answer.exit_code == 0
    assert answer.output.startswith("Usage:")


def test_the_exit_codes_are_those_of_the_readme() -> None:
    table = README.split("| exit code | meaning |")[1].split("\n\n")[0]
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)} == set(ExitCode)


def test_the_gates_are_those_of_the_readme() -> None:
    table = README.split("| gate | withholds | lifted by |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == {gate.value for gate in Gate}


def test_the_decision_table_is_that_of_the_code() -> None:
    from shbatch_sync import decision  # noqa: PLC0415

    def rows(text: str) -> list[list[str]]:
        return [
            [cell.strip() for cell in line.strip().strip("|").split("|")]
            for line in text.splitlines()
            if line.startswith(("| created", "| analysed", "| started", "| stopped"))
        ]

    assert rows(README.split("## What plan decides")[1].split("## Manifests")[0]) == rows(
        decision.__doc__ or ""
    )


# --- the reference -------------------------------------------------------------------------------------------


def keys(heading: str) -> set[str]:
    """Return the names in the first column of the table behind a heading of the reference."""
    rows = REFERENCE.split(heading)[1].split("|\n\n")[0].splitlines()
    cells = [row.split(" | ")[0] for row in rows if row.startswith("| `")]
    return {name for cell in cells for name in re.findall(r"`([\w-]+)`", cell)}


def test_the_reference_has_every_key() -> None:
    job, project = load_schema("job").text, load_schema("project").text
    assert keys("## A job") == set(job["properties"])
    assert keys("## shbatch.yaml") == set(project["properties"])
    assert keys("| key of a target |") == set(project["$defs"]["target"]["properties"])


def test_the_reference_has_every_check() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| (error|warning) \| (.*) \|$", REFERENCE, re.MULTILINE)
    assert [(code, severity, why.replace("`", "")) for code, severity, why in rows] == [
        (rule.code, rule.severity, rule.reason.replace("`", "")) for rule in RULES.values()
    ]
