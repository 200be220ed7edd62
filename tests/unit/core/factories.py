"""What the tests of the core are made of: jobs, requests as the service lists them, ledger lines."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from shbatch_sync import marker as markers
from shbatch_sync.cost.price import Estimate
from shbatch_sync.decision import build_plan
from shbatch_sync.digest import digest
from shbatch_sync.inventory import Live
from shbatch_sync.job import DeclaredState, Job, Origin, RestartPolicy
from shbatch_sync.ledger import Ledger
from shbatch_sync.ledger_line import Entry, Event
from shbatch_sync.marker import Marker
from shbatch_sync.normalize import normalize
from shbatch_sync.phase import phase_of
from shbatch_sync.plan import Change, Facts, Plan, Policy
from shbatch_sync.request import BatchProcessRequest

NOW = datetime(2024, 6, 10, 12, 0, tzinfo=UTC)
PROJECT = "crops"
TARGET = "eu"
ACCOUNT = "00000000-0000-4000-8000-000000000001"


def ago(**spans: float) -> datetime:
    """Return an instant before NOW."""
    return NOW - timedelta(**spans)


def stamp(moment: datetime) -> str:
    """Write an instant as the service does."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def spec(url: str = "s3://bucket/ndvi/<tileName>/<outputId>.tif", **changes: Any) -> dict[str, Any]:
    """Return a body; `changes` reach into it by the last name: evalscript, resolution, to."""
    return {
        "processRequest": {
            "input": {
                "bounds": {
                    "geometry": {
                        "type": "Polygon",
                        "coordinates": [[[14, 46], [15, 46], [15, 47], [14, 46]]],
                    }
                },
                "data": [
                    {
                        "type": "sentinel-2-l2a",
                        "dataFilter": {
                            "timeRange": {
                                "from": "2024-05-01T00:00:00Z",
                                "to": changes.get("to", "2024-05-31T23:59:59Z"),
                            }
                        },
                    }
                ],
            },
            "output": {"responses": [{"identifier": "default", "format": {"type": "image/tiff"}}]},
            "evalscript": changes.get("evalscript", "//VERSION=3\n// one\n"),
        },
        "input": {"type": "tiling-grid", "id": 0, "resolution": changes.get("resolution", 10)},
        "output": {"type": "raster", "delivery": {"s3": {"url": url}}},
    }


BODY = spec()
OTHER = spec(evalscript="//VERSION=3\n// two\n")
# The same request in other words: another digest, no difference.
COSMETIC = spec() | {"instanceType": "normal"}


def job(name: str = "ndvi", **members: Any) -> Job:
    """Return a job of BODY; `state` and `restart_policy` may be plain text."""
    members.setdefault("spec", BODY)
    members.setdefault("target", TARGET)
    members.setdefault("origin", Origin(f"jobs/{name}.yaml", 3))
    if "state" in members:
        members["state"] = DeclaredState(members["state"])
    if "restart_policy" in members:
        members["restart_policy"] = RestartPolicy(members["restart_policy"])
    return Job(name=name, **members)


def rid(number: int) -> str:
    """Return the id of the n-th request; the seals of different numbers differ."""
    return f"{number:08x}-0000-4000-8000-000000000000"


def nonce(number: int) -> str:
    """Return the name of the create call that made the n-th request."""
    letters, n = "abcdefghijklmnopqrstuvwxyz", number - 1
    return f"nonce{letters[n // 676 % 26]}{letters[n // 26 % 26]}{letters[n % 26]}"


def mark(number: int = 1, body: dict[str, Any] | None = None, **members: Any) -> Marker:
    """Return the sealed marker of a request; `seal=None` for one that has none yet."""
    members.setdefault("seal", markers.seal_of(rid(number)))
    members.setdefault("project", PROJECT)
    members.setdefault("job", "ndvi")
    members.setdefault("generation", 1)
    members.setdefault("digest", digest(BODY if body is None else body))
    members.setdefault("nonce", nonce(number))
    return Marker(**members)


