"""`shbatch-sync` and `python -m shbatch_sync`, which are the same program."""

from __future__ import annotations

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the program; an interrupt while it is still being loaded is no error of anybody's."""
    try:
        from shbatch_sync.cli.main import main as run  # noqa: PLC0415 - takes a tenth of a second

        run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
