"""A local copy: the GeoPackage of a request's areas as it lies in the project, and what a change of it means.

The body of a request says where its GeoPackage lies, not what is in it, and the service tells no more. So nothing but
the digest, in the marker and in the ledger, tells which areas a request was made with, and this is how it is read:

* A request whose digest is that of the body alone was made before its job named a copy. Naming one says what is known
  of the areas and changes nothing: the request is the job's, and is restamped.
* A request with the digest of the body and of this copy is the job's.
* Any other digest over an equal body: the ledger may know it as another spelling of one of these two. If it does not,
  the copy is taken for another one. That is a change of the spec, shown as `/localCopy`; what has cost money is
  replaced only where a person says so.
* A job that names no copy any more compares bodies alone, so taking the key away changes nothing either.

In the ledger a normalised digest carries the first digits of its copy's hash behind a `+`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from shbatch_sync.cost.features import Features
    from shbatch_sync.package import Package

_JOINT = "+"
_DIGITS = 12


class LocalCopy(Protocol):
    """A GeoPackage that lies in the project."""

    @property
    def path(self) -> str:
        """Relative to the project's root."""
        ...

    @property
    def sha256(self) -> str:
        """Of its content, in hex."""
        ...

    def package(self) -> Package:
        """Return what is in it."""
        ...

    def features(
        self, bounds: Mapping[str, Any] | None, defaults: Mapping[str, Any] | None
    ) -> Features:
        """Count the features that a request processes, by size.

        Args:
            bounds: `processRequest.input.bounds`.
            defaults: `input.defaults`.

        Raises:
            AreaError: The bounds cannot be compared with the features.
        """
        ...


def with_copy(norm_digest: str, copy: LocalCopy | None) -> str:
    """Return a normalised digest with the copy that its job names, if it names one."""
    return norm_digest if copy is None else f"{norm_digest}{_JOINT}{copy.sha256[:_DIGITS]}"


def may_be_same(left: str, right: str) -> bool:
    """Say whether two normalised digests may stand for the same work: equal bodies, and not two different copies."""
    body, copy = parts(left)
    other_body, other_copy = parts(right)
    return body == other_body and (not copy or not other_copy or copy == other_copy)


def parts(norm_digest: str) -> tuple[str, str]:
    """Return the digest of the body alone, and what stands for the copy; that is empty where none is named."""
    body, _, copy = norm_digest.partition(_JOINT)
    return body, copy
