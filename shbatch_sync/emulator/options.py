"""What can be chosen about the emulated service, mostly what the documentation leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from shbatch_sync.emulator.grids import GRIDS, Grid
from shbatch_sync.emulator.lifecycle import SECOND, Timing

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_ACCOUNT = "6f1c2d8e-3b54-4c07-9a4e-5d1f0b7a9c31"
"""The account of everybody, unless `Options.credentials` says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the emulated service behaves. Seconds are the service's own unless stated otherwise.

    Attributes:
        page_size: Most items of a page; a larger `count` gets as many.
        order: What a list is sorted by when the call does not say; recorded lists were by id.
        lag: A new request is missing from lists for so long.
        get_lag: A new request is unknown by its id for so long.
        speed: Service seconds a real second; None keeps what the database file has, 1 for a new one.
        epoch: Where a new database's clock begins, Unix seconds; None is now.
        put_body: What an update answers with: the request, the task, or nothing.
        put_in_analysing: Whether a description may change while the analysis runs.
        start_in_analysing: Whether a start is taken while the analysis runs.
        token_life: Of an access token, real seconds.
        requests_per_minute: Of an account, in real time and for this process; None is no limit.
        pu_balance: Processing units that an account begins with.
        pu_minimum: A create needs at least so many.
        pu_per_job: Price of every request; None estimates it from area, grid and resolution, at least 100.
        accept_seconds: From a start to the next status.
        accept_analyse_seconds: From an analyse to the next status.
        analysis_seconds: Of an analysis.
        processing_seconds: Of the processing.
        charges: Times that units are charged in it.
        stop_seconds: From a stop in the middle of processing to rest.
        restart_seconds: After a user's stop, how long a start is refused.
        retention_seconds: A request at rest vanishes after so long; None keeps all.
        credentials: Client id → (secret, account id); None takes everybody into one account.
        grids: The tiling grids on offer.
    """

    page_size: int = 100
    order: Literal["id", "created"] = "id"
    lag: float = 0.0
    get_lag: float = 0.0
    speed: float | None = None
    epoch: float | None = None
    put_body: Literal["request", "task", "none"] = "request"
    put_in_analysing: bool = True
    start_in_analysing: bool = True
    token_life: float = 3600.0
    requests_per_minute: int | None = None
    pu_balance: float = 1e9
    pu_minimum: float = 1000.0
    pu_per_job: float | None = None
    accept_seconds: float = 5.0
    accept_analyse_seconds: float = 0.0
    analysis_seconds: float = 30.0
    processing_seconds: float = 600.0
    charges: int = 10
    stop_seconds: float = 5.0
    restart_seconds: float = 1800.0
    retention_seconds: float | None = None
    credentials: Mapping[str, tuple[str, str]] | None = None
    grids: tuple[Grid, ...] = GRIDS

    def timing(self) -> Timing:
        """Return the durations as the life cycle takes them."""
        return Timing(
            accept=round(self.accept_seconds * SECOND),
            accept_analyse=round(self.accept_analyse_seconds * SECOND),
            analysis=round(self.analysis_seconds * SECOND),
            processing=round(self.processing_seconds * SECOND),
            charges=max(self.charges, 1),
            stopping=round(self.stop_seconds * SECOND),
            restart=round(self.restart_seconds * SECOND),
            start_in_analysing=self.start_in_analysing,
        )
