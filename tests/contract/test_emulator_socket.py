"""The emulator on a socket, and in several processes at once."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing

import httpx
import pytest

from shbatch_sync.emulator import Cut, Emulator, FaultScript, Lost, Options
from shbatch_sync.emulator.server import serve

FORM = {"grant_type": "client_credentials", "client_id": "id", "client_secret": "secret"}
PATH = "/batch/v2/process"
BODY = {
    "processRequest": {
        "input": {
            "bounds": {"bbox": [14.0, 45.8, 14.2, 46.0]},
            "data": [{"type": "sentinel-2-l2a"}],
        },
        "evalscript": "//VERSION=3\nfunction setup() {}\nfunction evaluatePixel() {}\n",
        "output": {"responses": [{"identifier": "default", "format": {"type": "image/tiff"}}]},
    },
    "input": {"type": "tiling-grid", "id": 0, "resolution": 10},
    "output": {
        "type": "raster",
        "delivery": {"s3": {"url": "s3://bucket/x", "iamRoleARN": "arn:aws:iam::0:role/r"}},
    },
}


def signed_in(url: str) -> httpx.Client:
    http = httpx.Client(base_url=url, timeout=60)
    token = http.post("/oauth/token", data=FORM).json()["access_token"]
    http.headers["Authorization"] = f"Bearer {token}"
    return http


@pytest.fixture
def served():
    with ExitStack() as stack:

        def start(db=":memory:", *, faults=None, **options) -> tuple[httpx.Client, Emulator]:
            emulator = Emulator(db, Options(**options), faults=faults)
            stack.callback(emulator.close)
            server = stack.enter_context(serve(emulator))
            http = signed_in(server.url)
            stack.callback(http.close)
            return http, emulator

        yield start


def test_it_is_ready_at_once_and_stops_with_open_connections():
    with closing(Emulator()) as emulator:
        server = serve(emulator)
        assert server.url.startswith("http://127.0.0.1:")
        with closing(signed_in(server.url)) as http:
            answer = http.get(PATH)
            assert answer.json()["links"]["@id"].startswith(server.url)
            began = time.monotonic()
            server.stop()
            assert time.monotonic() - began < 30  # not until the connections time out
        server.stop()
        port = int(server.url.rpartition(":")[2])
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
        with serve(emulator, port=port) as again:
            assert again.url == server.url


def test_waiting_ends_when_the_server_stops():
    with closing(Emulator()) as emulator:
        server = serve(emulator)
        waiter = threading.Thread(target=server.wait)
        waiter.start()
        server.stop()
        waiter.join(5)
        assert not waiter.is_alive()


def test_a_port_that_is_taken():
    with closing(Emulator()) as emulator, serve(emulator) as server:
        port = int(server.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            serve(emulator, port=port)


def test_the_services_date_reaches_the_client(served):
    http, _ = served(epoch=0.0)
    assert http.get(PATH).headers.get_list("date") == ["Thu, 01 Jan 1970 00:00:00 GMT"]


@pytest.mark.parametrize(("when", "created"), [("before", 0), ("after", 1)])
def test_a_lost_call_closes_the_connection(served, when, created):
    http, emulator = served(faults=FaultScript(("create", when, Lost())))
    with pytest.raises(httpx.RemoteProtocolError):
        http.post(PATH, json=BODY)
    assert len(emulator.service.tasks()) == created
    assert http.get(PATH).status_code == 200


def test_a_cut_answer_is_too_short(served):
    http, emulator = served(faults=FaultScript(("create", "after", Cut(20))))
    with pytest.raises(httpx.RemoteProtocolError):
        http.post(PATH, json=BODY)
    assert len(emulator.service.tasks()) == 1


WORKER = """
import json, sys
import httpx
from shbatch_sync.emulator import Emulator, Options
emulator = Emulator(sys.argv[1], Options(speed=1000.0))
http = httpx.Client(transport=httpx.WSGITransport(app=emulator.app), base_url="http://batch")
form = {"grant_type": "client_credentials", "client_id": "id", "client_secret": "s"}
token = http.post("/oauth/token", data=form).json()["access_token"]
http.headers["Authorization"] = "Bearer " + token
body = json.loads(sys.argv[2])
tasks = []
for _ in range(25):
    answer = http.post("/batch/v2/process", json=body)
    assert answer.status_code == 201, answer.text
    tasks.append(answer.json())
    http.post(f"/batch/v2/process/{tasks[-1]['id']}/start").raise_for_status()
print(json.dumps({"created": [task["created"] for task in tasks], "ids": [task["id"] for task in tasks]}))
emulator.close()
"""


def test_processes_on_one_file_are_one_service(tmp_path):
    path = tmp_path / "deep" / "sandbox.db"
    command = [sys.executable, "-c", WORKER, str(path), json.dumps(BODY)]
    workers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
        for _ in range(3)
    ]
    printed = [json.loads(worker.communicate(timeout=60)[0]) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    created = [instant for one in printed for instant in one["created"]]
    assert len(set(created)) == 75
    with closing(Emulator(path)) as emulator:
        tasks = emulator.service.tasks()
        assert [task["created"] for task in tasks] == sorted(created)
        assert {task["id"] for task in tasks} == {one for w in printed for one in w["ids"]}
        emulator.service.advance(10_000)
        assert {task["status"] for task in emulator.service.tasks()} == {"DONE"}
        assert emulator.service.balance() == pytest.approx(1e9 - 7500)


def test_a_process_that_is_killed_loses_nothing_it_answered(tmp_path):
    path = tmp_path / "sandbox.db"
    script = WORKER.replace("print(", "import os; print(").replace(
        "emulator.close()", "sys.stdout.flush(); os.kill(os.getpid(), 9)"
    )
    command = [sys.executable, "-c", script, str(path), json.dumps(BODY)]
    killed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    ids = json.loads(killed.stdout)["ids"]
    assert killed.returncode == -9
    with closing(Emulator(path)) as emulator:
        assert {task["id"] for task in emulator.service.tasks()} == set(ids)
        assert emulator.service.task(ids[0])["userAction"] == "START"
