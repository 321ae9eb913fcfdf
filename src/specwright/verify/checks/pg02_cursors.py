"""PG02: a cursor is what its list has handed out, and good for that list alone."""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun, parse
from specwright.verify.result import Probe, Result
from specwright.verify.surface.surface import Collection, Operation

_CURSORS = ("cursor", "page_token", "after", "next")
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_LIMITS = ("limit", "size", "page_size", "per_page")


async def run(lab: Lab) -> AsyncIterator[Result]:
    """A cursor is altered, and taken to other lists, other people, other tenants and other rows."""
    for collection in lab.surface.collections:
        for operation in (collection.list, *collection.others):
            if operation is None or operation.method != "GET" or operation not in lab.judged:
                continue
            names = {parameter.name for parameter in operation.of("query")}
            cursor = next((name for name in _CURSORS if name in names), None)
            limit = next((name for name in _LIMITS if name in names), None)
            if cursor is None or limit is None:
                continue
            judged = _judged if operation == collection.list else _below
            try:
                async for result in judged(lab, collection, operation, cursor, limit):
                    yield result
            except NotRun as why:
                yield CHECK.not_run(operation, str(why), *why.probes)


async def _judged(
    lab: Lab, collection: Collection, operation: Operation, cursor: str, limit: str
) -> AsyncIterator[Result]:
    owner = lab.people.owner
    rows = [await lab.new_row(collection, owner) for _ in range(3)]
    place = rows[0].place
    first = await lab.send(owner, operation, place, query={limit: 1})
    handed = _cursor(first)
    if handed is None:
        raise NotRun("the list hands out no cursor", first)
    own = await lab.send(owner, operation, place, query={limit: 1, cursor: handed})
    if not own.succeeded:
        raise NotRun("the cursor that was handed out is not taken", own)
    for case, query in _altered(handed, cursor, limit, operation, rows[0].body):
        probe = await lab.send(owner, operation, place, query=query)
        yield _result(lab, operation, case, first, probe)
    for person in lab.people.signed_in:
        if person != owner and (await lab.send(person, operation, place, query={limit: 1})).succeeded:
            probe = await lab.send(person, operation, place, query={limit: 1, cursor: handed})
            yield _result(lab, operation, f"of {owner.name}, sent by {person.name}", first, probe)
    elsewhere = lab.people.elsewhere
    # A list that shows the same rows there is no other list.
    if elsewhere is not None and (await lab.read(rows[0], elsewhere)).refused:
        probe = await lab.send(elsewhere, operation, place, query={limit: 1, cursor: handed})
        yield _result(lab, operation, "in another tenant", first, probe)
    for other in lab.surface.collections:
        listed = other.list
        if listed is None or other is collection or not _takes(listed, cursor):
            continue
        if (await lab.send(owner, listed, place)).succeeded:
            probe = await lab.send(owner, listed, place, query={limit: 1, cursor: handed})
            yield _result(lab, operation, f"in the list of {other.name}", first, probe)


async def _below(
    lab: Lab, collection: Collection, operation: Operation, cursor: str, limit: str
) -> AsyncIterator[Result]:
    """A list of what belongs to one row, and its cursor in that of another row."""
    owner = lab.people.owner
    one, other = [await lab.new_row(collection, owner) for _ in range(2)]
    for child in lab.surface.collections:
        upwards = [each for each in child.references if each.collection == collection.name]
        for reference in upwards if child.create is not None else ():
            with suppress(NotRun):
                for _ in range(2):
                    held = [one.key] if reference.many else one.key
                    await lab.new_row(child, owner, **{reference.member: held})
        first = await lab.send(owner, operation, one.place, query={limit: 1})
        handed = _cursor(first)
        if handed is not None:
            break
    else:
        raise NotRun("the list hands out no cursor")
    own = await lab.send(owner, operation, one.place, query={limit: 1, cursor: handed})
    if not own.succeeded or not (await lab.send(owner, operation, other.place)).succeeded:
        raise NotRun("the cursor that was handed out is not taken", own)
    probe = await lab.send(owner, operation, other.place, query={limit: 1, cursor: handed})
    yield _result(lab, operation, "in the list of another row", first, probe)


def _altered(
    handed: str, cursor: str, limit: str, operation: Operation, body: Any
) -> Iterator[tuple[str, dict[str, Any]]]:
    """What it is, and the query: the cursor with a character changed, or beside another order or filter."""
    place = len(handed) // 2
    for where in (1, place, len(handed) - 1):
        # The last may be spelled in another way without being another (RFC 4648 §3.5).
        changed = _ALPHABET[_ALPHABET.find(handed[where]) ^ 1]
        altered = handed[:where] + changed + handed[where + 1 :]
        yield f"altered at {where * 100 // len(handed)} %", {limit: 1, cursor: altered}
    # What decoders skip (RFC 4648 §3.3).
    yield "with more in it", {limit: 1, cursor: f"{handed[:place]}!!!!{handed[place:]}"}
    names = {parameter.name: parameter for parameter in operation.of("query")}
    if "sort" in names:
        yield "with another order", {limit: 1, cursor: handed, "sort": "created_at"}
    if "filter" in names:
        yield "with another filter", {limit: 1, cursor: handed, "filter": "created_at != updated_at"}
    if "q" in names:
        yield "with another search", {limit: 1, cursor: handed, "q": "something"}
    if "deleted" in names:
        yield "with deleted rows", {limit: 1, cursor: handed, "deleted": "with"}
    for name, value in body.items():
        if name in names and isinstance(value, str) and name != "id":
            yield f"with another {name}", {limit: 1, cursor: handed, name: value}
            return


def _result(lab: Lab, operation: Operation, case: str, first: Probe, probe: Probe) -> Result:
    if probe.succeeded and lab.manifest is None:
        return CHECK.not_run(operation, "nothing says that cursors are bound to anything", probe, case=case)
    if probe.succeeded or (probe.status or 500) >= 500:
        says = f"a cursor {case} is answered {probe.status}"
        return CHECK.broken(operation, says, first, probe, case=case)
    return CHECK.proved(operation, f"a cursor {case} is refused", first, probe, case=case)


def _takes(operation: Operation, cursor: str) -> bool:
    return any(parameter.name == cursor for parameter in operation.of("query"))


def _cursor(probe: Probe) -> str | None:
    found = parse(probe)
    if not probe.succeeded or not isinstance(found, dict):
        return None
    texts = (value for name, value in found.items() if "next" in name or "cursor" in name)
    return next((value for value in texts if isinstance(value, str) and len(value) > 8), None)


CHECK = Check(
    id="PG02",
    name="cursors",
    sentence="A cursor that was altered, or comes from another list, order or person, is refused.",
    severity=2,
    references=("ASVS 2.2.1", "CWE-565"),
    remedy="Sign cursors together with the list, its order, its filters and the caller, and compare in full.",
    run=run,
)
