"""Where the client's settings are read from when it is given none: the environment and config.toml."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from shbatch_sync.config import (
    Config,
    config_location,
    from_sentinelhub,
    is_trusted,
    resolve_config,
    trusted_hosts,
)
from shbatch_sync.errors import SettingsError, TargetRefusedError


def load_config(profile: str | None = None) -> Config:
    """Read the settings of the environment and of sentinelhub-py's config.toml.

    Args:
        profile: Profile of config.toml; goes before SH_PROFILE.

    Raises:
        SettingsError: The file cannot be read, or lacks the profile that was asked for.
    """
    path = Path(config_location(os.environ)).expanduser()
    return resolve_config(
        os.environ, profile=profile, toml_text=_content(path), toml_path=str(path)
    )


def settle_config(config: Any) -> Config:
    """Return a `Config` for what a client was given: ours, sentinelhub-py's `SHConfig`, or None.

    Raises:
        SettingsError: It is something else, or nothing usable was found.
    """
    if config is None:
        return load_config()
    if isinstance(config, Config):
        return config
    return from_sentinelhub(config, trusted_hosts=trusted_hosts(os.environ))


def refuse_untrusted(config: Config) -> None:
    """Refuse settings that would send the credentials to a host that is not trusted.

    Raises:
        TargetRefusedError: The deployment or its token endpoint is such a host.
    """
    for url in (config.service_url, config.effective_token_url):
        if not is_trusted(url, config.trusted_hosts):
            message = (
                f"credentials are not sent to {url}: it is no known deployment and not this machine, or not https; "
                "list its host in SHBATCH_TRUSTED_HOSTS if you trust it"
            )
            raise TargetRefusedError(message)


def _content(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        message = (
            f"cannot read {path}: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}"
        )
        raise SettingsError(message) from None
