"""GitOps for Sentinel Hub Batch Processing V2: manifests in git become batch requests.

The names below are the public interface. They are imported when first used, so that `shbatch-sync --help`
does not wait for an HTTP client.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from shbatch_sync.version import __version__

_HOMES = {
    "Action": "shbatch_sync.plan",
    "ApplyResult": "shbatch_sync.reconcile",
    "BatchProcessClient": "shbatch_sync.api.client",
    "BatchProcessRequest": "shbatch_sync.request",
    "BatchRequestStatus": "shbatch_sync.request",
    "BatchUserAction": "shbatch_sync.request",
    "Change": "shbatch_sync.plan",
    "Config": "shbatch_sync.config",
    "Facts": "shbatch_sync.plan",
    "Job": "shbatch_sync.job",
    "Ledger": "shbatch_sync.ledger",
    "Plan": "shbatch_sync.plan",
    "Policy": "shbatch_sync.plan",
    "ShbatchError": "shbatch_sync.errors",
    "StoppedStatusReason": "shbatch_sync.request",
    "apply_plan": "shbatch_sync.reconcile",
    "build_plan": "shbatch_sync.plan",
    "load_jobs": "shbatch_sync.store.project",
    "monitor_batch_process_analysis": "shbatch_sync.api.monitor",
    "monitor_batch_process_job": "shbatch_sync.api.monitor",
}

__all__ = [*sorted(_HOMES), "__version__"]  # noqa: PLE0604 - the names are the keys above


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message) from None
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
