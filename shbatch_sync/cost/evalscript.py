"""What an evalscript's `setup()` asks for, read from its text without running it.

A version 3 script says in `setup()` which bands it reads and what it writes (Evalscript V3 docs, setup function).
The price depends on it: input bands, sample types, and how many samples a pixel sees.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_TEXT = 1_000_000

_VERSION = re.compile(r"\s*//\s*VERSION\s*=\s*(\d+)")
_COMMENT = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)", re.DOTALL)
_SCENES = ("preProcessScenes", "filterScenes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One element of `setup().input`.

    Attributes:
        datasource: Id of the data source, where the script fuses several.
        bands: Band names; None for a name that cannot be told. None as a whole: not even how many.
        units: One unit for each band, or one for all; empty where none are written.
        mosaicking: SIMPLE, ORBIT or TILE, its own or the script's; None where it cannot be told.
    """

    datasource: str | None = None
    bands: tuple[str | None, ...] | None = None
    units: tuple[str | None, ...] = ()
    mosaicking: str | None = "SIMPLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One element of `setup().output`; None is what cannot be told."""

    id: str | None = "default"
    bands: int | None = None
    sample_type: str | None = "AUTO"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a script asks for.

    Attributes:
        version: 1, 2 or 3, as the script's first comment says; 1 where it says nothing.
        inputs: None where they cannot be told.
        outputs: None where they cannot be told.
        filters_scenes: Whether the script drops scenes itself, so that fewer are read than the time range holds.
        certain: Whether all of this is what an engine would say.
        doubts: Why not, for a person.
        alternatives: The other answers that are possible, where a condition cannot be told but both branches can.
    """

    version: int
    inputs: tuple[Source, ...] | None = None
    outputs: tuple[Output, ...] | None = None
    filters_scenes: bool = False
    certain: bool = True
    doubts: tuple[str, ...] = ()
    alternatives: tuple[Setup, ...] = ()


def script_version(text: str) -> int | None:
    """Read the version from the comments a script begins with; None where they do not say."""
    text = text.removeprefix("\ufeff")
    position = 0
    while match := _COMMENT.match(text, position):
        if found := _VERSION.match(match.group()):
            return int(found.group(1))
        position = match.end()
    return None


@lru_cache(maxsize=512)
def read_setup(text: str) -> Setup:
    """Read what a script asks for; never raises, never runs it."""
    version = script_version(text)
    if len(text) > MAX_TEXT:
        return _unread(version or 1, "the script is too long to be read")
    from shbatch_sync.cost.script.runner import parse  # noqa: PLC0415 - loads tree-sitter
    from shbatch_sync.cost.script.syntax import refusals  # noqa: PLC0415

    root = parse(text.removeprefix("\ufeff"))
    setup = _read(root, version)
    doubts = dict.fromkeys((*setup.doubts, *refusals(root)))
    if version not in (None, 1, 2, 3):
        doubts[f"version {version} is not known"] = None
    filters = any(f"{name}" in text for name in _SCENES)
    return replace(
        setup, doubts=tuple(doubts), certain=setup.certain and not doubts, filters_scenes=filters
    )


def _unread(version: int, why: str) -> Setup:
    return Setup(version=version, certain=False, doubts=(why,))


def _read(root: Node, version: int | None) -> Setup:
    from shbatch_sync.cost import legacy  # noqa: PLC0415 - loads tree-sitter

    if version == 2:  # noqa: PLR2004 - the version with setInputComponents
        return legacy.read_version_2(root)
    if version in (None, 1) and not legacy.returns_setup(root):
        return legacy.read_version_1(root)
    setup = _read_version_3(root, version or 1)
    if version == 3:  # noqa: PLR2004 - the version with setup()
        return setup
    why = "no //VERSION=3 at its beginning: the service may take it for version 1"
    return replace(setup, certain=False, doubts=(*setup.doubts, why))


def _read_version_3(root: Node, version: int) -> Setup:
    from shbatch_sync.cost.script.runner import outcomes  # noqa: PLC0415 - loads the evaluator
    from shbatch_sync.cost.setup_value import inputs_of, outputs_of  # noqa: PLC0415

    found: dict[Any, None] = {}
    doubts: dict[str, None] = {}
    conditions: dict[str, None] = {}
    for outcome in outcomes(root):
        doubts.update(dict.fromkeys(outcome.doubts))
        conditions.update(dict.fromkeys(outcome.conditions))
        inputs, outputs = inputs_of(outcome.value, doubts), outputs_of(outcome.value, doubts)
        found[(inputs, outputs)] = None
    setups = [
        Setup(version=version, inputs=inputs, outputs=outputs, certain=False)
        for inputs, outputs in found
    ]
    if len(setups) == 1:
        return replace(setups[0], certain=not doubts, doubts=tuple(doubts))
    doubts.update(conditions)
    return replace(setups[0], doubts=tuple(doubts), alternatives=tuple(setups[1:]))
