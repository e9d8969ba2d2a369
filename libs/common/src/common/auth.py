"""From a bearer token to a principal: who it is, in the name of which unit, and what its roles permit."""

import asyncio
import hashlib
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jwt

from common.decision import Kind, Refusal
from common.roles import Permissions, permissions_of
from common.telemetry import log

TOKEN_MISSING = Refusal(
    "auth.token-missing",
    zh="请求未携带访问令牌",
    en="The request carries no access token",
    kind=Kind.UNAUTHENTICATED,
)
TOKEN_INVALID = Refusal(
    "auth.token-invalid",
    zh="访问令牌无效或已过期",
    en="The access token is invalid or has expired",
    kind=Kind.UNAUTHENTICATED,
)
KEYS_AWAY = Refusal(
    "auth.keys-away",
    zh="暂时无法取得验签公钥，请稍后重试",
    en="The keys that tokens are checked against cannot be had just now; try again",
    kind=Kind.UNAVAILABLE,
)

REFETCH_SECONDS_MIN: Final = 10
CACHED_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller: an opaque id, the unit that the token names, and what its roles permit together."""

    id: str
    unit_code: str | None
    permissions: Permissions


class KeySet:
    """The public keys that tokens are signed with, from a file or an address; an unknown key has them read again."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._keys: dict[str, Any] = {}
        self._away = False
        self._read_at = -math.inf
        self._lock = asyncio.Lock()

    async def key(self, key_id: str) -> Any:
        """The key of that id.

        :raises Refused: ``auth.token-invalid`` if there is none, ``auth.keys-away`` if the set cannot be read.
        """
        if key_id not in self._keys:
            async with self._lock:  # strangers wait here for each other, and never those whose key is known
                if time.monotonic() - self._read_at >= REFETCH_SECONDS_MIN:
                    self._read_at = time.monotonic()
                    self._keys, self._away = await self._read()
        if key_id in self._keys:
            return self._keys[key_id]
        if self._away:
            raise KEYS_AWAY()
        raise TOKEN_INVALID()

    async def _read(self) -> tuple[dict[str, Any], bool]:
        """The keys, and whether they could not be had: then those that were known stay."""
        try:
            known = jwt.PyJWKSet.from_json((await self._fetch()).decode()).keys
        except (OSError, jwt.PyJWTError, ValueError, AttributeError) as error:
            log.warning("auth.keys-away", where=self._where, error=repr(error))  # not there, or no key set
            return self._keys, True
        return {key.key_id: key.key for key in known if key.key_id}, False

    async def _fetch(self) -> bytes:
        if not self._where.startswith(("http://", "https://")):
            return await asyncio.to_thread(Path(self._where).read_bytes)
        import httpx  # noqa: PLC0415 - 7 MB that a process needs only where its keys have an address

        try:
            async with httpx.AsyncClient(timeout=3) as client:
                return (await client.get(self._where)).raise_for_status().content
        except httpx.HTTPError as error:
            raise OSError(str(error)) from error


class Verifier:
    """Checks tokens: ES256 only, by issuer, audience and expiry; a checked one is remembered until it expires."""

    def __init__(self, keys: KeySet, *, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._known: dict[bytes, tuple[float, Principal]] = {}

    async def principal(self, token: str) -> Principal:
        """Who bears this token.

        :raises Refused: ``auth.token-invalid``, ``auth.keys-away``.
        """
        digest = hashlib.sha256(token.encode()).digest()
        expires, principal = self._known.get(digest, (0.0, None))
        if principal is not None and expires > time.time():
            return principal
        claims = await self._claims(token)
        principal = principal_of(claims)
        if len(self._known) >= CACHED_MAX:
            self._known.clear()
        self._known[digest] = (float(claims["exp"]), principal)
        return principal

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            key = await self._keys.key(str(jwt.get_unverified_header(token).get("kid", "")))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["ES256"],
                issuer=self._issuer,
                audience=self._audience,
                options={"require": ["exp", "iat", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise TOKEN_INVALID() from error
        return claims


def principal_of(claims: Mapping[str, Any]) -> Principal:
    """The principal that checked claims speak of; a role that is not in the table permits nothing.

    :raises Refused: ``auth.token-invalid`` if the roles are no list of names.
    """
    told = claims.get("roles", [])
    if not isinstance(told, list) or not all(isinstance(role, str) for role in told):
        raise TOKEN_INVALID()
    unit = claims.get("unit")
    return Principal(
        id=str(claims["sub"]),
        unit_code=str(unit) if unit else None,
        permissions=permissions_of(frozenset(told)),
    )
