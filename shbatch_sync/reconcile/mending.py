"""Writing one damaged marker back."""

from __future__ import annotations

from shbatch_sync.errors import ApiError
from shbatch_sync.ledger_line import Event
from shbatch_sync.reconcile.run import Run
from shbatch_sync.repair import Mend


def mend(run: Run, one: Mend) -> str | None:
    """Write a marker back and read it again; return what went wrong, or None.

    Raises:
        LedgerError: The request could not be written down as ours.
    """
    assert one.marker is not None  # noqa: S101 - only those that can be mended come here
    try:
        run.client.update_request(one.request_id, one.becomes)
        seen = run.client.get_request(one.request_id)
    except ApiError as error:
        return str(error)
    if seen.description != one.becomes:
        return f"request {one.request_id}: the description did not come back as it was written"
    if run.ledger.exists() or not run.options.must_have_ledger:
        run.write(Event.ADOPTED, one.marker, one.request_id)
    return None
