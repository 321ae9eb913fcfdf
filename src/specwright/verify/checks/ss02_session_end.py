"""SS02: who has signed out is out: the credential opens nothing any more."""

from collections.abc import AsyncIterator
from dataclasses import replace

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun
from specwright.verify.people.guarded import guarded, signs_out
from specwright.verify.people.logins import find_login
from specwright.verify.result import Result
from specwright.verify.surface.surface import Operation

#: Of no operation: what a credential opens is needed, too, to see it once more.
_SUBJECT = "signing out"


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Sign in anew, use the credential, sign out with it, and use it once more."""
    if lab.people.missing:
        raise NotRun(lab.people.missing)
    out = [
        operation
        for operation in lab.surface.operations
        if signs_out(operation) and "{" not in operation.path
    ]
    if not out:
        raise NotRun("the app has no way to sign out that is known")
    for operation in out:
        yield replace(await _judged(lab, operation), source=operation.source)


async def _judged(lab: Lab, operation: Operation) -> Result:
    login = find_login(lab)
    async for each in guarded(lab):
        if each.operation.label == operation.label:
            continue
        person = await login.again(lab)
        before = await each.request.sent(lab, person)
        left = await lab.send(person, operation)
        after = await each.request.sent(lab, person)
        if not before.succeeded or not (left.succeeded or left.status in (302, 303, 307)):
            return CHECK.not_run(_SUBJECT, "nobody can sign out", before, left, case=operation.label)
        if after.succeeded:
            says = "the credential of who has signed out is still taken"
            return CHECK.broken(_SUBJECT, says, before, left, after, case=operation.label)
        return CHECK.proved(
            _SUBJECT,
            "the credential of who has signed out is refused",
            before,
            left,
            after,
            case=operation.label,
        )
    raise NotRun("nothing is guarded but the way out")


CHECK = Check(
    id="SS02",
    name="session end",
    sentence="The credential of who has signed out opens nothing any more.",
    severity=2,
    references=("OWASP API2:2023", "ASVS 7.4.1", "CWE-613"),
    remedy="Keep sessions where they can be removed, or remember the ids of tokens until they end.",
    run=run,
)
