"""Tokens of a proof: anyone may be signed in, since the app is told to trust a key made for this one run."""

import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import OKPAlgorithm

from specwright.auth.roles import placed
from specwright.settings import Settings

_LIFETIME = 3600
_KEY_ID = "proof"


class Signer:
    """Signs in the mode of the settings, shared secret or public keys, with a key of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._private = Ed25519PrivateKey.generate() if settings.auth_jwks_url is not None else None
        self._secret = secrets.token_urlsafe(32)
        self._tokens: dict[tuple[str, tuple[str, ...], str], str] = {}

    @property
    def jwks(self) -> bytes | None:
        """The document to publish at the app's `AUTH_JWKS_URL` (RFC 7517 §5); None for a shared secret."""
        if self._private is None:
            return None
        key = json.loads(OKPAlgorithm.to_jwk(self._private.public_key()))
        return json.dumps({"keys": [{**key, "kid": _KEY_ID, "alg": "EdDSA", "use": "sig"}]}).encode()

    @property
    def public(self) -> str | None:
        """The key of that document as PEM; None for a shared secret."""
        if self._private is None:
            return None
        key = self._private.public_key()
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    @property
    def secret(self) -> str:
        """What the app's `AUTH_SECRET` must be when there is no document to publish."""
        return self._secret

    def token(self, name: str, roles: tuple[str, ...], claims: Mapping[str, Any] | None = None) -> str:
        """A token that the app takes for `name` with these roles; the same one for the same person."""
        known = (name, roles, json.dumps(claims, sort_keys=True))
        if known not in self._tokens:
            self._tokens[known] = self._sign(name, roles, claims or {})
        return self._tokens[known]

    def _sign(self, name: str, roles: tuple[str, ...], more: Mapping[str, Any]) -> str:
        issued = int(time.time())
        claims = {
            **more,
            **placed(self._settings.auth_roles_claim, roles),
            "sub": name,
            "iat": issued,
            "exp": issued + _LIFETIME,
        }
        if self._settings.auth_issuer is not None:
            claims["iss"] = self._settings.auth_issuer
        if self._settings.auth_audience is not None:
            claims["aud"] = self._settings.auth_audience
        return self.sign(claims, {})

    def sign(self, claims: Mapping[str, Any], header: Mapping[str, Any]) -> str:
        """A token with these claims and no others, and these members in its header besides."""
        if self._private is None:
            return jwt.encode(dict(claims), self._secret, algorithm="HS256", headers=dict(header))
        return jwt.encode(dict(claims), self._private, algorithm="EdDSA", headers={"kid": _KEY_ID, **header})
