"""AN05: a token does not choose the key that it is checked with (RFC 8725 §3.1, §3.10)."""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from functools import cache

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from specwright.verify.canary import Canary, canary
from specwright.verify.check import Check
from specwright.verify.lab import Lab, parse
from specwright.verify.people.forging import Forgery, extra, forged
from specwright.verify.people.people import ANONYMOUS
from specwright.verify.people.tokens import Token, authenticated, public_pem
from specwright.verify.result import Result

#: Files whose content is known, and what a query can be made to answer.
_KEY_IDS = (
    ("../../../../../../../../dev/null", b""),
    ("/dev/null", b""),
    ("nobody' UNION SELECT 'specwright", b"specwright"),
    ("nobody' UNION SELECT 'specwright' -- ", b"specwright"),
    ("no-such-key", b""),
)


async def run(lab: Lab) -> AsyncIterator[Result]:
    """The owner's claims, signed with keys that everybody has and that the token points to."""
    public = [pem async for pem in _public(lab)]
    async with canary() as elsewhere:
        async for result in forged(lab, CHECK, lambda token: _forgeries(token, public, elsewhere)):
            yield result
        if elsewhere.asked:
            yield CHECK.broken("the app", "it fetches a key from wherever a token says", lab.probes[-1])


def _forgeries(token: Token, public: Sequence[str], elsewhere: Canary) -> Iterator[Forgery]:
    header, claims = extra(token), token.claims
    if not token.shared:
        for pem in public:
            for key in dict.fromkeys((pem.encode(), pem.strip().encode())):
                says, text = "a token with the public key as its secret", authenticated(header, claims, key)
                yield Forgery(says, text, "a public key is taken for a secret")
    yield Forgery("a token with an empty key", authenticated(header, claims, b""), "an empty key is taken")
    for id, key in _KEY_IDS:
        text = authenticated({**header, "kid": id}, claims, key)
        yield Forgery(f'a token with "kid": "{id}"', text, "kid leads to any key")
    octets = {"kty": "oct", "k": "c3BlY3dyaWdodA"}
    text = authenticated({**header, "jwk": octets}, claims, b"specwright")
    yield Forgery("a token with a secret of its own", text, "the key is read off the token")
    private = _own_key()
    own = {**json.loads(RSAAlgorithm.to_jwk(private.public_key())), "kid": "own", "alg": "RS256"}
    elsewhere.serve({"keys": [own]})
    for says, more in (
        ("a token with a public key of its own", {"jwk": own}),
        ("a token that says where its keys are", {"jku": elsewhere.url}),
    ):
        text = jwt.encode(dict(claims), private, "RS256", {**header, "kid": "own", **more})
        yield Forgery(says, text, "the key is read off the token")


@cache
def _own_key() -> RSAPrivateKey:
    """A key that nobody else has heard of."""
    return generate_private_key(65537, 2048)


async def _public(lab: Lab) -> AsyncIterator[str]:
    """Public keys as PEM: of the key that is known, and those that the app publishes."""
    if lab.signer is not None and (pem := lab.signer.public) is not None:
        yield pem
    for operation in lab.surface.operations:
        if operation.method == "GET" and "{" not in operation.path and "jwks" in operation.path.lower():
            await lab.send(ANONYMOUS, operation)
    published = [parse(probe) for probe in lab.probes if probe.succeeded and "jwks" in probe.path.lower()]
    keys = [each for found in published if isinstance(found, dict) for each in found.get("keys", ())]
    for pem in dict.fromkeys(map(public_pem, keys)):
        if pem is not None:
            yield pem


CHECK = Check(
    id="AN05",
    name="key confusion",
    sentence="A token does not choose the key that it is checked with.",
    severity=3,
    references=("OWASP API2:2023", "ASVS 9.1.3", "RFC 8725 §3.1", "CWE-347"),
    remedy="Fix algorithm and key in the settings; let kid name a key in a list, and ignore jwk and jku.",
    run=run,
)
