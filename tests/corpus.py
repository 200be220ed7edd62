"""Where the collected real requests and answers are, for the tests over all of them; a fresh clone has none."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

CORPUS = Path(
    os.environ.get("SHBATCH_CORPUS") or Path(__file__).resolve().parents[2] / "shared" / "corpus"
)
BODIES = sorted((CORPUS / "requests").glob("*.json"))
INVALID = sorted((CORPUS / "requests" / "invalid").glob("*.json"))


def manifest(name: str, body: Any, state: str = "created") -> str:
    """Return a body as a JSON manifest, its stand-in keys as references to the environment."""
    text = json.dumps(
        {"apiVersion": "shbatch-sync/v1", "name": name, "state": state, "request": body}
    )
    text = text.replace('"FAKE-ACCESS-KEY"', '{"fromEnv": "CORPUS_KEY"}')
    return text.replace('"FAKE-SECRET-ACCESS-KEY"', '{"fromEnv": "CORPUS_SECRET"}')


def job_name(path: Path) -> str:
    """Return the name of the job that a body's file becomes."""
    return path.stem.replace("_", "-").lower()
