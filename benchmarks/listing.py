"""Listing an account: ours, sentinelhub 3.12 and a bare httpx loop, against one loopback server.

    python benchmarks/listing.py [--requests 20000] [--rounds 3]

The bars: ours is at least 8 times as fast as sentinelhub's client and takes at most 1.3 times as long as the bare
loop; its peak memory at 50,000 requests is that at 2,000.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

PAGE_SIZE = 100
LIST_PATH = "/api/v2/batch/process"
TOKEN_PATH = "/auth/realms/main/protocol/openid-connect/token"  # noqa: S105 - a path
EVALSCRIPT = (
    "//VERSION=3\n" + "// a line of an evalscript of ordinary length, some fifty characters\n" * 20
)


def sample(number: int) -> dict[str, Any]:
    ring = [[14 + step / 100, 45 + step / 50] for step in range(20)]
    return {
        "id": str(uuid.UUID(int=number + 1)),
        "request": {
            "processRequest": {
                "input": {
                    "bounds": {"geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}},
                    "data": [
                        {
                            "type": "S2L2A",
                            "dataFilter": {
                                "timeRange": {
                                    "from": "2024-05-01T00:00:00Z",
                                    "to": "2024-05-31T23:59:59Z",
                                },
                                "mosaickingOrder": "mostRecent",
                                "maxCloudCoverage": 100.0,
                            },
                        }
                    ],
                },
                "output": {
                    "responses": [{"identifier": "default", "format": {"type": "image/tiff"}}]
                },
                "evalscript": EVALSCRIPT,
            },
            "input": {"type": "tiling-grid", "id": 0, "resolution": 10.0},
            "output": {
                "type": "raster",
                "delivery": {"s3": {"url": "s3://bucket/ndvi"}},
                "overwrite": False,
            },
            "instanceType": "normal",
            "description": f"Monthly NDVI of region {number}",
        },
        "domainAccountId": "00000000-0000-4000-8000-000000000001",
        "status": "DONE",
        "userAction": "START",
        "userActionUpdated": "2024-09-03T13:01:00.000000Z",
        "created": "2024-09-03T12:58:13.957032Z",
        "completionPercentage": 100.0,
        "lastUpdated": "2024-09-03T13:05:00.123456Z",
        "costPU": 1234.5,
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    pages: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(
            json.dumps(
                {"access_token": "x.y.z", "token_type": "Bearer", "expires_in": 3600}
            ).encode()
        )

    def do_GET(self) -> None:
        token = parse_qs(urlsplit(self.path).query).get("viewtoken", ["0"])[0]
        self.answer(self.pages[int(token)])

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass


def rendered_pages(count: int) -> list[bytes]:
    pages = []
    for start in range(0, count, PAGE_SIZE):
        more = start + PAGE_SIZE < count
        links = {"nextToken": str(start // PAGE_SIZE + 1)} if more else {}
        data = [sample(number) for number in range(start, min(count, start + PAGE_SIZE))]
        pages.append(json.dumps({"data": data, "links": links}).encode())
    return pages


def serve(count: int) -> None:
    Handler.pages = rendered_pages(count)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


@contextmanager
def running_server(count: int) -> Iterator[str]:
    command = [sys.executable, __file__, "--serve", str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def list_ours(base: str) -> int:
    from shbatch_sync import BatchProcessClient, Config

    config = Config(base_url=base, client_id="id", client_secret="secret")  # noqa: S106 - loopback
    with BatchProcessClient(config) as client:
        return sum(1 for _ in client.iter_requests())


def list_ours_reading_fields(base: str) -> int:
    from shbatch_sync import BatchProcessClient, Config

    config = Config(base_url=base, client_id="id", client_secret="secret")  # noqa: S106 - loopback
    with BatchProcessClient(config) as client:
        return sum(
            bool(
                one.request_id
                and one.status
                and one.user_action
                and one.created
                and one.description
            )
            for one in client.iter_requests()
        )


def list_sentinelhub(base: str) -> int:
    from sentinelhub import BatchProcessClient, SHConfig

    config = SHConfig(
        use_defaults=True,
        sh_base_url=base,
        sh_token_url=base + TOKEN_PATH,
        sh_client_id="id",
        sh_client_secret="secret",  # noqa: S106 - loopback
    )
    return sum(1 for _ in BatchProcessClient(config).iter_requests())


def list_bare(base: str) -> int:
    import httpx

    count, token = 0, None
    with httpx.Client(headers={"Authorization": "Bearer x"}) as client:
        while True:
            url = base + LIST_PATH + (f"?viewtoken={token}" if token else "")
            page = json.loads(client.get(url).content)
            count += sum(1 for _ in page["data"])
            token = page["links"].get("nextToken")
            if token is None:
                return count


CONTENDERS = {
    "bare httpx loop": list_bare,
    "shbatch-sync": list_ours,
    "shbatch-sync, five fields read": list_ours_reading_fields,
    "sentinelhub 3.12": list_sentinelhub,
}


def best_times(base: str, count: int, rounds: int) -> dict[str, float]:
    best = dict.fromkeys(CONTENDERS, float("inf"))
    for _ in range(rounds):
        for name, run in CONTENDERS.items():
            started = time.perf_counter()
            listed = run(base)
            best[name] = min(best[name], time.perf_counter() - started)
            if listed != count:
                sys.exit(f"{name} listed {listed} of {count}")
    return best


def peak_mib(count: int) -> float:
    with running_server(count) as base:
        command = [sys.executable, __file__, "--peak", base]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def report_peak(base: str) -> None:
    list_ours(base)
    print(high_water_mib())


def high_water_mib() -> float:
    """Of this program: what getrusage says on Linux includes the process that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(count: int, rounds: int) -> None:
    os.environ |= {
        "NO_PROXY": "127.0.0.1",
        "OAUTHLIB_INSECURE_TRANSPORT": "1",
    }  # plain http to loopback
    with running_server(count) as base:
        for run in CONTENDERS.values():
            run(base)  # imports and warm caches are not what is measured
        times = best_times(base, count, rounds)
    ours = times["shbatch-sync"]
    print(f"{count} requests in pages of {PAGE_SIZE}, best of {rounds}:")
    for name, seconds in times.items():
        print(f"  {name:32} {seconds:7.3f} s  {seconds / count * 1e6:8.1f} µs a request")
    print(f"  {times['sentinelhub 3.12'] / ours:.1f} times as fast as sentinelhub 3.12 (bar: 8)")
    print(f"  {ours / times['bare httpx loop']:.2f} times the bare loop (bar: 1.3)")
    few, many = peak_mib(2_000), peak_mib(50_000)
    print(
        f"  peak memory {few:.1f} MiB at 2,000, {many:.1f} MiB at 50,000 ({many / few:.2f} times)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve)
    elif arguments.peak:
        report_peak(arguments.peak)
    else:
        report(arguments.requests, arguments.rounds)


if __name__ == "__main__":
    main()
