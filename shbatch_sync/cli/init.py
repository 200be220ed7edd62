"""`init`: a project's first files, or the ledger of a target. Never overwrites."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shbatch_sync.cli.output import Output, speaking
from shbatch_sync.errors import ExitCode, SettingsError
from shbatch_sync.marker import PROJECT
from shbatch_sync.project import PROJECT_FILE, Project, Target

if TYPE_CHECKING:
    from shbatch_sync.store.ledger import LedgerStore

_IGNORED = "# the sandbox's database and ledger belong to this machine\n.shbatch/sandbox.*\n.shbatch/*.lock\n"
# Every line of a ledger is a fact of its own, so two branches are merged by keeping the lines of both.
_ATTRIBUTES = ".shbatch/ledger.jsonl merge=union\n"
_NO_LEDGER = "none"


@click.command("init")
@click.option(
    "--target",
    metavar="NAME",
    help="Begin the ledger of this target instead; with --ci, act on it.",
)
@click.option(
    "--project", "name", metavar="NAME", help="Name of the project [default: the folder's]."
)
@click.option(
    "--ci",
    "forge",
    type=click.Choice(["github", "gitlab"]),
    help="Write the jobs of a forge: plan on review, apply on merge, drift by night.",
)
@speaking
def command(output: Output, target: str | None, name: str | None, forge: str | None) -> int:
    """Write shbatch.yaml, a first job and the settings for git and editors; or begin a ledger (--target)."""
    folder = Path(output.directory)
    if forge is None and target is not None:
        return _begin_ledger(output, folder, target)
    if forge is None or not (folder / PROJECT_FILE).exists():
        _begin_project(output, folder, name)
    if forge is not None:
        return _begin_ci(output, folder, forge, target)
    output.say(f"next: {output.call('plan')}")
    return ExitCode.OK


def _begin_project(output: Output, folder: Path, name: str | None) -> None:
    from shbatch_sync.cli.templates import first_files, project_name  # noqa: PLC0415

    if name is not None and not re.fullmatch(PROJECT, name):
        message = (
            f"--project {name}: a project name has lower-case letters, digits and dashes, begins with a letter, "
            "and is at most 32 long"
        )
        raise SettingsError(message)
    for path, text in first_files(name or project_name(folder)).items():
        _write(output, folder / path, text)
    _append(output, folder / ".gitignore", _IGNORED)
    _append(output, folder / ".gitattributes", _ATTRIBUTES)


def _begin_ci(output: Output, folder: Path, forge: str, asked: str | None) -> int:
    from shbatch_sync.cli import ci_files  # noqa: PLC0415
    from shbatch_sync.store.git import default_branch, prefix  # noqa: PLC0415
    from shbatch_sync.store.project import load_project  # noqa: PLC0415

    project = load_project((folder / PROJECT_FILE).absolute())
    target = project.targets[_ci_target(project, asked)]
    directory = prefix(folder).rstrip("/")
    top = folder.joinpath(*[".."] * len(Path(directory).parts))
    files = ci_files.ci_files(
        forge,
        target=target.name,
        ledger=_committed_ledger(output, target, directory),
        directory=directory or ".",
        branch=default_branch(folder) or "main",
    )
    for path, text in files.items():
        _write(output, top / path, text)
    if forge == "gitlab":
        _include(output, top / ci_files.GITLAB_ROOT)
    begin = f"begin the ledger (`shbatch-sync init --target {target.name}`), "
    output.say(
        f"next: {'' if target.ledger == _NO_LEDGER else begin}commit, and give the forge "
        "SH_CLIENT_ID and SH_CLIENT_SECRET"
    )
    return ExitCode.OK


def _include(output: Output, root: Path) -> None:
    from shbatch_sync.cli import ci_files  # noqa: PLC0415

    if not root.exists():
        _write(output, root, ci_files.GITLAB_INCLUDE)
    elif ci_files.GITLAB not in root.read_text(encoding="utf-8", errors="replace"):
        output.say(f"next: include {ci_files.GITLAB} in {ci_files.GITLAB_ROOT}")


def _committed_ledger(output: Output, target: Target, directory: str) -> str | None:
    """Return the ledger's path as seen from the project's folder, or None if a job has none to commit.

    That is so for one on S3, for a target without, for a sandbox's, which belongs to one machine, and for one
    outside the repository.
    """
    from shbatch_sync.session import LEDGER  # noqa: PLC0415

    if target.ledger is None:
        return None if target.emulator else LEDGER.as_posix()
    if target.ledger == _NO_LEDGER or target.ledger.startswith("s3://"):
        return None
    place = Path(os.path.normpath(Path(directory, target.ledger)))
    if place.is_absolute() or place.parts[:1] == ("..",):
        output.say(
            f"{target.ledger}, the ledger of target {target.name}, is outside the repository: the jobs will not keep it"
        )
        return None
    return Path(target.ledger).as_posix()


def _ci_target(project: Project, asked: str | None) -> str:
    """Return the target that CI acts on: the one asked for, else the first that is no sandbox."""
    if asked is not None:
        return _named(project, asked).name
    remote = (name for name, target in project.targets.items() if target.emulator is None)
    return next(remote, None) or next(iter(project.targets))


def _begin_ledger(output: Output, folder: Path, target: str) -> int:
    from shbatch_sync.session import open_ledger  # noqa: PLC0415
    from shbatch_sync.store.project import find_project, load_project  # noqa: PLC0415

    project = load_project(find_project(folder))
    named = _named(project, target)
    with open_ledger(project, named, os.environ) as ledger:
        return _begin(output, project, named, ledger)


def _named(project: Project, target: str) -> Target:
    if target not in project.targets:
        message = (
            f"there is no target {target} in {project.file}; it has: {', '.join(project.targets)}"
        )
        raise SettingsError(message)
    return project.targets[target]


def _begin(output: Output, project: Project, target: Target, ledger: LedgerStore) -> int:
    from shbatch_sync.store.ledger import LedgerFile, MemoryLedger  # noqa: PLC0415

    if isinstance(ledger, MemoryLedger):
        message = f"target {target.name} does without a ledger (`ledger: none`)"
        raise SettingsError(message)
    if ledger.exists():
        output.say(f"{ledger.place} is there already, with {len(ledger.read())} lines")
    else:
        ledger.begin()
        advice = "; commit it with your manifests" if isinstance(ledger, LedgerFile) else ""
        advice = "; it stays on this machine, as its service does" if target.emulator else advice
        output.result(f"began {ledger.place}{advice}")
    if isinstance(ledger, LedgerFile) and not target.emulator:
        _tell_git(output, project.root, ledger.path)
    return ExitCode.OK


def _tell_git(output: Output, root: Path, ledger: Path) -> None:
    """Have git merge a ledger line by line and leave its lock alone, wherever in the project it stands."""
    path = os.path.relpath(ledger, root).replace(os.sep, "/")
    if not path.startswith("../"):
        _append(output, root / ".gitattributes", f"{path} merge=union\n")
        if not path.startswith(".shbatch/"):
            _append(output, root / ".gitignore", f"{path}.lock\n")


def _write(output: Output, path: Path, text: str) -> None:
    if path.exists():
        output.say(f"kept {path}, which is there already")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    output.result(f"wrote {os.path.normpath(path)}")


def _append(output: Output, path: Path, text: str) -> None:
    """Add the lines that a file of the user's does not have yet."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    missing = [line for line in text.splitlines() if line not in before.splitlines()]
    if not missing:
        return
    ended = before if not before or before.endswith("\n") else f"{before}\n"
    path.write_text(ended + "\n".join(missing) + "\n", encoding="utf-8")
    output.result(f"{'added to' if before else 'wrote'} {path}")
