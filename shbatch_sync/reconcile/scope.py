"""What an apply works on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shbatch_sync.cost.price import Estimate
from shbatch_sync.marker import Commit


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an apply works on.

    Attributes:
        project: Ownership scope.
        target: Name of the target.
        account: Pinned account id; None takes the ledger's, else the first that is seen.
        commit: Commit of the manifests.
        selected: Jobs to act on; None for all.
        estimates: Job name → price.
        elsewhere: Names of jobs that are declared on other targets.
    """

    project: str
    target: str
    account: str | None = None
    commit: Commit | None = None
    selected: frozenset[str] | None = None
    estimates: Mapping[str, Estimate] = field(default_factory=dict)
    elsewhere: frozenset[str] = frozenset()
