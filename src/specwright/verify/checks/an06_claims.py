"""AN06: a token for something else opens nothing here (RFC 8725 §3.8, §3.9, §3.11)."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun, Signer, parse
from specwright.verify.people.forging import Forgery, extra, forged, resigned, token_of
from specwright.verify.people.tokens import Token
from specwright.verify.result import Result

#: Claims that say what a token is for.
_KINDS = ("type", "typ", "token_type", "tokenType", "token_use", "use", "kind", "purpose")
_KIND = "every kind of token is taken"


async def run(lab: Lab) -> AsyncIterator[Result]:
    """The owner's claims with one of them about something else; and their refresh token, if they have one."""
    refresh = _refresh(lab)
    if refresh:
        tried = [Forgery("a refresh token", text, _KIND) for text in refresh]
        async for result in forged(lab, CHECK, lambda _: tried):
            yield result
    try:
        async for result in resigned(lab, CHECK, lambda token, signer: _forgeries(lab, token, signer)):
            yield result
    except NotRun as why:
        yield CHECK.not_run("the app", str(why), *why.probes, case="signed anew")


def _forgeries(lab: Lab, token: Token, signer: Signer) -> Iterator[Forgery]:
    claims, header = token.claims, extra(token)
    known = lab.people.owner.known_as
    if "iss" in claims:
        says = "a token of another issuer"
        yield Forgery(
            says, signer.sign({**claims, "iss": "https://issuer.invalid"}, header), "iss is not verified"
        )
    if "aud" in claims:
        says = "a token for another audience"
        yield Forgery(
            says, signer.sign({**claims, "aud": "https://audience.invalid"}, header), "aud is not verified"
        )
    for name in _KINDS:
        if "access" in str(claims.get(name, "")).lower():
            says = f'a token with "{name}": "refresh"'
            yield Forgery(says, signer.sign({**claims, name: "refresh"}, header), _KIND)
    # Without a type of its own a token may be any (RFC 8725 §3.11); a project with a spec says which.
    if lab.manifest is not None or "+" in str(header.get("typ", "")):
        yield Forgery(
            "a token of another type",
            signer.sign(claims, {**header, "typ": "logout+jwt"}),
            "typ is not verified",
        )
    if str(claims.get("sub")) in known and not any(
        str(value) in known for name, value in claims.items() if name != "sub"
    ):
        nobody = {name: value for name, value in claims.items() if name != "sub"}
        yield Forgery("a token about nobody", signer.sign(nobody, header), "sub is not required")
    if lab.manifest is not None:
        yield from _promised(token, signer)


def _promised(token: Token, signer: Signer) -> Iterator[Forgery]:
    """What no standard forbids, and `docs/authentication.md` does: subjects and texts that are none."""
    header = extra(token)
    for says, changes in (
        ("a token about a blank name", {"sub": "  "}),
        ("a token about a number", {"sub": 1}),
        ("a token about a very long name", {"sub": "n" * 256}),
        ("a token about a name with a line's end", {"sub": "ada\n"}),
        ("a token that holds a NUL", {"note": "\0"}),
    ):
        yield Forgery(says, signer.sign({**token.claims, **changes}, header), says)
    says = "a token that asks for extensions"
    yield Forgery(says, signer.sign(token.claims, {**header, "crit": ["exp"], "exp": 0}), says)


def _refresh(lab: Lab) -> list[str]:
    """The refresh token that came with the owner's token."""
    _, token = token_of(lab)
    for probe in lab.probes:
        if token.text in probe.text:
            return [text for text in _texts(parse(probe)) if text != token.text]
    return []


def _texts(answer: Any) -> Iterator[str]:
    for name, value in answer.items() if isinstance(answer, Mapping) else ():
        if isinstance(value, Mapping):
            yield from _texts(value)
        elif isinstance(value, str) and value and "refresh" in name.lower():
            yield value


CHECK = Check(
    id="AN06",
    name="claims",
    sentence="A token for something else opens nothing here.",
    severity=3,
    references=("OWASP API2:2023", "ASVS 9.2.2", "RFC 8725 §3.9", "CWE-287"),
    remedy="Verify iss and aud, and give each kind of token a claim or a type that is compared.",
    run=run,
)
