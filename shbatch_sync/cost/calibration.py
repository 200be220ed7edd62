"""What past runs say about the estimates, and about requests that are too small to be cheap."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from shbatch_sync.cost.formula import BATCH_MINIMUM, batch_pu
from shbatch_sync.cost.price import Estimate

# Fewer small requests are hardly worth being made one, and a plan is read often.
MANY = 5
_WORTH_A_WORD = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How real prices compare with estimated ones.

    Attributes:
        ratio: Real PU over estimated PU, all pairs together; 1 without any.
        pairs: How many runs it rests on.
        lowest: Smallest ratio of one run.
        highest: Largest ratio of one run.
    """

    ratio: float = 1.0
    pairs: int = 0
    lowest: float = 1.0
    highest: float = 1.0


def calibrate(pairs: Iterable[tuple[float, float]]) -> Calibration:
    """Compare (estimated, real) PU of finished requests.

    Pairs at the minimum of 100 PU on both sides say nothing about the formula and are left out, as are requests that
    cost nothing because every file was there already.
    """
    told = [
        (estimated, real)
        for estimated, real in pairs
        if estimated > 0 and real > 0 and max(estimated, real) > BATCH_MINIMUM
    ]
    if not told:
        return Calibration()
    ratios = [real / estimated for estimated, real in told]
    return Calibration(
        ratio=math.fsum(real for _, real in told) / math.fsum(guess for guess, _ in told),
        pairs=len(told),
        lowest=min(ratios),
        highest=max(ratios),
    )


def calibrated(estimate: Estimate, found: Calibration) -> Estimate:
    """Scale an estimate by what past runs cost; its limits are widened, never narrowed."""
    if not found.pairs or estimate.unfloored is None:
        return estimate
    likely = estimate.unfloored * found.ratio
    high = None if estimate.high is None else estimate.high * max(1.0, found.highest)
    low = (
        estimate.low
        if estimate.low <= BATCH_MINIMUM
        else batch_pu(estimate.low * min(1.0, found.lowest))
    )
    note = f"calibrated: {found.pairs} past requests cost {found.ratio:.2f} times their estimates"
    return replace(
        estimate,
        pu=batch_pu(likely),
        unfloored=likely,
        low=low,
        high=high,
        assumptions=(*estimate.assumptions, note),
    )


def below_minimum(estimates: Iterable[Estimate]) -> str | None:
    """Warn of requests that cost the minimum of 100 PU each and together would cost far less; None if there are few."""
    small = [
        e.unfloored for e in estimates if e.unfloored is not None and e.unfloored < BATCH_MINIMUM
    ]
    apart, together = len(small) * BATCH_MINIMUM, batch_pu(math.fsum(small))
    if len(small) < MANY or together * _WORTH_A_WORD > apart:
        return None
    return (
        f"these {len(small)} jobs cost {apart:,.0f} PU at the minimum of 100 PU a request; "
        f"as one request they would cost {together:,.0f}"
    )
