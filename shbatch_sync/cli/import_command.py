"""`import`: manifests from live requests, or from request bodies. Never overwrites."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shbatch_sync.cli.output import Output, conceal, speaking
from shbatch_sync.cli.selection import target_option
from shbatch_sync.cli.variables import as_environment, variable_options
from shbatch_sync.errors import ExitCode, SettingsError
from shbatch_sync.project import JOBS_FOLDER
from shbatch_sync.render.escape import printable
from shbatch_sync.workspace import secrets_of

if TYPE_CHECKING:
    from shbatch_sync.importing import Imported, Manner, Subject, Variables
    from shbatch_sync.project import Project, Target
    from shbatch_sync.request import BatchProcessRequest
    from shbatch_sync.store.project import Loaded

_SCHEMA = Path(".shbatch") / "job.schema.json"
_STDIN = "-"


@click.command("import")
@click.option("--id", "ids", multiple=True, metavar="ID", help="This request; may be repeated.")
@click.option("--all", "everything", is_flag=True, help="Every request that is not ours yet.")
@click.option(
    "--from",
    "bodies",
    multiple=True,
    metavar="FILE",
    help="A request body as JSON, e.g. from the API's documentation; - is standard input.",
)
@click.option("--out", metavar="DIR", help="Folder for the manifests [default: jobs].")
@click.option("--access-key", metavar="VARIABLE", help="Variable that holds the S3 access key.")
@click.option("--secret-key", metavar="VARIABLE", help="Variable that holds the S3 secret key.")
@click.option(
    "--gs-credentials", metavar="VARIABLE", help="Variable that holds the Google credentials."
)
@target_option
@variable_options
@speaking
def command(
    output: Output,
    ids: tuple[str, ...],
    everything: bool,
    bodies: tuple[str, ...],
    out: str | None,
    target: str | None,
    variables: tuple[str, ...],
    **credentials: str | None,
) -> int:
    """Write manifests that declare live requests as they are, or request bodies; secrets become variables."""
    from shbatch_sync.importing import import_all  # noqa: PLC0415
    from shbatch_sync.store.project import load  # noqa: PLC0415

    if [bool(ids), everything, bool(bodies)].count(True) != 1:
        message = "what is to be imported? pass one of --id ID, --all, --from FILE"
        raise SettingsError(message)
    env = {**os.environ, **as_environment(variables)}
    loaded = load(directory=output.directory, target=target, env=env, may_be_empty=True)
    chosen = _target(loaded, target)
    folder = _folder(output, loaded.project, out)
    subjects = (
        [_read_body(output, name) for name in bodies]
        if bodies
        else _live(output, loaded, chosen, ids)
    )
    manner = _manner(loaded, chosen, folder, _variables(chosen, credentials))
    imported = import_all(subjects, {job.name for job in loaded.jobs}, manner)
    sound = _sound(output, loaded, chosen, imported)
    _write(output, loaded.project, folder, sound)
    return ExitCode.OK if len(sound) == len(imported) else ExitCode.ERROR


def _target(loaded: Loaded, asked: str | None) -> Target:
    targets = loaded.project.targets
    name = asked or loaded.target
    if name is None:
        message = f"which target? pass --target with one of: {', '.join(targets)}"
        raise SettingsError(message)
    return targets[name]


def _folder(output: Output, project: Project, out: str | None) -> Path:
    """Return where to write: inside the project, where its manifests are looked for."""
    from shbatch_sync.store.files import is_manifest  # noqa: PLC0415

    jobs = project.root / JOBS_FOLDER
    beside = not jobs.is_dir() and any(map(is_manifest, project.root.iterdir()))
    searched = project.root if beside else jobs
    folder = Path(output.directory, out) if out is not None else searched
    real, root = os.path.realpath(folder), os.path.realpath(searched)
    if not (real == root or (real.startswith(root + os.sep) and not beside)):
        message = f"--out {out}: manifests of this project are looked for in {searched}"
        raise SettingsError(message)
    return folder


def _read_body(output: Output, name: str) -> Subject:
    from shbatch_sync.importing import Subject  # noqa: PLC0415
    from shbatch_sync.jsontext import JsonRefusedError, loads  # noqa: PLC0415
    from shbatch_sync.store.files import decode  # noqa: PLC0415

    content = (
        sys.stdin.buffer.read() if name == _STDIN else Path(output.directory, name).read_bytes()
    )
    try:
        body = loads(decode(content, name))
    except JsonRefusedError as error:
        message = f"{name}:{error.line}:{error.column}: {error}"
        raise SettingsError(message) from None
    if not isinstance(body, dict) or not isinstance(body.get("processRequest"), dict):
        message = f"{name} is no request body: it has no processRequest"
        raise SettingsError(message)
    description = body.get("description")
    return Subject(
        body=body, label=name, description=description if isinstance(description, str) else ""
    )


def _live(output: Output, loaded: Loaded, target: Target, ids: Sequence[str]) -> list[Subject]:
    """Return the requests to import; those that must not be are named with the reason."""
    from shbatch_sync.importing import subject_of  # noqa: PLC0415
    from shbatch_sync.session import open_session  # noqa: PLC0415

    secrets = secrets_of(loaded)
    conceal(secrets)
    with open_session(loaded.project, target, os.environ, secrets) as session:
        client = session.client
        requests = (
            [client.get_request(one) for one in dict.fromkeys(ids)]
            if ids
            else list(client.iter_requests(sort="created"))
        )
        ours = {entry.request_id for entry in session.ledger.read()}
    subjects = []
    for request in requests:
        reason = _reason_against(request, loaded, ours)
        if reason:
            output.say(printable(f"skipped {request.request_id}: {reason}"))
        else:
            subjects.append(subject_of(request))
    return subjects


def _reason_against(request: BatchProcessRequest, loaded: Loaded, ours: set[str | None]) -> str:
    from shbatch_sync.marker import Damaged, Marker, parse  # noqa: PLC0415
    from shbatch_sync.phase import Phase, phase_of  # noqa: PLC0415

    found = parse(request.description)
    adopting = {job.adopt: job.name for job in loaded.jobs if job.adopt is not None}
    if isinstance(found, Marker):
        mine = found.project == loaded.project.name
        return f"belongs to {'our' if mine else found.project + chr(39) + 's'} job {found.job}"
    if request.request_id in ours:
        return (
            "is ours by the ledger, and has lost its marker: `shbatch-sync repair` writes it back"
        )
    if isinstance(found, Damaged):
        return f"carries a damaged marker ({found.why})"
    if request.request_id in adopting:
        return f"is declared already, by job {adopting[request.request_id]}"
    if phase_of(request) is Phase.FAILED:
        return "has failed, and cannot be taken over: import its body with --from"
    return ""


def _variables(target: Target, asked: Mapping[str, str | None]) -> Variables:
    """Return names of variables: those asked for, else the target's own, else the usual ones."""
    from shbatch_sync.importing import Variables  # noqa: PLC0415

    own = {
        "access_key": _from_env(target.s3, "accessKey"),
        "secret_access_key": _from_env(target.s3, "secretAccessKey"),
        "credentials": _from_env(target.gs, "credentials"),
    }
    given = {
        "access_key": asked["access_key"],
        "secret_access_key": asked["secret_key"],
        "credentials": asked["gs_credentials"],
    }
    names = {key: given[key] or own[key] for key in own}
    return Variables(**{key: name for key, name in names.items() if name is not None})


