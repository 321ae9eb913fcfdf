"""AN04: a token opens nothing before its time, nor after it (RFC 7519 §4.1.4, §4.1.5)."""

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

from specwright.verify.check import Check
from specwright.verify.lab import Lab, Signer
from specwright.verify.people.forging import Forgery, extra, resigned
from specwright.verify.people.tokens import Token
from specwright.verify.result import Result, Standing

_HOUR = 3600
_YEAR = 365 * 24 * _HOUR
_ENDLESS = "a token that never ends"
_NO_END = "exp is not required"


async def run(lab: Lab) -> AsyncIterator[Result]:
    """The owner's claims with one time changed, signed as the app signs.

    Whether a token may go without an end is not for a standard to say; a project with a spec promises that
    it may not, and more of the kind.
    """
    strict = lab.manifest is not None
    async for result in resigned(lab, CHECK, lambda token, signer: _forgeries(token, signer, strict)):
        if result.standing is Standing.BROKEN and result.cause == _NO_END and not strict:
            question = f"{_ENDLESS} is taken: is that meant?"
            yield replace(result, standing=Standing.ASK, says=question)
        else:
            yield result


def _forgeries(token: Token, signer: Signer, strict: bool) -> Iterator[Forgery]:
    now, kept = int(time.time()), extra(token)
    wrong: list[tuple[str, str, object]] = [
        ("a token that expired an hour ago", "exp", now - _HOUR),
        ("a token that expired a year ago", "exp", now - _YEAR),
        ("a token whose time comes in a year", "nbf", now + _YEAR),
    ]
    if strict:
        wrong += [
            ("a token that is given out in a year", "iat", now + _YEAR),
            ("a token that ends at a text", "exp", str(now + _HOUR)),
            ("a token that ends in milliseconds", "exp", (now + _HOUR) * 1000),
        ]
    for says, name, value in wrong:
        text = signer.sign({**token.claims, name: value}, kept)
        yield Forgery(says, text, f"{name} is not verified")
    if "exp" in token.claims:
        endless = {name: value for name, value in token.claims.items() if name != "exp"}
        yield Forgery(_ENDLESS, signer.sign(endless, kept), _NO_END)


CHECK = Check(
    id="AN04",
    name="time",
    sentence="A token opens nothing before its time, nor after it.",
    severity=3,
    references=("OWASP API2:2023", "ASVS 9.2.1", "RFC 7519 §4.1.4", "CWE-613"),
    remedy="Let the library verify exp and nbf, require exp, and allow a minute of leeway at most.",
    run=run,
)
