"""The document of shbatch.yaml to a Project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shbatch_sync.config import DEPLOYMENTS, EU_BASE_URL, is_loopback, token_url_of
from shbatch_sync.job import Origin
from shbatch_sync.merge import S3_CREDENTIALS, merge
from shbatch_sync.project import (
    SANDBOX,
    SANDBOX_DB,
    SANDBOX_S3,
    SANDBOX_SPEED,
    EmulatorTarget,
    Project,
    SecretSource,
    Target,
)
from shbatch_sync.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from shbatch_sync.document import Document
    from shbatch_sync.errors import Problem
    from shbatch_sync.pointer import Steps
    from shbatch_sync.schema import Schema

_REMOTE_ONLY = (
    "baseUrl",
    "tokenUrl",
    "pathPrefix",
    "profile",
    "clientId",
    "clientSecret",
    "rateLimit",
)


def read_project(
    document: Document, file: Path, schema: Schema, known_checks: Collection[str]
) -> tuple[Project | None, list[Problem]]:
    """Return the project that `document` declares, and what is wrong with it.

    Args:
        document: The only document of shbatch.yaml.
        file: Its path.
        schema: That of project files.
        known_checks: Codes that may be switched.
    """
    faults = schema.faults(document.data)
    if faults:
        return None, [document.problem(f.steps, f.message, f.code, key=f.at_key) for f in faults]
    data = merge({}, document.data)
    problems = _problems(document, data, known_checks)
    if problems:
        return None, problems
    return _project(document, data, file), []


def _project(document: Document, data: Mapping[str, Any], file: Path) -> Project:
    targets = {
        name: _target(name, fields, document) for name, fields in data.get("targets", {}).items()
    }
    if not targets:
        origin = Origin(document.source.file, document.line)
        targets = {
            SANDBOX: Target(name=SANDBOX, origin=origin, emulator=EmulatorTarget(), s3=SANDBOX_S3)
        }
    policy = data.get("policy", {})
    return Project(
        name=data["project"],
        root=file.parent,
        file=file,
        document=document,
        targets=targets,
        default_target=data.get("defaultTarget") or _only(targets),
        defaults=data.get("defaults", {}),
        prune=policy.get("prune", False),
        max_start_pu=policy.get("maxStartPU"),
        monthly_pu=data.get("budget", {}).get("monthlyPU"),
        calibrate=data.get("estimate", {}).get("calibrate", False),
        vars=data.get("vars", {}),
        checks=data.get("checks", {}),
    )


def _only(targets: Mapping[str, Target]) -> str | None:
    if SANDBOX in targets:
        return SANDBOX
    return next(iter(targets)) if len(targets) == 1 else None


def _target(name: str, fields: Mapping[str, Any], document: Document) -> Target:
    line, column = document.locate(("targets", name), key=True)
    emulator = None
    if "emulator" in fields or (name == SANDBOX and not fields.keys() & set(_REMOTE_ONLY)):
        emulator = EmulatorTarget(
            db=fields.get("emulator", SANDBOX_DB), speed=fields.get("speed", SANDBOX_SPEED)
        )
    base_url, token_url = (None, None) if emulator else _urls(fields)
    return Target(
        name=name,
        origin=Origin(document.source.file, line, column),
        emulator=emulator,
        base_url=base_url,
        token_url=token_url,
        path_prefix=fields.get("pathPrefix", "/api/v2/batch"),
        profile=fields.get("profile"),
        client_id=_secret(fields, "clientId"),
        client_secret=_secret(fields, "clientSecret"),
        account=fields.get("account"),
        s3=fields.get("s3", SANDBOX_S3 if emulator else None),
        gs=fields.get("gs"),
        vars=fields.get("vars", {}),
        max_pu=fields.get("maxPU"),
        settle=fields.get("settle"),
        list_lag=fields.get("listLag"),
        max_running=fields.get("maxRunning"),
        ledger=fields.get("ledger"),
        rate_limit=fields.get("rateLimit"),
    )


def _secret(fields: Mapping[str, Any], key: str) -> SecretSource | None:
    return SecretSource(env=fields[key]["fromEnv"]) if key in fields else None


def _urls(fields: Mapping[str, Any]) -> tuple[str | None, str | None]:
    base = fields.get("baseUrl", "").rstrip("/")
    if not base:
        if "profile" in fields:
            return None, fields.get("tokenUrl")
        base = EU_BASE_URL
    return base, fields.get("tokenUrl") or token_url_of(base)


def _problems(
    document: Document, data: Mapping[str, Any], known_checks: Collection[str]
) -> list[Problem]:
    targets = data.get("targets", {SANDBOX: {}})
    found: list[Problem] = []
    default = data.get("defaultTarget")
    if default is not None and default not in targets:
        message = f"there is no target {default!r}" + (
            did_you_mean(default, targets) or f" (known: {', '.join(targets)})"
        )
        found.append(document.problem(("defaultTarget",), message, "unknown-target"))
    for code in data.get("checks", {}):
        if code not in known_checks:
            message = f"there is no check {code!r}" + did_you_mean(code, known_checks)
            found.append(document.problem(("checks", code), message, "unknown-check", key=True))
    for name, fields in data.get("targets", {}).items():
        found += [
            document.problem(("targets", name, *steps), message, "target")
            for steps, message in _target_faults(fields)
        ]
    return found


def _target_faults(fields: Mapping[str, Any]) -> list[tuple[Steps, str]]:
    found: list[tuple[Steps, str]] = []
    if "emulator" in fields:
        found += [
            ((key,), "a sandbox (emulator) takes no such setting")
            for key in _REMOTE_ONLY
            if key in fields
        ]
    elif "speed" in fields and fields.keys() & set(_REMOTE_ONLY):
        found.append((("speed",), "only a sandbox (emulator) has a speed"))
    if ("clientId" in fields) != ("clientSecret" in fields):
        found.append(((), "clientId and clientSecret belong together"))
    return found + _storage_faults(fields.get("s3", {})) + _url_faults(fields)


def _storage_faults(s3: Mapping[str, Any]) -> list[tuple[Steps, str]]:
    given = S3_CREDENTIALS & s3.keys()
    if given in (set(), {"iamRoleARN"}, {"accessKey", "secretAccessKey"}):
        return []
    return [(("s3",), "exactly one credential form: iamRoleARN, or accessKey with secretAccessKey")]


def _url_faults(fields: Mapping[str, Any]) -> list[tuple[Steps, str]]:
    found: list[tuple[Steps, str]] = []
    for key in ("baseUrl", "tokenUrl"):
        url = fields.get(key, "")
        if url.startswith("http:") and not is_loopback(url):
            found.append(
                (
                    (key,),
                    "credentials are never sent over plain http, but to this machine: use https",
                )
            )
    base = fields.get("baseUrl", "").rstrip("/")
    if base and "tokenUrl" not in fields and base not in DEPLOYMENTS and not is_loopback(base):
        known = ", ".join(DEPLOYMENTS)
        found.append(
            (("baseUrl",), f"is none of the known deployments ({known}): set tokenUrl as well")
        )
    return found
