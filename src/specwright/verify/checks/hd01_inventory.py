"""HD01: nothing is served that nobody has meant to: tools for developers, pages that no document tells of."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

from specwright.verify.check import Check
from specwright.verify.lab import Lab
from specwright.verify.people.people import ANONYMOUS, Person
from specwright.verify.policy.meant import FRAMEWORK
from specwright.verify.result import Probe, Result
from specwright.verify.surface.surface import Operation

_DOCUMENTATION = re.compile(r"/(docs|redoc)(/|$)|/openapi\.(json|ya?ml)$")
#: Paths of tools, which look into an app or let anybody do anything with it.
_TOOL = re.compile(
    r"/(_{0,2}debug_{0,2}(toolbar)?|console|pprof|actuator|heapdump|phpinfo|server-status|shell|eval|exec"
    r"|dump|stack-?trace|env|profiler)(/|$)",
    re.I,
)


async def run(lab: Lab) -> AsyncIterator[Result]:
    """What is asked for without a credential, and as one of the ordinary people."""
    for operation in lab.surface.operations:
        if operation.method != "GET" or "{" in operation.path:
            continue
        if operation.name in FRAMEWORK or _DOCUMENTATION.search(operation.path):
            seen = await _seen(lab, operation, (ANONYMOUS,))
            if seen is not None:
                question = "the documentation is open to everybody: is that meant in production?"
                yield replace(CHECK.ask(operation, question, seen), cause="documentation")
        elif _TOOL.search(operation.path):
            yield await _tool(lab, operation)
        elif operation.hidden:
            seen = await _seen(lab, operation, lab.people.ordinary)
            if seen is not None:
                question = "it is served and stands in no document: is that meant?"
                yield replace(CHECK.ask(operation, question, seen), cause="hidden")


async def _tool(lab: Lab, operation: Operation) -> Result:
    people = (ANONYMOUS, *lab.people.ordinary)
    seen = await _seen(lab, operation, people)
    if seen is None:
        return CHECK.proved(operation, "a tool for developers refuses everybody else")
    if lab.policy.may(seen.person, operation, None):
        return CHECK.proved(operation, "a tool for developers is open, as it is meant", seen)
    who = "everybody" if seen.person is ANONYMOUS else "everybody who is signed in"
    return CHECK.broken(operation, f"a tool for developers is open to {who}", seen)


async def _seen(lab: Lab, operation: Operation, people: tuple[Person, ...]) -> Probe | None:
    """The first answer that is a success; None where there is none."""
    for person in people:
        probe = await lab.send(person, operation)
        if probe.succeeded:
            return probe
    return None


CHECK = Check(
    id="HD01",
    name="inventory",
    sentence="Nothing is served that is meant for developers only, or that no document tells of.",
    severity=2,
    references=("OWASP API9:2023", "ASVS 13.4.2", "CWE-489"),
    remedy="Include debug routes in development only, and close /docs where the API is not for the public.",
    run=run,
)
