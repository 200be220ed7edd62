"""Checks beyond the schema: what the service is known to refuse, and what deserves a second look."""

from __future__ import annotations

from shbatch_sync.checks.catalogue import CODES, RULES, Finding, Rule
from shbatch_sync.checks.run import check_declarations

__all__ = ["CODES", "RULES", "Finding", "Rule", "check_declarations"]
