"""The ledger on S3, against moto's server on loopback."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shbatch_sync.errors import LedgerError, SettingsError
from shbatch_sync.ledger import Ledger
from shbatch_sync.ledger_line import Entry, Event, dump
from shbatch_sync.store import s3
from shbatch_sync.store.s3_ledger import MAX_BYTES, S3Ledger

boto3 = pytest.importorskip("boto3", reason="needs the extra s3")
from botocore.exceptions import (  # noqa: E402
    ClientError,
    NoCredentialsError,
    ResponseStreamingError,
)

pytestmark = [
    pytest.mark.filterwarnings(f"ignore::DeprecationWarning:{module}")
    for module in ("boto3", "botocore", "moto", "werkzeug")
]

BUCKET = "crops-state"
SECRET = "b3Blbi1zZXNhbWU"
LINE = Entry(
    at=datetime(2026, 3, 1, 8, 30, tzinfo=UTC),
    event=Event.START,
    target="eu",
    project="crops",
    job="ndvi",
    generation=1,
    digest="1.3f9c2ab17d04",
    request_id="1b9d6bcd-0000-4000-8000-000000000001",
)


@pytest.fixture(scope="module")
def env(moto_url: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": moto_url,
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
    }


@pytest.fixture
def bucket(env: dict[str, str]) -> Iterator[Any]:
    """An empty bucket, and the client that looks into it."""
    with closing(s3.connect(env)) as client:
        client.create_bucket(Bucket=BUCKET)
        yield client
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        for page in pages:
            for item in page.get("Contents", ()):
                client.delete_object(Bucket=BUCKET, Key=item["Key"])
        client.delete_bucket(Bucket=BUCKET)


@pytest.fixture
def store(bucket: Any) -> S3Ledger:
    return S3Ledger(f"s3://{BUCKET}/state/eu", client=bucket)


class Through:
    """A client that counts calls, and may answer in another's place."""

    def __init__(self, client: Any = None, **answers: Callable[..., Any]) -> None:
        self.client = client
        self.answers = answers
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            self.calls.append(name)
            return (self.answers.get(name) or getattr(self.client, name))(**arguments)

        return call


def refusing(code: str, *, only_if: str | None = None, client: Any = None) -> Callable[..., Any]:
    """Answer a put with an error; with `only_if`, only where that argument is given."""

    def refuse(**arguments: Any) -> Any:
        if only_if is None or only_if in arguments:
            text = f"the key {SECRET} is wrong"
            raise ClientError({"Error": {"Code": code, "Message": text}}, "PutObject")
        return client.put_object(**arguments)

    return refuse


