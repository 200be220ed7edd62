from __future__ import annotations

from types import SimpleNamespace

import pytest

from shbatch_sync.config import (
    Config,
    config_location,
    from_sentinelhub,
    is_loopback,
    is_trusted,
    profile_values,
    require_credentials,
    resolve_config,
    token_url_of,
)
from shbatch_sync.errors import SettingsError

TOML = """
[default-profile]
sh_client_id = "id-default"
sh_client_secret = "secret-default"
[cdse]
sh_client_id = "id-cdse"
sh_client_secret = "secret-cdse"
sh_base_url = "https://sh.dataspace.copernicus.eu"
max_download_attempts = 4
[old]
sh_auth_base_url = "https://services.sentinel-hub.com"
sh_token_url = "https://services.sentinel-hub.com/never/used"
[own]
sh_token_url = "https://services.sentinel-hub.com/own/token"
"""
CDSE_TOKEN = (
    "https://identity.dataspace.copernicus.eu/auth/realms/CDSE/protocol/openid-connect/token"
)
MAIN_TOKEN = "https://services.sentinel-hub.com/auth/realms/main/protocol/openid-connect/token"


def test_default_profile_of_the_file() -> None:
    config = resolve_config({}, toml_text=TOML, toml_path="/home/me/config.toml")
    assert (config.client_id, config.client_secret) == ("id-default", "secret-default")
    assert config.origin == "profile `default-profile` of config.toml (/home/me/config.toml)"
    assert config.effective_token_url == MAIN_TOKEN


def test_the_environment_goes_before_the_file() -> None:
    config = resolve_config({"SH_CLIENT_ID": "id-env", "SH_PROFILE": "cdse"}, toml_text=TOML)
    assert (config.client_id, config.client_secret) == ("id-env", "secret-cdse")
    assert config.origin == (
        "client id: the environment variable SH_CLIENT_ID; client secret: profile `cdse` of config.toml"
    )
    assert config.effective_token_url == CDSE_TOKEN


def test_an_argument_goes_before_sh_profile() -> None:
    config = resolve_config({"SH_PROFILE": "missing"}, profile="cdse", toml_text=TOML)
    assert config.client_id == "id-cdse"


def test_without_a_file_the_environment_is_enough() -> None:
    env = {
        "SH_CLIENT_ID": "i",
        "SH_CLIENT_SECRET": "s",
        "SHBATCH_TRUSTED_HOSTS": "Proxy.example, b.example:8443",
    }
    config = require_credentials(resolve_config(env))
    assert config.service_url == "https://services.sentinel-hub.com/api/v2/batch"
    assert config.trusted_hosts == ("proxy.example", "b.example:8443")


def test_a_file_without_default_profile_is_no_error() -> None:
    assert resolve_config({}, toml_text="[x]\n").client_id == ""


def test_missing_credentials_say_what_to_set_and_where_it_was_looked_for() -> None:
    with pytest.raises(SettingsError) as raised:
        require_credentials(resolve_config({"SH_CLIENT_ID": "i"}, toml_path="/c.toml"))
    text = str(raised.value)
    assert "no client secret for https://services" in text
    assert "set SH_CLIENT_ID and SH_CLIENT_SECRET" in text
    assert "SH_CLIENT_SECRET (not set) and config.toml (/c.toml), which does not exist" in text


def test_a_named_profile_must_exist() -> None:
    with pytest.raises(
        SettingsError, match="has no profile `us`; it has: cdse, default-profile, old, own"
    ):
        resolve_config({}, profile="us", toml_text=TOML)
    with pytest.raises(
        SettingsError, match=r"profile `us` was asked for, but there is no config\.toml"
    ):
        resolve_config({"SH_PROFILE": "us"})
    with pytest.raises(SettingsError, match="it has: none"):
        profile_values("", "x")


def test_broken_toml_is_named_without_its_content() -> None:
    with pytest.raises(SettingsError) as raised:
        profile_values('[a]\nsh_client_secret = "s3cr3t', "a", place="config.toml (/c.toml)")
    assert str(raised.value) == "config.toml (/c.toml) is not valid TOML"
    assert raised.value.__cause__ is None


def test_profile_values_are_texts() -> None:
    assert profile_values(TOML, "cdse") == {
        "sh_client_id": "id-cdse",
        "sh_client_secret": "secret-cdse",
        "sh_base_url": "https://sh.dataspace.copernicus.eu",
    }


def test_token_urls() -> None:
    assert resolve_config({}, profile="old", toml_text=TOML).effective_token_url == (
        "https://services.sentinel-hub.com/oauth/token"
    )
    assert resolve_config({}, profile="own", toml_text=TOML).effective_token_url.endswith(
        "/own/token"
    )
    assert token_url_of("https://services-uswest2.sentinel-hub.com/") == MAIN_TOKEN
    assert token_url_of("http://127.0.0.1:5").startswith("http://127.0.0.1:5/auth/realms/main/")


def test_repr_hides_the_secret() -> None:
    assert "s3cr3t" not in repr(Config(client_id="i", client_secret="s3cr3t"))


def test_service_url_takes_any_slashes() -> None:
    assert Config(base_url="http://h/", path_prefix="batch/v2/").service_url == "http://h/batch/v2"


def test_sentinelhub_config_is_taken_over() -> None:
    theirs = SimpleNamespace(
        sh_base_url="http://h", sh_token_url="http://h/t", sh_client_id="i", sh_client_secret="s"
    )
    ours = from_sentinelhub(theirs, trusted_hosts=("h",))
    assert (ours.base_url, ours.effective_token_url, ours.client_id, ours.client_secret) == (
        "http://h",
        "http://h/t",
        "i",
        "s",
    )
    with pytest.raises(SettingsError, match="not int"):
        from_sentinelhub(5)


def test_config_location() -> None:
    assert str(config_location({"HOME": "/h"})) == "/h/.config/sentinelhub/config.toml"
    assert (
        str(config_location({"XDG_CONFIG_HOME": "/x", "HOME": "/h"}))
        == "/x/sentinelhub/config.toml"
    )
    assert str(config_location({})) == "~/.config/sentinelhub/config.toml"


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("https://services.sentinel-hub.com/api", True),
        ("https://SERVICES-uswest2.sentinel-hub.com", True),
        ("https://sh.dataspace.copernicus.eu", True),
        ("https://identity.dataspace.copernicus.eu/auth", True),
        ("http://services.sentinel-hub.com", False),
        ("https://services.sentinel-hub.com.evil.example", False),
        ("https://services.sentinel-hub.com@evil.example", False),
        ("https://evil.example\\@services.sentinel-hub.com", False),
        ("https://evil.example/services.sentinel-hub.com", False),
        ("http://127.0.0.1:8080", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:80", True),
        ("http://localhost:1", True),
        ("https://localhost.evil.example", False),
        ("ftp://localhost", False),
        ("http://[::1", False),
        ("http://localhost:notaport", False),
        ("https://proxy.example", True),
        ("http://proxy.example", False),
        ("https://b.example:8443/x", True),
        ("https://b.example", False),
        ("", False),
    ],
)
def test_where_credentials_may_go(url: str, trusted: bool) -> None:
    assert is_trusted(url, ["proxy.example", "B.example:8443"]) is trusted


def test_loopback() -> None:
    assert is_loopback("http://127.0.0.1")
    assert not is_loopback("http://10.0.0.1")
    assert not is_loopback("http://[::1")
