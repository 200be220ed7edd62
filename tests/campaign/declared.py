"""From the short form of a manifest to the job that the product is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from shbatch_sync.cost.price import Estimate
from shbatch_sync.job import Job, Origin
from tests.campaign.body import spec
from tests.campaign.schedule import Declared
from tests.campaign.world import TARGET

Manifests = tuple[Declared, ...]


@cache
def job_of(declared: Declared) -> Job:
    """Return the job that a manifest declares, but for what hangs on others."""
    return Job(
        name=declared.name,
        target=TARGET,
        spec=spec(declared.place, declared.version),
        origin=Origin(f"jobs/{declared.name}.yaml", 1),
        description=declared.description,
        state=declared.state,
        generation=declared.generation,
        restart_policy=declared.restart,
        previous_names=declared.previous,
        max_pu=declared.max_pu,
    )


def jobs_of(manifests: Manifests, hands: Mapping[str, str]) -> list[Job]:
    """Return the jobs of a checkout; what is declared no more is depended on no more."""
    names = {one.place: one.name for one in manifests}
    return [_whole(one, names, hands) for one in manifests]


def _whole(declared: Declared, names: Mapping[str, str], hands: Mapping[str, str]) -> Job:
    job = job_of(declared)
    depends = tuple(names[place] for place in declared.depends if place in names)
    adopt = hands.get(declared.place) if declared.adopt else None
    return replace(job, depends_on=depends, adopt=adopt) if depends or adopt else job


def prices_of(manifests: Manifests, prices: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return the high estimates by job."""
    return {one.name: prices[one.place] for one in manifests if one.place in prices}


def estimate(high: float | None) -> Estimate:
    """Return an estimate with a high bound, or one that cannot be told."""
    return Estimate(pu=high, low=high or 0.0, high=high)
