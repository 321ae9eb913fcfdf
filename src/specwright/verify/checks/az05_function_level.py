"""AZ05: what is for the privileged refuses everybody else."""

from collections.abc import AsyncIterator

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun
from specwright.verify.people.guarded import prepare
from specwright.verify.people.people import ANONYMOUS, Person
from specwright.verify.result import Result
from specwright.verify.surface.surface import Operation

_TELLING = ("admin", "superuser", "internal", "manage", "staff")


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Each operation that is not meant for somebody, tried by them after somebody who may."""
    for operation in lab.surface.operations:
        if operation.method not in ("GET", "POST"):
            continue
        may = [person for person in lab.people.signed_in if lab.policy.may(person, operation, None)]
        others = [
            person
            for person in (*lab.people.ordinary, ANONYMOUS)
            if lab.policy.may(person, operation, None) is False
        ]
        if not others:
            if may or not any(word in operation.path.lower() for word in _TELLING):
                continue
            async for result in _asked(lab, operation):
                yield result
            continue
        async for result in _judged(lab, operation, may, others):
            yield result


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


async def _asked(lab: Lab, operation: Operation) -> AsyncIterator[Result]:
    """Its path says that it is for few, and nobody has declared for whom."""
    if operation.method != "GET" or "{" in operation.path:
        return
    for person in (ANONYMOUS, lab.people.stranger):
        tried = await lab.send(person, operation)
        if tried.succeeded:
            who = "everybody" if person is ANONYMOUS else "everybody who is signed in"
            yield CHECK.ask(operation, f"it answers {who}: is that meant?", tried)
            return


CHECK = Check(
    id="AZ05",
    name="function level",
    sentence="What is for the privileged refuses everybody else.",
    severity=3,
    references=("OWASP API5:2023", "ASVS 8.2.1", "CWE-285"),
    remedy="Give the route a dependency that checks the role, on the router rather than on each function.",
    run=run,
)
