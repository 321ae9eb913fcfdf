"""Tokens signed with a shared secret: what is accepted, and every way not to be."""

import asyncio
import base64
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from specwright.auth import Authentication, Unauthenticated
from specwright.auth.token import LEEWAY, MAX_TOKEN_LENGTH
from specwright.model.caller import ANONYMOUS
from specwright.model.errors import ConfigError
from specwright.settings import Settings

pytestmark = pytest.mark.anyio

SECRET = "9_uKc2m-Wq7ZxT4vLb8RsYd3Fh6Gj1Ca"
OTHER = "zT4-Qw9_kLm2NpX7vRb8sYd3Fh6Gj1Ca"
NOW = int(time.time())
GOOD: dict[str, Any] = {"sub": "ada", "exp": NOW + 600}


@pytest.fixture(autouse=True)
def this_moment() -> None:
    """The file may have been read long before its tests run."""
    global NOW
    NOW = int(time.time())
    GOOD["exp"] = NOW + 600


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def signed(claims: dict[str, Any] | bytes, secret: str = SECRET, **header: Any) -> str:
    """A token as an attacker may make it: any claims, any header, a true HS256 signature."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    head = {"alg": "HS256", "typ": "JWT", **header}
    parts = [base64url(json.dumps(head).encode()), base64url(payload)]
    key = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    return ".".join([*parts, base64url(key.sign(".".join(parts).encode(), secret.encode()))])


def authentication(**settings: Any) -> Authentication:
    return Authentication(Settings(auth_secret=SECRET, **settings))


async def refusal(token: str, **settings: Any) -> str:
    """Why the token is refused."""
    with pytest.raises(Unauthenticated) as caught:
        await authentication(**settings).caller(f"Bearer {token}")
    assert SECRET not in str(caught.value)
    return caught.value.detail


async def test_a_good_token() -> None:
    """Its subject is the caller, with roles and claims."""
    claims = {**GOOD, "roles": ["admin"], "email": "ada@example.com"}
    caller = await authentication().caller(f"Bearer {signed(claims)}")
    assert (caller.id, caller.roles) == ("ada", {"admin"})
    assert caller.claims["email"] == "ada@example.com"
    with pytest.raises(TypeError):
        caller.claims["email"] = "eve@example.com"  # type: ignore[index]


async def test_no_header_is_anonymous() -> None:
    """Without a credential nobody is refused here: grants decide."""
    assert await authentication().caller(None) is ANONYMOUS


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer   "])
async def test_the_scheme_in_any_case(scheme: str) -> None:
    """RFC 7235: schemes are case-insensitive."""
    assert (await authentication().caller(scheme + signed(GOOD))).id == "ada"


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        "Bearer",
        "Bearer ",
        "Bearer garbage",
        "Bearer a.b",
        "Bearer a.b.c",
        "Bearer a.b.c.d",
        "Bearer a.b.c.d.e",
        "Bearer ..",
        "Bearer eyJhbGciOiJIUzI1NiJ9..",
        "Basic YWRhOmFkYQ==",
        "Token abc",
        "Bearer ä.ö.ü",
        "Bearer \u212a.b.c",
        "Bearer a.b.c\n",
        "Bearer\ta.b.c",
        "Bearer \x00",
        "Bearer " + "\ud800.a.b",
    ],
)
async def test_headers_that_hold_no_token(header: str) -> None:
    """Whatever stands in the header is a 401, never an accident."""
    with pytest.raises(Unauthenticated):
        await authentication().caller(header)


@pytest.mark.parametrize("tail", [" ", "  x", ", Bearer x", "\n", "=", "%20", "ü"])
async def test_a_good_token_with_something_more(tail: str) -> None:
    """Only the token itself proves anything; blanks at the end are blanks."""
    try:
        caller = await authentication().caller(f"Bearer {signed(GOOD)}{tail}")
    except Unauthenticated:
        assert tail != " "
    else:
        assert (caller.id, tail) == ("ada", " ")


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "nOnE", "", None, 0, [], ["HS256"], {}, "hs256"]
)
@pytest.mark.parametrize("signature", ["", "AA", "kept"])
async def test_alg_none_and_its_kin(algorithm: Any, signature: str) -> None:
    """A token cannot say that it needs no signature."""
    head, payload, good = signed(GOOD).split(".")
    head = base64url(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
    with pytest.raises(Unauthenticated):
        await authentication().caller(f"Bearer {head}.{payload}.{good if signature == 'kept' else signature}")


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
async def test_another_hash(algorithm: str) -> None:
    """The secret is for HS256 alone."""
    assert await refusal(jwt.encode(GOOD, SECRET * 2, algorithm)) == "The token must be signed with HS256."


async def test_asymmetric_tokens_have_no_place_here() -> None:
    """With a shared secret a token signed by anyone's own key is refused, key enclosed or not."""
    key = rsa.generate_private_key(65537, 2048)
    public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    token = jwt.encode(GOOD, key, "RS256", headers={"jwk": public, "jku": "http://127.0.0.1/"})
    assert await refusal(token) == "The token must be signed with HS256."


