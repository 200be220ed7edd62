"""A token on disk, for short-lived processes; used only where it is asked for."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from shbatch_sync.api.token import Token

if TYPE_CHECKING:
    from shbatch_sync.config import Config

_FOR_OTHERS = 0o077


class TokenCache:
    """One file, readable by its owner only, holding the token of one client at one token endpoint."""

    def __init__(self, path: str | os.PathLike[str], config: Config) -> None:
        """Name the file; nothing is read or written yet.

        Args:
            path: Where it is; its folder must exist.
            config: Whose token it holds: a token of other credentials is not used.
        """
        self._path = Path(path)
        owner = json.dumps([config.effective_token_url, config.client_id, config.client_secret])
        self._owner = hashlib.sha256(owner.encode()).hexdigest()

    def read(self) -> Token | None:
        """Return the token; None if there is none, it is another client's, or others may read the file."""
        try:
            if os.name == "posix" and self._path.stat().st_mode & _FOR_OTHERS:
                return None
            stored = json.loads(self._path.read_text("utf-8"))
            token = Token(
                text=stored["access_token"],
                expires_at=float(stored["expires_at"]),
                life=stored["life"],
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return token if stored.get("owner") == self._owner and token.is_sendable else None

    def write(self, token: Token) -> None:
        """Replace the file in one step, with permissions 0600; a folder that cannot be written is no error."""
        content = {
            "owner": self._owner,
            "access_token": token.text,
            "expires_at": token.expires_at,
            "life": token.life,
        }
        try:
            handle, name = tempfile.mkstemp(dir=self._path.parent)  # mkstemp makes it 0600
        except OSError:
            return
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(content, file)
            Path(name).replace(self._path)
        except OSError:
            Path(name).unlink(missing_ok=True)
