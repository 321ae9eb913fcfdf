"""Calculated fields, computed from their row or aggregated over a relation: what they are made of."""

from collections.abc import Iterator

from specwright.model.expression import Call, Expr, Path, walk
from specwright.model.field import Field
from specwright.model.functions import VOLATILE
from specwright.model.manifest import Manifest
from specwright.model.paths import resolve
from specwright.model.relation import Relation
from specwright.model.resource import Resource


def made_of(manifest: Manifest, resource: Resource, field: Field) -> Iterator[tuple[Resource, Expr]]:
    """The expressions that a calculated field is worked out from, each with the resource of its rows."""
    if field.computed is not None:
        yield resource, field.computed
    relation = None if field.aggregate is None else resource.relation(field.aggregate.relation)
    if field.aggregate is not None and relation is not None:
        target = manifest.resource(relation.target)
        if field.aggregate.field:
            yield target, Path((field.aggregate.field,))
        if field.aggregate.where is not None:
            yield target, field.aggregate.where


def reads(manifest: Manifest, resource: Resource, expr: Expr) -> Iterator[tuple[Resource, Field]]:
    """The fields that an expression speaks of, each with the resource it is of."""
    for node in walk(expr):
        if isinstance(node, Path):
            found = resolve(manifest, resource, node)
            yield manifest.resource(found.hops[-1].target) if found.hops else resource, found.field


def entities(manifest: Manifest, resource: Resource, expr: Expr) -> set[str]:
    """The names of the entities whose rows an expression reads besides the row itself."""
    found = {
        name
        for node in walk(expr)
        if isinstance(node, Path)
        for hop in resolve(manifest, resource, node).hops
        for name in met(hop)
    }
    for source, field in reads(manifest, resource, expr):
        found |= entities_of(manifest, source, field)
    return found


def entities_of(manifest: Manifest, resource: Resource, field: Field) -> set[str]:
    """The same of a field; none for one that is stored."""
    if field.linked is not None and (linked := resource.relation(field.name)):
        return met(linked)
    found: set[str] = set()
    for source, expr in made_of(manifest, resource, field):
        found |= entities(manifest, source, expr)
        if field.aggregate is not None:
            found.add(source.name)
    if field.aggregate is not None and (relation := resource.relation(field.aggregate.relation)):
        found |= met(relation)
    return found


def met(hop: Relation) -> set[str]:
    """The entities whose rows a hop reads."""
    return {hop.target} if hop.through is None else {hop.target, hop.through.link}


def needs(manifest: Manifest, resource: Resource, field: Field) -> set[str]:
    """The names of the stored fields of a row that the value of one of its fields is worked out from."""
    if field.aggregate is not None or field.linked is not None:
        return {resource.key}
    if not field.calculated:
        return {field.name}
    found: set[str] = set()
    for node in walk(field.computed) if field.computed is not None else ():
        if isinstance(node, Path):
            resolved = resolve(manifest, resource, node)
            if not resolved.hops:
                found |= needs(manifest, resource, resolved.field)
            elif resolved.hops[0].many:
                found.add(resource.key)
            else:
                found.add(resolved.hops[0].field)
    return found


def is_volatile(manifest: Manifest, resource: Resource, field: Field) -> bool:
    """Whether the value changes by waiting: it is worked out from the time."""
    return any(
        any(isinstance(node, Call) and node.name in VOLATILE for node in walk(expr))
        or any(is_volatile(manifest, *each) for each in reads(manifest, source, expr))
        for source, expr in made_of(manifest, resource, field)
    )


def weight(
    manifest: Manifest, resource: Resource, field: Field, known: dict[tuple[str, str], int] | None = None
) -> int:
    """How many nodes the value of a field is worked out by, those of the fields that it needs included."""
    known = {} if known is None else known
    here = resource.name, field.name
    if here not in known:
        # One that needs itself is told of elsewhere.
        known[here] = 0
        known[here] = sum(
            len(walk(expr)) + sum(weight(manifest, *each, known) for each in reads(manifest, source, expr))
            for source, expr in made_of(manifest, resource, field)
        )
    return known[here]


def circle(manifest: Manifest, resource: Resource, field: Field) -> tuple[tuple[str, str], ...]:
    """The shortest way from a field back to itself, as entities and fields; empty where there is none."""
    goal = resource.name, field.name
    ways: list[tuple[tuple[tuple[str, str], ...], Resource, Field]] = [((goal,), resource, field)]
    seen: set[tuple[str, str]] = set()
    for way, source, each in ways:
        for other, expr in made_of(manifest, source, each):
            for owner, read in reads(manifest, other, expr):
                step = owner.name, read.name
                if step == goal:
                    return (*way, goal)
                if step not in seen:
                    seen.add(step)
                    ways.append(((*way, step), owner, read))
    return ()
