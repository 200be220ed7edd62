"""Which path is which operation."""

from __future__ import annotations

from werkzeug.routing import Map, Rule, Submount

_PREFIXES = ("/api/v2/batch", "/batch/v2")
_TOKEN_PATHS = (
    "/oauth/token",
    "/auth/realms/main/protocol/openid-connect/token",
    "/auth/realms/CDSE/protocol/openid-connect/token",
)
_OPERATIONS = (
    ("/process", "POST", "create"),
    ("/process", "GET", "list"),
    ("/process/<request_id>", "GET", "get"),
    ("/process/<request_id>", "PUT", "update"),
    ("/process/<request_id>/analyse", "POST", "analyse"),
    ("/process/<request_id>/start", "POST", "start"),
    ("/process/<request_id>/stop", "POST", "stop"),
    ("/tilinggrids", "GET", "grids"),
    ("/tilinggrids/<grid_id>", "GET", "grid"),
)


def build_routes() -> Map:
    """Return the routes: both prefixes in use, every token path, with and without a last slash."""
    operations = [
        Rule(f"{path}{slash}", methods=[method], endpoint=operation)
        for path, method, operation in _OPERATIONS
        for slash in ("", "/")
    ]
    prefixed = [Submount(prefix, [rule.empty() for rule in operations]) for prefix in _PREFIXES]
    tokens = [Rule(path, methods=["POST"], endpoint="token") for path in _TOKEN_PATHS]
    return Map([*prefixed, *tokens], strict_slashes=False, merge_slashes=False)
