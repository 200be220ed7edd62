"""`init`: a project's first files, or the ledger of a target. Never overwrites."""

from __future__ import annotations

from pathlib import Path

import click

from shbatch_sync.cli.output import Output, speaking
from shbatch_sync.errors import ExitCode, SettingsError
from shbatch_sync.project import PROJECT_FILE, Project

_IGNORED = "# the sandbox's database and ledger belong to this machine\n.shbatch/sandbox.*\n.shbatch/*.lock\n"
# Every line of a ledger is a fact of its own, so two branches are merged by keeping the lines of both.
_ATTRIBUTES = ".shbatch/ledger.jsonl merge=union\n"


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
    output.say("next: shbatch-sync plan")
    return ExitCode.OK


def _begin_project(output: Output, folder: Path, name: str | None) -> None:
    from shbatch_sync.cli.templates import first_files, project_name  # noqa: PLC0415

    for path, text in first_files(name or project_name(folder)).items():
        _write(output, folder / path, text)
    _append(output, folder / ".gitignore", _IGNORED)
    _append(output, folder / ".gitattributes", _ATTRIBUTES)


def _begin_ci(output: Output, folder: Path, forge: str, target: str | None) -> int:
    from shbatch_sync.cli import ci_files  # noqa: PLC0415
    from shbatch_sync.store.git import prefix  # noqa: PLC0415
    from shbatch_sync.store.project import load_project  # noqa: PLC0415

    project = load_project((folder / PROJECT_FILE).absolute())
    chosen = _ci_target(project, target)
    directory = prefix(folder).rstrip("/")
    top = folder.joinpath(*[".."] * len(Path(directory).parts))
    files = ci_files.ci_files(forge, target=chosen, directory=directory or ".")
    for path, text in files.items():
        _write(output, top / path, text)
    if forge == "gitlab" and not (top / ci_files.GITLAB_ROOT).exists():
        _write(output, top / ci_files.GITLAB_ROOT, ci_files.GITLAB_INCLUDE)
    elif forge == "gitlab":
        output.say(f"next: include {ci_files.GITLAB} in {ci_files.GITLAB_ROOT}")
    output.say(
        f"next: begin the ledger (`shbatch-sync init --target {chosen}`), commit, and give the forge "
        "SH_CLIENT_ID and SH_CLIENT_SECRET"
    )
    return ExitCode.OK


def _ci_target(project: Project, asked: str | None) -> str:
    """Return the target that CI acts on: the one asked for, else the first that is no sandbox."""
    if asked is not None and asked not in project.targets:
        message = (
            f"there is no target {asked} in {project.file}; it has: {', '.join(project.targets)}"
        )
        raise SettingsError(message)
    remote = (name for name, target in project.targets.items() if target.emulator is None)
    return asked or next(remote, None) or next(iter(project.targets))


def _begin_ledger(output: Output, folder: Path, target: str) -> int:
    from shbatch_sync.session import ledger_of  # noqa: PLC0415
    from shbatch_sync.store.ledger import LedgerFile, MemoryLedger  # noqa: PLC0415
    from shbatch_sync.store.project import find_project, load_project  # noqa: PLC0415

    project = load_project(find_project(folder))
    if target not in project.targets:
        message = (
            f"there is no target {target} in {project.file}; it has: {', '.join(project.targets)}"
        )
        raise SettingsError(message)
    ledger = ledger_of(project, project.targets[target])
    if isinstance(ledger, MemoryLedger):
        message = f"target {target} does without a ledger (`ledger: none`)"
        raise SettingsError(message)
    if ledger.exists():
        output.say(f"{ledger.place} is there already, with {len(ledger.read())} lines")
    else:
        ledger.begin()
        advice = "; commit it with your manifests" if isinstance(ledger, LedgerFile) else ""
        output.result(f"began {ledger.place}{advice}")
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
