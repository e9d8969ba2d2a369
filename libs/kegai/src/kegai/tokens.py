"""Development tokens: signed with a key that was made on this machine at the first start and never leaves it."""

import hashlib
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

ISSUER = "urn:kegai:dev"
AUDIENCE = "kegai"
_CLOCK_SLACK_SECONDS = 30


@dataclass(frozen=True)
class Keys:
    """The development key in `folder`: es256.pem, which only its owner reads, and jwks.json for whoever checks."""

    folder: Path

    @property
    def private(self) -> Path:
        """The signing key."""
        return self.folder / "es256.pem"

    @property
    def jwks(self) -> Path:
        """The public half, as a JSON Web Key Set (RFC 7517)."""
        return self.folder / "jwks.json"

    def make(self) -> None:
        """Make the pair unless it is there; the public half is written from the private one every time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.private.exists():
            pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            draft = self.private.with_suffix(".new")
            draft.unlink(missing_ok=True)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.write(pem)
            draft.replace(self.private)
        self.jwks.write_text(json.dumps({"keys": [self._public()]}, indent=1))

    def token(self, roles: Sequence[str], unit: str | None = None, *, seconds: int = 12 * 3600) -> str:
        """A signed token for these roles, in the name of a unit's code if one is given; valid for `seconds`.

        The subject is opaque and the same for the same roles and unit, so that a trail of actions can be followed.
        """
        now = int(time.time())
        principal = hashlib.sha256(json.dumps([*sorted(roles), unit]).encode()).hexdigest()[:16]
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": f"dev-{principal}",
            "iat": now - _CLOCK_SLACK_SECONDS,
            "exp": now + seconds,
            "roles": list(roles),
        }
        if unit is not None:
            claims["unit"] = unit
        key_id = json.loads(self.jwks.read_text())["keys"][0]["kid"]
        return jwt.encode(claims, self.private.read_bytes(), algorithm="ES256", headers={"kid": key_id})

    def token_for(self, role: str, unit: str) -> str:
        """A token for one role in the name of one unit's code; no unit if that is empty."""
        return self.token([role], unit or None)

    def _public(self) -> dict[str, Any]:
        key = serialization.load_pem_private_key(self.private.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{self.private} holds no elliptic-curve key")
        public: dict[str, Any] = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        # RFC 7638: the thumbprint of the key's required members is a name that nobody has to choose.
        required = json.dumps({name: public[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
        return {**public, "kid": hashlib.sha256(required.encode()).hexdigest()[:16], "alg": "ES256", "use": "sig"}
