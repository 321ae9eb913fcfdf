"""IX01: what a list is filtered and ordered by has an index, and so has what leads from row to row."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from specwright.model.resource import Resource
from specwright.verify.check import Check
from specwright.verify.database.plan import Plans
from specwright.verify.database.plans import plans
from specwright.verify.lab import Lab, NotRun, Row
from specwright.verify.policy.granted import resource_at
from specwright.verify.result import Probe, Result
from specwright.verify.surface.surface import Collection, Operation

#: Filters that somebody has thought of one by one.
_DELIBERATE = 4
#: Asks a list for an item.
_ITEM = "__contains"
_SEARCHES = ("q", "search", "query")


async def run(lab: Lab) -> AsyncIterator[Result]:
    """The statements of reads and lists, as they are and filtered, planned on tables of ten thousand rows.

    Raises:
        NotRun: there is no database that can be asked.
    """
    if lab.inside is None:
        raise NotRun("statements cannot be seen from here")
    if lab.inside.database is None:
        raise NotRun("the app has no database of its own that can be asked: it keeps its rows in memory")
    asked: dict[str, tuple[Operation, list[Probe]]] = {}
    async for _, row in lab.each_row(lab.people.owner):
        if isinstance(row, Row):
            async for operation, probe in _reads(lab, row):
                asked.setdefault(operation.label, (operation, []))[1].append(probe)
    said = await plans(
        lab.inside.database,
        [each for _, probes in asked.values() for probe in probes for each in probe.statements or ()],
    )
    for operation, probes in asked.values():
        for result in _judged(operation, probes, said):
            yield result


def _judged(operation: Operation, probes: list[Probe], said: Plans) -> Iterator[Result]:
    planned = {
        each: probe for probe in reversed(probes) for each in probe.statements or () if each in said.missing
    }
    wanted = {
        missing.place: (statement, missing) for statement in planned for missing in said.missing[statement]
    }
    empty = [table for table in said.unseeded if any(table in each for each in planned)]
    for place, (statement, missing) in wanted.items():
        says = f"the whole table is read: {place} has no index"
        broken = CHECK.broken(operation, says, planned[statement], case=place, cause=place)
        yield broken.because(" ".join(statement.split())[:300], missing.plan[:600])
    if wanted:
        return
    if not planned:
        yield CHECK.not_run(operation, "it sends no statement that can be planned", *probes[:1])
    elif empty:
        yield CHECK.not_run(operation, f"{empty[0]} cannot be filled: {said.unseeded[empty[0]]}", *probes[:1])
    else:
        says = f"none of {len(planned)} statements wants an index that is not there"
        yield CHECK.proved(operation, says, *probes[:1])


async def _reads(lab: Lab, row: Row) -> AsyncIterator[tuple[Operation, Probe]]:
    """Every way to read the row and its list, and the list filtered by what the row has."""
    collection = row.collection
    for operation in (collection.list, collection.read, *collection.others):
        if operation is None or operation.method != "GET":
            continue
        resource = None if lab.manifest is None else resource_at(lab.manifest, collection.operations[0].path)
        for query in _queries(collection, operation, row.body, resource):
            probe = await lab.send(row.person, operation, row.place, query=query)
            if probe.succeeded:
                yield operation, probe


def _queries(
    collection: Collection, operation: Operation, body: Mapping[str, Any], resource: Resource | None
) -> list[Mapping[str, str]]:
    if operation is not collection.list:
        return [{}]
    values = {name: str(value) for name, value in body.items() if isinstance(value, str | int)}
    values |= {
        f"{name}{_ITEM}": str(item[0]) for name, item in body.items() if item and isinstance(item, list)
    }
    filters = [each.name for each in operation.of("query") if each.name in values]
    if resource is not None or (len(filters) > _DELIBERATE and len(filters) > len(values) * 3 / 4):
        # By whatever a row has: that says of no column that it is used so.
        looked_up = _looked_up(collection, resource)
        filters = [name for name in filters if name.removesuffix(_ITEM) in looked_up]
    asked = [{name: values[name]} for name in filters]
    asked += [{each.name: "something"} for each in operation.of("query") if each.name in _SEARCHES]
    if resource is not None and resource.deleted is not None:
        asked.append({"deleted": "only"})
    return [{}, *asked]


def _looked_up(collection: Collection, resource: Resource | None) -> set[str]:
    """The members that rows are looked up by: references, and what a spec says of others."""
    found = {each.member for each in collection.references}
    return found | {field.wire for field in (resource.fields if resource else ()) if field.indexed}


CHECK = Check(
    id="IX01",
    name="index",
    sentence="What rows are found and ordered by has an index.",
    severity=2,
    references=("OWASP API4:2023", "CWE-1067"),
    remedy="Add an index that begins with the column, in a migration of its own.",
    run=run,
)