@pytest.mark.parametrize("secret", [OTHER, "", " ", "\x00", SECRET.lower(), SECRET + "\n", "secret"])
async def test_the_wrong_secret(secret: str) -> None:
    """Another key, a blank one among them, proves nothing."""
    assert await refusal(signed(GOOD, secret)) == "The token's signature does not fit."


@pytest.mark.parametrize(
    "kid",
    ["../../dev/null", "/dev/null", "' UNION SELECT 'x' --", "k\x00", "http://127.0.0.1/k", "a" * 500],
)
async def test_the_key_id_is_never_followed(kid: str) -> None:
    """A key id that names a file, a query or an address neither helps nor harms."""
    assert await refusal(signed(GOOD, "", kid=kid)) == "The token's signature does not fit."
    assert (await authentication().caller(f"Bearer {signed(GOOD, kid=kid)}")).id == "ada"


async def test_an_enclosed_key_is_never_used() -> None:
    """The token's own `jwk` does not verify it."""
    enclosed = {"kty": "oct", "k": base64url(OTHER.encode()), "alg": "HS256"}
    assert await refusal(signed(GOOD, OTHER, jwk=enclosed)) == "The token's signature does not fit."


@pytest.mark.parametrize("kid", [7, None, [], {}])
async def test_a_key_id_that_is_no_text(kid: Any) -> None:
    """A header that breaks the rules is unreadable."""
    assert await refusal(signed(GOOD, kid=kid)) == "The token cannot be read."


@pytest.mark.parametrize("crit", [["b64"], ["exp"], [], "exp", None])
async def test_critical_extensions(crit: Any) -> None:
    """RFC 7515 §4.1.11: who does not know an extension refuses the token."""
    assert await refusal(signed(GOOD, crit=crit, b64=True)) in (
        "The token asks for extensions (`crit`), and none is known here.",
        "The token cannot be read.",
    )


async def test_a_detached_payload() -> None:
    """`b64: false` does not slip an unsigned payload in."""
    await refusal(signed(GOOD, b64=False))


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"])
async def test_types_of_a_callers_token(kind: str) -> None:
    """`typ` may say that it is a JWT or an access token."""
    assert (await authentication().caller(f"Bearer {signed(GOOD, typ=kind)}")).id == "ada"


@pytest.mark.parametrize(
    "kind", ["better-auth.session-cache+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt", "", 7, ["JWT"]]
)
async def test_types_of_other_tokens(kind: Any) -> None:
    """RFC 8725 §3.11: a token made for another purpose is refused."""
    assert await refusal(signed(GOOD, typ=kind)) == "The token was issued for another purpose (`typ`)."


async def test_expiry() -> None:
    """A token lives to its `exp` and 30 seconds more, no longer."""
    assert (await authentication().caller(f"Bearer {signed({**GOOD, 'exp': NOW - LEEWAY + 20})}")).id == "ada"
    assert await refusal(signed({**GOOD, "exp": NOW - LEEWAY - 1})) == "The token has expired."
    assert await refusal(signed({**GOOD, "exp": 0})) == "The token has expired."


@pytest.mark.parametrize("name", ["exp", "sub"])
@pytest.mark.parametrize("absent", [True, False])
async def test_required_claims(name: str, absent: bool) -> None:
    """Without an end or a subject, or with null for one, a token is refused by the claim's name."""
    claims = {key: value for key, value in GOOD.items() if key != name} if absent else {**GOOD, name: None}
    assert await refusal(signed(claims)) == f"The token has no `{name}`."


