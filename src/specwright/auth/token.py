"""One token: taken from its header, judged by its own header, its signature and its claims.

RFC 7515 (JWS), 7519 (JWT), 6750 (bearer) and 8725 (best practice) are the sources of the rules. PyJWT does
the cryptography and the comparisons; what it takes in good faith (a number in a string) is refused here.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from jwt.exceptions import InvalidSubjectError

from specwright.auth.errors import Unauthenticated

MAX_TOKEN_LENGTH = 8 * 1024
MAX_SUBJECT_LENGTH = 255
LEEWAY = 30

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
#: Neither can be stored as text in PostgreSQL, and a claim may be a name its owner chose.
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
#: RFC 8725 §3.11. Better Auth sets no `typ` in a caller's token, and another one in every other kind.
_TYPES = frozenset({"jwt", "at+jwt"})
#: The first second of the year 10000: no date, but what milliseconds written as `exp` amount to.
_END_OF_TIME = 253_402_300_800


@dataclass(frozen=True, slots=True)
class TokenHeader:
    """What a token says of its own signature; nothing here is proved yet."""

    algorithm: str
    key_id: str | None


@dataclass(frozen=True, slots=True)
class Expected:
    """What the claims must say; None is not checked."""

    issuer: str | None = None
    audience: str | None = None


def bearer_token(authorization: str) -> str:
    """The token in an `Authorization` header.

    Raises:
        Unauthenticated: another scheme, no token, too long a token, or none in the compact form.
    """
    scheme, _, token = authorization.strip(" ").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("Send the token as `Authorization: Bearer <token>`.")
    token = token.lstrip(" ")
    if len(token) > MAX_TOKEN_LENGTH:
        raise Unauthenticated(f"The token is longer than {MAX_TOKEN_LENGTH} bytes.")
    if _COMPACT.fullmatch(token) is None:
        raise Unauthenticated("The token is not a JWT: it must be three base64url parts joined by dots.")
    return token


def read_header(token: str, algorithms: frozenset[str]) -> TokenHeader:
    """The token's own header, of which only `alg`, `kid`, `typ` and `crit` are looked at.

    Keys that a token brings along or points to (`jwk`, `jku`, `x5c`, `x5u`) are never used.

    Raises:
        Unauthenticated: unreadable, or an algorithm, type or extension that is not accepted.
    """
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise Unauthenticated("The token cannot be read.") from None
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise Unauthenticated(f"The token must be signed with {' or '.join(sorted(algorithms))}.")
    if "crit" in header:
        raise Unauthenticated("The token asks for extensions (`crit`), and none is known here.")
    kind = header.get("typ")
    if kind is not None and not (
        isinstance(kind, str) and kind.lower().removeprefix("application/") in _TYPES
    ):
        raise Unauthenticated("The token was issued for another purpose (`typ`).")
    return TokenHeader(algorithm, header.get("kid"))


def verified_claims(token: str, key: jwt.PyJWK, expected: Expected) -> dict[str, Any]:
    """The claims of a token that this key signed and that may be used now, here, by someone.

    Raises:
        Unauthenticated: says which of these does not hold.
    """
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            audience=expected.audience,
            issuer=expected.issuer,
            leeway=LEEWAY,
            options={
                "require": ["exp", "sub"],
                "verify_aud": expected.audience is not None,
                "enforce_minimum_key_length": True,
            },
        )
    except jwt.ExpiredSignatureError:
        raise Unauthenticated("The token has expired.") from None
    except jwt.ImmatureSignatureError:
        raise Unauthenticated("The token is not valid yet.") from None
    except jwt.MissingRequiredClaimError as error:
        raise Unauthenticated(f"The token has no `{error.claim}`.") from None
    except jwt.InvalidIssuerError:
        raise Unauthenticated("The token is from another issuer (`iss`).") from None
    except jwt.InvalidAudienceError:
        raise Unauthenticated("The token is meant for another service (`aud`).") from None
    except jwt.InvalidSignatureError:
        raise Unauthenticated("The token's signature does not fit.") from None
    except InvalidSubjectError:
        raise Unauthenticated("The token's `sub` is not text.") from None
    except jwt.PyJWTError:
        raise Unauthenticated("The token cannot be verified.") from None
    _check_times(claims)
    if (fault := subject_fault(claims["sub"])) is not None:
        raise Unauthenticated(f"The token's `sub` {fault}.")
    _check_texts(claims)
    return claims


def subject_fault(subject: str) -> str | None:
    """What keeps a text from being a caller's id, if anything does."""
    if not subject.strip():
        return "is blank"
    if len(subject) > MAX_SUBJECT_LENGTH:
        return f"is longer than {MAX_SUBJECT_LENGTH} characters"
    if _CONTROL.search(subject) or _UNSTORABLE.search(subject):
        return "contains control characters"
    return None


def _check_times(claims: Mapping[str, Any]) -> None:
    """RFC 7519 §2: a NumericDate is a JSON number, with a fraction or without. PyJWT also takes strings."""
    for name in ("exp", "nbf", "iat"):
        if name in claims:
            value = claims[name]
            numeric = isinstance(value, int | float) and not isinstance(value, bool)
            if not numeric or not math.isfinite(value) or not 0 <= value < _END_OF_TIME:
                raise Unauthenticated(f"The token's `{name}` is not a time in seconds.")


def _check_texts(claims: Mapping[str, Any]) -> None:
    # A stack of its own: a token may nest deeper than Python recurses.
    waiting: list[Any] = [claims]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if _UNSTORABLE.search(value):
                raise Unauthenticated("The token holds characters that are no text.")
        elif isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            waiting += value
