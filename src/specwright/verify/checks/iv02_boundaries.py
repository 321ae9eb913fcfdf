"""IV02: what is declared of a member is held, up to its edge and no further."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun
from specwright.verify.result import Probe, Result
from specwright.verify.rows.boundaries import Edge, edges
from specwright.verify.surface.schemas import members, plain, required
from specwright.verify.surface.surface import Collection, Operation

_SHOWN = 60


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Bodies that are right but for one member, which is at the edge of a constraint, or left out."""
    for collection in lab.surface.collections:
        for operation in (collection.create, collection.update, collection.replace):
            if operation is not None and operation in lab.judged and "json" in operation.media:
                try:
                    async for result in _judged(lab, collection, operation):
                        yield result
                except NotRun as why:
                    yield CHECK.not_run(operation, str(why), *why.probes)


async def _judged(lab: Lab, collection: Collection, operation: Operation) -> AsyncIterator[Result]:
    row = await lab.any_row(collection, lab.people.owner)
    schema = operation.body or {}
    wraps = bool(collection.wrapping) and collection.wrapping in members(schema)
    schema = plain(members(schema)[collection.wrapping] if wraps else schema)

    async def send(body: Mapping[str, Any]) -> Probe:
        sent = collection.wrapped(body) if wraps else dict(body)
        return await lab.send(row.person, operation, row.place, json=sent)

    async def fresh() -> dict[str, Any]:
        """Members that are taken; new ones, since some may have to be unique."""
        body = await lab.maker.body(lab, operation, row.person, row.place)
        return dict(body[collection.wrapping] if wraps else body)

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
