"""Whose credentials a target uses, and when guessing would be a mistake."""

from __future__ import annotations

import pytest

from shbatch_sync.errors import SettingsError
from shbatch_sync.job import Origin
from shbatch_sync.project import SecretSource, Target
from shbatch_sync.target_config import target_config

TOML = """
[default-profile]
sh_client_id = "default id"
sh_client_secret = "default secret"

[work]
sh_client_id = "work id"
sh_client_secret = "work secret"
sh_base_url = "https://services-uswest2.sentinel-hub.com"
sh_token_url = "https://services-uswest2.sentinel-hub.com/own/token"

[half]
sh_client_id = "half id"

[empty]
"""
ENV = {"SH_CLIENT_ID": "env id", "SH_CLIENT_SECRET": "env secret"}
OWN = {"client_id": SecretSource(env="OWN_ID"), "client_secret": SecretSource(env="OWN_SECRET")}
OWN_ENV = {"OWN_ID": "own id", "OWN_SECRET": "own secret"}
CDSE = "https://sh.dataspace.copernicus.eu"


def target(**members) -> Target:
    return Target(name="eu", origin=Origin("shbatch.yaml", 4), **members)


def credentials(declared: Target, env, toml_text=TOML):
    config = target_config(declared, env, toml_text=toml_text, toml_path="config.toml")
    return config.client_id, config.client_secret


@pytest.mark.parametrize(
    ("members", "env", "toml", "expected"),
    [
        (OWN, ENV | OWN_ENV, TOML, "own"),
        (OWN | {"profile": "work"}, ENV | OWN_ENV, TOML, "own"),
        ({"profile": "work"}, {}, TOML, "work"),
        ({"profile": "work"}, {"SH_CLIENT_ID": "work id"}, TOML, "work"),
        ({}, ENV, TOML, "env"),
        ({}, ENV, None, "env"),
        ({}, {}, TOML, "default"),
        ({}, {"SH_PROFILE": "work"}, TOML, "work"),
        ({"profile": "empty"}, ENV, TOML, "env"),
    ],
)
def test_who_comes_first(members, env, toml, expected):
    assert credentials(target(**members), env, toml) == (f"{expected} id", f"{expected} secret")


def test_half_a_profile_is_filled_up():
    env = {"SH_CLIENT_SECRET": "env secret"}
    assert credentials(target(profile="half"), env) == ("half id", "env secret")


@pytest.mark.parametrize(
    ("members", "env", "toml", "message"),
    [
        (
            {"profile": "work"},
            ENV,
            TOML,
            r"shbatch.yaml:4: target eu uses profile `work` .* SH_CLIENT_ID says another",
        ),
        (
            {"profile": "work"},
            {"SH_CLIENT_SECRET": "another"},
            TOML,
            "SH_CLIENT_SECRET says another sh_client_secret; unset SH_CLIENT_SECRET, or take `profile` out",
        ),
        (
            {"profile": "none"},
            {},
            TOML,
            "has no profile `none`; it has: default-profile, empty, half, work",
        ),
        ({"profile": "work"}, {}, None, "names profile `work`, but there is no config.toml"),
        (
            OWN,
            {"OWN_ID": "x"},
            TOML,
            r"variable OWN_SECRET \(clientSecret of target eu\) is not set",
        ),
        (
            OWN,
            {"OWN_ID": "", "OWN_SECRET": "x"},
            TOML,
            r"variable OWN_ID \(clientId of target eu\) is not set",
        ),
        (
            {"client_id": OWN["client_id"]},
            OWN_ENV,
            TOML,
            "needs both clientId and clientSecret; clientSecret is missing",
        ),
        ({"client_secret": OWN["client_secret"]}, OWN_ENV, TOML, "clientId is missing"),
        ({"profile": "half"}, {}, TOML, "no client secret"),
        ({}, {}, None, "no client id and no client secret"),
    ],
)
def test_what_is_missing_or_contradicts_itself(members, env, toml, message):
    with pytest.raises(SettingsError, match=message) as raised:
        credentials(target(**members), env, toml)
    assert not any(
        secret in str(raised.value) for secret in ("work secret", "env secret", "another id")
    )


def test_a_target_with_credentials_of_its_own_asks_nobody_else():
    declared = target(base_url=CDSE, **OWN)
    env = OWN_ENV | {"SH_PROFILE": "nobody"}
    assert credentials(declared, env, None) == ("own id", "own secret")


def test_where_it_is_called():
    profile = target_config(target(profile="work"), {}, toml_text=TOML)
    assert profile.base_url == "https://services-uswest2.sentinel-hub.com"
    assert profile.effective_token_url == "https://services-uswest2.sentinel-hub.com/own/token"
    assert profile.origin == "profile `work` of config.toml"
    # The token URL of a profile belongs to its own deployment.
    other = target_config(target(profile="work", base_url=CDSE), {}, toml_text=TOML)
    assert other.effective_token_url.startswith("https://identity.dataspace.copernicus.eu/")
    said = target(
        base_url=CDSE, token_url="https://id.example.org/token", path_prefix="/batch/v2", **OWN
    )
    config = target_config(said, OWN_ENV | {"SHBATCH_TRUSTED_HOSTS": "id.example.org"})
    assert (config.token_url, config.service_url) == (
        "https://id.example.org/token",
        f"{CDSE}/batch/v2",
    )
    assert config.trusted_hosts == ("id.example.org",)
    assert config.origin == "OWN_ID, OWN_SECRET of target eu"
    assert "secret" not in repr(config).replace("OWN_SECRET", "")
