"""CO01: a page of another origin cannot read answers with the credentials of whoever looks at it."""

from collections.abc import AsyncIterator
from dataclasses import replace

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun
from specwright.verify.policy.meant import FRAMEWORK
from specwright.verify.result import Probe, Result
from specwright.verify.surface.surface import Operation

#: One place decides for the whole app, most often.
_ENOUGH = 3
_METHOD = "access-control-request-method"


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Requests, and preflights, of origins that nobody has reason to trust."""
    if lab.people.missing:
        raise NotRun(lab.people.missing)
    tried = 0
    for operation in lab.surface.operations:
        if operation.method != "GET" or "{" in operation.path or operation.name in FRAMEWORK:
            continue
        own = await lab.send(lab.people.owner, operation)
        if own.succeeded and tried < _ENOUGH:
            tried += 1
            async for result in _judged(lab, operation, own):
                yield result
    if not tried:
        raise NotRun("nobody can read anything at a path that is known")


async def _judged(lab: Lab, operation: Operation, own: Probe) -> AsyncIterator[Result]:
    probes = []
    for origin in _origins(lab.base):
        for probe in (await _asked(lab, operation, origin), await _preflight(lab, operation, origin)):
            allowed, trusted = _header(probe, "origin"), _header(probe, "credentials") == "true"
            if trusted and allowed in (origin, "*"):
                says = f"a page of {origin} may read it with credentials"
                yield replace(CHECK.broken(operation, says, own, probe, case=origin), cause="CORS")
                return
            probes.append(probe)
    open_to_all = any(_header(probe, "origin") for probe in probes)
    says = "other origins may read it without credentials" if open_to_all else "no other origin may read it"
    yield CHECK.proved(operation, says, own, *probes)


def _origins(base: str) -> tuple[str, ...]:
    """Of a stranger; of a sandboxed frame; and such as begin or end like one that may be trusted."""
    return (
        "https://attacker.example",
        "null",
        f"{base}.attacker.example",
        "http://localhost.attacker.example",
        "http://localhost:3000.attacker.example",
        "https://attackerlocalhost",
    )


async def _asked(lab: Lab, operation: Operation, origin: str) -> Probe:
    headers = {"origin": origin}
    if not lab.people.owner.cookies:
        # Some answer otherwise when there is a cookie.
        headers["cookie"] = "specwright=1"
    return await lab.send(lab.people.owner, operation, headers=headers)


async def _preflight(lab: Lab, operation: Operation, origin: str) -> Probe:
    headers = (("origin", origin), (_METHOD, "GET"), ("access-control-request-headers", "authorization"))
    return await lab.sent(Probe(lab.people.owner, "OPTIONS", operation.path, headers))


def _header(probe: Probe, name: str) -> str:
    wanted = f"access-control-allow-{name}"
    return next((value for each, value in probe.answer_headers if each.lower() == wanted), "")


CHECK = Check(
    id="CO01",
    name="CORS",
    sentence="No page of a foreign origin reads answers with somebody's credentials.",
    severity=2,
    references=("OWASP API8:2023", "ASVS 3.4.2", "CWE-942"),
    remedy="List the origins of your own front ends in full; never reflect an origin, nor allow null.",
    run=run,
)
