"""A saved plan on the command line: told from a manifest, read, and held against what is found now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shbatch_sync.errors import SettingsError, StalePlanError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shbatch_sync.cli.output import Output
    from shbatch_sync.reconcile.round import Round
    from shbatch_sync.reconcile.run import Run
    from shbatch_sync.savedplan import SavedPlan

MAX_BYTES = 256 * 1024 * 1024
MAX_LINES = 20


def saved_plan(output: Output, paths: Sequence[str]) -> SavedPlan | None:
    """Return the saved plan that `apply` was given instead of manifests, or None.

    Raises:
        SettingsError: There is more than a plan, or it cannot be read as one.
        StalePlanError: It was changed after it was made, or is another version's.
    """
    from shbatch_sync.savedplan import is_plan  # noqa: PLC0415

    for path in paths:
        place = Path(output.directory, path)
        if path.endswith(".json") and place.is_file() and is_plan(_text(place, path)):
            if len(paths) > 1:
                message = f"{path} is a saved plan: apply it alone"
                raise SettingsError(message)
            return open_plan(output, path)
    return None


def open_plan(output: Output, path: str) -> SavedPlan:
    """Return the plan that a file holds.

    Raises:
        SettingsError: It holds none.
        StalePlanError: It was changed after it was made, or is another version's.
    """
    from shbatch_sync.savedplan import read_plan  # noqa: PLC0415
    from shbatch_sync.store.schemas import load_schema  # noqa: PLC0415

    return read_plan(_text(Path(output.directory, path), path), path, load_schema("plan"))


def _text(place: Path, shown: str) -> str:
    from shbatch_sync.files import FileRefusedError  # noqa: PLC0415
    from shbatch_sync.store.files import decode, read_bytes  # noqa: PLC0415

    try:
        return decode(read_bytes(place.resolve(), MAX_BYTES, shown), shown)
    except FileRefusedError as error:
        raise SettingsError(str(error)) from None


def refuse_options(saved: SavedPlan, given: Mapping[str, object]) -> None:
    """Refuse options that a saved plan has decided already.

    Raises:
        SettingsError: One was given.
    """
    named = [option for option, value in given.items() if value]
    if named:
        message = f"{saved.file} carries what it was planned with: leave out {', '.join(named)}, or plan again with it"
        raise SettingsError(message)


def demand_consent(saved: SavedPlan, run: Run, first: Round) -> None:
    """Refuse to go on unless what would be done now is what the saved plan says.

    Raises:
        StalePlanError: It is not; names what has moved.
    """
    from shbatch_sync.moved import moved  # noqa: PLC0415
    from shbatch_sync.now import Now  # noqa: PLC0415
    from shbatch_sync.savedplan import AGAIN, check_account  # noqa: PLC0415

    check_account(saved, run.account)
    now = Now(
        plan=first.plan,
        jobs={job.name: job for job in run.jobs},
        inventory=first.inventory,
        ledger=first.ledger,
    )
    lines = moved(saved.document["changes"], now)
    if lines:
        shown = [f"  {line}" for line in lines[:MAX_LINES]]
        shown += [f"  and {len(lines) - MAX_LINES} more"] if len(lines) > MAX_LINES else []
        head = f"{saved.file} is not what would be done now, so nothing was done; {AGAIN}:"
        raise StalePlanError("\n".join([head, *shown]))
