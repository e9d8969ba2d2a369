"""Nobody gets in with a token that is forged, stale or meant for someone else, whatever it claims."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from common.auth import KeySet, Verifier, principal_of
from common.roles import ROLES, Over
from doors import Door
from kegai.tokens import Keys
from refusals import assert_problem, refused

Forge = Callable[[Keys], str]


def _claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    lawful = {"iss": "urn:kegai:dev", "aud": "kegai", "sub": "p-1", "iat": now - 5, "exp": now + 600,
              "roles": ["municipal-admin"], "unit": "CQ"}  # fmt: skip
    return {name: value for name, value in (lawful | changed).items() if value is not None}


def _key_id(keys: Keys) -> str:
    found: str = json.loads(keys.jwks.read_text())["keys"][0]["kid"]
    return found


def _signed(keys: Keys, *, key: Any = None, algorithm: str = "ES256", kid: str | None = None, **changed: Any) -> str:
    headers = {"kid": kid or _key_id(keys)}
    return jwt.encode(_claims(**changed), key or keys.private.read_bytes(), algorithm, headers)


def _part(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def _resigned(keys: Keys, *, signature: Callable[[str], str]) -> str:
    head, body, given = _signed(keys).split(".")
    return f"{head}.{body}.{signature(given)}"


def _with_another_body(keys: Keys) -> str:
    head, _, signature = _signed(keys, roles=["auditor"]).split(".")
    return f"{head}.{_part(_claims())}.{signature}"


def _public_key_as_secret(keys: Keys) -> str:
    """The classic confusion: signed with HMAC, the public key being the secret that everyone knows."""
    private = serialization.load_pem_private_key(keys.private.read_bytes(), None)
    form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    secret = private.public_key().public_bytes(*form)
    head = _part({"alg": "HS256", "typ": "JWT", "kid": _key_id(keys)})
    body = _part(_claims())
    digest = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(f"{head}.{body}".encode(), secret)
    return f"{head}.{body}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


NOW = int(time.time())
FORGED: dict[str, Forge] = {
    "signed by another key under a known name": lambda k: _signed(k, key=ec.generate_private_key(ec.SECP256R1())),
    "signed by a key that nobody knows": lambda k: _signed(k, key=ec.generate_private_key(ec.SECP256R1()), kid="other"),
    "signed on another curve": lambda k: _signed(k, key=ec.generate_private_key(ec.SECP384R1()), algorithm="ES384"),
    "signed with RSA": lambda k: _signed(k, key=rsa.generate_private_key(65537, 2048), algorithm="RS256"),
    "signed with the public key as a secret": _public_key_as_secret,
    "not signed, and saying so": lambda k: f"{_part({'alg': 'none', 'kid': _key_id(k)})}.{_part(_claims())}.",
    "not signed": lambda k: _resigned(k, signature=lambda _: ""),
    "with a signature of zeros": lambda k: _resigned(k, signature=lambda _: "A" * 86),
    "with its signature's halves swapped": lambda k: _resigned(k, signature=lambda given: given[43:] + given[:43]),
    "with another body under a true signature": _with_another_body,
    "that names no key": lambda k: jwt.encode(_claims(), k.private.read_bytes(), "ES256"),
    "that has expired": lambda k: _signed(k, exp=NOW - 1),
    "that never expires": lambda k: _signed(k, exp=None),
    "that is not valid yet": lambda k: _signed(k, nbf=NOW + 600),
    "that was issued in the future": lambda k: _signed(k, iat=NOW + 600),
    "that does not say when it was issued": lambda k: _signed(k, iat=None),
    "of another issuer": lambda k: _signed(k, iss="urn:elsewhere"),
    "of no issuer": lambda k: _signed(k, iss=None),
    "for another audience": lambda k: _signed(k, aud="elsewhere"),
    "for no audience": lambda k: _signed(k, aud=None),
    "of nobody": lambda k: _signed(k, sub=None),
    "whose roles are a number": lambda k: _signed(k, roles=5),
    "whose roles are lists": lambda k: _signed(k, roles=[["municipal-admin"]]),
    "that is no token": lambda k: "municipal-admin",
    "that is empty between its dots": lambda k: "..",
    "that holds no JSON": lambda k: "e30x.e30x.e30x",
}


@pytest.fixture
def verifier(keys: Keys) -> Verifier:
    return Verifier(KeySet(str(keys.jwks)), issuer="urn:kegai:dev", audience="kegai")


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
async def test_nobody_gets_in_with_a_token(verifier: Verifier, keys: Keys, forge: Forge) -> None:
    with refused("auth.token-invalid"):
        await verifier.principal(forge(keys))


async def test_a_lawful_token_names_its_bearer(verifier: Verifier, keys: Keys) -> None:
    principal = await verifier.principal(_signed(keys))
    assert (principal.id, principal.unit_code) == ("p-1", "CQ")
    assert principal.permissions.reach == ROLES["municipal-admin"]


async def test_a_token_that_was_checked_once_still_expires(
    verifier: Verifier, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = _signed(keys, exp=NOW + 600)
    await verifier.principal(token)
    monkeypatch.setattr("common.auth.time.time", lambda: NOW + 601)
    monkeypatch.setattr(jwt.api_jwt, "datetime", _Later)
    with refused("auth.token-invalid"):
        await verifier.principal(token)


class _Later(jwt.api_jwt.datetime):  # type: ignore[name-defined,misc]
    """The clock of the library that checks tokens, ten minutes on."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return cls.fromtimestamp(NOW + 601, tz)


