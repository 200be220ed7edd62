"""`init`: a project's first files, or the ledger of a target. Never overwrites."""

from __future__ import annotations

from pathlib import Path

import click

from shbatch_sync.cli.output import Output, speaking
from shbatch_sync.errors import ExitCode, SettingsError

_IGNORED = "# the sandbox's database and ledger belong to this machine\n.shbatch/sandbox.*\n.shbatch/*.lock\n"
# Every line of a ledger is a fact of its own, so two branches are merged by keeping the lines of both.
_ATTRIBUTES = ".shbatch/ledger.jsonl merge=union\n"


@click.command("init")
@click.option("--target", metavar="NAME", help="Begin the ledger of this target instead.")
@click.option(
    "--project", "name", metavar="NAME", help="Name of the project [default: the folder's]."
)
@speaking
def command(output: Output, target: str | None, name: str | None) -> int:
    """Write shbatch.yaml, a first job and the settings for git and editors; or begin a ledger (--target)."""
    folder = Path(output.directory)
    if target is not None:
        return _begin_ledger(output, folder, target)
    from shbatch_sync.cli.templates import first_files, project_name  # noqa: PLC0415

    for path, text in first_files(name or project_name(folder)).items():
        _write(output, folder / path, text)
    _append(output, folder / ".gitignore", _IGNORED)
    _append(output, folder / ".gitattributes", _ATTRIBUTES)
    output.say("next: shbatch-sync plan")
    return ExitCode.OK


def _begin_ledger(output: Output, folder: Path, target: str) -> int:
    from shbatch_sync.session import ledger_of  # noqa: PLC0415
    from shbatch_sync.store.ledger import LedgerFile  # noqa: PLC0415
    from shbatch_sync.store.project import find_project, load_project  # noqa: PLC0415

    project = load_project(find_project(folder))
    if target not in project.targets:
        message = (
            f"there is no target {target} in {project.file}; it has: {', '.join(project.targets)}"
        )
        raise SettingsError(message)
    ledger = ledger_of(project, project.targets[target])
    if not isinstance(ledger, LedgerFile):
        message = f"target {target} does without a ledger (`ledger: none`)"
        raise SettingsError(message)
    if ledger.exists():
        output.say(f"{ledger.place} is there already, with {len(ledger.read())} lines")
    else:
        ledger.begin()
        output.result(f"began {ledger.place}; commit it with your manifests")
    return ExitCode.OK


def _write(output: Output, path: Path, text: str) -> None:
    if path.exists():
        output.say(f"kept {path}, which is there already")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    output.result(f"wrote {path}")


def _append(output: Output, path: Path, text: str) -> None:
    """Add the lines that a file of the user's does not have yet."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    missing = [line for line in text.splitlines() if line not in before.splitlines()]
    if not missing:
        return
    ended = before if not before or before.endswith("\n") else f"{before}\n"
    path.write_text(ended + "\n".join(missing) + "\n", encoding="utf-8")
    output.result(f"{'added to' if before else 'wrote'} {path}")
