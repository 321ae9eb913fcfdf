"""Tokens of an issuer that publishes its keys, over real HTTP: rotation, outages, forgeries and floods."""

import asyncio
import base64
import gzip
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from specwright.auth import Authentication, KeysUnavailable, Unauthenticated
from specwright.auth import issuer as issuer_module
from specwright.auth.issuer import COOL_DOWN, FRESH, MAX_DOCUMENT_BYTES, RETRY, Issuer
from specwright.settings import Settings

pytestmark = pytest.mark.anyio

NOW = int(time.time())
CLAIMS: dict[str, Any] = {"sub": "ada", "exp": NOW + 600}


@pytest.fixture(autouse=True)
def this_moment() -> None:
    """The file may have been read long before its tests run."""
    global NOW
    NOW = int(time.time())
    CLAIMS["exp"] = NOW + 600


ED25519 = ed25519.Ed25519PrivateKey.generate()
P256 = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(65537, 2048)
KEYS: dict[str, Any] = {"EdDSA": ED25519, "ES256": P256, "RS256": RSA}


def entry(key: Any, kid: str | None = "k1", **more: Any) -> dict[str, Any]:
    """A JWKS entry for the public half of a key."""
    name = {"Ed": "OKP", "RS": "RSA"}.get(type(key).__name__[:2], "EC")
    algorithm = getattr(jwt.algorithms, f"{name}Algorithm")
    known = {} if kid is None else {"kid": kid}
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), **known, **more}


def token(key: Any = ED25519, algorithm: str = "EdDSA", kid: str | None = "k1", **claims: Any) -> str:
    """A signed token as Better Auth writes it: `alg` and `kid` only."""
    headers: dict[str, Any] = {"typ": None} | ({} if kid is None else {"kid": kid})
    return jwt.encode({**CLAIMS, **claims}, key, algorithm, headers=headers)


@dataclass
class Server:
    """An issuer: what it answers, and how often it was asked."""

    port: int = 0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    requests: list[str] = field(default_factory=list)
    #: Cleared, every answer waits.
    open: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    listener: asyncio.Server | None = None
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/auth/jwks"

    def publish(self, *entries: Any) -> None:
        self.body = json.dumps({"keys": entries}).encode()

    async def start(self) -> None:
        self.listener = await asyncio.start_server(self._answer, "127.0.0.1", self.port)
        self.port = self.listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self.listener is not None
        self.listener.close()
        for writer in self.writers:
            writer.close()
        await self.listener.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(request.decode().split()[1])
            self.asked.set()
            await self.open.wait()
            headers = {"Content-Length": str(len(self.body)), "Connection": "close", **self.headers}
            lines = [f"HTTP/1.1 {self.status} X", *(f"{name}: {value}" for name, value in headers.items())]
            writer.write("\r\n".join([*lines, "", ""]).encode() + self.body)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()


