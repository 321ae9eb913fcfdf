"""What is served beneath the key of a row, `/files/{id}/download`, `/files/{id}/lock`, and how to ask."""

import re
from collections.abc import Iterator, Mapping

from specwright.model.names import singular, snake
from specwright.verify.lab import Lab, NotRun, Row
from specwright.verify.people.guarded import Request, ask_for, leaves
from specwright.verify.people.people import Person
from specwright.verify.policy.acts import acts
from specwright.verify.result import Probe
from specwright.verify.surface.surface import Collection, Operation, Reference, Surface

_PARAMETER = re.compile(r"([^/{}]*)/\{(\w+)\}")
#: A text of this length is in an answer only when the row is.
_TELLING = 8


def beneath(lab: Lab, collection: Collection, *methods: str) -> Iterator[Operation]:
    """The other operations on one row, by these methods; not those that the access matrix of a spec tries."""
    tried: set[str] = set()
    if lab.manifest is not None:
        tried = {act.operation.label for act in acts(lab.manifest, lab.surface, collection)}
    judged = {operation.label for operation in lab.judged}
    for operation in collection.others:
        if operation.method in methods and operation.label in judged - tried and not leaves(operation):
            yield operation


def loose(lab: Lab, *methods: str) -> Iterator[Operation]:
    """Operations on something that a path names, of which no rows are known."""
    known = {each.label for collection in lab.surface.collections for each in collection.operations}
    for operation in lab.judged:
        about_one = operation.method in methods and "{" in operation.path
        if about_one and operation.label not in known and not (operation.hidden and operation.source is None):
            yield operation


async def on_row(lab: Lab, operation: Operation, row: Row) -> Request:
    """The request that the row's maker sends to an operation beneath its key.

    Raises:
        NotRun: a row that it names besides cannot be made.
    """
    one = row.collection.read or row.collection.change or row.collection.delete
    named = [name for _, name in _PARAMETER.findall(one.path)] if one is not None else list(row.place)
    keys = [row.place[name] for name in named if name in row.place]
    place = dict(row.place)
    for turn, (segment, name) in enumerate(_PARAMETER.findall(operation.path)):
        if name in place:
            continue
        if turn < len(keys):
            place[name] = keys[turn]
        else:
            other = _called(lab.surface, segment)
            if other is None:
                raise NotRun(f"nothing says what {{{name}}} is in {operation.label}")
            place[name] = (await lab.any_row(other, row.person)).key
    return await ask_for(lab, operation, row.person, place)


async def below_their_own(
    lab: Lab, operation: Operation, row: Row, person: Person
) -> Mapping[str, str] | None:
    """Where a row would be below a parent of this person's; None where there is no such place."""
    collection = row.collection
    if person.anonymous or collection.parent is None or f"{{{collection.above}}}" not in operation.path:
        return None
    try:
        parent = await lab.row(lab.surface.collection(collection.parent), person)
    except NotRun:
        return None
    return {**row.place, collection.above: parent.key}


def listed_beneath(
    surface: Surface, collection: Collection, operation: Operation
) -> tuple[Collection, Reference] | None:
    """Whose rows an operation beneath a row lists, and by which member they refer to that row."""
    other = _called(surface, operation.path.rpartition("/")[2])
    if operation.method != "GET" or other is None or other.create is None:
        return None
    leading = (each for each in other.references if each.collection == collection.name)
    reference = next(leading, None)
    return None if reference is None else (other, reference)


def told_in(row: Row, probe: Probe) -> bool:
    """Whether an answer holds a text that was sent to make the row."""
    texts = [each for each in row.sent.values() if isinstance(each, str) and len(each) >= _TELLING]
    return any(text in probe.text for text in texts)


def _called(surface: Surface, segment: str) -> Collection | None:
    """The collection that a part of a path is called as."""
    for collection in surface.collections:
        last = snake(collection.name.rpartition("/")[2])
        if segment and singular(snake(segment)) == singular(last):
            return collection
    return None
