"""A project from disk: found, read whole, judged whole."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shbatch_sync.checks import CODES, check_declarations
from shbatch_sync.document import Source, parse
from shbatch_sync.errors import ManifestError, Problem, SettingsError
from shbatch_sync.files import FileRefusedError
from shbatch_sync.job import Origin
from shbatch_sync.jobset import jobset_problems, unset_variables
from shbatch_sync.manifest import Context, Declaration, read_manifest
from shbatch_sync.project import JOBS_FOLDER, PROJECT_FILE, Project
from shbatch_sync.projectfile import read_project
from shbatch_sync.store.files import (
    STDIN,
    ProjectFiles,
    Recording,
    is_manifest,
    manifest_files,
    read_manifest_text,
    relative_names,
)
from shbatch_sync.store.loaded import Loaded
from shbatch_sync.store.schemas import load_schema, strict_job_schema
from shbatch_sync.suggest import did_you_mean
from shbatch_sync.variables import from_environment, typed

if TYPE_CHECKING:
    from shbatch_sync.document import Document
    from shbatch_sync.job import Job

__all__ = ["Loaded", "context_of", "find_project", "load", "load_jobs", "load_project"]


def find_project(start: Path) -> Path:
    """Return the shbatch.yaml beside `start`, or in the nearest folder above it.

    Args:
        start: A folder, or a file in it; it need not exist.

    Raises:
        SettingsError: There is none.
    """
    folder = Path(os.path.abspath(start))  # noqa: PTH100 - links stay: the project is where the user says
    first = folder if folder.is_dir() else folder.parent
    for candidate in (first, *first.parents):
        if (candidate / PROJECT_FILE).is_file():
            return candidate / PROJECT_FILE
    message = f"no {PROJECT_FILE} in {first} or above it: `shbatch-sync init` writes one"
    raise SettingsError(message)


def load_project(file: Path) -> Project:
    """Return the project that the shbatch.yaml at `file` declares.

    Raises:
        ManifestError: It cannot be used; carries every problem.
    """
    document, problems = _only_document(file)
    project = None
    if document is not None:
        project, problems = read_project(document, file, load_schema("project"), CODES)
    if project is None:
        raise ManifestError(problems)
    return project


def _only_document(file: Path) -> tuple[Document | None, list[Problem]]:
    try:
        source = Source(file=file.name, text=read_manifest_text(file, file.name))
    except FileRefusedError as error:
        return None, [_file_problem(file.name, str(error))]
    documents, problems = parse(source)
    if len(documents) > 1:
        problems.append(documents[1].problem((), f"{file.name} holds one document only", "project"))
    return (documents[0], []) if documents and not problems else (None, problems)


def _file_problem(file: str, message: str) -> Problem:
    return Problem(file=file, line=1, column=1, pointer="", message=message, code="file")


def load_jobs(
    paths: Sequence[str | Path] = (),
    *,
    directory: str | Path = ".",
    target: str | None = None,
    variables: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
) -> list[Job]:
    """Return the jobs that the manifests at `paths` declare, by name.

    The whole project is read and judged, whatever is asked for.

    Args:
        paths: Files or folders; all of the project's manifests if none is given.
        directory: Where the project is looked for if no path is given, and what paths are relative to.
        target: For jobs that name none, instead of the project's default.
        variables: Values for `${{ vars.x }}`, before those of the environment and the project.
        env: Environment, for `SHBATCH_VAR_*`; the process's own if left out.

    Raises:
        ManifestError: Something is wrong with a manifest; carries every problem of every one.
        SettingsError: There is no project, or nothing in it.
    """
    loaded = load(paths, directory=directory, target=target, variables=variables, env=env)
    return [job for job in loaded.jobs if loaded.is_selected(job)]


def load(
    paths: Sequence[str | Path] = (),
    *,
    directory: str | Path = ".",
    target: str | None = None,
    variables: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    may_be_empty: bool = False,
) -> Loaded:
    """Return the project around `paths` with every job it declares, the warnings, and what is not set.

    Args:
        paths: As in `load_jobs`; `-` is a manifest from standard input, whose files are looked for in `directory`.
        directory: As in `load_jobs`.
        target: As in `load_jobs`.
        variables: As in `load_jobs`.
        env: Environment; the process's own if left out.
        stdin: Text of standard input, instead of reading it.
        may_be_empty: Whether a project without a manifest is one, too.

    Raises:
        ManifestError: Something is wrong with a manifest; carries every problem of every one.
        SettingsError: There is no project, or nothing in it.
    """
    env = os.environ if env is None else env
    base = Path(directory)
    given = [base / path for path in paths if str(path) != STDIN]
    file = _common_project(given or [base])
    project = load_project(file)
    piped = STDIN in map(str, paths)
    names = _manifest_names(project, given, may_be_empty=may_be_empty or piped)
    selected = _selection(project, given, names) if paths else None
    texts, problems = _texts(names)
    if piped:
        texts.append(Source(file=STDIN, text=sys.stdin.read() if stdin is None else stdin))
        selected = (selected or frozenset()) | {STDIN}
    context = context_of(
        project, target, {**typed(from_environment(env), project.vars), **(variables or {})}, base
    )
    declarations, read, found = _declarations(texts, context)
    problems += found
    if not problems:  # names and dependencies mean nothing while jobs are missing
        problems += jobset_problems(declarations)
    warnings, errors = _by_severity([*problems, *check_declarations(declarations, project)])
    if errors:
        raise ManifestError([*errors, *warnings])
    declarations.sort(key=lambda one: (one.job.name, one.job.target))
    return Loaded(
        project=project,
        target=context.default_target,
        declarations=tuple(declarations),
        selected=selected,
        read=read,
        problems=tuple(sorted(warnings)),
        unset=unset_variables(declarations, env),
    )


def _by_severity(problems: Sequence[Problem]) -> tuple[list[Problem], list[Problem]]:
    warnings = [problem for problem in problems if problem.severity == "warning"]
    return warnings, [problem for problem in problems if problem.severity != "warning"]


def _common_project(paths: Sequence[Path]) -> Path:
    for path in paths:
        if not path.exists():
            message = f"there is no {path}"
            raise SettingsError(message)
    files = list(dict.fromkeys(find_project(path) for path in paths))
    if len(files) > 1:
        message = "the paths belong to different projects: " + ", ".join(map(str, files))
        raise SettingsError(message)
    return files[0]


def _manifest_names(
    project: Project, given: Sequence[Path], *, may_be_empty: bool
) -> dict[str, Path]:
    """Return every manifest of the project by its name in messages, those given by path included."""
    jobs = project.root / JOBS_FOLDER
    try:
        found = manifest_files(jobs) if jobs.is_dir() else _beside(project.root)
        for path in given:
            found += (
                (manifest_files(path) if path != project.root else []) if path.is_dir() else [path]
            )
        names = relative_names(found, project.root)
    except FileRefusedError as error:
        raise SettingsError(str(error)) from error
    if not names and not given and not may_be_empty:
        place = jobs if jobs.is_dir() else project.root
        message = f"no manifests (*.yaml) in {place}: `shbatch-sync init` writes a first one"
        raise SettingsError(message)
    return names


def _beside(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_file() and is_manifest(path))


def _selection(
    project: Project, given: Sequence[Path], names: Mapping[str, Path]
) -> frozenset[str]:
    selected: set[str] = set()
    for name, path in relative_names(given, project.root).items():
        inside = {other for other in names if name in (".", other) or other.startswith(f"{name}/")}
        if not inside:
            message = f"no manifests (*.yaml) in {path}"
            raise SettingsError(message)
        selected |= inside
    return frozenset(selected)


def _texts(names: Mapping[str, Path]) -> tuple[list[Source], list[Problem]]:
    sources: list[Source] = []
    problems: list[Problem] = []
    for name, path in sorted(names.items()):
        try:
            sources.append(Source(file=name, text=read_manifest_text(path, name)))
        except FileRefusedError as error:
            problems.append(_file_problem(name, str(error)))
    return sources, problems


def context_of(
    project: Project, target: str | None, variables: Mapping[str, Any], here: Path | None = None
) -> Context:
    """Return what manifests of `project` are read with.

    Args:
        project: Theirs.
        target: For jobs that name none, instead of the project's default.
        variables: Values for `${{ vars.x }}`.
        here: Where files of a manifest from standard input are looked for; the project's folder if left out.

    Raises:
        SettingsError: There is no such target.
    """
    if target is not None and target not in project.targets:
        hint = did_you_mean(target, project.targets) or f" (known: {', '.join(project.targets)})"
        message = f"there is no target {target!r} in {project.file}{hint}"
        raise SettingsError(message)
    return Context(
        project=project,
        schema=load_schema("job"),
        strict=strict_job_schema(),
        files=ProjectFiles(project.root, here),
        variables=variables,
        default_target=target or project.default_target,
    )


def _declarations(
    sources: Sequence[Source], context: Context
) -> tuple[list[Declaration], dict[Origin, frozenset[str]], list[Problem]]:
    declarations: list[Declaration] = []
    read: dict[Origin, frozenset[str]] = {}
    problems: list[Problem] = []
    files = Recording(context.files)
    recorded = replace(context, files=files)
    for source in sources:
        documents, faults = parse(source)
        problems += faults
        for document in documents:
            files.paths = set()
            jobs, faults = read_manifest(document, recorded)
            declarations += jobs
            read[Origin(source.file, document.line)] = frozenset(files.paths)
            problems += faults
    return declarations, read, problems
