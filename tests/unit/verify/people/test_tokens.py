"""Tokens that are read without a key, and written wrongly on purpose."""

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import ECAlgorithm

from specwright.model.errors import ConfigError
from specwright.verify.people.tokens import Key, Token, authenticated, public_pem, unsigned

_KEY = "a key that is long enough for every HMAC there is, which takes sixty-four bytes"
_CLAIMS = {"sub": "ada", "exp": 4_000_000_000}


def _read(text: str) -> Token:
    token = Token.read(text)
    assert token is not None
    return token


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_key_signs_as_libraries_do(algorithm: str) -> None:
    """PyJWT takes what is signed here, and the key of what PyJWT signs is recognised."""
    text = Key(_KEY, algorithm).sign(_CLAIMS, {"kid": "one"})
    assert jwt.decode(text, _KEY, [algorithm]) == _CLAIMS
    token = _read(jwt.encode(_CLAIMS, _KEY, algorithm))
    assert token.shared
    assert token.signed_with(_KEY.encode())
    assert not token.signed_with(_KEY.encode() + b"!")


def test_any_key_at_all_can_be_tried() -> None:
    """An empty key signs, though no library would."""
    token = _read(authenticated({"kid": "x"}, _CLAIMS, b""))
    assert token.signed_with(b"")
    assert token.header == {"alg": "HS256", "kid": "x"}


def test_an_unsigned_token_keeps_what_it_says() -> None:
    """Header and claims stand in it as they were given, and the signature, too."""
    text = unsigned({"alg": "nOnE"}, _CLAIMS, "AAAA")
    assert jwt.get_unverified_header(text) == {"alg": "nOnE"}
    assert text.endswith(".AAAA")
    assert unsigned({"alg": "none"}, _CLAIMS).endswith(".")


@pytest.mark.parametrize("text", ["", "a.b.c", "sid=1", "abc", "e30.e30"])
def test_other_texts_are_no_tokens(text: str) -> None:
    """What is no JWT is None."""
    assert Token.read(text) is None


def test_a_private_key_has_a_public_half() -> None:
    """It is the one of its JWK, and an HMAC has none."""
    private = generate_private_key(SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    key = Key(pem, "ES256")
    assert key.public == public_pem(
        ECAlgorithm(ECAlgorithm.SHA256).to_jwk(private.public_key(), as_dict=True)
    )
    assert jwt.decode(key.sign(_CLAIMS, {}), key.public or "", ["ES256"]) == _CLAIMS
    assert Key(_KEY, "HS256").public is None


def test_a_jwk_of_no_known_kind_has_no_pem() -> None:
    """Secrets, and what is no key."""
    assert public_pem({"kty": "oct", "k": "AAAA"}) is None
    assert public_pem({"kty": "new"}) is None


def test_a_key_that_is_none_is_told() -> None:
    """The message names people.toml."""
    with pytest.raises(ConfigError, match=r"people\.toml"):
        Key("no PEM", "RS256").sign(_CLAIMS, {})