def _from_env(storage: Mapping[str, Any] | None, member: str) -> str | None:
    value = (storage or {}).get(member)
    return str(value["fromEnv"]) if isinstance(value, dict) else None


def _manner(loaded: Loaded, target: Target, folder: Path, variables: Variables) -> Manner:
    from shbatch_sync.importing import Manner  # noqa: PLC0415

    project = loaded.project
    return Manner(
        schema=os.path.relpath(project.root / _SCHEMA, folder).replace(os.sep, "/"),
        variables=variables,
        target=None if target.name == project.default_target else target.name,
        defaults=project.defaults,
    )


def _sound(
    output: Output, loaded: Loaded, target: Target, imported: Sequence[Imported]
) -> list[Imported]:
    """Return the manifests that are valid and declare what they were made of; say what is wrong with the others."""
    from shbatch_sync.import_judging import faults_of  # noqa: PLC0415
    from shbatch_sync.importing import letting_through  # noqa: PLC0415
    from shbatch_sync.store.project import context_of  # noqa: PLC0415

    context = context_of(loaded.project, target.name, {})
    sound = []
    for one in imported:
        # What the service has taken is right, even where we have not heard of it yet.
        live = one.subject.request_id is not None
        candidate = letting_through(one, context.schema) if live else one
        faults = faults_of(candidate, context)
        if faults:
            lines = (printable(f"{one.subject.label}: {fault}") for fault in faults)
            output.result("\n".join(lines))
        else:
            sound.append(candidate)
    return sound


def _write(output: Output, project: Project, folder: Path, imported: Sequence[Imported]) -> None:
    """Write everything, or nothing where any of it is there already."""
    from shbatch_sync.store.schemas import schema_text  # noqa: PLC0415

    texts: dict[Path, str] = {}
    for one in imported:
        texts |= {folder / path: text for path, text in one.files.items()}
        texts[folder / one.path] = one.text
    for path in texts:
        if path.exists() or path.is_symlink():
            message = f"{path} is there already; nothing was written"
            raise SettingsError(message)
    if imported and not (project.root / _SCHEMA).exists():
        texts[project.root / _SCHEMA] = schema_text("job")
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
        output.result(f"wrote {os.path.relpath(path, project.root)}")
    if imported:
        output.say(f"next: {output.call('plan')}")
    else:
        output.say("nothing was imported")
