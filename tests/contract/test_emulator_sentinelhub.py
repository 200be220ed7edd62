"""The emulator must be good enough for the client that people use: sentinelhub-py 3.12."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from shbatch_sync.emulator import Emulator, FaultScript, Options, Status
from shbatch_sync.emulator.server import serve

sentinelhub = pytest.importorskip("sentinelhub")
from sentinelhub import (  # noqa: E402
    BatchProcessClient,
    BatchRequestStatus,
    BatchUserAction,
    SHConfig,
    monitor_batch_process_analysis,
    monitor_batch_process_job,
)
from sentinelhub.download.sentinelhub_client import SentinelHubDownloadClient  # noqa: E402
from sentinelhub.exceptions import DownloadFailedException  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::sentinelhub.exceptions.SHRateLimitWarning"),
]
TOKEN_PATH = "/auth/realms/main/protocol/openid-connect/token"
PROCESS = {
    "input": {
        "bounds": {"bbox": [14.0, 45.8, 14.2, 46.0]},
        "data": [{"type": "sentinel-2-l1c"}],
    },
    "evalscript": "//VERSION=3\nfunction setup() {}\nfunction evaluatePixel() {}\n",
    "output": {"responses": [{"identifier": "default", "format": {"type": "image/tiff"}}]},
}


@pytest.fixture
def connect(monkeypatch):
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # oauthlib refuses http otherwise
    with ExitStack() as stack:

        def start(*, token_path=TOKEN_PATH, faults=None, **options):
            emulator = Emulator(options=Options(**options), faults=faults)
            stack.callback(emulator.close)
            server = stack.enter_context(serve(emulator))
            SentinelHubDownloadClient.clear_cache()
            config = SHConfig(
                use_defaults=True,
                sh_base_url=server.url,
                sh_token_url=server.url + token_path,
                sh_client_id="id",
                sh_client_secret="secret",
            )
            return BatchProcessClient(config), emulator

        yield start


def create(client, description="from sentinelhub-py"):
    delivery = client.s3_specification("s3://bucket/x", access_key="k", secret_access_key="s")
    return client.create(
        PROCESS,
        input=client.tiling_grid_input(1, 10, buffer_x=50, buffer_y=50),
        output=client.raster_output(delivery, overwrite=True),
        description=description,
    )


@pytest.mark.parametrize("token_path", [TOKEN_PATH, "/oauth/token"])
def test_a_request_from_create_to_stop(connect, token_path):
    client, emulator = connect(token_path=token_path)
    request = create(client)
    assert request.status is BatchRequestStatus.CREATED
    assert request.user_action is BatchUserAction.NONE
    assert request.request["processRequest"]["input"]["data"][0]["type"] == "S2L1C"
    assert request.request["output"]["delivery"]["s3"]["accessKey"] == "*****"
    assert client.get_request(request).request_id == request.request_id

    client.update_request(request, description="changed")
    assert client.get_request(request.request_id).request["description"] == "changed"

    client.start_analysis(request)
    assert client.get_request(request).status is BatchRequestStatus.ANALYSING
    emulator.service.advance(30)
    assert client.get_request(request).status is BatchRequestStatus.ANALYSIS_DONE

    client.start_job(request)
    emulator.service.advance(100)
    running = client.get_request(request)
    assert (running.status, running.cost_PU) == (BatchRequestStatus.PROCESSING, 10.0)

    client.stop_job(request)
    emulator.service.advance(10)
    stopped = client.get_request(request)
    assert stopped.status is BatchRequestStatus.STOPPED
    assert stopped.stopped_status_reason.value == "USER_ACTION"


def test_lists_are_paged(connect):
    client, _ = connect(page_size=2)
    ids = [create(client, f"number {n}").request_id for n in range(5)]
    assert [one.request_id for one in client.iter_requests()] == sorted(ids)
    assert [one.request_id for one in client.iter_requests(sort="created:desc")] == ids[::-1]


def test_grids(connect):
    client, _ = connect(page_size=4)
    grids = list(client.iter_tiling_grids())
    assert [grid["id"] for grid in grids] == [0, 1, 2, 3, 6, 7]
    assert client.get_tiling_grid(6) == grids[4]


def test_other_inputs_and_outputs(connect):
    client, _ = connect()
    role = client.s3_specification("s3://bucket/x", iam_role_arn="arn:aws:iam::0:role/r")
    package = client.create(
        PROCESS,
        input=client.geopackage_input(role),
        output=client.raster_output(
            role, cog_output=True, create_collection=True, cog_parameters={"blockxsize": 1024}
        ),
    )
    assert package.request["input"]["type"] == "geopackage"
    zarr = client.zarr_output(
        role,
        group={"zarr_format": 2},
        array_parameters={"dtype": "<u2", "order": "C", "chunks": [1, 1, 1], "fill_value": 0},
    )
    process = {
        **PROCESS,
        "output": {"responses": [{"identifier": "a", "format": {"type": "zarr/array"}}]},
    }
    with pytest.raises(DownloadFailedException, match="arrayParameters"):
        client.create(process, input=client.tiling_grid_input(6, 100), output=zarr)


def test_refusals_are_shown(connect):
    client, _ = connect()
    request = create(client)
    client.start_job(request)
    with pytest.raises(DownloadFailedException, match="Illegal to change userAction"):
        client.stop_job(request)


def test_its_monitors_end(connect):
    client, emulator = connect(speed=1000.0)
    request = create(client)
    client.start_analysis(request)
    emulator.service.advance(60)
    assert monitor_batch_process_analysis(request, client=client).status is (
        BatchRequestStatus.ANALYSIS_DONE
    )
    client.start_job(request)
    emulator.service.advance(10_000)
    assert monitor_batch_process_job(request, client).status is BatchRequestStatus.DONE


def test_it_obeys_the_milliseconds_of_retry_after(connect):
    script = FaultScript(("list", "before", Status(429, headers={"Retry-After": "50"})))
    client, _ = connect(faults=script)
    assert list(client.iter_requests()) == []
    assert script.left == 0


def test_wrong_credentials(connect):
    client, emulator = connect(credentials={"id": ("other", "account")})
    with pytest.raises(Exception, match="invalid_client"):
        create(client)
    assert emulator.service.tasks("account") == []
