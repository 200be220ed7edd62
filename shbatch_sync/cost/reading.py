"""How much a request reads for each pixel: bands, samples, fusion and Sentinel-1 factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import reduce
from typing import Any

from shbatch_sync.cost.evalscript import Setup, Source
from shbatch_sync.cost.formula import (
    BANDS_OF_ONE,
    DAYS_PER_SAMPLE,
    fusion_factor,
    radar_factor,
    samples_in,
)
from shbatch_sync.cost.span import Span, exactly
from shbatch_sync.plural import counted

Notes = dict[str, None]
_MASK = "dataMask"
_DAY = 86_400.0
_UNKNOWN = Span(1.0, None, None)
# Seen by one place less often than every three days: the rule of thumb bounds them.
_SPARSE = ("sentinel-1", "sentinel-2", "landsat", "s1", "s2l", "l8")


def reading(setup: Setup, data: Sequence[Any], samples: float | None, notes: Notes) -> Span:
    """Give bands/3 x samples x fusion x Sentinel-1 of a request.

    Args:
        setup: What its evalscript asks for.
        data: `processRequest.input.data`.
        samples: What the user says instead of the rule of thumb.
        notes: Collects what is assumed.
    """
    notes.update(dict.fromkeys(f"evalscript: {why}" for why in setup.doubts))
    ways = (setup, *setup.alternatives)
    spans = [_way(way, data, samples, notes) for way in ways]
    span = reduce(Span.either, spans)
    if setup.certain or setup.alternatives or setup.version < 3:  # noqa: PLR2004 - the version with setup()
        return span
    return Span(min(span.low, 1 / BANDS_OF_ONE), span.likely, None)


def _way(setup: Setup, data: Sequence[Any], samples: float | None, notes: Notes) -> Span:
    if setup.inputs is None:
        notes["the bands it reads cannot be told, so neither can its price"] = None
        return _UNKNOWN
    parts = [
        (
            _bands(source, alone=len(setup.inputs) == 1, notes=notes),
            _over_entries(setup, source, data, samples, notes),
            _radar(source, data),
        )
        for source in setup.inputs
    ]
    total = reduce(
        Span.__add__, (bands * taken * radar for bands, taken, radar in parts), exactly(0)
    )
    total *= exactly(1 / BANDS_OF_ONE)
    return total * _fusion(data, notes) if len(data) > 1 else total


def _bands(source: Source, *, alone: bool, notes: Notes) -> Span:
    """Count the bands of a source; `dataMask` counts only where it is the only one."""
    if source.bands is None:
        notes["how many bands it reads cannot be told"] = None
        return _UNKNOWN
    named = [name for name in source.bands if name is not None]
    unnamed = len(source.bands) - len(named)
    units = source.units if len(source.units) == len(source.bands) else (None,) * len(source.bands)
    entries = [
        pair for pair in zip(source.bands, units, strict=True) if pair[0] not in (None, _MASK)
    ]
    distinct = len(dict.fromkeys(entries))
    if distinct + unnamed == 0:
        return exactly(1.0) if alone else Span(0.0, 1.0, 1.0)
    if len(entries) != distinct:
        notes["a band that is listed twice is counted once, twice in the high figure"] = None
    low = max(1, len({name for name, _ in entries}) + max(0, unnamed - 1))
    return Span(float(low), float(distinct + unnamed), float(len(entries) + unnamed))


def _entries_of(source: Source, data: Sequence[Any]) -> list[Mapping[str, Any]]:
    """Find the data entries a source may be: that of its id, else all of them."""
    entries = [entry for entry in data if isinstance(entry, Mapping)]
    if source.datasource is not None:
        named = [e for e in entries if source.datasource in (e.get("id"), e.get("type"))]
        return named or entries
    return entries


def _over_entries(
    setup: Setup, source: Source, data: Sequence[Any], samples: float | None, notes: Notes
) -> Span:
    if source.mosaicking == "SIMPLE":
        return exactly(1.0)
    if samples is not None:
        notes[f"samples a pixel {samples:g}, as the manifest says"] = None
        return exactly(samples)
    spans = [_samples(entry, notes) for entry in _entries_of(source, data)] or [_UNKNOWN]
    span = reduce(Span.either, spans)
    if source.mosaicking is None:
        notes["its mosaicking cannot be told; ORBIT is assumed"] = None
    if setup.filters_scenes and span.high != 1:
        notes["it drops scenes itself, so it may read fewer samples than are counted"] = None
    return span


def _samples(entry: Mapping[str, Any], notes: Notes) -> Span:
    """Give the samples a pixel has in the time range of an entry, with ORBIT or TILE mosaicking."""
    kind = str(entry.get("type", "")).lower()
    if kind == "dem":
        return exactly(1.0)
    days = _days(entry.get("dataFilter"))
    if days is None:
        notes[
            f"{kind}: no time range, so its samples a pixel are not known; say estimate.samples"
        ] = None
        return _UNKNOWN
    likely = samples_in(days)
    notes[f"{kind}: samples a pixel {likely:g}, {_how_often(days)}"] = None
    often = 0.0 if kind.startswith(_SPARSE) else float(int(days) + 1)
    if often > likely:
        notes[f"{kind}: up to a sample a day is possible; say estimate.samples if you know"] = None
    return Span(1.0, likely, max(likely, often))


def _how_often(days: float) -> str:
    whole = max(1, round(days))
    if whole <= DAYS_PER_SAMPLE:
        return f"for {counted(whole, 'day')}"
    return f"one for every {DAYS_PER_SAMPLE:g} of {whole} days"


def _days(data_filter: Any) -> float | None:
    time_range = data_filter.get("timeRange") if isinstance(data_filter, Mapping) else None
    if not isinstance(time_range, Mapping):
        return None
    try:
        ends = [datetime.fromisoformat(time_range[name]) for name in ("from", "to")]
    except (KeyError, TypeError, ValueError):
        return None
    start, end = (end if end.tzinfo else end.replace(tzinfo=UTC) for end in ends)
    seconds = (end - start).total_seconds()
    return seconds / _DAY if seconds >= 0 else None


def _radar(source: Source, data: Sequence[Any]) -> Span:
    spans = [exactly(_radar_of(entry)) for entry in _entries_of(source, data)]
    return reduce(Span.either, spans, spans[0]) if spans else exactly(1.0)


def _radar_of(entry: Mapping[str, Any]) -> float:
    kind = str(entry.get("type", "")).lower()
    processing = entry.get("processing")
    if not kind.startswith(("sentinel-1", "s1")) or not isinstance(processing, Mapping):
        return 1.0
    speckle = processing.get("speckleFilter")
    filtered = isinstance(speckle, Mapping) and speckle.get("type", "NONE") != "NONE"
    return radar_factor(
        orthorectify=processing.get("orthorectify") in (True, "true"),
        terrain=processing.get("backCoeff") == "GAMMA0_TERRAIN",
        speckle=filtered,
    )


def _fusion(data: Sequence[Any], notes: Notes) -> Span:
    """Give the fusion factor; two entries of one collection may count once or twice."""
    kinds = {entry.get("type") for entry in data if isinstance(entry, Mapping)}
    factor = fusion_factor(len(data))
    notes[f"data fusion of {len(data)} sources, all in the deployment of the request"] = None
    return Span(fusion_factor(len(kinds)), factor, factor)
