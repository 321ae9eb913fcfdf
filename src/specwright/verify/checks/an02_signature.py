"""AN02: a credential that was changed, or that nobody has given out, is refused."""

import base64
import binascii
import json
from collections.abc import AsyncIterator, Iterator

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun
from specwright.verify.people.credentials import Credential
from specwright.verify.people.forging import Forgery, altered, credential_of, judged
from specwright.verify.people.guarded import guarded
from specwright.verify.people.people import Person
from specwright.verify.people.tokens import Token, unsigned
from specwright.verify.result import Result

#: A shorter half of a credential may be met by chance.
_HALF = 8
_UNVERIFIED = "the signature is not verified"
_LOOSE = "credentials are not compared whole"


async def run(lab: Lab) -> AsyncIterator[Result]:
    """The owner's own credential, changed in one place, and one that is made up from the stranger's name."""
    if lab.people.missing:
        raise NotRun(lab.people.missing)
    credential = credential_of(lab.people.owner)
    forgeries = list(_forgeries(credential, lab.people.stranger))
    async for each in guarded(lab):
        async for result in judged(lab, CHECK, each, credential, forgeries):
            yield result


def _forgeries(credential: Credential, stranger: Person) -> Iterator[Forgery]:
    token = credential.token
    if token is not None:
        yield Forgery("a token with another signature", altered(token), _UNVERIFIED)
        yield Forgery("a token without its signature", token.text.rpartition(".")[0] + ".", _UNVERIFIED)
        yield Forgery("a token with other claims and the old signature", _about(token, stranger), _UNVERIFIED)
        return
    text = credential.text
    if credential.basic:
        yield Forgery("a wrong password", _with_password(text), "the password is not verified")
        return
    yield Forgery("a credential with one character changed", _changed(text), _LOOSE)
    if len(text) >= 2 * _HALF:
        yield Forgery("the first half of a credential", text[: len(text) // 2], _LOOSE)
    for made_up in _made_up(text, credential.person, stranger):
        yield Forgery("a credential made up from a name", made_up, "a name is a credential")


def _about(token: Token, stranger: Person) -> str:
    """The token with claims about somebody else, and the signature that it had."""
    held = {str(each) for each in token.claims.values()}
    other = next((each for each in sorted(stranger.known_as) if each not in held), "somebody-else")
    return unsigned(token.header, {**token.claims, "sub": other}, token.signature)


def _with_password(text: str) -> str:
    try:
        name = base64.b64decode(text).partition(b":")[0]
    except binascii.Error:
        return _changed(text)
    return base64.b64encode(name + b":not-the-password").decode()


def _changed(text: str) -> str:
    """The text with its middle character changed: in base64 the last one may not count."""
    middle = len(text) // 2
    return f"{text[:middle]}{'x' if text[middle : middle + 1] != 'x' else 'y'}{text[middle + 1 :]}"


def _made_up(text: str, person: Person, stranger: Person) -> Iterator[str]:
    """What the credential would be for somebody else, where it is no more than who they are."""
    for own, other in ((each, other) for each in person.known_as for other in sorted(stranger.known_as)):
        if own.isdecimal() != other.isdecimal() or ("@" in own) != ("@" in other):
            continue
        if text == own:
            yield other
        try:
            held = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_"))
        except ValueError:
            continue
        if isinstance(held, dict) and (names := [name for name in held if str(held[name]) == own]):
            there = {**held, **{name: type(held[name])(other) for name in names}}
            yield base64.urlsafe_b64encode(json.dumps(there).encode()).decode()


CHECK = Check(
    id="AN02",
    name="signature",
    sentence="A credential that was changed, or that nobody has given out, is refused.",
    severity=3,
    references=("OWASP API2:2023", "ASVS 9.1.1", "RFC 7519 §7.2", "CWE-347"),
    remedy="Verify the signature before anything in the token is used, and keep sessions under random keys.",
    run=run,
)
