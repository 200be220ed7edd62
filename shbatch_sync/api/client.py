"""The client: sentinelhub-py's BatchProcessClient, equal on the wire, better under failure."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self

from shbatch_sync.api import outcome, payload
from shbatch_sync.api.auth import TokenSource
from shbatch_sync.api.call import Call, segment
from shbatch_sync.api.limiter import settle_limit
from shbatch_sync.api.paging import PagedItems, pages, requests_ahead, requests_of
from shbatch_sync.api.refs import process_body, reading, request_id, request_of
from shbatch_sync.api.retry import RetryPolicy, http_date
from shbatch_sync.api.settings import refuse_untrusted, settle_config
from shbatch_sync.api.token_cache import TokenCache
from shbatch_sync.api.transport import Transport
from shbatch_sync.api.wire import Wire
from shbatch_sync.clock import SystemClock
from shbatch_sync.config import is_loopback
from shbatch_sync.request import BatchProcessRequest

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Iterator

    import httpx

    from shbatch_sync.api.limiter import RateLimit
    from shbatch_sync.api.refs import RequestRef
    from shbatch_sync.clock import Clock
    from shbatch_sync.config import Config

DEFAULT_RETRY = RetryPolicy()
DEFAULT_TIMEOUT = 120.0
DEFAULT_TOTAL_TIMEOUT = 600.0


class BatchProcessClient:
    """A client of the Batch Processing V2 API (https://docs.sentinel-hub.com/api/latest/api/batchv2/).

    Every method that calls the service may raise an `ApiError` (each kind stands in `shbatch_sync.errors`), or a
    `SettingsError` without credentials; reads have then been tried again within the limits. None of these is an
    exception of sentinelhub-py or requests: `except DownloadFailedException` catches nothing here.
    It may be used by many threads, and as a context manager.

    It differs from sentinelhub-py 3.12 where that is at fault: a create is sent once; a PUT or an action whose answer
    was lost is decided by reading the request; `zarr_output` sends `arrayParameters`; values that the service adds
    later are carried; a list gives each request once; the monitors end when nobody goes on with a request.

    Attributes:
        config: The settings in use.
        service_url: Base URL and path prefix.
    """

    s3_specification = staticmethod(payload.s3_specification)
    tiling_grid_input = staticmethod(payload.tiling_grid_input)
    geopackage_input = staticmethod(payload.geopackage_input)
    raster_output = staticmethod(payload.raster_output)
    zarr_output = staticmethod(payload.zarr_output)

    def __init__(  # noqa: PLR0913 - all but the first are optional settings by name
        self,
        config: Any = None,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        retry: RetryPolicy = DEFAULT_RETRY,
        rate_limit: RateLimit | float | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        total_timeout: float | None = DEFAULT_TOTAL_TIMEOUT,
        token_cache: str | os.PathLike[str] | None = None,
        read_ahead: int = 0,
        secrets: Collection[str] = (),
    ) -> None:
        """Prepare a client; nothing is sent before the first call.

        Args:
            config: A `Config`, a sentinelhub-py `SHConfig`, or None for the environment and config.toml.
            transport: Carries the calls instead of the network, e.g. `wsgi_transport(app)`.
            clock: Time, for tests.
            retry: What is tried again, and how often.
            rate_limit: Calls a minute, shared by all clients of this account in the process; or a `RateLimit` of
                your own. None only shares the waits that the service asks for.
            timeout: Seconds of one try.
            total_timeout: Seconds of a call with all its tries and waits; None for no limit but those of `retry`.
            token_cache: A file to keep the token in, with permissions 0600; None keeps it in memory only.
            read_ahead: Pages of a list of requests that a thread fetches while earlier ones are read; 0 for none.
            secrets: Values that must not show in what the service says, beside those of the client itself.

        Raises:
            SettingsError: The settings cannot be used.
            TargetRefusedError: The credentials would go to a host that is not trusted.
        """
        self.config: Config = settle_config(config)
        self.service_url = self.config.service_url
        self._read_ahead = read_ahead
        if transport is None:
            refuse_untrusted(self.config)
        self._clock = clock or SystemClock()
        self._wire = Wire(
            transport=transport, clock=self._clock, trust_env=not is_loopback(self.service_url)
        )
        self._transport = Transport(
            self.config,
            self._wire,
            TokenSource(
                self.config,
                self._wire,
                self._clock,
                TokenCache(token_cache, self.config) if token_cache else None,
            ),
            settle_limit(self.config, rate_limit, clock),
            clock=self._clock,
            secrets=secrets,
            retry=retry,
            timeout=timeout,
            total_timeout=total_timeout,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def create(
        self,
        process_request: Any,
        input: dict[str, Any],  # noqa: A002 - sentinelhub-py's name
        output: dict[str, Any],
        instance_type: Literal["normal", "large"] = "normal",
        description: str | None = None,
        **kwargs: Any,
    ) -> BatchProcessRequest:
        """Create a batch request. It is sent once; sentinelhub-py sends it again after a lost answer.

        Args:
            process_request: Body of a Process API request, or a sentinelhub-py `SentinelHubRequest`.
            input: See `tiling_grid_input` and `geopackage_input`.
            output: See `raster_output` and `zarr_output`.
            instance_type: For internal use of the service.
            description: Free text; the only member that can be changed later.
            **kwargs: Further members of the body.

        Raises:
            ValueError: `process_request` is neither.
            ApiError: It failed; if `outcome_unknown`, the request may exist all the same.
        """
        members = {
            "processRequest": process_body(process_request),
            "input": input,
            "output": output,
            "instanceType": instance_type,
            "description": description,
        }
        return self.post_body(payload.without_none({**members, **kwargs}))

    def post_body(self, body: dict[str, Any]) -> BatchProcessRequest:
        """Create a batch request from a whole body, sent once and exactly as it is.

        Raises:
            ApiError: It failed; if `outcome_unknown`, the request may exist all the same.
        """
        call = Call(method="POST", path="/process", body=body, once=True)
        return request_of(self._transport.once(call), call)

    def iter_requests(
        self,
        user_id: str | None = None,
        search: str | None = None,
        sort: str | None = None,
        **kwargs: Any,
    ) -> Iterator[BatchProcessRequest]:
        """Yield the requests of the account, page by page, each once.

        The pages are cut by an offset, so a request that appears or vanishes meanwhile shifts them: repeats are
        dropped here, and a complete picture needs `sort="created"`.

        Args:
            user_id: Sent as `userid`; the published API does not know it.
            search: Sent as it is; older deployments search descriptions with it.
            sort: `created`, `created:desc`, `status` or `status:desc`.
            **kwargs: Further query parameters, e.g. `count`, the page size.
        """
        params = {"userid": user_id, "search": search, "sort": sort, **kwargs}
        fetched = pages(self._transport, "/process", params, "No requests found")
        if self._read_ahead:
            return requests_ahead(fetched, self._read_ahead)
        return requests_of(fetched)

    def get_request(self, batch_request: RequestRef) -> BatchProcessRequest:
        """Read one request.

        Args:
            batch_request: Its id, a dictionary with `id`, or the request itself.

        Raises:
            RequestNotFoundError: There is none; for some minutes after a create that may be the service's lag.
        """
        call = reading(request_id(batch_request))
        return request_of(self._transport.read(call), call)

    def update_request(self, batch_request: RequestRef, description: str) -> Any:
        """Change the description; refused while the request is being processed.

        Args:
            batch_request: Its id, a dictionary with `id`, or the request itself.
            description: The new text.

        Returns:
            The service's answer; '' if the answer was lost and the request shows the new text.
        """
        id_ = request_id(batch_request)
        call = Call(
            method="PUT",
            path=f"/process/{segment(id_)}",
            body={"description": description},
            request_id=id_,
            wants_object=False,
        )
        return self._change(call, id_, partial(outcome.is_described, description=description))

    def start_analysis(self, batch_request: RequestRef) -> Any:
        """Start the analysis: the evalscript is checked and the features are listed. It is free.

        Args:
            batch_request: Its id, a dictionary with `id`, or the request itself.
        """
        return self._act(batch_request, "analyse", outcome.is_analysed)

    def start_job(self, batch_request: RequestRef) -> Any:
        """Start the processing, which costs processing units; an analysis that is missing is done first.

        Args:
            batch_request: Its id, a dictionary with `id`, or the request itself.
        """
        return self._act(batch_request, "start", outcome.is_started)

    def stop_job(self, batch_request: RequestRef) -> Any:
        """Stop the request; what has been processed so far is charged.

        Args:
            batch_request: Its id, a dictionary with `id`, or the request itself.
        """
        return self._act(batch_request, "stop", outcome.is_stopped)

    def iter_tiling_grids(self, **kwargs: Any) -> PagedItems:
        """Return an iterator over the tiling grids, which can be read more than once.

        Args:
            **kwargs: Query parameters.
        """
        what = "Failed to obtain information about available tiling grids"
        return PagedItems(pages(self._transport, "/tilinggrids", kwargs, what))

    def get_tiling_grid(self, grid_id: int) -> dict[str, Any]:
        """Read one tiling grid.

        Args:
            grid_id: Its id.
        """
        grid: dict[str, Any] = self._transport.read(
            Call(method="GET", path=f"/tilinggrids/{segment(grid_id)}")
        )
        return grid

    def service_time(self) -> datetime | None:
        """Return the service's clock, from the `Date` of the last answer and the time since; None before any."""
        text, at = self._wire.last_date
        moment = http_date(text)
        return moment and moment + timedelta(seconds=self._clock.monotonic() - at)

    def _act(
        self,
        batch_request: RequestRef,
        action: str,
        has_happened: Callable[[BatchProcessRequest, datetime | None], bool],
    ) -> Any:
        id_ = request_id(batch_request)
        call = Call(
            method="POST",
            path=f"/process/{segment(id_)}/{action}",
            request_id=id_,
            wants_object=False,
        )
        since = self.service_time()
        return self._change(call, id_, lambda request: has_happened(request, since))

    def _change(
        self, call: Call, id_: str, has_happened: Callable[[BatchProcessRequest], bool]
    ) -> Any:
        state = reading(id_)
        return self._transport.change(
            call, state, lambda answer: has_happened(request_of(answer, state))
        )
