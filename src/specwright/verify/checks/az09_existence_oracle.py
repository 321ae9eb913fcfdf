"""AZ09: a foreign row and a missing one get the same answer."""

import re
from collections.abc import AsyncIterator
from uuid import UUID

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun, Row
from specwright.verify.result import Probe, Result

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


async def run(lab: Lab) -> AsyncIterator[Result]:
    """The stranger asks for a row of the owner, and for one that never was."""
    stranger = lab.people.stranger
    async for collection, row in lab.each_row(lab.people.owner):
        operation = collection.read
        if operation is None or isinstance(row, NotRun):
            continue
        missing = await lab.send(stranger, operation, {**row.place, collection.key: _never(lab, row)})
        foreign = await lab.read(row, stranger)
        own = await lab.read(row)
        if not own.succeeded or not missing.refused:
            yield CHECK.not_run(operation, "there is no answer to compare with", own, missing)
        elif foreign.succeeded:
            yield CHECK.not_run(operation, "the stranger can read it", foreign)
        elif (foreign.status, _plain(foreign)) != (missing.status, _plain(missing)):
            says = f"the answer tells {stranger} that a row of {collection.name} exists"
            yield CHECK.broken(operation, says, foreign, missing)
        else:
            yield CHECK.proved(operation, "a foreign row is answered as a missing one", foreign, missing)


def _never(lab: Lab, row: Row) -> str:
    """A key of the same form that no row has."""
    if row.key.isdigit():
        return str(int(row.key) + 1_000_000)
    if _UUID.fullmatch(row.key):
        made = UUID(int=UUID(row.key).int ^ lab.random.getrandbits(40))
        return str(made)
    return f"{row.key}-{lab.random.getrandbits(40):x}"


def _plain(probe: Probe) -> str:
    """The body without what differs from request to request: keys, numbers, the path itself."""
    return re.sub(r"[0-9a-f]{16,}|\d+", "0", _UUID.sub("0", probe.text.replace(probe.path, "")))


CHECK = Check(
    id="AZ09",
    name="existence oracle",
    sentence="A foreign row and a missing one get the same answer.",
    severity=1,
    references=("OWASP API1:2023", "ASVS 8.2.2", "CWE-204"),
    remedy="Answer 404 with the same body for both: fetch the row as the caller, and have one way to miss.",
    run=run,
)
