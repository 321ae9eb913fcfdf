"""Forged credentials, each wrong in one thing, tried where the real one is taken and none is refused."""

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun, Signer
from specwright.verify.people.credentials import Credential, find_credential
from specwright.verify.people.guarded import Guarded, guarded
from specwright.verify.people.known_secrets import common_secret
from specwright.verify.people.people import Person
from specwright.verify.people.tokens import Key, Token
from specwright.verify.result import Probe, Result


@dataclass(frozen=True, slots=True)
class Forgery:
    """A credential that must not be taken."""

    #: "a token that has expired".
    says: str
    text: str
    #: What is amiss where it is taken. Of those with the same one, the first tells enough.
    fault: str


def credential_of(person: Person) -> Credential:
    """What the person is known by.

    Raises:
        NotRun: nothing.
    """
    found = find_credential(person)
    if found is None:
        raise NotRun(f"{person} has no credential")
    return found


def token_of(lab: Lab) -> tuple[Credential, Token]:
    """The owner's token, and where it is sent.

    Raises:
        NotRun: they are known by something else.
    """
    if lab.people.missing:
        raise NotRun(lab.people.missing)
    credential = credential_of(lab.people.owner)
    token = credential.token
    if token is None:
        raise NotRun("people are known by something else than a JWT, which can be read and forged")
    return credential, token


def signer_of(lab: Lab, token: Token) -> Signer:
    """Who signs as the app does: with the key that it was given, or with one that is easily guessed.

    Raises:
        NotRun: the key is not known.
    """
    if lab.signer is not None:
        return lab.signer
    secret = common_secret(token)
    if secret is None:
        raise NotRun("the key that tokens are signed with is not known: give it as [secret] in people.toml")
    return Key(secret, token.algorithm)


async def forged(lab: Lab, check: Check, make: Callable[[Token], Iterable[Forgery]]) -> AsyncIterator[Result]:
    """Forgeries of the owner's token, one after the other, where any signature at all is not taken anyway.

    Raises:
        NotRun: there is no token, or nothing that it guards.
    """
    credential, token = token_of(lab)
    forgeries = list(make(token))
    if not forgeries:
        raise NotRun("the app's tokens have nothing that could be wrong in this way")
    async for each in guarded(lab):
        blind = await each.request.sent(
            lab, credential.forged(altered(token), "a token with another signature")
        )
        if blind.succeeded:
            yield check.not_run(each.operation, "every signature is taken here, as AN02 shows", blind)
            continue
        async for result in judged(lab, check, each, credential, forgeries):
            yield result


async def resigned(
    lab: Lab, check: Check, make: Callable[[Token, Signer], Iterable[Forgery]]
) -> AsyncIterator[Result]:
    """Forgeries that are signed with the very key of the app, once such a signature has been taken.

    Raises:
        NotRun: the key is not known, or not the right one.
    """
    credential, token = token_of(lab)
    signer = signer_of(lab, token)
    again = signer.sign(token.claims, extra(token))
    async for each in guarded(lab):
        taken = await each.request.sent(lab, credential.forged(again, "the same token, signed anew"))
        if not taken.succeeded:
            raise NotRun("a token that is signed anew with the known key is not taken", taken)
        break
    async for result in forged(lab, check, lambda token: make(token, signer)):
        yield result


async def judged(
    lab: Lab, check: Check, each: Guarded, credential: Credential, forgeries: Iterable[Forgery]
) -> AsyncIterator[Result]:
    """Forged credentials at one operation: one result for each that is taken; one for the rest."""
    refused: list[Probe] = []
    names: list[str] = []
    taken: set[str] = set()
    for forgery in forgeries:
        if forgery.fault in taken:
            continue
        probe = await each.request.sent(lab, credential.forged(forgery.text, forgery.says))
        if probe.succeeded:
            says = f"{forgery.says} is taken for {each.person}'s"
            evidence = (each.accepted, each.refused, probe)
            taken.add(forgery.fault)
            yield check.broken(each.operation, says, *evidence, case=forgery.says, cause=forgery.fault)
        elif probe.status is None or probe.status >= 500:
            says = f"{forgery.says} is not refused but makes the app fail: {probe.status or probe.trouble}"
            evidence = (each.accepted, each.refused, probe)
            yield check.broken(each.operation, says, *evidence, case=forgery.says, cause="failing")
        else:
            refused.append(probe)
            names.append(forgery.says)
    if names:
        says = f"refused: {', '.join(dict.fromkeys(names))}"
        yield check.proved(each.operation, says, each.accepted, *refused)


def altered(token: Token) -> str:
    """The token with one character of its signature changed; not the last, which may not count."""
    first = "B" if token.signature[:1] == "A" else "A"
    return f"{token.text.rpartition('.')[0]}.{first}{token.signature[1:]}"


def extra(token: Token) -> dict[str, object]:
    """The members of its header besides the algorithm."""
    return {name: value for name, value in token.header.items() if name != "alg"}