async def test_a_new_key_is_found_once_the_set_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = Keys(tmp_path / "old"), Keys(tmp_path / "new")
    old.make()
    new.make()
    served = tmp_path / "jwks.json"
    served.write_text(old.jwks.read_text())
    verifier = Verifier(KeySet(str(served)), issuer="urn:kegai:dev", audience="kegai")
    await verifier.principal(old.token(["auditor"]))
    served.write_text(new.jwks.read_text())
    with refused("auth.token-invalid"):  # an unknown key has the set read again, but not at any rate that callers like
        await verifier.principal(new.token(["auditor"]))
    monkeypatch.setattr("common.auth.REFETCH_SECONDS_MIN", 0)
    assert (await verifier.principal(new.token(["auditor"]))).permissions.reach == ROLES["auditor"]


@pytest.mark.parametrize("content", [None, "", "no JSON", "[]", "{}", '{"keys": []}', '{"keys": [{"kty": "?"}]}'])
async def test_keys_that_cannot_be_read_are_our_fault_and_not_the_tokens(
    tmp_path: Path, keys: Keys, content: str | None
) -> None:
    where = tmp_path / "jwks.json"
    if content is not None:
        where.write_text(content)
    verifier = Verifier(KeySet(str(where)), issuer="urn:kegai:dev", audience="kegai")
    with refused("auth.keys-away"):
        await verifier.principal(_signed(keys))


@pytest.fixture
async def falls_silent(keys: Keys) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """The address of a key set that is told once and never again, and the event that somebody waits for it."""
    content, asked_again, told = keys.jwks.read_bytes(), asyncio.Event(), 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal told
        await reader.readuntil(b"\r\n\r\n")
        told += 1
        if told > 1:
            asked_again.set()
            await reader.read()
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(content) + content)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks.json", asked_again
    server.close()


async def test_a_stranger_whose_key_is_looked_for_in_vain_does_not_keep_a_known_caller_waiting(
    keys: Keys, falls_silent: tuple[str, asyncio.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.auth.REFETCH_SECONDS_MIN", 0)
    where, asked_again = falls_silent
    verifier = Verifier(KeySet(where), issuer="urn:kegai:dev", audience="kegai")
    await verifier.principal(_signed(keys))
    strangers = [asyncio.create_task(verifier.principal(_signed(keys, kid=f"unknown-{n}"))) for n in range(3)]
    await asked_again.wait()
    assert (await verifier.principal(_signed(keys, sub="p-2"))).id == "p-2"
    assert not any(stranger.done() for stranger in strangers)
    for stranger in strangers:
        stranger.cancel()
    await asyncio.wait(strangers)


def test_a_role_that_nobody_defined_permits_nothing() -> None:
    permissions = principal_of(_claims(roles=["emperor", "municipal-admin-2"])).permissions
    assert (permissions.reach, set(permissions.over.values())) == ({}, {frozenset()})


def test_roles_add_up() -> None:
    reach = principal_of(_claims(roles=["unit-reporter", "auditor"])).permissions.reach
    assert reach.keys() == ROLES["unit-reporter"].keys() | ROLES["auditor"].keys()
    assert reach["item.read"] == {Over.SUBTREE, Over.ALL}
    assert reach["item.start"] == {Over.OWN}


# ── at the door ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_without_a_token_the_door_says_what_it_needs(measures: Door) -> None:
    reply = await measures.client().get("/api/v1/plans")
    assert_problem(reply, 401, "auth.token-missing")
    assert reply.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("value", ["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "bearer x.y.z", "Bearer \xe9.\xe9.\xe9"])
async def test_at_the_door_a_bad_header_is_401(measures: Door, value: str) -> None:
    reply = await measures.client().get("/api/v1/plans", headers={b"Authorization": value.encode("latin-1")})
    assert reply.status_code == 401
    assert reply.json()["code"] in {"auth.token-missing", "auth.token-invalid"}


async def test_a_role_that_lacks_the_permission_is_told_which(measures: Door) -> None:
    reply = await measures.client_for("unit-reporter", "ORG").post("/api/v1/plans", json={})
    problem = assert_problem(reply, 403, "auth.not-permitted")
    assert "plan.define" in problem["detail"]


async def test_a_step_in_the_name_of_a_unit_needs_a_unit_of_the_directory(measures: Door) -> None:
    path = "/api/v1/items/00000000-0000-0000-0000-000000000000/acknowledge"
    for unit in (None, "NOWHERE"):
        reply = await measures.client_for("unit-reporter", unit).post(path)
        assert reply.status_code in {403, 404}
