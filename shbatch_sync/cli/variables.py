"""`--var` and `--var-file`: values for `${{ vars.x }}` from the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from shbatch_sync.errors import SettingsError
from shbatch_sync.variables import PREFIX

_FROM_FILES = "shbatch_sync.variables"


def variable_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--var` and `--var-file`; both arrive as `variables`, `NAME=VALUE` each, the files' first."""
    for decorate in (
        click.option(
            "--var",
            "variables",
            multiple=True,
            metavar="NAME=VALUE",
            callback=_behind_files,
            help="Set ${{ vars.NAME }}.",
        ),
        click.option(
            "--var-file",
            multiple=True,
            metavar="FILE",
            expose_value=False,
            callback=_read_files,
            help="Set variables from a YAML or JSON mapping.",
        ),
    ):
        function = decorate(function)
    return function


def as_environment(pairs: Sequence[str]) -> dict[str, str]:
    """Return variables given by hand as those of the environment that would say the same.

    Raises:
        SettingsError: One is no `NAME=VALUE`.
    """
    values = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            message = f"--var {pair}: write it as NAME=VALUE"
            raise SettingsError(message)
        values[f"{PREFIX}{name}"] = value
    return values


def _read_files(context: click.Context, _: click.Parameter, names: tuple[str, ...]) -> None:
    from shbatch_sync.store.variables import read_variables  # noqa: PLC0415 - brings YAML
    from shbatch_sync.variables import written  # noqa: PLC0415

    directory = Path(context.obj.directory, context.params.get("directory") or "")
    pairs = tuple(
        f"{name}={written(value)}"
        for file in names
        for name, value in read_variables(directory / file, file).items()
        if value is not None
    )
    # Whichever option stands first on the command line comes here first.
    if "variables" in context.params:
        context.params["variables"] = (*pairs, *context.params["variables"])
    else:
        context.meta[_FROM_FILES] = pairs


def _behind_files(
    context: click.Context, _: click.Parameter, given: tuple[str, ...]
) -> tuple[str, ...]:
    return (*context.meta.get(_FROM_FILES, ()), *given)
