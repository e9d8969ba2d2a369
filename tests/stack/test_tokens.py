"""Development tokens: what they say, and that the published key set checks them."""

import json
from pathlib import Path

import jwt
import pytest
from typer.testing import CliRunner

from common.roles import ROLES
from kegai.main import app
from kegai.tokens import Keys


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    made = Keys(tmp_path / "keys")
    made.make()
    return made


def _claims(keys: Keys, token: str) -> dict[str, object]:
    key = jwt.PyJWKSet.from_dict(json.loads(keys.jwks.read_text()))[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, object] = jwt.decode(
        token, key, algorithms=["ES256"], audience="kegai", issuer="urn:kegai:dev", options={"require": ["exp", "iat"]}
    )
    return claims


def test_a_token_names_its_roles_and_its_unit_and_no_person(keys: Keys) -> None:
    claims = _claims(keys, keys.token(["reform-office", "auditor"], "CQKX-ZZ"))
    assert claims["roles"] == ["reform-office", "auditor"]
    assert claims["unit"] == "CQKX-ZZ"
    assert str(claims["sub"]).startswith("dev-")


def test_a_token_without_a_unit_has_no_unit(keys: Keys) -> None:
    assert "unit" not in _claims(keys, keys.token(["auditor"]))


def test_the_same_roles_and_unit_are_the_same_principal(keys: Keys) -> None:
    first, second = (_claims(keys, keys.token_for("unit-reporter", "KX-YUBEI")) for _ in range(2))
    other = _claims(keys, keys.token_for("unit-reporter", "KX-WANZHOU"))
    assert first["sub"] == second["sub"] != other["sub"]


def test_keys_once_made_stay(keys: Keys) -> None:
    token, private = keys.token(["auditor"]), keys.private.read_bytes()
    keys.make()
    assert keys.private.read_bytes() == private
    assert _claims(keys, token)["roles"] == ["auditor"]


def test_the_key_set_holds_no_private_part(keys: Keys) -> None:
    assert "d" not in json.loads(keys.jwks.read_text())["keys"][0]


def test_the_command_prints_the_token_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = Keys(tmp_path / "keys")
    keys.make()
    monkeypatch.setenv("KEGAI_HOME", str(tmp_path))
    spoken = CliRunner().invoke(app, ["token", "--role", "reform-office", "--unit", "CQKX-ZZ"])
    assert spoken.exit_code == 0
    assert _claims(keys, spoken.stdout.strip())["unit"] == "CQKX-ZZ"


@pytest.mark.parametrize("role", ROLES)
def test_the_command_knows_every_role(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: str) -> None:
    keys = Keys(tmp_path / "keys")
    keys.make()
    monkeypatch.setenv("KEGAI_HOME", str(tmp_path))
    spoken = CliRunner().invoke(app, ["token", "--role", role])
    assert _claims(keys, spoken.stdout.strip())["roles"] == [role]


def test_the_command_makes_no_token_for_a_role_that_there_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEGAI_HOME", str(tmp_path))
    spoken = CliRunner().invoke(app, ["--lang", "zh", "token", "--role", "auditor", "--role", "emperor"])
    assert spoken.exit_code == 1
    assert "没有角色 emperor" in spoken.output
    assert "reform-office" in spoken.output


def test_without_keys_the_command_says_what_to_do_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEGAI_HOME", str(tmp_path))
    spoken = CliRunner().invoke(app, ["--lang", "zh", "token", "--role", "auditor"])
    assert spoken.exit_code == 1
    assert "make up" in spoken.output
