"""What tests of several folders share."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, settings

# A merge is not refused by chance, nor by a slow machine; `--hypothesis-profile=search` looks for what is not known yet.
settings.register_profile(
    "merge", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", settings.get_profile("merge"), derandomize=False)
settings.load_profile("merge")

CORPUS = Path(os.environ.get("SHBATCH_CORPUS") or Path(__file__).parents[2] / "shared" / "corpus")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write tests/golden anew; read the diff"
    )


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of bodies, answers and areas collected from the field; not part of the repository."""
    if not CORPUS.is_dir():
        pytest.skip("the corpus is not here: set SHBATCH_CORPUS")
    return CORPUS


@pytest.fixture(scope="module")
def moto_url() -> Iterator[str]:
    """Return the URL of an S3 on loopback that is empty."""
    server_module = pytest.importorskip("moto.server", reason="needs moto[server]")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    httpx.post(
        f"{url}/moto-api/reset"
    ).raise_for_status()  # all servers of a process share one store
    yield url
    server.stop()
