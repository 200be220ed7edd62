"""Which deployment is called, with which credentials, and where each of them was read from.

Everything here works on texts and mappings that are handed in; nothing is read from disk or the environment.
The precedence is sentinelhub-py's: arguments, then SH_CLIENT_ID and SH_CLIENT_SECRET, then a profile of config.toml.
"""

from __future__ import annotations

import ipaddress
import tomllib
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shbatch_sync.errors import CredentialsMissingError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

DEFAULT_PROFILE = "default-profile"
DEFAULT_PATH_PREFIX = "/api/v2/batch"
EU_BASE_URL = "https://services.sentinel-hub.com"
_REALM_PATH = "/auth/realms/main/protocol/openid-connect/token"

DEPLOYMENTS: Mapping[str, str] = {
    EU_BASE_URL: EU_BASE_URL + _REALM_PATH,
    "https://services-uswest2.sentinel-hub.com": EU_BASE_URL + _REALM_PATH,
    "https://sh.dataspace.copernicus.eu": (
        "https://identity.dataspace.copernicus.eu/auth/realms/CDSE/protocol/openid-connect/token"
    ),
}
"""Base URL → token URL of the public deployments (Sentinel Hub EU and US-West, Copernicus Data Space)."""

KNOWN_HOSTS = frozenset(
    host
    for base, token in DEPLOYMENTS.items()
    for host in (urlsplit(base).hostname, urlsplit(token).hostname)
)
"""Hosts that credentials may be sent to without anybody's leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything a client needs to know about its deployment and account.

    Attributes:
        base_url: Scheme and host of the deployment.
        token_url: Where the OAuth2 client credentials are exchanged for a token; empty takes the deployment's own.
        client_id: OAuth client id; empty if none was found.
        client_secret: OAuth client secret; never shown by `repr`.
        path_prefix: `/api/v2/batch`, or `/batch/v2` as the newer pages write it.
        origin: Where each credential was read from, or where it was looked for.
        trusted_hosts: Hosts, besides the known deployments and loopback, that credentials may be sent to.
    """

    base_url: str = EU_BASE_URL
    token_url: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    path_prefix: str = DEFAULT_PATH_PREFIX
    origin: str = "the arguments of Config"
    trusted_hosts: tuple[str, ...] = ()

    @property
    def service_url(self) -> str:
        """Base URL and path prefix, without a slash at the end."""
        return f"{self.base_url.rstrip('/')}/{self.path_prefix.strip('/')}"

    @property
    def effective_token_url(self) -> str:
        """The token URL that is called."""
        return self.token_url or token_url_of(self.base_url)


def token_url_of(base_url: str) -> str:
    """Return the token URL of a deployment; an unknown one (an emulator, a proxy) is asked itself."""
    base = base_url.rstrip("/")
    return DEPLOYMENTS.get(base, base + _REALM_PATH)


def require_credentials(config: Config) -> Config:
    """Return `config` if it has a client id and a client secret.

    Raises:
        CredentialsMissingError: One is missing; the message says what to set and where it was looked for.
    """
    missing = [
        name
        for name, value in (
            ("client id", config.client_id),
            ("client secret", config.client_secret),
        )
        if not value
    ]
    if missing:
        message = (
            f"no {' and no '.join(missing)} for {config.base_url}: set SH_CLIENT_ID and SH_CLIENT_SECRET,\n"
            f"  or sh_client_id and sh_client_secret in a profile of sentinelhub's config.toml\n"
            f"  (looked at: {config.origin})"
        )
        raise CredentialsMissingError(message)
    return config


def resolve_config(
    env: Mapping[str, str],
    *,
    profile: str | None = None,
    toml_text: str | None = None,
    toml_path: str = "",
) -> Config:
    """Settle the settings the way sentinelhub-py does.

    Args:
        env: The environment; SH_PROFILE, SH_CLIENT_ID, SH_CLIENT_SECRET and SHBATCH_TRUSTED_HOSTS are read.
        profile: Profile of config.toml; goes before SH_PROFILE, which goes before `default-profile`.
        toml_text: Content of config.toml; None if there is no such file.
        toml_path: Where that file is, for messages.

    Returns:
        The settings; credentials that were found nowhere are empty, see `require_credentials`.

    Raises:
        SettingsError: A profile that was asked for does not exist, or the file cannot be read as TOML.
    """
    name = profile if profile is not None else env.get("SH_PROFILE", DEFAULT_PROFILE)
    file = f"config.toml ({toml_path})" if toml_path else "config.toml"
    values = _values(toml_text, name, file)
    place = (
        f"profile `{name}` of {file}" if toml_text is not None else f"{file}, which does not exist"
    )
    client_id, id_origin = _credential(env, "SH_CLIENT_ID", values.get("sh_client_id", ""), place)
    secret, secret_origin = _credential(
        env, "SH_CLIENT_SECRET", values.get("sh_client_secret", ""), place
    )
    origins = [f"client id: {id_origin}", f"client secret: {secret_origin}"]
    return Config(
        base_url=values.get("sh_base_url", EU_BASE_URL),
        token_url=_token_url(values),
        client_id=client_id,
        client_secret=secret,
        origin=id_origin if id_origin == secret_origin else "; ".join(origins),
        trusted_hosts=trusted_hosts(env),
    )


