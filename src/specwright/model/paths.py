"""Where a path of names leads, resource by resource."""

from dataclasses import dataclass

from specwright.model.expression import Path
from specwright.model.field import Field
from specwright.model.manifest import Manifest
from specwright.model.names import suggest
from specwright.model.relation import Relation
from specwright.model.resource import Resource
from specwright.model.syntax import ExpressionError


@dataclass(frozen=True, slots=True)
class Resolved:
    """Where a path leads: relations to follow, then a field."""

    hops: tuple[Relation, ...]
    field: Field


def resolve(manifest: Manifest, resource: Resource, path: Path) -> Resolved:
    """Follow a path from a resource. `project.id` is the reference itself, no hop.

    Raises:
        ExpressionError: a name is unknown, or the path ends on a relation to many.
    """
    hops: list[Relation] = []
    current = resource
    for position, name in enumerate(path.names):
        last = position == len(path.names) - 1
        field = current.field(name)
        relation = current.relation(name)
        if last and field is not None and (relation is None or not relation.many):
            if field.name == current.key and hops and not hops[-1].many:
                hop = hops.pop()
                reference = manifest.resource(hop.source).field(hop.field)
                assert reference is not None
                return Resolved(tuple(hops), reference)
            return Resolved(tuple(hops), field)
        if relation is None:
            raise ExpressionError(_unknown(current, name, field, last), path.column)
        if last:
            raise ExpressionError(
                f'"{name}" stands for many {relation.target} rows; name a field of theirs, as in "{name}.id"',
                path.column,
            )
        hops.append(relation)
        current = manifest.resource(relation.target)
    raise AssertionError("a path has at least one name")


def _unknown(resource: Resource, name: str, field: Field | None, last: bool) -> str:
    if field is not None and not last:
        return f'"{name}" of {resource.name} is {field.type}, not an entity: nothing can follow it'
    known = [field.name for field in resource.fields] + [relation.name for relation in resource.relations]
    close = suggest(name, known)
    hint = f' Did you mean "{close}"?' if close else ""
    quoted = [field.name for field in resource.fields if name in field.type.literals]
    if quoted and not close:
        hint = f' A literal stands in quotes: "{name}".'
    return f'{resource.name} has no field "{name}".{hint}'
