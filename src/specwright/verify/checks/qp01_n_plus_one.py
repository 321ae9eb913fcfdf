"""QP01: a list takes as many statements for many rows as for few."""

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun, Row, rows
from specwright.verify.people.people import Person
from specwright.verify.result import Probe, Result
from specwright.verify.surface.paging import find_paging, walk
from specwright.verify.surface.surface import Collection, Operation

#: Rows of a short page, and those that a long one has besides.
_FEW, _MORE = 4, 10
#: Rows of the longest page that is asked for.
_MOST = 100
_SIZES = ("limit", "size", "page_size", "per_page", "take", "first")


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Statements at the driver for a page of few rows and for one of many, each with rows related to it.

    Raises:
        NotRun: statements cannot be seen.
    """
    if lab.inside is None:
        raise NotRun("statements cannot be counted from here")
    for collection in lab.surface.collections:
        if collection.list is not None:
            try:
                yield await _judged(lab, collection, collection.list)
            except NotRun as why:
                yield CHECK.not_run(collection.list, str(why), *why.probes)


async def _judged(lab: Lab, collection: Collection, operation: Operation) -> Result:
    owner = lab.people.owner
    row = await _related(lab, collection, owner)
    if not (await lab.send(owner, operation, row.place)).statements:
        return CHECK.not_run(operation, "it sends no statement to a database")
    few = await _page(lab, operation, row, _FEW)
    made = [await _related(lab, collection, owner) for _ in range(_MORE)]
    many = await _page(lab, operation, row, _MOST)
    if not made[-1].shown_in(many) and (skipped := await _before(lab, collection, row)):
        few, many = [await _page(lab, operation, row, size, skipped) for size in (1, _MOST)]
    more = len(rows(collection, many) or ()) - len(rows(collection, few) or ())
    if more < _MORE:
        return CHECK.not_run(operation, "no longer page is to be had", few, many)
    counts = len(few.statements or ()), len(many.statements or ())
    # One statement more for a relation that the few have not is none for each row.
    if counts[1] - counts[0] >= _MORE // 2:
        says = f"{counts[0]} statements for a page, {counts[1]} for one with {more} rows more"
        kinds = dict.fromkeys(" ".join(each.split())[:200] for each in many.statements or ())
        return CHECK.broken(operation, says, replace(many, statements=())).because(*list(kinds)[:4])
    if not made[-1].shown_in(many):
        # Rows of earlier checks may have nothing to refer to.
        return CHECK.not_run(operation, "no longer page with new rows is to be had", few, many)
    return CHECK.proved(operation, f"{counts[1]} statements for any page", few, many)


async def _before(lab: Lab, collection: Collection, row: Row) -> dict[str, int]:
    """What skips the rows that a list has before this one: those of earlier checks may be many."""
    paging = find_paging(collection)
    if paging is None or paging.offset is None:
        return {}
    with suppress(NotRun):
        keys = (await walk(lab, paging, row, min(_MOST, paging.most or _MOST))).keys
        if row.key in keys:
            return {paging.offset.name: keys.index(row.key)}
    return {}


async def _page(
    lab: Lab, operation: Operation, row: Row, size: int, skipped: Mapping[str, int] = MappingProxyType({})
) -> Probe:
    query = dict(skipped) | {
        each.name: min(size, each.schema.get("maximum", size))
        for each in operation.of("query")
        if each.name in _SIZES
    }
    # The second time: what is fetched once and kept is not fetched for each row.
    await lab.send(row.person, operation, row.place, query=query)
    return await lab.send(row.person, operation, row.place, query=query)


async def _related(lab: Lab, collection: Collection, person: Person) -> Row:
    """A row with rows of its own to refer to, and one that refers to it, of each kind that can be made."""
    members: dict[str, Any] = {}
    for reference in collection.references:
        if reference.collection != collection.name:
            target = await lab.new_row(lab.surface.collection(reference.collection), person)
            key = target.body.get(target.collection.member, target.key)
            members[reference.member] = [key] if reference.many else key
    row = await lab.new_row(collection, person, **members)
    key = row.body.get(collection.member, row.key)
    for other in lab.surface.collections:
        for reference in other.references:
            if reference.collection == collection.name and other.name != collection.name:
                with suppress(NotRun):
                    await lab.new_row(other, person, **{reference.member: [key] if reference.many else key})
    return row


CHECK = Check(
    id="QP01",
    name="N plus one",
    sentence="A list takes as many statements for many rows as for few.",
    severity=2,
    references=("OWASP API4:2023", "CWE-1073"),
    remedy="Fetch what rows refer to together with them: by a join, selectinload, or JSON nested in SQL.",
    run=run,
)
