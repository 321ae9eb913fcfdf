"""AN01: what is not declared to be public refuses a request without a credential, hidden routes too."""

from collections.abc import AsyncIterator
from dataclasses import replace

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun, Row
from specwright.verify.people.guarded import prepare
from specwright.verify.people.people import ANONYMOUS, Person
from specwright.verify.policy.meant import FRAMEWORK
from specwright.verify.result import Probe, Result
from specwright.verify.surface.surface import Operation


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Nobody sends to every operation what somebody who may has sent with success."""
    if lab.people.missing:
        raise NotRun(lab.people.missing)
    for operation in lab.surface.operations:
        if operation.name not in FRAMEWORK:
            try:
                yield await _judged(lab, operation)
            except NotRun as why:
                yield CHECK.not_run(operation, str(why), *why.probes)


async def _judged(lab: Lab, operation: Operation) -> Result:
    if lab.policy.may(ANONYMOUS, operation, None) and (met := _met(lab, operation)) is not None:
        return CHECK.proved(operation, "it answers everybody, as it is meant", met)
    person, own = await _baseline(lab, operation)
    # Once more from the start: what was removed is gone, and what must be unique is taken.
    request = await prepare(lab, operation, person)
    seen = await request.sent(lab, ANONYMOUS)
    if not seen.succeeded:
        return CHECK.proved(operation, "a request without a credential is refused", own, seen)
    row = await _row(lab, operation)
    meant = lab.policy.may(ANONYMOUS, operation, row)
    if meant:
        return CHECK.proved(operation, "it answers everybody, as it is meant", own, seen)
    if meant is False or (row is not None and await _told(lab, row, seen)):
        return CHECK.broken(operation, "it answers a request without a credential", own, seen)
    question = "it answers a request without a credential: is that meant?"
    return replace(CHECK.ask(operation, question, own, seen), cause="answers everybody")


async def _baseline(lab: Lab, operation: Operation) -> tuple[Person, Probe]:
    """Somebody who can.

    Raises:
        NotRun: nobody can, and so a refusal proves nothing.
    """
    probes = []
    why: NotRun | None = None
    for person in lab.people.signed_in:
        try:
            request = await prepare(lab, operation, person)
        except NotRun as reason:
            why = why or reason
            continue
        probe = await request.sent(lab, person)
        if probe.succeeded:
            return person, probe
        probes.append(probe)
    raise why or NotRun("nobody is answered with a success", *probes[:1])


def _met(lab: Lab, operation: Operation) -> Probe | None:
    """A request without a credential that has succeeded before: how people came in."""
    return next(
        (
            probe
            for probe in lab.probes
            if probe.succeeded and probe.person is ANONYMOUS and probe.operation is not None
            if probe.operation.label == operation.label
        ),
        None,
    )


async def _row(lab: Lab, operation: Operation) -> Row | None:
    """A row of the owner that the operation is about, or that it may show."""
    for collection in lab.surface.collections:
        if any(each.label == operation.label for each in collection.operations):
            try:
                row = await lab.row(collection, lab.people.owner)
            except NotRun:
                return None
            return row if operation is not collection.create else None
    return None


async def _told(lab: Lab, row: Row, seen: Probe) -> bool:
    """Whether the answer has a row that is kept from nobody's eyes elsewhere."""
    if not row.shown_in(seen) or row.collection.read is None or seen.operation == row.collection.read:
        return False
    return (await lab.read(row, ANONYMOUS)).refused


CHECK = Check(
    id="AN01",
    name="no credential",
    sentence="What is not public refuses a request without a credential.",
    severity=3,
    references=("OWASP API2:2023", "ASVS 8.3.1", "CWE-306"),
    remedy="Put the dependency that checks the credential on the router or the app, and let it refuse.",
    run=run,
)