def profile_values(
    toml_text: str, profile: str, *, place: str = "config.toml"
) -> Mapping[str, str]:
    """Return the text values of one profile of sentinelhub-py's config.toml.

    Args:
        toml_text: Content of the file.
        profile: Name of the profile.
        place: What messages call the file.

    Raises:
        SettingsError: The file is not TOML, or has no such profile; the message lists those that it has.
    """
    tables = _tables(toml_text, place)
    if profile not in tables:
        message = (
            f"{place} has no profile `{profile}`; it has: {', '.join(sorted(tables)) or 'none'}"
        )
        raise SettingsError(message)
    return {key: value for key, value in tables[profile].items() if isinstance(value, str)}


def from_sentinelhub(config: Any, *, trusted_hosts: tuple[str, ...] = ()) -> Config:
    """Take over a sentinelhub-py `SHConfig`, which is only looked at, never imported.

    Raises:
        SettingsError: The object has none of the attributes of an `SHConfig`.
    """
    if not hasattr(config, "sh_base_url"):
        message = f"config must be a Config or a sentinelhub SHConfig, not {type(config).__name__}"
        raise SettingsError(message)
    return Config(
        base_url=config.sh_base_url,
        token_url=getattr(config, "sh_token_url", "") or "",
        client_id=getattr(config, "sh_client_id", "") or "",
        client_secret=getattr(config, "sh_client_secret", "") or "",
        origin="the SHConfig that was passed",
        trusted_hosts=trusted_hosts,
    )


def config_location(env: Mapping[str, str]) -> PurePath:
    """Return where sentinelhub-py keeps its config.toml, for the given environment."""
    home = env.get("HOME") or env.get("USERPROFILE") or "~"
    folder = env.get("XDG_CONFIG_HOME") or PurePath(home, ".config")
    return PurePath(folder, "sentinelhub", "config.toml")


def trusted_hosts(env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the hosts of SHBATCH_TRUSTED_HOSTS, separated by commas or blanks."""
    return tuple(env.get("SHBATCH_TRUSTED_HOSTS", "").replace(",", " ").lower().split())


def is_loopback(url: str) -> bool:
    """Whether a URL points at this machine, by name or address."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_trusted(url: str, trusted_hosts: Collection[str] = ()) -> bool:
    """Whether client credentials may be sent to a URL.

    Args:
        url: Base or token URL.
        trusted_hosts: Further hosts, as `host` or `host:port`.

    Returns:
        True for https to a known deployment or a listed host, and for loopback; plain http leads nowhere else.
    """
    if any(character in url for character in "\\@ \t\r\n"):
        return False  # parsers disagree about which host such a URL means
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"}:
        return False
    if is_loopback(url):
        return True
    listed = {name.lower() for name in trusted_hosts}
    return parts.scheme == "https" and (
        host in KNOWN_HOSTS or host in listed or f"{host}:{port}" in listed
    )


def _tables(toml_text: str, place: str) -> dict[str, dict[str, Any]]:
    try:
        content = tomllib.loads(toml_text)
    except tomllib.TOMLDecodeError:
        message = f"{place} is not valid TOML"
        raise SettingsError(
            message
        ) from None  # the parser's message may quote the line, secrets and all
    return {name: table for name, table in content.items() if isinstance(table, dict)}


def _values(toml_text: str | None, profile: str, place: str) -> Mapping[str, str]:
    if toml_text is None and profile != DEFAULT_PROFILE:
        message = f"profile `{profile}` was asked for, but there is no {place}"
        raise SettingsError(message)
    if toml_text is None or (
        profile == DEFAULT_PROFILE and profile not in _tables(toml_text, place)
    ):
        return {}
    return profile_values(toml_text, profile, place=place)


def _credential(
    env: Mapping[str, str], variable: str, from_file: str, place: str
) -> tuple[str, str]:
    if variable in env:
        return env[variable], f"the environment variable {variable}"
    return from_file, f"{variable} (not set) and {place}" if not from_file else place


def _token_url(values: Mapping[str, str]) -> str:
    if "sh_auth_base_url" in values:
        return values["sh_auth_base_url"] + "/oauth/token"
    return values.get("sh_token_url", "")
