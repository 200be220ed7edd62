"""A session: a declared target turned into a client, a ledger and the waiting times that fit it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shbatch_sync.config import Config, config_location, is_loopback
from shbatch_sync.errors import SettingsError
from shbatch_sync.project import EmulatorTarget, Project, Target
from shbatch_sync.store.ledger import LedgerFile, LedgerStore, MemoryLedger
from shbatch_sync.target_config import target_config

if TYPE_CHECKING:
    from shbatch_sync.api.client import BatchProcessClient

LEDGER = Path(".shbatch") / "ledger.jsonl"
# Longest time that a new request has been seen missing from a list is 100 s.
SETTLE = 120.0
POLL = 30.0
SANDBOX_POLL = 0.2
# Pages of the list that are fetched while earlier ones are judged.
READ_AHEAD = 4
_LAG_FACTOR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A target that can be talked to.

    Attributes:
        target: As declared.
        client: The service.
        ledger: Where steps are remembered.
        settle: Seconds after which a new request is sure to be listed.
        poll: Seconds between two lists while waiting.
        must_have_ledger: Whether a ledger has to be begun by a person before anything is created.
    """

    target: Target
    client: BatchProcessClient
    ledger: LedgerStore
    settle: float
    poll: float
    must_have_ledger: bool


@contextmanager
def open_session(
    project: Project, target: Target, env: Mapping[str, str], secrets: Collection[str] = ()
) -> Iterator[Session]:
    """Connect to a target for the length of a `with` block; nothing is sent before the first call.

    Args:
        project: The target's.
        target: As declared.
        env: Where credentials are looked up.
        secrets: Values that must not show in what the service says.

    Raises:
        SettingsError: Credentials are missing or contradict each other.
        TargetRefusedError: Its host is not one that credentials are sent to.
    """
    opened = (
        _sandbox(project, target, target.emulator, env)
        if target.emulator
        else _remote(project, target, env, secrets)
    )
    with opened as session:
        yield session


@contextmanager
def _remote(
    project: Project, target: Target, env: Mapping[str, str], secrets: Collection[str]
) -> Iterator[Session]:
    from shbatch_sync.api.client import BatchProcessClient  # noqa: PLC0415 - brings the HTTP client

    path = Path(config_location(env)).expanduser()
    config = target_config(target, env, toml_text=_text(path), toml_path=str(path))
    loopback = is_loopback(config.base_url)
    lag = target.list_lag or 0.0
    with (
        open_ledger(project, target, env) as ledger,
        BatchProcessClient(
            config, rate_limit=target.rate_limit, read_ahead=READ_AHEAD, secrets=secrets
        ) as client,
    ):
        yield Session(
            target=target,
            client=client,
            ledger=ledger,
            settle=max(SETTLE if target.settle is None else target.settle, _LAG_FACTOR * lag),
            poll=POLL,
            must_have_ledger=not loopback and not isinstance(ledger, MemoryLedger),
        )


@contextmanager
def _sandbox(
    project: Project, target: Target, emulated: EmulatorTarget, env: Mapping[str, str]
) -> Iterator[Session]:
    from shbatch_sync.api.client import BatchProcessClient  # noqa: PLC0415 - brings the HTTP client
    from shbatch_sync.api.wsgi import wsgi_transport  # noqa: PLC0415
    from shbatch_sync.emulator import (  # noqa: PLC0415 - only where it is the target
        Emulator,
        Options,
        UnusableDatabaseError,
    )

    config = Config(base_url="http://127.0.0.1", client_id="sandbox", client_secret="sandbox")  # noqa: S106 - takes any
    db = project.root / emulated.db
    db.parent.mkdir(parents=True, exist_ok=True)
    try:
        opened = Emulator(db, Options(speed=emulated.speed))
    except UnusableDatabaseError as error:
        message = f"target {target.name}: its sandbox cannot be used: {error}"
        raise SettingsError(message) from None
    with (
        opened as emulator,
        open_ledger(project, target, env) as ledger,
        BatchProcessClient(config, transport=wsgi_transport(emulator.app)) as client,
    ):
        yield Session(
            target=target,
            client=client,
            ledger=ledger,
            settle=target.settle or 0.0,
            poll=SANDBOX_POLL,
            must_have_ledger=False,
        )


@contextmanager
def open_ledger(project: Project, target: Target, env: Mapping[str, str]) -> Iterator[LedgerStore]:
    """Give the ledger of a target for the length of a `with` block; nothing is read before it is asked.

    It stands beside a sandbox's database; without one it is one file for the project, or where `ledger` says.

    Args:
        project: The target's.
        target: As declared.
        env: Where a ledger on S3 looks up AWS_* variables.

    Raises:
        SettingsError: The place is none that a ledger can be kept in.
    """
    ledger = _ledger_of(project, target, env)
    try:
        yield ledger
    finally:
        ledger.close()


def _ledger_of(project: Project, target: Target, env: Mapping[str, str]) -> LedgerStore:
    if target.ledger == "none":
        return MemoryLedger()
    if target.ledger is not None and target.ledger.startswith("s3://"):
        from shbatch_sync.store.s3_ledger import S3Ledger  # noqa: PLC0415 - brings boto3

        return S3Ledger(target.ledger, env=env)
    if target.ledger is not None:
        return LedgerFile(project.root / target.ledger)
    if target.emulator is not None:
        return LedgerFile((project.root / target.emulator.db).with_suffix(".ledger.jsonl"))
    return LedgerFile(project.root / LEDGER)


def _text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        message = f"cannot read {path}: {reason}"
        raise SettingsError(message) from None
