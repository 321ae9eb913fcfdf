"""The issuer's public keys: what a JWKS document (RFC 7517) holds that can verify a token."""

import json
from typing import Any

import jwt

#: Which algorithm a kind of key is for: the key decides, never the token.
_ALGORITHM_OF = {("OKP", "Ed25519"): "EdDSA", ("EC", "P-256"): "ES256", ("RSA", None): "RS256"}

ALGORITHMS = frozenset(_ALGORITHM_OF.values())


def usable_keys(document: bytes) -> tuple[jwt.PyJWK, ...]:
    """The verification keys in a JWKS document; entries for other uses and of other kinds are passed over.

    Raises:
        ValueError: no JWKS document, or none of its keys is usable.
    """
    try:
        content = json.loads(document)
    except (ValueError, RecursionError):
        raise ValueError("the answer is not JSON") from None
    entries = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise ValueError('the answer is not a JWKS: it has no list of "keys"')
    keys = tuple(key for entry in entries if (key := _usable(entry)) is not None)
    if not keys:
        raise ValueError("the JWKS has no EdDSA, ES256 or RS256 key for signatures")
    return keys


def _usable(entry: Any) -> jwt.PyJWK | None:
    if not isinstance(entry, dict) or "d" in entry:
        # "d": a private key that was published is everybody's key.
        return None
    kind, curve = entry.get("kty"), entry.get("crv")
    if not isinstance(kind, str) or not isinstance(curve, str | None):
        return None
    algorithm = _ALGORITHM_OF.get((kind, curve))
    operations = entry.get("key_ops", ["verify"])
    if (
        algorithm is None
        or entry.get("alg", algorithm) != algorithm
        or entry.get("use", "sig") != "sig"
        or not isinstance(operations, list)
        or "verify" not in operations
        or not isinstance(entry.get("kid"), str | None)
    ):
        return None
    try:
        key = jwt.PyJWK(entry, algorithm)
    except jwt.PyJWTError:
        return None
    too_short: str | None = key.Algorithm.check_key_length(key.key)
    return None if too_short else key
