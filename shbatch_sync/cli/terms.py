"""What a plan was asked for, written down so that `apply plan.json` can ask for it again."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from shbatch_sync.planfile import Terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shbatch_sync.cli.output import Output
    from shbatch_sync.cli.selection import Permission, Selection
    from shbatch_sync.plan import Policy
    from shbatch_sync.session import Session
    from shbatch_sync.workspace import Workspace


def make_terms(
    output: Output,
    workspace: Workspace,
    selection: Selection,
    permission: Permission,
    *,
    service: str,
    policy: Policy,
) -> Terms:
    """Return the terms of a plan that was just made."""
    changed = workspace.changed
    return Terms(
        service=service,
        policy=policy,
        paths=_relative(output, workspace, selection.paths),
        globs=selection.globs,
        labels=selection.labels,
        names=None if changed is None else tuple(sorted(changed)),
        variables=dict(pair.partition("=")[::2] for pair in selection.variables),
        **asdict(permission),
    )


def service_of(session: Session) -> str:
    """Return where a session's calls go, without anything secret."""
    emulated = session.target.emulator
    return f"emulator:{emulated.db}" if emulated else session.client.service_url


def _relative(output: Output, workspace: Workspace, paths: Sequence[str]) -> tuple[str, ...]:
    """Return paths as seen from the project, so that the plan may be applied from another folder."""
    from shbatch_sync.store.files import relative_names  # noqa: PLC0415

    files = [Path(output.directory, path) for path in paths if path != "-"]
    given = ["-"] if "-" in paths else []
    return (*sorted(relative_names(files, workspace.project.root)), *given)
