"""The way to a bucket: a boto3 client, and what its errors mean for a person.

Nothing of what boto3 says of an error is repeated but the service's own code: the rest may hold what was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from shbatch_sync.errors import LedgerError

WORKERS = 16
ATTEMPTS = 5
# Codes of the S3 API; a HEAD has no body, so its status is the code.
TAKEN = frozenset({"PreconditionFailed", "412"})
UNCONDITIONAL = frozenset({"NotImplemented", "501"})
GONE = frozenset({"NoSuchKey", "404"})
_TIMEOUT = 30.0


def connect(env: Mapping[str, str]) -> Any:
    """Return an S3 client; nothing is sent.

    Args:
        env: Where AWS_* variables are looked up before boto3's own places (its files, roles, the environment).

    Raises:
        LedgerError: boto3 is not installed, the key has no secret, or the endpoint is no URL.
    """
    key, secret = env.get("AWS_ACCESS_KEY_ID"), env.get("AWS_SECRET_ACCESS_KEY")
    if bool(key) != bool(secret):
        message = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together; only one of them is set"
        raise LedgerError(message)
    session = _load("boto3").Session(
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=env.get("AWS_SESSION_TOKEN") if key else None,
        region_name=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION"),
        # A profile that is named here would make boto3 pass over the keys of the environment.
        profile_name=None if key else env.get("AWS_PROFILE"),
    )
    config = _load("botocore.config").Config(
        connect_timeout=_TIMEOUT,
        read_timeout=_TIMEOUT,
        max_pool_connections=WORKERS,
        retries={"mode": "standard", "max_attempts": ATTEMPTS},
        # Other stores than Amazon's refuse checksums that nobody asked for.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    endpoint = env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL")
    try:
        return session.client("s3", endpoint_url=endpoint, config=config)
    except ValueError:
        message = (
            "AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL is not a URL that a ledger can be reached at"
        )
        raise LedgerError(message) from None


def refusals() -> type[Exception]:
    """Return the class of errors that the store answered with."""
    return _exception("ClientError")


def broken_streams() -> tuple[type[Exception], ...]:
    """Return the classes of errors of an answer that broke off."""
    names = ("ReadTimeoutError", "ResponseStreamingError", "IncompleteReadError")
    return tuple(_exception(name) for name in names)


def known_errors() -> tuple[type[Exception], ...]:
    """Return the classes of all errors that a call can end with."""
    return (_exception("ClientError"), _exception("BotoCoreError"))


def code(error: Exception) -> str:
    """Return the store's own name of an error; empty where it did not answer."""
    answer: Mapping[str, Any] = getattr(error, "response", None) or {}
    return str(answer.get("Error", {}).get("Code", ""))


def reason(error: Exception, bucket: str, prefix: str) -> str:
    """Say what is wrong and what to do about it."""
    name = code(error) or type(error).__name__
    if name in _CREDENTIALS:
        return f"the credentials are missing, expired or wrong ({name}); {_SET}"
    if name in _DENIED:
        return (
            f"access denied ({name}); the credentials need s3:ListBucket on {bucket}, "
            f"and s3:GetObject and s3:PutObject on {bucket}/{prefix}*"
        )
    if name in _NO_BUCKET:
        return f"there is no bucket {bucket} ({name}); make it, or mend the URL of the ledger"
    if name in _ELSEWHERE:
        return f"bucket {bucket} is in another region ({name}); set AWS_REGION"
    return f"the store could not be used ({name}); see that it can be reached, and try again"


_SET = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the runner a role"
_CREDENTIALS = frozenset(
    {
        "NoCredentialsError",
        "PartialCredentialsError",
        "CredentialRetrievalError",
        "ProfileNotFound",
        "TokenRetrievalError",
        "UnauthorizedSSOTokenError",
        "SSOTokenLoadError",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidToken",
        "SignatureDoesNotMatch",
    }
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AllAccessDisabled", "403"})
_NO_BUCKET = frozenset({"NoSuchBucket"})
_ELSEWHERE = frozenset(
    {
        "PermanentRedirect",
        "301",
        "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException",
    }
)


def _exception(name: str) -> type[Exception]:
    found: type[Exception] = getattr(_load("botocore.exceptions"), name)
    return found


def _load(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        message = "a ledger on S3 needs boto3: pip install 'shbatch-sync[s3]'"
        raise LedgerError(message) from None