def echo(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body in the service's own words."""
    said = copy.deepcopy(body)
    process = said["processRequest"]
    for data in process["input"]["data"]:
        data["type"] = {"sentinel-2-l2a": "S2L2A"}.get(data["type"], data["type"])
        data["dataFilter"] |= {
            "mosaickingOrder": "mostRecent",
            "maxCloudCoverage": 100.0,
            "previewMode": "DETAIL",
        }
    process["input"]["bounds"]["geometry"]["crs"] = {
        "type": "name",
        "properties": {"name": "urn:ogc:def:crs:OGC::CRS84"},
    }
    for response in process["output"]["responses"]:
        response["logo"] = False
    said["input"]["resolution"] = float(said["input"]["resolution"])
    said["output"] |= {
        "overwrite": False,
        "skipExisting": False,
        "cogOutput": False,
        "createCollection": False,
    }
    return {"instanceType": "normal", **said}


def request(
    number: int = 1,
    status: str = "CREATED",
    action: str | None = "NONE",
    *,
    body: dict[str, Any] | None = None,
    marker: Marker | str | None = "",
    text: str = "",
    **members: Any,
) -> BatchProcessRequest:
    """Return a request as the list shows it.

    Args:
        number: Tells requests and their ids apart.
        status: The service's.
        action: The last thing that was asked of it.
        body: As it was sent; the echo is made of it.
        marker: A marker; text for a description as it stands; None for none; by default the right one.
        text: What people wrote in front of the marker.
        members: Others of the service's, e.g. `costPU`.
    """
    body = BODY if body is None else body
    if marker == "":
        marker = mark(number, body)
    description = markers.describe(text, marker) if isinstance(marker, Marker) else marker
    said = echo(body) | ({} if description is None else {"description": description})
    created = members.pop("created", ago(days=2, minutes=-number))
    return BatchProcessRequest.from_dict(
        {
            "id": rid(number),
            "request": said,
            "domainAccountId": ACCOUNT,
            "status": status,
            "userAction": action,
            "userActionUpdated": stamp(members.pop("asked", ago(hours=30))),
            "created": stamp(created),
            "lastUpdated": stamp(members.pop("updated", ago(hours=20))),
            "completionPercentage": 0.0,
            "costPU": members.pop("cost", 0.0),
            **members,
        }
    )


def live(
    number: int = 1, status: str = "CREATED", action: str | None = "NONE", **more: Any
) -> Live:
    """Return a request of ours as the inventory holds it."""
    made = request(number, status, action, **more)
    found = markers.parse(made.description)
    assert isinstance(found, Marker)
    return Live(made, found, phase_of(made))


def entry(event: str = "start", number: int | None = 1, **members: Any) -> Entry:
    """Return a ledger line of the request with that number; None for a line without a request."""
    body = members.pop("body", BODY)
    members.setdefault("at", ago(days=1))
    members.setdefault("target", TARGET)
    members.setdefault("account", ACCOUNT)
    members.setdefault("project", PROJECT)
    members.setdefault("job", "ndvi")
    members.setdefault("generation", 1)
    members.setdefault("digest", digest(body))
    members.setdefault("norm_digest", digest(normalize(body)))
    members.setdefault("nonce", nonce(number or 1))
    request_id = None if number is None else rid(number)
    return Entry(event=Event(event), request_id=request_id, **members)


def ledger(*entries: Entry) -> Ledger:
    """Return a ledger of lines."""
    return Ledger.of(entries, project=PROJECT, target=TARGET, account=ACCOUNT)


def facts(**members: Any) -> Facts:
    """Return facts at NOW."""
    members.setdefault("now", NOW)
    return Facts(project=PROJECT, target=TARGET, account=ACCOUNT, **members)


def price(high: float | None) -> Estimate:
    """Return an estimate whose upper bound is `high`."""
    return Estimate(tiles=1, pixels=1, pu=high, low=high or 0.0, high=high)


def plan(
    jobs: Job | Iterable[Job],
    requests: Iterable[BatchProcessRequest] = (),
    lines: Iterable[Entry] = (),
    policy: Policy | None = None,
    **known: Any,
) -> Plan:
    """Plan; `known` are facts."""
    declared = [jobs] if isinstance(jobs, Job) else list(jobs)
    return build_plan(declared, list(requests), ledger(*lines), policy or Policy(), facts(**known))


def steps(made: Plan | Iterable[Change]) -> list[str]:
    """Return each change as `action reason`, with `!gate` where one holds it back."""
    changes = made.changes if isinstance(made, Plan) else made
    return [
        f"{change.action} {change.reason}"
        + (f" !{change.withheld.gate}" if change.withheld else "")
        for change in changes
    ]


def table(text: str) -> list[tuple[str, ...]]:
    """Read a table: one row a line, cells parted by `|`; blank lines and lines that begin with # say nothing."""
    lines = (line.strip() for line in text.splitlines())
    return [
        tuple(cell.strip() for cell in line.split("|"))
        for line in lines
        if line and not line.startswith("#")
    ]


def told(cell: str) -> list[str]:
    """Read a cell with the expected changes: parted by commas, `-` for none."""
    return [] if cell == "-" else [part.strip() for part in cell.split(",")]