async def test_a_mail_verification_link_signs_nobody_in() -> None:
    """Better Auth signs links with the same secret: payload {email, updateTo}, no subject."""
    link = {"email": "ada@example.com", "updateTo": "eve@example.com", "iat": NOW, "exp": NOW + 3600}
    assert await refusal(signed(link)) == "The token has no `sub`."


async def test_a_cookie_cache_signs_nobody_in() -> None:
    """Better Auth's cached session has a user and no subject."""
    cache = {"session": {"userId": "ada", "token": "x"}, "user": {"id": "ada"}, "iat": NOW, "exp": NOW + 300}
    assert await refusal(signed(cache)) == "The token has no `sub`."


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize(
    "literal",
    [
        '"1795223640"',
        '"tomorrow"',
        "true",
        "[]",
        "{}",
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "-1",
        "9" * 30,
        "9" * 5000,
        "1795223640000",
    ],
)
async def test_times_that_are_none(name: str, literal: str) -> None:
    """A time is a number of seconds: no text, boolean, infinity, milliseconds or far future."""
    times = {"exp": str(NOW + 600), name: literal}
    text = '{"sub": "ada", ' + ", ".join(f'"{key}": {value}' for key, value in times.items()) + "}"
    await refusal(signed(text.encode()))


async def test_times_with_fractions() -> None:
    """RFC 7519 §2: a NumericDate may have a fraction."""
    claims = {**GOOD, "exp": NOW + 600.5, "iat": NOW - 0.25, "nbf": NOW - 1.5}
    assert (await authentication().caller(f"Bearer {signed(claims)}")).id == "ada"


@pytest.mark.parametrize("name", ["nbf", "iat"])
async def test_a_token_from_the_future(name: str) -> None:
    """Clocks may differ by 30 seconds, not by more."""
    assert (await authentication().caller(f"Bearer {signed({**GOOD, name: NOW + 20})}")).id == "ada"
    assert await refusal(signed({**GOOD, name: NOW + 120})) == "The token is not valid yet."


@pytest.mark.parametrize(
    "subject",
    [
        42,
        True,
        ["ada"],
        {"id": "ada"},
        "",
        " ",
        "\t",
        "a\x00b",
        "a\nb",
        "a\x7f",
        "a\x85",
        "\ud800",
        "x" * 256,
    ],
)
async def test_subjects_that_are_none(subject: Any) -> None:
    """A subject is a text of 1 to 255 characters that can be stored and printed."""
    assert "`sub`" in await refusal(signed({**GOOD, "sub": subject}))


@pytest.mark.parametrize("subject", ["x" * 255, "auth0|5f7c8ec7", "ada@example.com", "日本 ada", "😀"])
async def test_subjects_as_issuers_have_them(subject: str) -> None:
    """Any printable text is somebody's id."""
    assert (await authentication().caller(f"Bearer {signed({**GOOD, 'sub': subject})}")).id == subject


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "\udc00\ud800"])
async def test_claims_that_no_database_holds(text: str) -> None:
    """A name with a NUL or half a character is refused here, not by PostgreSQL."""
    for claims in ({"name": text}, {text: 1}, {"user": {"tags": [{"x": text}]}}):
        assert await refusal(signed({**GOOD, **claims})) == "The token holds characters that are no text."


@pytest.mark.parametrize(
    ("claims", "accepted"),
    [
        ({"iss": "https://a.example", "aud": "api"}, True),
        ({"iss": "https://a.example", "aud": ["other", "api"]}, True),
        ({"iss": "https://a.example/", "aud": "api"}, False),
        ({"iss": ["https://a.example"], "aud": "api"}, False),
        ({"iss": None, "aud": "api"}, False),
        ({"aud": "api"}, False),
        ({"iss": "https://a.example"}, False),
        ({"iss": "https://a.example", "aud": "ap"}, False),
        ({"iss": "https://a.example", "aud": "API"}, False),
        ({"iss": "https://a.example", "aud": []}, False),
        ({"iss": "https://a.example", "aud": [["api"]]}, False),
        ({"iss": "https://a.example", "aud": {"api": 1}}, False),
    ],
)
async def test_issuer_and_audience(claims: dict[str, Any], accepted: bool) -> None:
    """Where they are configured they must fit, to the letter."""
    token = signed({**GOOD, **claims})
    expected = {"auth_issuer": "https://a.example", "auth_audience": "api"}
    if accepted:
        assert (await authentication(**expected).caller(f"Bearer {token}")).id == "ada"
    else:
        await refusal(token, **expected)


