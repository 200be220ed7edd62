"""GitOps for Sentinel Hub Batch Processing V2: manifests in git become batch requests.

The names below are the public interface. They are imported when first used, so that `shbatch-sync --help`
does not wait for an HTTP client.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from shbatch_sync.version import __version__

if TYPE_CHECKING:
    from shbatch_sync.api.client import BatchProcessClient as BatchProcessClient
    from shbatch_sync.api.monitor import (
        monitor_batch_process_analysis as monitor_batch_process_analysis,
    )
    from shbatch_sync.api.monitor import monitor_batch_process_job as monitor_batch_process_job
    from shbatch_sync.config import Config as Config
    from shbatch_sync.decision import build_plan as build_plan
    from shbatch_sync.errors import ShbatchError as ShbatchError
    from shbatch_sync.job import Job as Job
    from shbatch_sync.ledger import Ledger as Ledger
    from shbatch_sync.plan import Action as Action
    from shbatch_sync.plan import Change as Change
    from shbatch_sync.plan import Facts as Facts
    from shbatch_sync.plan import Plan as Plan
    from shbatch_sync.plan import Policy as Policy
    from shbatch_sync.reconcile.apply import apply_plan as apply_plan
    from shbatch_sync.reconcile.result import ApplyResult as ApplyResult
    from shbatch_sync.request import BatchProcessRequest as BatchProcessRequest
    from shbatch_sync.request import BatchRequestStatus as BatchRequestStatus
    from shbatch_sync.request import BatchUserAction as BatchUserAction
    from shbatch_sync.request import StoppedStatusReason as StoppedStatusReason
    from shbatch_sync.store.project import load_jobs as load_jobs
    from shbatch_sync.workspace import open_run as open_run

_HOMES = {
    "Action": "shbatch_sync.plan",
    "ApplyResult": "shbatch_sync.reconcile.result",
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
    "apply_plan": "shbatch_sync.reconcile.apply",
    "build_plan": "shbatch_sync.decision",
    "load_jobs": "shbatch_sync.store.project",
    "monitor_batch_process_analysis": "shbatch_sync.api.monitor",
    "monitor_batch_process_job": "shbatch_sync.api.monitor",
    "open_run": "shbatch_sync.workspace",
}

__all__ = [
    "Action",
    "ApplyResult",
    "BatchProcessClient",
    "BatchProcessRequest",
    "BatchRequestStatus",
    "BatchUserAction",
    "Change",
    "Config",
    "Facts",
    "Job",
    "Ledger",
    "Plan",
    "Policy",
    "ShbatchError",
    "StoppedStatusReason",
    "__version__",
    "apply_plan",
    "build_plan",
    "load_jobs",
    "monitor_batch_process_analysis",
    "monitor_batch_process_job",
    "open_run",
]


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
