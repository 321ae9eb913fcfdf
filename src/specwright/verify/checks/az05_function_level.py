"""AZ05: what is for the privileged refuses everybody else."""

import re
from collections.abc import AsyncIterator, Iterator

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun
from specwright.verify.people.guarded import prepare
from specwright.verify.people.people import ANONYMOUS, Person
from specwright.verify.policy.granted import resource_at
from specwright.verify.result import Result
from specwright.verify.surface.surface import Operation

#: Parts of a path that say that it is for few.
_TELLING = re.compile(
    r"/([^/{}]*[-_.])?(admin(s|istration|istrators?)?|superusers?|root|internal|staff|manage(ment)?)([-_.][^/]*)?(/|$)",
    re.I,
)


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Each operation that is not meant for somebody, tried by them after somebody who may."""
    specified = set(_specified(lab))
    for operation in lab.judged:
        everybody = (*lab.people.ordinary, ANONYMOUS)
        said = {person.name: lab.policy.may(person, operation, None) for person in everybody}
        if operation.method in ("GET", "POST"):
            may = [person for person in lab.people.signed_in if lab.policy.may(person, operation, None)]
            others = [person for person in everybody if said[person.name] is False]
            if others:
                async for result in _judged(lab, operation, may, others):
                    yield result
        undeclared = [person for person in everybody if said[person.name] is None]
        open_ = True not in said.values() and operation.label not in specified
        if undeclared and open_ and _TELLING.search(operation.path):
            yield await _asked(lab, operation, undeclared)


async def _judged(
    lab: Lab, operation: Operation, may: list[Person], others: list[Person]
) -> AsyncIterator[Result]:
    if not any(person.privileged or person.roles for person in may):
        return
    try:
        probes = [await (await prepare(lab, operation, person)).sent(lab, person) for person in may]
    except NotRun as why:
        yield CHECK.not_run(operation, str(why), *why.probes)
        return
    baseline = next((probe for probe in probes if probe.succeeded), None)
    if baseline is None:
        yield CHECK.not_run(operation, "nobody who may has been let in", *probes[:1])
        return
    for person in others:
        tried = await (await prepare(lab, operation, may[0])).sent(lab, person)
        if tried.succeeded:
            says = f"{person} can do what is meant for {baseline.person}"
            yield CHECK.broken(operation, says, baseline, tried, case=person.name)
        else:
            yield CHECK.proved(operation, f"{person} is refused", baseline, tried, case=person.name)


async def _asked(lab: Lab, operation: Operation, people: list[Person]) -> Result:
    """Its path says that it is for few, and nobody has declared for whom."""
    if operation.method != "GET":
        return CHECK.not_run(operation, "its path says that it is for few, and nobody has said for whom")
    # Nobody first: what answers nobody answers everybody.
    for person in reversed(people):
        try:
            tried = await (await prepare(lab, operation, person)).sent(lab, person)
        except NotRun as why:
            return CHECK.not_run(operation, str(why), *why.probes)
        if tried.succeeded:
            who = "everybody" if person is ANONYMOUS else "everybody who is signed in"
            return CHECK.ask(operation, f"it answers {who}: is that meant?", tried)
    # Without somebody who is let in, that they are not proves nothing.
    return CHECK.not_run(operation, "nobody has said for whom it is, and nobody is let in", tried)


def _specified(lab: Lab) -> Iterator[str]:
    """What a spec has grants for, whatever its path is called."""
    if lab.manifest is None:
        return
    for collection in lab.surface.collections:
        if resource_at(lab.manifest, collection.operations[0].path) is not None:
            yield from (operation.label for operation in collection.operations)


CHECK = Check(
    id="AZ05",
    name="function level",
    sentence="What is for the privileged refuses everybody else.",
    severity=3,
    references=("OWASP API5:2023", "ASVS 8.2.1", "CWE-285"),
    remedy="Give the route a dependency that checks the role, on the router rather than on each function.",
    run=run,
)
