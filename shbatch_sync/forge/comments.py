"""The forge that a change is reviewed on: one comment a plan, found again by its first line and updated.

Only what a CI job of the forge has in its environment is used. The token goes to the forge's own API alone: over
HTTPS or to this machine, and never along with a redirect.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from shbatch_sync.config import is_loopback
from shbatch_sync.errors import SettingsError, ShbatchError

TIMEOUT = 30.0
PAGE = 100
MAX_PAGES = 50

Send = Callable[[str, str, Mapping[str, Any] | None], Any]


class ForgeError(ShbatchError):
    """The forge did not take the comment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forge:
    """The comments of one change.

    Attributes:
        api: Base URL of the forge's API.
        headers: With the token.
        comments: Path of the list of comments.
        comment: Path of one comment, without its id.
        update: Method that changes one.
        me: Path that says whose the token is.
    """

    api: str
    headers: Mapping[str, str]
    comments: str
    comment: str
    update: str
    me: str = "/user"

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Call the API and return what it answers.

        Raises:
            ForgeError: It refused, or could not be reached.
        """
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked when the forge was found
            f"{self.api}{path}",
            data=data,
            method=method,
            headers={
                **self.headers,
                "Content-Type": "application/json",
                "User-Agent": "shbatch-sync",
            },
        )
        try:
            with _opener(self.api).open(request, timeout=TIMEOUT) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                message = f"{method} {path}: the forge answered {error.code}"
            raise ForgeError(message) from None
        except (urllib.error.URLError, OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            message = f"{method} {path}: the forge cannot be reached: {reason}"
            raise ForgeError(message) from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow nowhere: the token would go along."""


def _opener(api: str) -> urllib.request.OpenerDirector:
    handlers: list[Any] = [_NoRedirect()]
    if is_loopback(api):
        handlers.append(urllib.request.ProxyHandler({}))
    return urllib.request.build_opener(*handlers)


def find_forge(env: Mapping[str, str], event: Mapping[str, Any]) -> Forge:
    """Return the comments of the change that this CI job is about.

    Args:
        env: Of the job, on GitHub Actions or GitLab CI.
        event: Payload of the event that began it, on GitHub.

    Raises:
        SettingsError: The job is not about a change, or has no token.
    """
    if "GITHUB_REPOSITORY" in env:
        return _github(env, event)
    if "CI_PROJECT_ID" in env:
        return _gitlab(env)
    message = "comment: neither GITHUB_REPOSITORY nor CI_PROJECT_ID is set: run it in GitHub Actions or GitLab CI"
    raise SettingsError(message)


def _github(env: Mapping[str, str], event: Mapping[str, Any]) -> Forge:
    change = event.get("pull_request") or event.get("issue") or {}
    number = change.get("number") if isinstance(change, Mapping) else None
    if not isinstance(number, int):
        message = "comment: the event of this job is about no pull request"
        raise SettingsError(message)
    repository = f"/repos/{quote(env['GITHUB_REPOSITORY'])}"
    return Forge(
        api=_api(env.get("GITHUB_API_URL") or "https://api.github.com"),
        headers={
            "Authorization": f"Bearer {_token(env, 'GITHUB_TOKEN', 'GH_TOKEN')}",
            "Accept": "application/vnd.github+json",
        },
        comments=f"{repository}/issues/{number}/comments",
        comment=f"{repository}/issues/comments",
        update="PATCH",
    )


def _gitlab(env: Mapping[str, str]) -> Forge:
    number = env.get("CI_MERGE_REQUEST_IID", "")
    if not number.isdigit():
        message = "comment: this job is about no merge request (CI_MERGE_REQUEST_IID is not set)"
        raise SettingsError(message)
    project = f"/projects/{quote(env['CI_PROJECT_ID'], safe='')}"
    notes = f"{project}/merge_requests/{number}/notes"
    return Forge(
        api=_api(env.get("CI_API_V4_URL") or "https://gitlab.com/api/v4"),
        headers={"PRIVATE-TOKEN": _token(env, "SHBATCH_FORGE_TOKEN", "GITLAB_TOKEN")},
        comments=notes,
        comment=notes,
        update="PUT",
    )


def _api(url: str) -> str:
    if not url.startswith("https://") and not (url.startswith("http://") and is_loopback(url)):
        message = f"comment: {url} is not https: the token is not sent there"
        raise SettingsError(message)
    return url.rstrip("/")


def _token(env: Mapping[str, str], *names: str) -> str:
    for name in names:
        if env.get(name):
            return env[name]
    message = f"comment: {names[0]} is not set, so nobody may comment"
    raise SettingsError(message)


def put_comment(forge: Forge, body: str) -> str:
    """Update the comment with the same first line as `body`, or write it; return its address.

    Only a comment of the token's own author is updated: anybody may write one that begins like ours.

    Raises:
        ForgeError: The forge did not take it.
    """
    tag = body.partition("\n")[0]
    mine = _author(forge)
    for comment in _comments(forge):
        first = str(comment.get("body") or "").partition("\n")[0].rstrip("\r")
        if first == tag and mine(comment):
            changed = forge.send(forge.update, f"{forge.comment}/{comment['id']}", {"body": body})
            return _address(changed)
    return _address(forge.send("POST", forge.comments, {"body": body}))


def _address(comment: Any) -> str:
    members = comment if isinstance(comment, Mapping) else {}
    return str(members.get("html_url") or f"comment {members.get('id', '')}")


def _comments(forge: Forge) -> Iterator[Mapping[str, Any]]:
    for page in range(1, MAX_PAGES + 1):
        found = forge.send("GET", f"{forge.comments}?per_page={PAGE}&page={page}", None)
        comments = found if isinstance(found, list) else []
        yield from (comment for comment in comments if isinstance(comment, Mapping))
        if len(comments) < PAGE:
            return


def _author(forge: Forge) -> Callable[[Mapping[str, Any]], bool]:
    """Return how to tell our own comments; the token of a job may not ask who it is, but writes as a bot."""
    try:
        me = forge.send("GET", forge.me, None)
    except ForgeError:
        return lambda comment: _member(comment, "type") == "Bot"
    name = me.get("login") or me.get("username") if isinstance(me, Mapping) else None
    return lambda comment: (
        name in {_member(comment, "login"), _member(comment, "username")} - {None}
    )


def _member(comment: Mapping[str, Any], key: str) -> Any:
    author = comment.get("user") or comment.get("author")
    return author.get(key) if isinstance(author, Mapping) else None