def names(client: Any) -> list[str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    return [item["Key"] for page in pages for item in page.get("Contents", ())]


def put(client: Any, name: str, text: str | bytes) -> None:
    body = text if isinstance(text, bytes) else text.encode()
    client.put_object(Bucket=BUCKET, Key=f"state/eu/{name}", Body=body)


# --- what it keeps -------------------------------------------------------------------------------------------


def test_it_is_begun_once_and_then_there_is_one(store: S3Ledger, bucket: Any):
    assert not store.exists()
    store.begin()
    again = S3Ledger(store.place, client=bucket)
    again.begin()
    assert store.exists()
    assert again.exists()
    assert names(bucket) == ["state/eu/ledger.begun"]
    assert store.read() == ()
    assert store.unreadable == ()


def test_a_ledger_of_a_longer_prefix_is_another_one(bucket: Any):
    S3Ledger(f"s3://{BUCKET}/state/eu-west", client=bucket).begin()
    assert not S3Ledger(f"s3://{BUCKET}/state/eu", client=bucket).exists()


def test_what_exists_is_not_asked_again(bucket: Any):
    through = Through(bucket)
    store = S3Ledger(f"s3://{BUCKET}/state/eu", client=through)
    store.begin()
    store.begin()
    assert store.exists()
    assert through.calls == ["put_object"]


def test_lines_come_back_as_they_were_written(store: S3Ledger, bucket: Any):
    final = replace(
        LINE, event=Event.FINAL, status="DONE", cost_pu=12.5, at=LINE.at + timedelta(hours=1)
    )
    store.append(LINE, final)
    store.append()
    assert store.read() == (LINE, final)
    assert S3Ledger(store.place, client=bucket).read() == (LINE, final)
    assert len(names(bucket)) == 2


def test_the_same_line_twice_is_two_objects_and_one_fact(store: S3Ledger, bucket: Any):
    store.append(LINE)
    S3Ledger(store.place, client=bucket).append(LINE)
    read = store.read()
    assert read == (LINE, LINE)
    assert Ledger.of(read, project="crops", target="eu", account=None).entries == (LINE,)


def test_a_second_read_costs_one_listing_and_only_what_is_new(bucket: Any):
    other = S3Ledger(f"s3://{BUCKET}/state/eu", client=bucket)
    other.append(LINE)
    through = Through(bucket)
    store = S3Ledger(other.place, client=through)
    assert len(store.read()) == 1
    assert through.calls == ["list_objects_v2", "get_object"]
    through.calls.clear()
    assert len(store.read()) == 1
    assert through.calls == ["list_objects_v2"]
    other.append(replace(LINE, job="ndwi"))
    through.calls.clear()
    assert {line.job for line in store.read()} == {"ndvi", "ndwi"}
    assert through.calls == ["list_objects_v2", "get_object"]


def test_what_it_wrote_itself_is_known_without_a_list_that_shows_it(bucket: Any):
    through = Through(bucket, list_objects_v2=lambda **_: {"KeyCount": 0})
    store = S3Ledger(f"s3://{BUCKET}/state/eu", client=through)
    store.append(LINE)
    assert store.read() == (LINE,)


def test_a_list_of_many_pages_is_read_to_its_end(bucket: Any):
    lines = [replace(LINE, job=f"job-{number}") for number in range(1205)]
    file = S3Ledger(f"s3://{BUCKET}/state/eu", client=bucket)
    put(bucket, "uploaded.jsonl", "".join(f"{dump(line)}\n" for line in lines[:1180]))
    file.append(*lines[1180:])
    through = Through(bucket)
    through.answers["list_objects_v2"] = lambda **more: bucket.list_objects_v2(**more, MaxKeys=7)
    read = S3Ledger(file.place, client=through).read()
    assert {line.job for line in read} == {line.job for line in lines}
    assert through.calls.count("list_objects_v2") == 4


def test_two_appliers_lose_no_event_of_200_interleaved_appends(env: dict[str, str], bucket: Any):
    with closing(s3.connect(env)) as other:
        stores = [S3Ledger(f"s3://{BUCKET}/state/eu", client=client) for client in (bucket, other)]
        both = threading.Barrier(2)

        def apply(number: int) -> None:
            for turn in range(100):
                if turn % 10 == 0:
                    both.wait()
                stores[number].append(replace(LINE, job=f"job-{number}-{turn}"))

        threads = [threading.Thread(target=apply, args=(number,)) for number in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wanted = {f"job-{number}-{turn}" for number in (0, 1) for turn in range(100)}
        for store in (*stores, S3Ledger(stores[0].place, client=bucket)):
            assert {line.job for line in store.read()} == wanted
            assert len(store.read()) == 200
            assert store.unreadable == ()


def test_threads_of_one_applier_may_write_at_once(store: S3Ledger):
    def apply(number: int) -> None:
        for turn in range(10):
            store.append(replace(LINE, job=f"job-{number}-{turn}"))

    threads = [threading.Thread(target=apply, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({line.job for line in store.read()}) == 40


# --- objects that are not ours, or not whole -----------------------------------------------------------------


def test_what_cannot_be_read_is_named_and_the_rest_holds(store: S3Ledger, bucket: Any):
    store.append(LINE)
    line = dump(replace(LINE, job="ndwi"))
    put(bucket, "torn.json", line[:-20])
    put(bucket, "noise.bin", b"\xff\xfe\x00")
    put(bucket, "half.jsonl", f"{line}\n{line[:30]}")
    put(bucket, "folder/", "")
    put(bucket, "empty.json", "")
    fresh = S3Ledger(store.place, client=bucket)
    assert {entry.job for entry in fresh.read()} == {"ndvi", "ndwi"}
    assert fresh.unreadable == tuple(
        f"state/eu/{name}" for name in ("half.jsonl", "noise.bin", "torn.json")
    )
    assert fresh.lost == []  # the ends are torn off, and what is no line's name is nobody's line
    put(bucket, "spoilt.json", f"{line[:-20]}\n")
    fresh.read()
    assert fresh.lost == ["state/eu/spoilt.json"]


def test_an_object_that_was_mended_is_read_again(store: S3Ledger, bucket: Any):
    put(bucket, "torn.json", dump(LINE)[:-20])
    assert store.read() == ()
    put(bucket, "torn.json", dump(LINE))
    assert store.read() == (LINE,)
    assert store.unreadable == ()


def test_an_object_that_can_be_no_ledger_is_not_fetched(bucket: Any):
    through = Through(bucket)
    store = S3Ledger(f"s3://{BUCKET}/state/eu", client=through)
    item = {"Key": "state/eu/film.mp4", "Size": MAX_BYTES + 1, "ETag": "x"}
    through.answers["list_objects_v2"] = lambda **_: {"Contents": [item]}
    assert store.read() == ()
    assert store.unreadable == ("state/eu/film.mp4",)
    assert "get_object" not in through.calls


def test_pieces_may_be_joined_while_they_are_read(store: S3Ledger, bucket: Any):
    other = S3Ledger(store.place, client=bucket)
    other.append(LINE)
    old = names(bucket)[0]

    def join(**arguments: Any) -> Any:
        if arguments["Key"] == old and old in names(bucket):
            put(bucket, "joined.jsonl", dump(LINE))
            bucket.delete_object(Bucket=BUCKET, Key=old)
        return bucket.get_object(**arguments)

    reader = S3Ledger(store.place, client=Through(bucket, get_object=join))
    assert reader.read() == (LINE,)


def test_objects_that_vanish_again_and_again_are_told(store: S3Ledger, bucket: Any):
    put(bucket, "ghost.json", dump(LINE))
    gone = refusing("NoSuchKey")
    with pytest.raises(LedgerError, match="being deleted while it is read"):
        S3Ledger(store.place, client=Through(bucket, get_object=gone)).read()


class _Broken(io.BytesIO):
    def read(self, *_: Any) -> bytes:
        raise ResponseStreamingError(error=f"connection broken, {SECRET}")


def test_an_answer_that_breaks_off_is_asked_for_again(store: S3Ledger, bucket: Any):
    put(bucket, "line.json", dump(LINE))
    turns = []

    def unsteady(**arguments: Any) -> Any:
        turns.append(1)
        return {"Body": _Broken()} if len(turns) == 1 else bucket.get_object(**arguments)

    assert S3Ledger(store.place, client=Through(bucket, get_object=unsteady)).read() == (LINE,)
    broken = Through(bucket, get_object=lambda **_: {"Body": _Broken()})
    with pytest.raises(LedgerError, match="could not be used") as caught:
        S3Ledger(store.place, client=broken).read()
    assert SECRET not in str(caught.value)
    assert broken.calls.count("get_object") == s3.ATTEMPTS


# --- the condition -------------------------------------------------------------------------------------------


def test_a_name_is_never_written_over(bucket: Any):
    asked: list[Any] = []
    through = Through(bucket)
    through.answers["put_object"] = lambda **put: (
        asked.append(put["IfNoneMatch"]) or bucket.put_object(**put)
    )
    S3Ledger(f"s3://{BUCKET}/state/eu", client=through).append(LINE)
    assert asked == ["*"]


def test_a_write_whose_answer_was_lost_is_written_once(bucket: Any):
    def lost(**arguments: Any) -> Any:
        """Write it twice, as the client's own repetition does when the first answer is lost."""
        bucket.put_object(**arguments)
        return bucket.put_object(**arguments)

    store = S3Ledger(f"s3://{BUCKET}/state/eu", client=Through(bucket, put_object=lost))
    store.append(LINE)
    assert store.read() == (LINE,)
    assert len(names(bucket)) == 1


def test_a_store_without_conditions_is_written_to_without(bucket: Any):
    through = Through(bucket)
    through.answers["put_object"] = refusing("NotImplemented", only_if="IfNoneMatch", client=bucket)
    store = S3Ledger(f"s3://{BUCKET}/state/eu", client=through)
    store.append(LINE)
    store.append(replace(LINE, job="ndwi"))
    assert len(names(bucket)) == 2
    assert through.calls == ["put_object"] * 3


# --- what goes wrong -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("AccessDenied", "s3:ListBucket on crops-state, and s3:GetObject and s3:PutObject on"),
        ("NoSuchBucket", "there is no bucket crops-state"),
        ("ExpiredToken", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"),
        ("PermanentRedirect", "set AWS_REGION"),
        ("SlowDown", "try again"),
    ],
)
def test_a_refusal_says_what_to_do_and_repeats_nothing(code: str, advice: str):
    no = refusing(code)
    through = Through(list_objects_v2=no, put_object=no)
    store = S3Ledger(f"s3://{BUCKET}/state/eu", client=through)
    for call, verb in (
        (store.exists, "read"),
        (store.begin, "begun"),
        (store.read, "read"),
        (lambda: store.append(LINE), "written"),
    ):
        with pytest.raises(LedgerError) as caught:
            call()
        text = str(caught.value)
        assert text.startswith(f"ledger s3://{BUCKET}/state/eu/: cannot be {verb}: ")
        assert advice in text
        assert code in text
        assert SECRET not in text
        assert caught.value.__suppress_context__


def test_an_object_that_may_not_be_fetched_ends_the_read(bucket: Any):
    put(bucket, "line.json", dump(LINE))
    through = Through(bucket, get_object=refusing("AccessDenied"))
    with pytest.raises(LedgerError, match="s3:GetObject"):
        S3Ledger(f"s3://{BUCKET}/state/eu", client=through).read()


def test_a_bucket_that_is_not_there_is_told(env: dict[str, str]):
    with closing(s3.connect(env)) as client:
        store = S3Ledger("s3://never-made/state", client=client)
        with pytest.raises(LedgerError, match="there is no bucket never-made"):
            store.append(LINE)
        with pytest.raises(LedgerError, match="there is no bucket never-made"):
            store.exists()


def test_without_credentials_it_says_where_they_go():
    def none(**_: Any) -> Any:
        raise NoCredentialsError

    with pytest.raises(LedgerError, match="expired or wrong"):
        S3Ledger("s3://crops-state/state", client=Through(list_objects_v2=none)).read()


def test_a_token_that_no_header_can_hold_is_not_shown(env: dict[str, str]):
    """The HTTP library repeats such a header in its error."""
    store = S3Ledger(f"s3://{BUCKET}/state", env=env | {"AWS_SESSION_TOKEN": f"{SECRET}\nx"})
    with pytest.raises(LedgerError) as caught:
        store.append(LINE)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("variables", "advice"),
    [
        ({"AWS_PROFILE": "no-such-profile"}, "ProfileNotFound"),
        ({"AWS_ACCESS_KEY_ID": "AKIATEST"}, "go together"),
        (
            {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ENDPOINT_URL": "x y"},
            "AWS_ENDPOINT_URL",
        ),
    ],
)
def test_settings_that_do_not_lead_to_a_store_are_told(variables: dict[str, str], advice: str):
    with pytest.raises(LedgerError, match=advice) as caught:
        S3Ledger(f"s3://{BUCKET}/state", env={"AWS_REGION": "us-east-1"} | variables).read()
    assert SECRET not in str(caught.value)


def test_it_connects_by_the_environment_it_is_given(env: dict[str, str], bucket: Any):
    store = S3Ledger(f"s3://{BUCKET}/state/eu", env=env)
    store.begin()
    store.append(LINE)
    assert S3Ledger(f"s3://{BUCKET}/state/eu/", env=env).read() == (LINE,)
    assert "state/eu/ledger.begun" in names(bucket)
    store.close()


@pytest.mark.parametrize(
    "url",
    [
        "s3://crops-state",
        "s3://crops-state/",
        "s3://crops-state///",
        "s3://Crops_State/x",
        "s3://ab",
        f"s3://AKIA:{SECRET}@crops-state/x",
        f"s3://crops-state/x?token={SECRET}",
        "https://crops-state/x",
    ],
)
def test_only_a_bucket_with_a_prefix_is_a_place(url: str):
    with pytest.raises(SettingsError, match="s3://bucket/prefix") as caught:
        S3Ledger(url)
    assert SECRET not in str(caught.value)


def test_without_boto3_it_says_what_to_install():
    script = (
        "import sys; sys.modules['boto3'] = None\n"
        "from shbatch_sync.store.s3_ledger import S3Ledger\n"
        "store = S3Ledger('s3://crops-state/x', env={})\n"
        "try: store.read()\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == (
        "LedgerError a ledger on S3 needs boto3: pip install 'shbatch-sync[s3]'"
    )


def test_naming_a_ledger_does_not_load_boto3():
    script = (
        "import sys\n"
        "from shbatch_sync.store.s3_ledger import S3Ledger\n"
        "S3Ledger('s3://crops-state/x')\n"
        "print('boto3' in sys.modules, 'botocore' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]