async def test_issuer_and_audience_are_not_checked_unasked() -> None:
    """Without the settings a token may come from and be for anywhere."""
    token = signed({**GOOD, "iss": "https://b.example", "aud": ["other"]})
    assert (await authentication().caller(f"Bearer {token}")).id == "ada"


async def test_a_huge_token() -> None:
    """More than 8 KiB is refused before anything is decoded; just less is not."""
    assert "longer than" in await refusal(signed({**GOOD, "x": "y" * MAX_TOKEN_LENGTH}))
    assert "longer than" in await refusal("a" * 10_000_000)
    token = signed({**GOOD, "x": "y" * 5900})
    assert MAX_TOKEN_LENGTH - 300 < len(token) <= MAX_TOKEN_LENGTH
    assert (await authentication().caller(f"Bearer {token}")).id == "ada"


@pytest.mark.parametrize("payload", [b"[]", b'"ada"', b"7", b"null", b"{", b"\xff", b"[" * 5000, b""])
async def test_payloads_that_are_no_claims(payload: bytes) -> None:
    """A signature over anything but a JSON object proves nobody."""
    await refusal(signed(payload))


async def test_deep_claims() -> None:
    """Claims nested as deep as 8 KiB allow are refused or taken, without an accident."""
    deep = b'{"sub": "ada", "exp": %d, "x": %s}' % (NOW + 600, b"[" * 900 + b"]" * 900)
    try:
        assert (await authentication().caller(f"Bearer {signed(deep)}")).id == "ada"
    except Unauthenticated as error:
        assert error.detail == "The token cannot be verified."


async def test_a_changed_signature() -> None:
    """No bit of the signature is spare: its last character cannot be varied either."""
    token = signed(GOOD)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    backend = authentication()
    accepted = []
    for character in alphabet:
        try:
            await backend.caller(f"Bearer {token[:-1]}{character}")
        except Unauthenticated:
            continue
        accepted.append(character)
    assert accepted == [token[-1]]


async def test_one_token_one_caller() -> None:
    """The same token gives the same object, also when many bring it at once."""
    backend = authentication()
    header = f"Bearer {signed(GOOD)}"
    callers = await asyncio.gather(*(backend.caller(header) for _ in range(20)))
    assert {id(caller) for caller in callers} == {id(await backend.caller(header))}


async def test_a_token_is_no_longer_taken_after_it_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    """Being remembered does not prolong a token."""
    backend = authentication()
    header = f"Bearer {signed(GOOD)}"
    await backend.caller(header)
    monkeypatch.setattr(backend._callers, "_now", lambda: GOOD["exp"] + LEEWAY + 1)
    assert backend._callers.get(header.removeprefix("Bearer ")) is None


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "Nobody can sign in"),
        ({"auth_secret": "x" * 31}, "AUTH_SECRET is shorter than 32 bytes"),
        ({"better_auth_secret": "x" * 31}, "BETTER_AUTH_SECRET is shorter than 32 bytes"),
        ({"auth_secret": SECRET, "auth_jwks_url": "https://issuer.example/jwks"}, "both set"),
    ],
)
async def test_settings_that_sign_nobody_in(settings: dict[str, Any], sentence: str) -> None:
    """Without one sound way to sign in, nothing starts, in development either."""
    with pytest.raises(ConfigError, match=sentence):
        Authentication(Settings(**settings))


async def test_a_public_key_is_no_secret() -> None:
    """A public key pasted into AUTH_SECRET would let everyone sign; it is refused at the start."""
    pem = (
        rsa.generate_private_key(65537, 2048)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    with pytest.raises(ConfigError, match="is a public key or certificate"):
        Authentication(Settings(auth_secret=pem.decode()))
