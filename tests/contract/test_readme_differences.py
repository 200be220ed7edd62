"""What the README says of sentinelhub-py and of us, where no exchange with a service shows it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from shbatch_sync import BatchProcessClient, BatchProcessRequest, Config, errors

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("sentinelhub")
    import sentinelhub.exceptions as their_errors
    from sentinelhub.api.batch.process import BatchProcessRequest as TheirRequest

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of its libraries
README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
SECTION = README.split("## As a library")[1].split("\n## ")[0]
BODY: dict[str, Any] = {
    "id": "a",
    "domainAccountId": "d",
    "request": {},
    "status": "CREATED",
    "created": "2024-05-01T00:00:00Z",
}


def test_no_error_of_ours_is_one_of_theirs() -> None:
    ours = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
    ]
    named = ("DownloadFailedException", "MissingDataInRequestException")
    for name in named:
        theirs = getattr(their_errors, name)
        assert not any(issubclass(kind, theirs) for kind in ours)
        assert f"`{name}`" in SECTION
    assert not any(
        issubclass(kind, (ValueError, OSError)) for kind in ours
    )  # requests' are OSErrors
    text = BatchProcessClient.__doc__ or ""
    for kind in (errors.ApiError, errors.SettingsError):
        assert f"`{kind.__name__}`" in SECTION
        assert f"`{kind.__name__}`" in text
    assert named[0] in text


def test_without_credentials_a_call_is_a_settings_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SH_CLIENT_ID", "SH_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(errors.SettingsError):
        BatchProcessClient(Config(client_id="", client_secret="")).get_request("a")


@pytest.mark.parametrize("member", ["domainAccountId", "request", "status"])
def test_a_request_that_lacks_a_member(member: str) -> None:
    bare = {key: value for key, value in BODY.items() if key != member}
    with pytest.raises(KeyError):
        TheirRequest.from_dict(bare)
    read = BatchProcessRequest.from_dict(bare)
    filled = {
        "domainAccountId": read.domain_account_id,
        "request": read.request,
        "status": read.status.value,
    }
    assert filled[member] == {"request": {}, "status": "UNKNOWN"}.get(member)
    assert f"`{member}`" in SECTION


def test_times_of_the_schema() -> None:
    made = TheirRequest.schema().dump(TheirRequest.from_dict(BODY))
    assert made["created"] == 1714521600.0
    made = BatchProcessRequest.schema().dump(BatchProcessRequest.from_dict(BODY))
    assert made["created"] == BatchProcessRequest.from_dict(BODY).to_dict()["created"]
    assert made["created"].startswith("2024-05-01T00:00:00")
    assert "`schema().dump()`" in SECTION
