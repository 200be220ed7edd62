"""Taking secrets out of text that is not ours: the service may name a key in its own words."""

from __future__ import annotations

import json
from collections.abc import Iterable


def redacted(text: str, secrets: Iterable[str]) -> str:
    """Return `text` with `***` in the place of each secret, as it is and as JSON would write it.

    Args:
        text: Anything.
        secrets: None of them empty; what is too short to be taken out of a text is left out by whoever asks.
    """
    for secret in sorted(secrets, key=len, reverse=True):  # one may be a part of another
        text = text.replace(secret, "***").replace(json.dumps(secret)[1:-1], "***")
    return text
