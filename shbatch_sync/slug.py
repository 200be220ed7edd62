"""Text that may stand in the name of a job."""

from __future__ import annotations

import re
import unicodedata

_OTHER = re.compile(r"[^a-z0-9]+")


def slug(text: str) -> str:
    """Return `text` in lower-case ASCII letters and digits, everything else as single dashes.

    `SI-00123/4` becomes `si-00123-4`, `Žužemberk` becomes `zuzemberk`.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return _OTHER.sub("-", plain.lower()).strip("-")
