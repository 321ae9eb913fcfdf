"""AZ01: nobody reads a row that is not theirs to read."""

from collections.abc import AsyncIterator

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun, Row
from specwright.verify.people.people import ANONYMOUS, Person
from specwright.verify.policy.beneath import below_their_own, beneath, listed_beneath, loose, on_row, told_in
from specwright.verify.result import Probe, Result
from specwright.verify.surface.surface import Operation


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Everybody asks by its key for a row that the owner can read, and for what is beneath it."""
    async for collection, row in lab.each_row(lab.people.owner):
        further = [
            operation
            for operation in beneath(lab, collection, "GET")
            if listed_beneath(lab.surface, collection, operation) is None
        ]
        if isinstance(row, NotRun):
            for operation in (*([collection.read] if collection.read else []), *further):
                yield CHECK.not_run(operation, str(row), *row.probes)
            continue
        if collection.read is not None:
            async for result in _itself(lab, collection.read, row):
                yield result
        for operation in further:
            try:
                async for result in _further(lab, operation, row):
                    yield result
            except NotRun as why:
                yield CHECK.not_run(operation, str(why), *why.probes)
    for operation in loose(lab, "GET"):
        yield CHECK.not_run(operation, "no row is known that it is about")


async def _itself(lab: Lab, operation: Operation, row: Row) -> AsyncIterator[Result]:
    own = await lab.read(row)
    if not own.succeeded:
        yield CHECK.not_run(operation, "its maker cannot read it back", own)
        return
    for person in (*lab.people.ordinary, ANONYMOUS):
        if person is not row.person:
            yield await _judged(lab, operation, row, person)


async def _judged(lab: Lab, operation: Operation, row: Row, person: Person) -> Result:
    own = await lab.read(row)
    seen = await lab.read(row, person)
    name = row.collection.name
    if not (seen.succeeded and row.shown_in(seen)):
        place = await below_their_own(lab, operation, row, person)
        if place is not None:
            moved = await lab.send(person, operation, place)
            seen = moved if moved.succeeded else seen
    if not (seen.succeeded and row.shown_in(seen)):
        says = f"{person} cannot read {row.person}'s row of {name}"
        return CHECK.proved(operation, says, own, seen, case=person.name)
    return _readable(lab, operation, row, own, seen)


async def _further(lab: Lab, operation: Operation, row: Row) -> AsyncIterator[Result]:
    """What is told of a row beneath its key: by its words, or by an answer that another row has not."""
    request = await on_row(lab, operation, row)
    own = await request.sent(lab, row.person)
    if not own.succeeded:
        raise NotRun("its maker is not answered", own)
    another = await lab.new_row(row.collection, row.person)
    other = await (await on_row(lab, operation, another)).sent(lab, row.person)
    particular = other.answer != own.answer
    for person in (*lab.people.ordinary, ANONYMOUS):
        if person is row.person:
            continue
        seen = await request.sent(lab, person)
        if not seen.succeeded or (told_in(row, own) and not told_in(row, seen)):
            says = f"{person} is not told of {row.person}'s row of {row.collection.name}"
            yield CHECK.proved(operation, says, own, seen, case=person.name)
        elif particular and (told_in(row, seen) or seen.answer == own.answer):
            yield _readable(lab, operation, row, own, seen)
        else:
            why = f"{person} is answered, and nothing in it is of the row alone"
            yield CHECK.not_run(operation, why, own, seen, case=person.name)


def _readable(lab: Lab, operation: Operation, row: Row, own: Probe, seen: Probe) -> Result:
    """What it means that somebody was shown a row, or what is beneath it."""
    person, name = seen.person, row.collection.name
    what = "" if operation == row.collection.read else f" /{operation.path.rpartition('/')[2]} of"
    meant = lab.policy.may(person, operation, row)
    if meant is False:
        says = f"{person} can read{what} {row.person}'s row of {name}"
        return CHECK.broken(operation, says, own, seen, case=person.name)
    if meant is None:
        who = "anybody" if person.anonymous else "everybody who is signed in"
        return CHECK.ask(operation, f"{who} can read{what} every row of {name}: is that meant?", own, seen)
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
