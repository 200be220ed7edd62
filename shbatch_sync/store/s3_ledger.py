"""The ledger on S3: one object an event, so that runners on several machines never overwrite each other.

S3 cannot append, and a file that is read, changed and written back loses the lines of whoever did so at the same
time. So each event is an object of its own under a prefix, under a name that nobody else can choose (instant,
random number, digest of the content), written only if there is none of that name. The ledger is what a listing of
the prefix shows, in any order: lines mean the same in any order and when repeated.

What it rests on:

* an object is listed and read as soon as its write was answered (AWS S3 since December 2020). Where that does not
  hold, a runner still knows what it wrote itself, but may be late to see what others did;
* an object is there whole or not at all;
* nobody deletes objects. Pieces may be joined: any object under the prefix is read as ledger lines, so a ledger
  file can be uploaded beside them, and the pieces that it holds be deleted after that.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from shbatch_sync.errors import LedgerError, SettingsError
from shbatch_sync.ledger_line import FORMAT, Entry, dump, parse
from shbatch_sync.store import s3

# A ledger file that was uploaded may be long; what is longer than this is none.
MAX_BYTES = 64 * 2**20
_LINES = (".json", ".jsonl")
_MARKER = "ledger.begun"
_PLACE = re.compile(
    r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<prefix>[\w!.*'()/ =+,:-]+)"
)
_ROUNDS = 3
_TOO_LONG = "too long"


@dataclass(frozen=True, slots=True)
class _Piece:
    """What one object holds.

    Attributes:
        etag: Version of the object; a name that is written again is read again.
        entries: Its lines.
        readable: Whether all of its lines say something.
    """

    etag: str
    entries: tuple[Entry, ...]
    readable: bool
    lost: bool = False


class S3Ledger:
    """A ledger under a prefix of a bucket.

    Attributes:
        unreadable: Names of the objects that the last read could not use, or not wholly.
    """

    def __init__(
        self, url: str, *, client: Any = None, env: Mapping[str, str] | None = None
    ) -> None:
        """Take the place; nothing is sent before the first call.

        Args:
            url: `s3://bucket/prefix`.
            client: A boto3 S3 client, or whatever behaves like one; None makes one from `env`.
            env: Where AWS_* variables are looked up before boto3's own places.

        Raises:
            SettingsError: The URL does not name a bucket and a prefix.
        """
        match = _PLACE.fullmatch(url)
        if match is None or not match["prefix"].strip("/"):
            # The text is not repeated: it may be one with credentials in it.
            message = "a ledger on S3 is named s3://bucket/prefix, without credentials and parameters; the prefix is needed"
            raise SettingsError(message)
        self.unreadable: tuple[str, ...] = ()
        self._bucket = match["bucket"]
        self._prefix = f"{match['prefix'].strip('/')}/"
        self._env = env or {}
        self._client = client
        self._given = client is not None
        self._mutex = threading.Lock()
        self._pieces: dict[str, _Piece] = {}
        self._own: dict[str, _Piece] = {}
        self._shown: dict[str, str] = {}
        self._entries: tuple[Entry, ...] = ()
        self._begun = False
        self._conditional = True

    @property
    def place(self) -> str:
        """The URL of the prefix."""
        return f"s3://{self._bucket}/{self._prefix}"

    @property
    def lost(self) -> Sequence[str]:
        """Names of the objects that are called as lines are and cannot be read."""
        pieces = {**self._pieces, **self._own}
        return sorted(key for key, piece in pieces.items() if piece.lost and key.endswith(_LINES))

    def exists(self) -> bool:
        """Say whether the ledger has been begun; once it was, nobody is asked again.

        Raises:
            LedgerError: It cannot be told.
        """
        if not self._begun:
            marker = f"{self._prefix}{_MARKER}"
            with self._telling("read"):
                page = self._s3().list_objects_v2(Bucket=self._bucket, Prefix=marker, MaxKeys=1)
            self._begun = any(item["Key"] == marker for item in page.get("Contents", ()))
        return self._begun

    def begin(self) -> None:
        """Put the object that says that here is a ledger; an existing one is left as it is.

        Raises:
            LedgerError: It cannot be put.
        """
        if not self._begun:
            with self._telling("begun"):
                self._put(f"{self._prefix}{_MARKER}", f'{{"v":{FORMAT},"ledger":"shbatch-sync"}}\n')
            self._begun = True

    def read(self) -> Sequence[Entry]:
        """Return all lines, the same tuple while nothing is new; an object read before is not fetched again.

        Raises:
            LedgerError: The prefix cannot be listed, or an object of it not be fetched.
        """
        with self._telling("read"):
            listed = self._fetch()
        pieces = {**listed, **self._own}
        shown = {key: piece.etag for key, piece in pieces.items()}
        if shown != self._shown:
            ordered = sorted(pieces.items())
            self.unreadable = tuple(key for key, piece in ordered if not piece.readable)
            self._entries = tuple(entry for _, piece in ordered for entry in piece.entries)
            self._shown = shown
        return self._entries

    def append(self, *entries: Entry) -> None:
        """Put one object a line and wait until the bucket has them.

        Raises:
            LedgerError: The lines are not safely written.
        """
        with self._telling("written"):
            for key, etag, entry in self._put_all(entries):
                with self._mutex:
                    self._own[key] = _Piece(etag, (entry,), readable=True)

    def close(self) -> None:
        """Let go of the connections of a client that was made here."""
        if self._client is not None and not self._given:
            self._client.close()
            self._client = None

    # --- writing ---------------------------------------------------------------------------------------------

    def _put_all(self, entries: Sequence[Entry]) -> Iterator[tuple[str, str, Entry]]:
        texts = [f"{dump(entry)}\n" for entry in entries]
        keys = [
            f"{self._prefix}{_name(entry, text)}"
            for entry, text in zip(entries, texts, strict=True)
        ]
        return zip(keys, self._parallel(self._put, keys, texts), entries, strict=True)

    def _put(self, key: str, text: str) -> str:
        """Put an object if there is none of its name; return its ETag.

        A name is used for one content only. So one that is taken holds what was to be written: an earlier attempt
        of the same call got through, and its answer was lost.
        """
        content: dict[str, Any] = {"Bucket": self._bucket, "Key": key, "Body": text.encode()}
        content["ContentType"] = "application/x-ndjson"
        try:
            if self._conditional:
                return _etag(self._s3().put_object(**content, IfNoneMatch="*"))
        except s3.refusals() as error:
            if s3.code(error) in s3.TAKEN:
                return ""
            if s3.code(error) not in s3.UNCONDITIONAL:
                raise
            # A store that does not know the condition; the name alone has to do.
            self._conditional = False
        return _etag(self._s3().put_object(**content))

    # --- reading ---------------------------------------------------------------------------------------------

    def _fetch(self) -> dict[str, _Piece]:
        """List, and fetch what is new; once more where objects were joined meanwhile."""
        for _ in range(_ROUNDS):
            listed = self._list()
            new = [
                (key, etag)
                for key, etag in listed.items()
                if key not in self._own and not self._has(key, etag)
            ]
            found = self._parallel(self._piece, *zip(*new, strict=True)) if new else ()
            pieces = dict(zip((key for key, _ in new), found, strict=True))
            known = {key: piece for key, piece in self._pieces.items() if key in listed}
            self._pieces = known | {key: piece for key, piece in pieces.items() if piece}
            if None not in pieces.values():
                return self._pieces
        message = (
            f"ledger {self.place}: objects are being deleted while it is read; {LedgerError.ADVICE}"
        )
        raise LedgerError(message)

    def _has(self, key: str, etag: str) -> bool:
        piece = self._pieces.get(key)
        return piece is not None and piece.etag == etag

    def _list(self) -> dict[str, str]:
        """Return name → ETag of all objects that can hold lines."""
        listed = {}
        more: dict[str, str] = {}
        while True:
            page = self._s3().list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, **more)
            for item in page.get("Contents", ()):
                # A name that ends in a slash is a folder of the console.
                if item["Key"] != f"{self._prefix}{_MARKER}" and not item["Key"].endswith("/"):
                    listed[item["Key"]] = _etag(item) if item["Size"] <= MAX_BYTES else _TOO_LONG
            if not page.get("IsTruncated"):
                return listed
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def _piece(self, key: str, etag: str) -> _Piece | None:
        """Fetch an object; None if there is none any more."""
        if etag == _TOO_LONG:
            return _Piece(etag, (), readable=False, lost=True)
        try:
            content = self._content(key)
        except s3.refusals() as error:
            if s3.code(error) in s3.GONE:
                return None
            raise
        entries, unreadable = parse(content.decode("utf-8", errors="replace"))
        lost = not all(line.harmless for line in unreadable)
        return _Piece(etag, tuple(entries), readable=not unreadable, lost=lost)

    def _content(self, key: str) -> bytes:
        """Read an object to its end; a connection that breaks in between is not repeated by the client."""
        for _ in range(s3.ATTEMPTS - 1):
            with suppress(*s3.broken_streams()):
                return self._get(key)
        return self._get(key)

    def _get(self, key: str) -> bytes:
        with self._s3().get_object(Bucket=self._bucket, Key=key)["Body"] as body:
            return bytes(body.read())

    # --- the client ------------------------------------------------------------------------------------------

    def _parallel(self, call: Any, *arguments: Iterable[str]) -> Iterator[Any]:
        columns = [list(column) for column in arguments]
        with ThreadPoolExecutor(max_workers=max(1, min(s3.WORKERS, len(columns[0])))) as pool:
            yield from pool.map(call, *columns)

    def _s3(self) -> Any:
        with self._mutex:
            if self._client is None:
                self._client = s3.connect(self._env)
            return self._client

    @contextmanager
    def _telling(self, verb: str) -> Iterator[None]:
        """Turn what boto3 says into what to do; its own words may hold what was sent, so they end here."""
        try:
            yield
        except s3.known_errors() as error:
            message = f"ledger {self.place}: cannot be {verb}: {s3.reason(error, self._bucket, self._prefix)}; {LedgerError.ADVICE}"
            raise LedgerError(message) from None


def _name(entry: Entry, text: str) -> str:
    at = entry.at.astimezone(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    return f"{at}-{secrets.token_hex(6)}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"


def _etag(answer: Mapping[str, Any]) -> str:
    return str(answer.get("ETag", ""))