class Clock:
    """A time that passes when told to."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


@asynccontextmanager
async def started() -> AsyncIterator[Server]:
    """An issuer with one EdDSA key, for one test."""
    server = Server()
    server.publish(entry(ED25519))
    server.open.set()
    await server.start()
    yield server
    server.open.set()
    await server.stop()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """The issuer that the backend trusts."""
    async with started() as server:
        yield server


@pytest.fixture
async def stranger() -> AsyncIterator[Server]:
    """An issuer that nobody should ever ask."""
    async with started() as server:
        yield server


@pytest.fixture
async def backend(server: Server) -> AsyncIterator[Authentication]:
    """A backend that trusts that issuer."""
    backend = Authentication(Settings(auth_jwks_url=server.url))
    yield backend
    await backend.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def issuer(server: Server, clock: Clock) -> AsyncIterator[Issuer]:
    """The backend's view of the issuer, in a time of the test's own."""
    issuer = Issuer(server.url, clock=clock)
    yield issuer
    await issuer.close()


async def settled(issuer: Issuer) -> None:
    """Waits for a fetch in the background to end."""
    if issuer._fetching is not None:
        await issuer._fetching


# Tokens


@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.parametrize("named", [True, False])
async def test_each_algorithm(server: Server, backend: Authentication, algorithm: str, named: bool) -> None:
    """EdDSA, ES256 and RS256 tokens are accepted, whether or not the JWKS entry names its `alg`."""
    server.publish(entry(KEYS[algorithm], **({"alg": algorithm} if named else {})))
    caller = await backend.caller(f"Bearer {token(KEYS[algorithm], algorithm, roles=['admin'])}")
    assert (caller.id, caller.roles) == ("ada", {"admin"})


async def test_better_auth_as_it_is(server: Server) -> None:
    """A token with the whole user, `aud` and `iss`, and no `typ`; the role is a string."""
    backend = Authentication(
        Settings(
            auth_jwks_url=server.url,
            auth_issuer="https://app.example",
            auth_audience="https://app.example",
            auth_roles_claim="role",
        )
    )
    user = {
        "id": "u1",
        "email": "ada@example.com",
        "emailVerified": False,
        "image": None,
        "role": "admin,user",
    }
    good = token(iat=NOW, iss="https://app.example", aud="https://app.example", **{**user, "sub": "u1"})
    caller = await backend.caller(f"Bearer {good}")
    assert (caller.id, caller.roles) == ("u1", {"admin", "user"})
    cached_session = jwt.encode(
        {**CLAIMS, "iss": "https://app.example", "aud": "better-auth:session-cache", "sid": "s"},
        ED25519,
        "EdDSA",
        headers={"kid": "k1", "typ": "better-auth.session-cache+jwt"},
    )
    with pytest.raises(Unauthenticated, match="another purpose"):
        await backend.caller(f"Bearer {cached_session}")
    await backend.close()


async def test_a_public_key_used_as_a_secret(server: Server, backend: Authentication) -> None:
    """The RS256 → HS256 confusion: the public key, in any notation, is nobody's HMAC secret."""
    server.publish(entry(RSA))
    public = RSA.public_key()
    info, pkcs1 = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1
    secrets = [
        public.public_bytes(encoding, form)
        for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER)
        for form in (info, pkcs1)
    ]
    secrets += [json.dumps(entry(RSA)).encode(), entry(RSA)["n"].encode(), b""]
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    for secret in secrets:
        for name in ("HS256", "RS256"):
            parts = [
                base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
                for part in ({"alg": name, "kid": "k1"}, CLAIMS)
            ]
            signature = base64.urlsafe_b64encode(algorithm.sign(b".".join(parts), secret)).rstrip(b"=")
            with pytest.raises(Unauthenticated):
                await backend.caller(f"Bearer {b'.'.join([*parts, signature]).decode()}")


async def test_no_shared_secret_beside_public_keys(server: Server) -> None:
    """HS256 with BETTER_AUTH_SECRET is refused where keys are published, before they are asked for."""
    secret = "9_uKc2m-Wq7ZxT4vLb8RsYd3Fh6Gj1Ca"
    backend = Authentication(Settings(auth_jwks_url=server.url, better_auth_secret=secret))
    with pytest.raises(Unauthenticated, match="must be signed with ES256 or EdDSA or RS256"):
        await backend.caller(f"Bearer {jwt.encode(CLAIMS, secret, 'HS256')}")
    assert server.requests == []
    await backend.close()


async def test_algorithms_not_on_the_list(server: Server, backend: Authentication) -> None:
    """PS256, RS512, ES384 and Ed448 are refused, though the key would fit some."""
    p384 = ec.generate_private_key(ec.SECP384R1())
    x448 = ed448.Ed448PrivateKey.generate()
    server.publish(entry(RSA), entry(p384, "k2"), entry(x448, "k3"), entry(ED25519, "k4"))
    for key, algorithm, kid in [(RSA, "PS256", "k1"), (RSA, "RS512", "k1"), (p384, "ES384", "k2")]:
        with pytest.raises(Unauthenticated, match="must be signed with"):
            await backend.caller(f"Bearer {token(key, algorithm, kid)}")
    with pytest.raises(Unauthenticated, match="not known"):
        await backend.caller(f"Bearer {token(x448, 'EdDSA', 'k3')}")


