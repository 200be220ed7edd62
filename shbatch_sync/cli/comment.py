"""`comment`: a saved plan as the one comment of ours on the change that a CI job is about."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from shbatch_sync.cli.output import Output, speaking
from shbatch_sync.cli.saved import open_plan
from shbatch_sync.errors import ExitCode, SettingsError


@click.command("comment")
@click.argument("path", metavar="PLAN", type=click.Path())
@speaking
def command(output: Output, path: str) -> int:
    """Post a saved plan on the pull or merge request of this CI job, or update the comment that is there.

    Reads what GitHub Actions or GitLab CI sets, and GITHUB_TOKEN or SHBATCH_FORGE_TOKEN.
    """
    from shbatch_sync.forge.comments import find_forge, put_comment  # noqa: PLC0415
    from shbatch_sync.render.markdown import render_markdown  # noqa: PLC0415

    body = render_markdown(open_plan(output, path).plan)
    output.result(put_comment(find_forge(os.environ, _event()), body))
    return ExitCode.OK


def _event() -> Mapping[str, Any]:
    path = os.environ.get("GITHUB_EVENT_PATH")
    if not path:
        return {}
    try:
        event = json.loads(Path(path).read_text("utf-8"))
    except ValueError:
        message = f"comment: {path} is no JSON"
        raise SettingsError(message) from None
    return event if isinstance(event, dict) else {}
