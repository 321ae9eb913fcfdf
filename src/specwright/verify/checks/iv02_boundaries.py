"""IV02: what is declared of a member is held, up to its edge and no further."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun
from specwright.verify.result import Probe, Result
from specwright.verify.rows.boundaries import Edge, edges
from specwright.verify.surface.forms import form_of
from specwright.verify.surface.schemas import members, plain, required
from specwright.verify.surface.surface import Collection, Operation

_SHOWN = 60
#: Constraints on numbers: other values in a query mean too many things to be tried one by one.
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Bodies that are right but for one member, at the edge of a constraint or left out; and queries."""
    for collection in lab.surface.collections:
        for operation in (collection.create, collection.update, collection.replace):
            if operation is not None and operation in lab.judged and "json" in operation.media:
                try:
                    async for result in _judged(lab, collection, operation):
                        yield result
                except NotRun as why:
                    yield CHECK.not_run(operation, str(why), *why.probes)
        for operation in _bounded(lab, collection):
            try:
                async for result in _asked(lab, collection, operation):
                    yield result
            except NotRun as why:
                yield CHECK.not_run(operation, str(why), *why.probes)


def _bounded(lab: Lab, collection: Collection) -> Iterator[Operation]:
    """The list, and changes of many rows that can be kept to one, where a number in the query has bounds."""
    paths = {each.path for each in (collection.list, collection.create) if each is not None}
    for operation in lab.judged:
        names = {parameter.name for parameter in operation.of("query")}
        many = operation.method in ("PATCH", "DELETE") and collection.member in names
        if operation.path in paths and (operation == collection.list or many) and any(_numbers(operation)):
            yield operation


def _numbers(operation: Operation) -> Iterator[tuple[str, Edge]]:
    """Numbers at the edges of what the query may hold."""
    for parameter in operation.of("query"):
        for edge in edges(parameter.schema):
            if edge.constraint in _BOUNDS:
                yield parameter.name, edge


async def _asked(lab: Lab, collection: Collection, operation: Operation) -> AsyncIterator[Result]:
    """A query that is right but for one number."""

    async def send(**one: Any) -> Probe:
        row = await lab.any_row(collection, lab.people.owner)
        needed, headers = lab.maker.asked(operation, row.person)
        query: dict[str, Any] = {**dict(needed), **one}
        if operation.method == "GET":
            return await lab.send(row.person, operation, row.place, query=query, headers=headers)
        query[collection.member] = row.key
        taken = operation if collection.change is None else collection.change
        body = await lab.maker.body(lab, taken, row.person, row.place) if operation.body else ...
        return await lab.send(row.person, operation, row.place, query=query, headers=headers, json=body)

    baseline = await send()
    if not baseline.succeeded:
        raise NotRun("its maker cannot do this with a query that the document allows", baseline)
    held = 0
    for name, edge in _numbers(operation):
        found = _said(operation, f"the parameter {name}", edge, await send(**{name: edge.value}))
        if found is not None:
            yield found
        else:
            held += 1
    if held:
        yield CHECK.proved(operation, f"{held} edges are where its parameters say", baseline)


async def _judged(lab: Lab, collection: Collection, operation: Operation) -> AsyncIterator[Result]:
    row = await lab.any_row(collection, lab.people.owner)
    form = form_of(operation, collection)
    schema = plain(form.schema)

    async def send(body: Mapping[str, Any]) -> Probe:
        return await lab.send(row.person, operation, row.place, json=form.body(body))

    async def fresh() -> dict[str, Any]:
        """Members that are taken; new ones, since some may have to be unique."""
        return form.members(await lab.maker.body(lab, operation, row.person, row.place))

    baseline = await send(await fresh())
    if not baseline.succeeded:
        raise NotRun("its maker cannot do this with a body that the schema allows", baseline)
    held = 0
    for name, member in members(schema).items():
        for edge in edges(member):
            probe = await send({**await fresh(), name: edge.value})
            found = _said(operation, name, edge, probe)
            if found is not None:
                yield found
            else:
                held += 1
    for name in required(schema) if operation is not collection.update else ():
        body = await fresh()
        body.pop(name, None)
        probe = await send(body)
        if probe.succeeded:
            says = f"{name} is declared to be required, and a body without it is taken"
            yield CHECK.broken(operation, says, baseline, probe, case=f"{name} required")
        held += 1
    if schema.get("additionalProperties") is False:
        probe = await send({**await fresh(), "nonesuch_7f3a": 1})
        if probe.succeeded:
            says = "other members are declared not to be allowed, and one is taken"
            yield CHECK.broken(operation, says, baseline, probe, case="additionalProperties")
        held += 1
    if held:
        yield CHECK.proved(operation, f"{held} edges are where the schema says", baseline)


def _said(operation: Operation, name: str, edge: Edge, probe: Probe) -> Result | None:
    """What is wrong at an edge; None where nothing is."""
    case = f"{name} {edge.constraint} {'inside' if edge.inside else 'outside'}"
    shown = repr(edge.value)
    shown = shown if len(shown) <= _SHOWN else f"one of length {len(edge.value)}"
    if not edge.inside and probe.succeeded:
        says = f"{name} is declared with {edge.constraint}, and {shown} is taken"
        return CHECK.broken(operation, says, probe, case=case)
    if edge.inside and (probe.status or 500) >= 500:
        says = f"{name} may be {shown} by its {edge.constraint}, and that is {probe.status or probe.trouble}"
        return CHECK.broken(operation, says, probe, case=case)
    if edge.inside and not probe.succeeded:
        # There may be more to it than a schema can say.
        says = f"{name} may be {shown} by its {edge.constraint}, and that is refused"
        return CHECK.not_run(operation, says, probe, case=case)
    return None


CHECK = Check(
    id="IV02",
    name="boundaries",
    sentence="Each declared constraint is held: just inside is taken, just outside is refused.",
    severity=2,
    references=("OWASP API8:2023", "ASVS 2.2.1", "CWE-1284"),
    remedy="Validate bodies with the model that declares the constraints: one of Pydantic, not a table's.",
    run=run,
)
