"""Whose credentials a target uses: its own, then its named profile's, then SH_CLIENT_ID and SH_CLIENT_SECRET.

A profile that is named is a decision; where the environment says something else, one of the two is a mistake and
guessing which would send work to the wrong account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shbatch_sync.config import (
    Config,
    profile_values,
    require_credentials,
    resolve_config,
    trusted_hosts,
)
from shbatch_sync.errors import CredentialsMissingError, SettingsError
from shbatch_sync.project import SecretSource, Target

_VARIABLES = {"sh_client_id": "SH_CLIENT_ID", "sh_client_secret": "SH_CLIENT_SECRET"}


@dataclass(frozen=True, slots=True)
class _Credentials:
    client_id: str
    client_secret: str
    origin: str


def target_config(
    target: Target, env: Mapping[str, str], *, toml_text: str | None = None, toml_path: str = ""
) -> Config:
    """Return the settings of a target that is not a sandbox.

    Args:
        target: As declared.
        env: The environment.
        toml_text: Content of sentinelhub-py's config.toml, if there is one.
        toml_path: Where that file is, for messages.

    Raises:
        SettingsError: Credentials are missing or contradict each other; says what to set and where it was looked for.
    """
    found = _own(target, env) or _of_profile(target, env, toml_text, toml_path)
    if found is None or target.base_url is None:
        defaults = resolve_config(
            env, profile=target.profile, toml_text=toml_text, toml_path=toml_path
        )
        found = found or _Credentials(defaults.client_id, defaults.client_secret, defaults.origin)
    else:
        defaults = Config(base_url=target.base_url)
    base_url = target.base_url or defaults.base_url
    same_place = base_url.rstrip("/") == defaults.base_url.rstrip("/")
    config = Config(
        base_url=base_url,
        token_url=target.token_url or (defaults.token_url if same_place else ""),
        client_id=found.client_id,
        client_secret=found.client_secret,
        path_prefix=target.path_prefix,
        origin=found.origin,
        trusted_hosts=trusted_hosts(env),
    )
    return require_credentials(config)


def _own(target: Target, env: Mapping[str, str]) -> _Credentials | None:
    sources = {"clientId": target.client_id, "clientSecret": target.client_secret}
    if not any(sources.values()):
        return None
    values = {key: _from_env(target, key, source, env) for key, source in sources.items()}
    names = ", ".join(source.env for source in sources.values() if source)
    return _Credentials(
        values["clientId"], values["clientSecret"], f"{names} of target {target.name}"
    )


def _from_env(target: Target, key: str, source: SecretSource | None, env: Mapping[str, str]) -> str:
    if source is None:
        message = f"{target.origin}: target {target.name} needs both clientId and clientSecret; {key} is missing"
        raise SettingsError(message)
    value = env.get(source.env)
    if not value:
        message = f"{target.origin}: environment variable {source.env} ({key} of target {target.name}) is not set"
        raise CredentialsMissingError(message)
    return value


def _of_profile(
    target: Target, env: Mapping[str, str], toml_text: str | None, toml_path: str
) -> _Credentials | None:
    if target.profile is None:
        return None
    place = toml_path or "config.toml"
    if toml_text is None:
        message = f"{target.origin}: target {target.name} names profile `{target.profile}`, but there is no {place}"
        raise SettingsError(message)
    values = profile_values(toml_text, target.profile, place=place)
    for key, variable in _VARIABLES.items():
        if env.get(variable) and values.get(key) and env[variable] != values[key]:
            message = (
                f"{target.origin}: target {target.name} uses profile `{target.profile}` of {place}, but {variable} "
                f"says another {key}; unset {variable}, or take `profile` out of the target"
            )
            raise SettingsError(message)
    return _Credentials(
        values.get("sh_client_id") or env.get("SH_CLIENT_ID", ""),
        values.get("sh_client_secret") or env.get("SH_CLIENT_SECRET", ""),
        f"profile `{target.profile}` of {place}",
    )