async def test_the_key_must_fit_the_algorithm(server: Server, backend: Authentication) -> None:
    """A token that names another key's id with its own algorithm finds no key."""
    server.publish(entry(RSA, "rsa"), entry(P256, "ec"), entry(ED25519, "ed"))
    with pytest.raises(Unauthenticated, match="not known"):
        await backend.caller(f"Bearer {token(ED25519, 'EdDSA', 'rsa')}")


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk", "x5c"])
async def test_keys_that_a_token_brings_along(backend: Authentication, stranger: Server, name: str) -> None:
    """Neither enclosed keys nor addresses of keys are used or fetched."""
    stranger.publish(entry(P256))
    enclosed = {"jwk": entry(P256), "x5c": ["AAAA"]}.get(name, stranger.url)
    forged = jwt.encode(CLAIMS, P256, "ES256", headers={"kid": "k1", name: enclosed})
    with pytest.raises(Unauthenticated):
        await backend.caller(f"Bearer {forged}")
    assert stranger.requests == []


async def test_anothers_signature(backend: Authentication) -> None:
    """A key of the same kind under a known id proves nothing."""
    with pytest.raises(Unauthenticated, match="signature"):
        await backend.caller(f"Bearer {token(ed25519.Ed25519PrivateKey.generate())}")


async def test_a_token_without_key_id(server: Server, backend: Authentication) -> None:
    """Without a `kid` each key of the algorithm is tried."""
    other = ed25519.Ed25519PrivateKey.generate()
    server.publish(entry(other, "k0"), entry(P256, "k1"), entry(ED25519, None))
    assert (await backend.caller(f"Bearer {token(kid=None)}")).id == "ada"
    with pytest.raises(Unauthenticated, match="signature"):
        await backend.caller(f"Bearer {token(ed25519.Ed25519PrivateKey.generate(), kid=None)}")


@pytest.mark.parametrize(
    "more",
    [
        {"use": "enc"},
        {"use": 7},
        {"alg": "Ed448"},
        {"alg": "HS256"},
        {"alg": ["EdDSA"]},
        {"key_ops": ["encrypt"]},
        {"key_ops": "verify"},
        {"kid": 7},
        {"crv": "X25519"},
        {"crv": ["Ed25519"]},
        {"kty": ["OKP"]},
        {"x": "AA"},
        {"x": 7},
        {"d": jwt.algorithms.OKPAlgorithm.to_jwk(ED25519, as_dict=True)["d"]},
    ],
    ids=lambda more: next(iter(more)),
)
async def test_entries_that_are_passed_over(
    server: Server, backend: Authentication, more: dict[str, Any]
) -> None:
    """Keys for other uses, broken keys and published private keys verify nothing; the rest still do."""
    server.publish({**entry(ED25519), **more}, entry(P256, "k2"))
    with pytest.raises(Unauthenticated, match="not known"):
        await backend.caller(f"Bearer {token()}")
    assert (await backend.caller(f"Bearer {token(P256, 'ES256', 'k2')}")).id == "ada"


async def test_symmetric_and_short_keys_are_passed_over(server: Server, backend: Authentication) -> None:
    """An `oct` entry makes HS256 no way in, and RSA under 2048 bits none either."""
    short = rsa.generate_private_key(65537, 1024)
    shared = {"kty": "oct", "k": base64.urlsafe_b64encode(b"x" * 32).decode().rstrip("="), "kid": "k2"}
    server.publish(entry(short, "k1"), shared, entry(ED25519, "k3"))
    payload = base64.urlsafe_b64encode(json.dumps(CLAIMS).encode()).rstrip(b"=")
    head = base64.urlsafe_b64encode(b'{"alg":"RS256","kid":"k1"}').rstrip(b"=")
    signature = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256).sign(
        head + b"." + payload, short
    )
    weak = b".".join([head, payload, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()
    for forged in (weak, jwt.encode(CLAIMS, "x" * 32, "HS256", headers={"kid": "k2"})):
        with pytest.raises(Unauthenticated):
            await backend.caller(f"Bearer {forged}")


# The document


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b"{}",
        b'{"keys": null}',
        b'{"keys": {}}',
        b'{"keys": []}',
        b'{"keys": [7, null, "x", [], {}]}',
        b'{"keys": [{"kty": "oct", "k": "AAAA"}]}',
        b"\xff\xfe",
        b"[" * 100_000,
        b" " * (MAX_DOCUMENT_BYTES + 1),
        gzip.compress(json.dumps({"keys": [entry(ED25519)]}).encode()),
    ],
    ids=[
        "empty",
        "html",
        "null",
        "list",
        "object",
        "null keys",
        "object keys",
        "no keys",
        "no entries",
        "symmetric",
        "not text",
        "deep",
        "long",
        "packed",
    ],
)
async def test_answers_that_are_no_keys(server: Server, backend: Authentication, body: bytes) -> None:
    """Garbage, emptiness and excess are an issuer that does not answer: 503, never 500."""
    server.body = body
    with pytest.raises(KeysUnavailable) as caught:
        await backend.caller(f"Bearer {token()}")
    assert 1 <= caught.value.retry_after <= RETRY


