"""`schema`: print a JSON Schema, for editors and other tools."""

from __future__ import annotations

import click

from shbatch_sync.cli.output import Output, speaking
from shbatch_sync.errors import ExitCode

KINDS = ("job", "project", "plan", "apply", "status", "validate", "history", "estimate")


@click.command("schema")
@click.argument("kind", type=click.Choice(KINDS), default="job", metavar="[NAME]")
@speaking
def command(output: Output, kind: str) -> int:
    """Print the JSON Schema NAME.

    NAME is job (manifests, the default) or project (shbatch.yaml), or plan, apply, status, validate, history or
    estimate, for what these commands print as JSON.
    """
    from shbatch_sync.store.schemas import schema_text  # noqa: PLC0415

    output.result(schema_text(kind).rstrip())
    return ExitCode.OK
