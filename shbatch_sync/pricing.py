"""Prices of a project's jobs, each computed when somebody asks for it: a plan without starts asks for none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from shbatch_sync.cost.calibration import Calibration, calibrated
from shbatch_sync.cost.price import Estimate
from shbatch_sync.job import Job

if TYPE_CHECKING:
    from shbatch_sync.cost.features import Features

FeatureReader = Callable[[Job], "Features | None"]


class Prices(Mapping[str, Estimate]):
    """Job name → what starting it is expected to cost."""

    def __init__(
        self,
        jobs: Sequence[Job],
        features: FeatureReader = lambda _: None,
        calibration: Calibration | None = None,
    ) -> None:
        """Take the jobs to price.

        Args:
            jobs: Of one target.
            features: Reads the features of a job that has a local copy of its GeoPackage.
            calibration: Corrects every price by what earlier jobs really cost.
        """
        self._jobs = {job.name: job for job in jobs}
        self._features = features
        self._calibration = calibration
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

        price = estimate(job.spec, samples=job.samples, features=self._features(job))
        return calibrated(price, self._calibration) if self._calibration is not None else price
