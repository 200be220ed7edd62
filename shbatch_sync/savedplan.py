"""A saved plan: what somebody agreed to, read back from its file.

Nothing is carried out from the file: the plan is made again on the same terms, and `moved` compares the two.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shbatch_sync.errors import SettingsError, StalePlanError
from shbatch_sync.jsontext import JsonRefusedError, loads
from shbatch_sync.plan import Plan, Policy
from shbatch_sync.planfile import (
    FORMAT_VERSION,
    Terms,
    file_digest,
    from_json,
    policy_to_json,
    terms_from_json,
)
from shbatch_sync.pointer import to_pointer
from shbatch_sync.schema import Schema

AGAIN = "plan again"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """A plan file that is whole.

    Attributes:
        file: Its path, for messages.
        document: Its content, which meets schemas/plan.schema.json.
    """

    file: str
    document: Mapping[str, Any]

    @property
    def plan(self) -> Plan:
        """The plan, to be shown."""
        return from_json(self.document)

    @property
    def terms(self) -> Terms:
        """What it was made with.

        Raises:
            SettingsError: The file does not say.
        """
        if "service" not in self.document:
            message = (
                f"{self.file} does not say what it was planned with: save it with `plan --out`"
            )
            raise SettingsError(message)
        return terms_from_json(self.document)


def is_plan(text: str) -> bool:
    """Say whether a JSON text is a plan rather than a manifest, as far as can be told without reading it."""
    return '"formatVersion"' in text and '"apiVersion"' not in text


def read_plan(text: str, file: str, schema: Schema) -> SavedPlan:
    """Return the plan that a file holds.

    Args:
        text: Its content.
        file: Its path, for messages.
        schema: That of plans.

    Raises:
        SettingsError: It is no plan.
        StalePlanError: Another version's, or changed after it was made.
    """
    try:
        document = loads(text)
    except JsonRefusedError as error:
        message = f"{file}:{error.line}:{error.column}: cannot be read as a saved plan: {error}"
        raise SettingsError(message) from None
    if not isinstance(document, dict):
        message = f"{file} holds no plan"
        raise SettingsError(message)
    _check_version(document, file)
    if document.get("digest") != file_digest(document):
        message = f"{file} was changed after it was made: its digest does not match; {AGAIN}"
        raise StalePlanError(message)
    _check_members(document, file, schema)
    return SavedPlan(file=file, document=document)


def _check_version(document: Mapping[str, Any], file: str) -> None:
    version = str(document.get("formatVersion", "none"))
    ours = FORMAT_VERSION.partition(".")[0]
    if version.partition(".")[0] != ours:
        message = f"{file} has format version {version}, this program reads {ours}.x; {AGAIN} with this program"
        raise StalePlanError(message)


def _check_members(document: Mapping[str, Any], file: str, schema: Schema) -> None:
    faults = schema.faults(document)
    if faults:
        where = to_pointer(faults[0].steps)
        message = f"{file} is no plan that this version can read: {where}: {faults[0].message}"
        raise SettingsError(message)


# --- the same terms ------------------------------------------------------------------------------------------


def check_place(saved: SavedPlan, *, project: str, target: str | None) -> None:
    """Refuse a plan of another project or target.

    Raises:
        StalePlanError: It was made for another one.
    """
    planned = saved.document["project"]
    if planned != project:
        message = f"{saved.file} was made for project {planned}, this is project {project}"
        raise StalePlanError(message)
    planned = saved.document["target"]
    if target is not None and target != planned:
        message = f"{saved.file} was made for target {planned}, not for {target}"
        raise StalePlanError(message)


def check_service(saved: SavedPlan, service: str) -> None:
    """Refuse a plan whose target leads elsewhere now.

    Raises:
        StalePlanError: It does.
    """
    planned = saved.terms.service
    if planned != service:
        message = f"{saved.file}: target {saved.document['target']} was {planned} and is {service}; {AGAIN}"
        raise StalePlanError(message)


def check_policy(saved: SavedPlan, policy: Policy) -> None:
    """Refuse a plan that was made under another policy; names what differs.

    Raises:
        StalePlanError: It was.
    """
    planned, now = policy_to_json(saved.terms.policy), policy_to_json(policy)
    other = [
        f"{key} was {_told(planned[key])} and is {_told(now[key])}"
        for key in now
        if planned[key] != now[key]
    ]
    if other:
        message = f"{saved.file} was made under another policy: {'; '.join(other)}; {AGAIN}"
        raise StalePlanError(message)


def check_account(saved: SavedPlan, account: str | None) -> None:
    """Refuse a plan of another account; one that was made before the account was known fits any.

    Raises:
        StalePlanError: It is of another one.
    """
    planned = saved.document["account"]
    if planned is not None and planned != account:
        message = f"{saved.file} was made for account {planned}, this is {account or 'one that does not say which'}"
        raise StalePlanError(message)


def _told(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "empty"
    return "not set" if value is None else json.dumps(value)
