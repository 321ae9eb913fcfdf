"""JSON Web Tokens, read without a key and written wrongly on purpose (RFC 7515, RFC 7519, RFC 8725)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from specwright.model.errors import ConfigError

_DIGESTS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


@dataclass(frozen=True, slots=True)
class Token:
    """A signed token, as it was given out."""

    text: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The token in a text; None where it is none. Its signature is not looked at."""
        try:
            parts = jwt.decode_complete(text, options={"verify_signature": False})
        except jwt.PyJWTError:
            return None
        return cls(text, parts["header"], parts["payload"])

    @property
    def algorithm(self) -> str:
        """How it says that it is signed."""
        return str(self.header.get("alg", ""))

    @property
    def shared(self) -> bool:
        """Whether whoever checks it could sign it, too: an HMAC."""
        return self.algorithm in _DIGESTS

    @property
    def signature(self) -> str:
        """Its last part."""
        return self.text.rpartition(".")[2]

    def signed_with(self, key: bytes) -> bool:
        """Whether this key has signed it; of HMACs only."""
        digest = _DIGESTS.get(self.algorithm)
        if digest is None:
            return False
        signed = self.text.rpartition(".")[0].encode()
        return hmac.compare_digest(_base64(hmac.digest(key, signed, digest)), self.signature)


@dataclass(frozen=True, slots=True)
class Key:
    """A key that tokens are signed with: a text for an HMAC, PEM for the others."""

    key: str
    algorithm: str

    @property
    def public(self) -> str | None:
        """The public half as PEM; None of an HMAC, which has none."""
        if self.algorithm in _DIGESTS:
            return None
        private = load_pem_private_key(self.key.encode(), None)
        return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def sign(self, claims: Mapping[str, Any], header: Mapping[str, Any]) -> str:
        """A token with these claims, and these members in its header besides the algorithm.

        Raises:
            ConfigError: the key is none of the algorithm.
        """
        if self.algorithm in _DIGESTS:
            # PyJWT warns of short keys, and refuses some; whether an app takes them is for the app to say.
            return authenticated({"typ": "JWT", **header}, claims, self.key.encode(), self.algorithm)
        try:
            return jwt.encode(dict(claims), self.key, self.algorithm, headers=dict(header))
        except Exception as error:  # PyJWT and cryptography have many for a key that is none
            raise ConfigError(f"No token can be signed with [secret] of people.toml: {error}.") from error


def unsigned(header: Mapping[str, Any], claims: Mapping[str, Any], signature: str = "") -> str:
    """A token that nobody has signed."""
    return f"{_base64(_json(header))}.{_base64(_json(claims))}.{signature}"


def authenticated(
    header: Mapping[str, Any], claims: Mapping[str, Any], key: bytes, algorithm: str = "HS256"
) -> str:
    """A token with an HMAC by any key at all, those that no library would sign with among them."""
    signed = unsigned({**header, "alg": algorithm}, claims).rstrip(".")
    return f"{signed}.{_base64(hmac.digest(key, signed.encode(), _DIGESTS[algorithm]))}"


def public_pem(jwk: Mapping[str, Any]) -> str | None:
    """A public key of a JWKS as PEM; None where it is of no kind that is known."""
    try:
        key = jwt.PyJWK.from_dict(dict(jwk)).key
        pem: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    except (jwt.PyJWTError, AttributeError):
        return None
    return pem.decode()


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
