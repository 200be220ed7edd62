"""Prices of a project's jobs, each computed when somebody asks for it: a plan without starts asks for none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from shbatch_sync.cost.calibration import Calibration, calibrate, calibrated
from shbatch_sync.cost.price import Estimate
from shbatch_sync.job import Job
from shbatch_sync.ledger import Ledger

if TYPE_CHECKING:
    from shbatch_sync.cost.features import Features

FeatureReader = Callable[[Job], "Features | None"]


def features_of(job: Job) -> Features | None:
    """Count the features of a job with GeoPackage input by its local copy; None where it names none.

    Raises:
        AreaError: The job's bounds cannot be compared with them.
    """
    if job.local_copy is None:
        return None
    bounds = job.spec["processRequest"]["input"].get("bounds")
    return job.local_copy.features(bounds, job.spec["input"].get("defaults"))


class Prices(Mapping[str, Estimate]):
    """Job name → what starting it is expected to cost."""

    def __init__(
        self,
        jobs: Sequence[Job],
        features: FeatureReader = features_of,
        calibration: Callable[[], Calibration] | None = None,
    ) -> None:
        """Take the jobs to price.

        Args:
            jobs: Of one target.
            features: Reads the features of a job that has a local copy of its GeoPackage.
            calibration: Learns what earlier jobs really cost, to correct every price by; called once, with the first.
        """
        self._jobs = {job.name: job for job in jobs}
        self._features = features
        self._learn = calibration
        self._calibration: Calibration | None = None
        self._known: dict[str, Estimate] = {}

    def __getitem__(self, name: str) -> Estimate:
        if name not in self._known:
            self._known[name] = self._price(self._jobs[name])
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._jobs)

    def __len__(self) -> int:
        return len(self._jobs)

    def _price(self, job: Job) -> Estimate:
        from shbatch_sync.cost.estimate import estimate  # noqa: PLC0415 - brings the grids and the script reader

        price = estimate(job.spec, samples=job.samples, features=lambda: self._features(job))
        if self._learn is None:
            return price
        if self._calibration is None:
            self._calibration = self._learn()
        return calibrated(price, self._calibration)


def past_prices(jobs: Sequence[Job], ledger: Ledger) -> dict[str, tuple[float, float]]:
    """Return job → (estimated, real) processing units, of declared jobs that the ledger knows as done.

    A job that was resumed or tried again is left out: its last end tells only a part of what it cost.
    """
    prices = Prices(jobs)
    found = {}
    for job in jobs:
        done = ledger.record(job).done
        if done is None or done.cost_pu is None or done.attempt > 1:
            continue
        estimated = prices[job.name].pu
        if estimated is not None:
            found[job.name] = (estimated, done.cost_pu)
    return found


def learnt(jobs: Sequence[Job], ledger: Ledger) -> Calibration:
    """Return how real prices of finished jobs compare with their estimates."""
    return calibrate(past_prices(jobs, ledger).values())
