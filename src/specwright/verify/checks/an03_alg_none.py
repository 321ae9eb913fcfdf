"""AN03: a token that says it needs no signature is refused (RFC 8725 §3.2)."""

from collections.abc import AsyncIterator, Iterator

from specwright.verify.check import Check
from specwright.verify.lab import Lab
from specwright.verify.people.forging import Forgery, forged
from specwright.verify.people.tokens import Token, unsigned
from specwright.verify.result import Result

#: Filters that compare letter by letter are passed by all but the first.
_SPELLINGS = ("none", "None", "NONE", "nOnE")
_FAULT = "the algorithm is read off the token"


async def run(lab: Lab) -> AsyncIterator[Result]:
    """The owner's live claims without a signature, in every spelling of none."""
    async for result in forged(lab, CHECK, _forgeries):
        yield result


def _forgeries(token: Token) -> Iterator[Forgery]:
    for spelling in _SPELLINGS:
        text = unsigned({**token.header, "alg": spelling}, token.claims)
        yield Forgery(f'a token with "alg": "{spelling}"', text, _FAULT)
        yield Forgery(f'a token with "alg": "{spelling}" and no last dot', text.rstrip("."), _FAULT)
    kept = unsigned({**token.header, "alg": "none"}, token.claims, token.signature)
    yield Forgery('a token with "alg": "none" and a signature', kept, _FAULT)
    bare = {name: value for name, value in token.header.items() if name != "alg"}
    yield Forgery("a token without alg", unsigned(bare, token.claims), _FAULT)
    yield Forgery('a token with "alg": ""', unsigned({**bare, "alg": ""}, token.claims), _FAULT)


CHECK = Check(
    id="AN03",
    name="alg none",
    sentence="A token that says it needs no signature is refused.",
    severity=3,
    references=("OWASP API2:2023", "ASVS 9.1.2", "RFC 8725 §3.2", "CWE-327"),
    remedy="Give the library the one algorithm that you sign with; never read it off the token.",
    run=run,
)
