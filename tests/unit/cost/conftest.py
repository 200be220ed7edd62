from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real requests, evalscripts and areas; tests that need it skip where it is not."""
    default = Path(__file__).resolve().parents[4] / "shared" / "corpus"
    found = Path(os.environ.get("SHBATCH_CORPUS", default))
    if not found.is_dir():
        pytest.skip("no corpus: set SHBATCH_CORPUS")
    return found
