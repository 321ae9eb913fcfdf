"""AZ01: nobody reads a row that is not theirs to read."""

from collections.abc import AsyncIterator

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun, Row
from specwright.verify.people.people import ANONYMOUS, Person
from specwright.verify.result import Result
from specwright.verify.surface.surface import Operation


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Everybody asks by its key for a row that the owner has made and can read."""
    async for collection, row in lab.each_row(lab.people.owner):
        if collection.read is None:
            continue
        if isinstance(row, NotRun):
            yield CHECK.not_run(collection.read, str(row), *row.probes)
            continue
        own = await lab.read(row)
        if not own.succeeded:
            yield CHECK.not_run(collection.read, "its maker cannot read it back", own)
            continue
        for person in (*lab.people.ordinary, ANONYMOUS):
            if person is not row.person:
                yield await _judged(lab, collection.read, row, person)


async def _judged(lab: Lab, operation: Operation, row: Row, person: Person) -> Result:
    own = await lab.read(row)
    seen = await lab.read(row, person)
    name = row.collection.name
    meant = lab.policy.may(person, operation, row)
    if not (seen.succeeded and row.shown_in(seen)):
        says = f"{person} cannot read {row.person}'s row of {name}"
        return CHECK.proved(operation, says, own, seen, case=person.name)
    if meant is False:
        says = f"{person} can read {row.person}'s row of {name}"
        return CHECK.broken(operation, says, own, seen, case=person.name)
    if meant is None:
        who = "anybody" if person.anonymous else "everybody who is signed in"
        return CHECK.ask(operation, f"{who} can read every row of {name}: is that meant?", own, seen)
    return CHECK.proved(operation, f"{person} reads {name} as it is meant", own, seen, case=person.name)


CHECK = Check(
    id="AZ01",
    name="object read",
    sentence="Nobody reads a row by its key that is not theirs to read.",
    severity=3,
    references=("OWASP API1:2023", "ASVS 8.2.2", "CWE-639"),
    remedy="Put the caller into the statement that fetches the row, and answer 404 when it finds none.",
    run=run,
)
