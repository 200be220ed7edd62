"""A project and its targets: what shbatch.yaml declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from shbatch_sync.document import Document
    from shbatch_sync.job import Origin

PROJECT_FILE = "shbatch.yaml"
JOBS_FOLDER = "jobs"
API_VERSION = "shbatch-sync/v1"
SANDBOX = "sandbox"
SANDBOX_DB = ".shbatch/sandbox.db"
SANDBOX_SPEED = 600.0
# Delivers nowhere; it only takes the place of credentials that a job leaves to its target.
SANDBOX_S3 = {"iamRoleARN": "arn:aws:iam::000000000000:role/sandbox"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSource:
    """Where a secret comes from: the name of an environment variable, never the secret."""

    env: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorTarget:
    """The embedded service as a target.

    Attributes:
        db: Path of its database as written, relative to the project's root.
        speed: Seconds of its clock in one of ours.
    """

    db: str = SANDBOX_DB
    speed: float = SANDBOX_SPEED


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A deployment and an account.

    Attributes:
        name: Its key in shbatch.yaml.
        origin: Where it is declared.
        emulator: Set for a sandbox, which has no URL.
        base_url: Of the deployment, without a slash at the end; None for a sandbox, and where a profile decides.
        token_url: Where tokens come from; None like `base_url`.
        path_prefix: In front of `/process`.
        profile: Of sentinelhub-py's config.toml.
        client_id: Its own client id.
        client_secret: Its own client secret.
        account: Id of the account that must be found there.
        s3: Credential members, and maybe the region, for s3 objects without; secrets as `{fromEnv}`.
        gs: The same for gs objects.
        vars: Values for `${{ vars.x }}` that replace the project's.
        max_pu: For jobs that set none, in processing units.
        settle: Seconds after which a new request is sure to be listed; None for the default of the target's kind.
        list_lag: Longest time in seconds that a new request was seen missing.
        max_running: Jobs of ours started at once.
        ledger: Path, `s3://` URL, or `none`, as written; None for the default.
        rate_limit: Calls a minute.
    """

    name: str
    origin: Origin
    emulator: EmulatorTarget | None = None
    base_url: str | None = None
    token_url: str | None = None
    path_prefix: str = "/api/v2/batch"
    profile: str | None = None
    client_id: SecretSource | None = None
    client_secret: SecretSource | None = None
    account: str | None = None
    s3: Mapping[str, Any] | None = None
    gs: Mapping[str, Any] | None = None
    vars: Mapping[str, Any] = field(default_factory=dict)
    max_pu: float | None = None
    settle: float | None = None
    list_lag: float | None = None
    max_running: int | None = None
    ledger: str | None = None
    rate_limit: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One project.

    Attributes:
        name: The ownership scope.
        root: Folder of its shbatch.yaml.
        file: Path of that file.
        document: Its content, for the places of defaults.
        targets: By name; never empty.
        default_target: For jobs that name none; None if there are several and none is marked.
        defaults: Laid under every job.
        prune: Whether requests without a manifest are stopped.
        max_start_pu: What all starts of one invocation may cost, in processing units.
        monthly_pu: What may be spent on a target in a calendar month, in processing units.
        calibrate: Whether estimates are corrected by what finished jobs really cost.
        vars: Values for `${{ vars.x }}`.
        checks: Code of a check → error, warning or off.
    """

    name: str
    root: Path
    file: Path
    document: Document
    targets: Mapping[str, Target]
    default_target: str | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    prune: bool = False
    max_start_pu: float | None = None
    monthly_pu: float | None = None
    calibrate: bool = False
    vars: Mapping[str, Any] = field(default_factory=dict)
    checks: Mapping[str, str] = field(default_factory=dict)