@pytest.mark.parametrize("status", [204, 301, 302, 307, 401, 404, 500, 503])
async def test_statuses_that_are_no_keys(
    server: Server, backend: Authentication, stranger: Server, status: int
) -> None:
    """Only 200 is an answer, and a redirect is followed nowhere."""
    server.status, server.headers = status, {"Location": stranger.url}
    with pytest.raises(KeysUnavailable):
        await backend.caller(f"Bearer {token()}")
    assert (len(server.requests), stranger.requests) == (1, [])


async def test_an_answer_that_never_comes(
    server: Server, backend: Authentication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fetch ends in time, however slow the issuer."""
    monkeypatch.setattr(issuer_module, "TIMEOUT", 0.1)
    server.open.clear()
    with pytest.raises(KeysUnavailable):
        await backend.caller(f"Bearer {token()}")


# Fetching


async def test_many_at_once_cause_one_fetch(server: Server, backend: Authentication) -> None:
    """100 concurrent first requests ask the issuer once."""
    server.open.clear()
    waiting = [asyncio.create_task(backend.caller(f"Bearer {token(sub=f'u{n}')}")) for n in range(100)]
    await server.asked.wait()
    server.open.set()
    callers = await asyncio.gather(*waiting)
    assert [caller.id for caller in callers] == [f"u{n}" for n in range(100)]
    assert len(server.requests) == 1


async def test_one_who_hangs_up_does_not_end_the_fetch(server: Server, backend: Authentication) -> None:
    """A cancelled request leaves the fetch to the others."""
    server.open.clear()
    first, second = (asyncio.create_task(backend.caller(f"Bearer {token()}")) for _ in range(2))
    await server.asked.wait()
    first.cancel()
    server.open.set()
    assert (await second).id == "ada"
    assert len(server.requests) == 1


async def test_rotation(server: Server, backend: Authentication) -> None:
    """A token with a new key id is accepted at once, for all who bring one at the same time."""
    assert (await backend.caller(f"Bearer {token()}")).id == "ada"
    fresh = ed25519.Ed25519PrivateKey.generate()
    server.publish(entry(ED25519), entry(fresh, "k2"))
    new = [backend.caller(f"Bearer {token(fresh, kid='k2', sub=f'u{n}')}") for n in range(50)]
    assert [caller.id for caller in await asyncio.gather(*new)] == [f"u{n}" for n in range(50)]
    assert (await backend.caller(f"Bearer {token()}")).id == "ada"
    assert len(server.requests) == 2


async def test_a_withdrawn_key_ends_its_tokens(server: Server, backend: Authentication) -> None:
    """What was verified with a key that is gone is not taken from memory."""
    old = token()
    await backend.caller(f"Bearer {old}")
    fresh = ed25519.Ed25519PrivateKey.generate()
    server.publish(entry(fresh, "k2"))
    await backend.caller(f"Bearer {token(fresh, kid='k2')}")
    with pytest.raises(Unauthenticated, match="not known"):
        await backend.caller(f"Bearer {old}")


async def test_the_same_caller_for_the_same_token(backend: Authentication) -> None:
    """The first fetch does not cost a token its caller."""
    header = f"Bearer {token()}"
    assert await backend.caller(header) is await backend.caller(header)


async def test_invented_key_ids_cause_few_fetches(server: Server, issuer: Issuer, clock: Clock) -> None:
    """However many ids are invented, the issuer is asked once in a cool-down."""
    assert await issuer.find("k1", "EdDSA")
    for n in range(100):
        assert await issuer.find(f"invented-{n}", "EdDSA") == ()
    assert len(server.requests) == 2
    clock.time += COOL_DOWN - 0.1
    assert await issuer.find("invented", "EdDSA") == ()
    assert len(server.requests) == 2
    clock.time += 0.2
    assert await issuer.find("invented", "EdDSA") == ()
    assert len(server.requests) == 3


async def test_old_keys_are_renewed_in_the_background(server: Server, issuer: Issuer, clock: Clock) -> None:
    """Past their time keys still serve at once, while one fetch renews them."""
    assert await issuer.find("k1", "EdDSA")
    clock.time += FRESH
    server.open.clear()
    server.publish(entry(P256, "k2"))
    for _ in range(10):
        assert await issuer.find("k1", "EdDSA")
    server.open.set()
    await settled(issuer)
    assert len(server.requests) == 2
    assert issuer.generation == 2
    assert await issuer.find("k2", "ES256")


async def test_unchanged_keys_keep_what_was_verified(server: Server, issuer: Issuer, clock: Clock) -> None:
    """A renewal that brings the same keys makes nobody prove themselves again."""
    await issuer.find("k1", "EdDSA")
    clock.time += FRESH
    issuer.revalidate()
    await settled(issuer)
    assert (len(server.requests), issuer.generation) == (2, 1)


async def test_an_issuer_that_goes_down(server: Server, issuer: Issuer, clock: Clock) -> None:
    """Known keys go on working for as long as it takes; for unknown ones nothing can be said."""
    await issuer.find("k1", "EdDSA")
    await server.stop()
    for _ in range(5):
        clock.time += FRESH
        assert await issuer.find("k1", "EdDSA")
        await settled(issuer)
    clock.time += COOL_DOWN
    with pytest.raises(KeysUnavailable):
        await issuer.find("k2", "EdDSA")
    await server.start()
    server.publish(entry(ED25519, "k2"))
    clock.time += COOL_DOWN
    assert await issuer.find("k2", "EdDSA")


async def test_garbage_after_good_keys(server: Server, issuer: Issuer, clock: Clock) -> None:
    """An issuer that answers nonsense for a while takes no keys away."""
    await issuer.find("k1", "EdDSA")
    server.body = b'{"keys": []}'
    clock.time += FRESH
    issuer.revalidate()
    await settled(issuer)
    assert await issuer.find("k1", "EdDSA")


async def test_an_issuer_that_is_down_from_the_start(server: Server, issuer: Issuer, clock: Clock) -> None:
    """Without any keys: 503, few tries, and recovery without a restart."""
    await server.stop()
    for waited in (0, 2):
        clock.time += waited
        with pytest.raises(KeysUnavailable) as caught:
            await issuer.find("k1", "EdDSA")
        assert caught.value.retry_after == RETRY - waited
    await server.start()
    with pytest.raises(KeysUnavailable):
        await issuer.find("k1", "EdDSA")
    assert server.requests == []
    clock.time += RETRY
    assert await issuer.find("k1", "EdDSA")


async def test_bad_tokens_while_the_issuer_is_down(server: Server, backend: Authentication) -> None:
    """What no key could save is 401 and asks nobody."""
    await server.stop()
    for bad in ("garbage", jwt.encode(CLAIMS, "x" * 32, "HS256")):
        with pytest.raises(Unauthenticated):
            await backend.caller(f"Bearer {bad}")
    await server.start()
    assert server.requests == []


async def test_closing_during_a_fetch(server: Server) -> None:
    """Shutting down does not wait for a slow issuer and leaves nothing behind."""
    server.open.clear()
    issuer = Issuer(server.url)
    waiting = asyncio.create_task(issuer.find("k1", "EdDSA"))
    await server.asked.wait()
    await issuer.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    server.open.set()
