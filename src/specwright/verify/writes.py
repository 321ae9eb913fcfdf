"""Writes on their own account: what was promised of each, and what has become of it."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from specwright.verify.lab import Lab, NotRun, Row, parse
from specwright.verify.result import Probe
from specwright.verify.rows.reading_back import keys, learned
from specwright.verify.surface.collections import key_member
from specwright.verify.surface.surface import Collection, Operation

#: A text of this length is in one row only.
_TELLING = 8


@dataclass(frozen=True, slots=True)
class Writing:
    """Creates of rows of one collection, each of another row, beside a row that is there."""

    row: Row
    create: Operation
    requests: Sequence[Probe]

    def made(self, answer: Probe) -> Row | None:
        """The row that an answer says is there; None where it says no key."""
        collection, shown = learned(self.row.collection, parse(answer))
        member = key_member(collection.key, collection.name, shown)
        key = shown.get(member) or next((key for _, key in keys(collection, shown, answer)), None)
        if key is None:
            return None
        return replace(self.row, place={**self.row.place, collection.key: str(key)}, body=shown)


async def writings(lab: Lab, count: int, most: int) -> AsyncIterator[Writing]:
    """Creates that the owner, or whoever may, has seen to succeed: so many for each of a few collections."""
    left = most
    for collection in lab.surface.collections:
        if not left or collection.create is None or collection.read is None:
            continue
        try:
            row = await lab.fresh_row(collection, lab.people.owner)
            requests = await creates(lab, row, collection.create, count)
        except NotRun:
            continue
        left -= 1
        yield Writing(row, collection.create, requests)


async def creates(lab: Lab, row: Row, create: Operation, count: int) -> list[Probe]:
    """Requests that make so many rows, each another one, beside a row that is there.

    Raises:
        NotRun: a row that they need cannot be made.
    """
    query, headers = lab.maker.asked(create, row.person)
    bodies = [await lab.maker.body(lab, create, row.person, row.place) for _ in range(count)]
    return [
        lab.request(row.person, create, row.place, query=query, headers=headers, json=body) for body in bodies
    ]


async def times(lab: Lab, collection: Collection, row: Row, sent: Probe) -> int:
    """How often the row of a create is in the first page of its list, as far as that can be told."""
    text = max(_texts(sent.body or b""), key=len, default="")
    if len(text) < _TELLING:
        return 0
    try:
        found = await lab.items(collection, row.person, row.place)
    except NotRun:
        return 0
    return sum(text in json.dumps(each) for each in found)


def _texts(body: bytes) -> list[str]:
    try:
        found = json.loads(body)
    except ValueError:
        return []
    while isinstance(found, dict) and len(found) == 1:
        (found,) = found.values()
    return [each for each in found.values() if isinstance(each, str)] if isinstance(found, dict) else []
