"""What no reader has to say: built-in fields, names on the wire, stable ids, relations and an external User.

Knows nothing of Markdown: every reader ends here.
"""

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import replace

from specwright.model.errors import NO_ORIGIN
from specwright.model.field import DELETED, Field, OnDelete, Shown
from specwright.model.links import link_of, through
from specwright.model.names import MAX_IDENTIFIER, singular
from specwright.model.relation import Relation
from specwright.model.resource import Resource
from specwright.model.types import INTEGER, TEXT, TIMESTAMP, UUID, Kind, Type
from specwright.read.mistakes import Mistakes

USER = "User"


def complete(declared: Sequence[Resource], mistakes: Mistakes) -> tuple[Resource, ...]:
    """The resources with everything that follows from what was declared; collisions become mistakes."""
    without_rows = set() if any(resource.name == USER for resource in declared) else {USER}
    resources = [_with_fields(resource, without_rows, mistakes) for resource in declared]
    if without_rows:
        resources.append(external_user())
    _judge_names(resources, mistakes)
    _judge_deletions(resources, mistakes)
    return _with_relations(resources, mistakes)


def external_user() -> Resource:
    """The User that nobody declared: known by the token's `sub`, without a table."""
    key = Field("User.id", "id", "id", "id", TEXT, shown=Shown.READ_ONLY, built_in=True)
    return Resource("User", USER, "User", "users", "users", (key,), external=True)


def _with_fields(resource: Resource, without_rows: Container[str], mistakes: Mistakes) -> Resource:
    id_ = resource.was or resource.name
    key = TEXT if resource.name == USER else UUID

    def built_in(name: str, type_: Type, shown: Shown) -> Field:
        return Field(f"{id_}.{name}", name, name, name, type_, shown=shown, built_in=True)

    declared = []
    for field in resource.fields:
        wire = f"{field.name}_id" if field.type.kind is Kind.REFERENCE else field.name
        shown = field.shown
        if field.type.kind is Kind.MANY:
            wire = f"{singular(field.name)}_ids"
            # Rows are shown by include and by a route; of what has no rows, the keys are all there is.
            shown = Shown.BOTH if field.linked in without_rows else Shown.WRITE_ONLY
        if resource.name == USER and field.required:
            mistakes.add(
                field.origin,
                f'"{field.name}" of User cannot be required: a row appears with the caller\'s first write, '
                "before anyone can send it. Give it a default, or leave it empty",
            )
        if resource.name == USER and field.filled is not None and field.filled.value == "the caller":
            mistakes.add(field.origin, f'"{field.name}" of User cannot be the caller: a User owns itself')
        known = f"{id_}.{field.was or field.name}"
        declared.append(replace(field, id=known, wire=wire, column=wire, shown=shown))
    soft = [built_in(DELETED, TIMESTAMP, Shown.READ_ONLY)] if resource.soft_delete else []
    fields = (
        built_in("id", key, Shown.READ_ONLY),
        *declared,
        built_in("created_at", TIMESTAMP, Shown.READ_ONLY),
        built_in("updated_at", TIMESTAMP, Shown.READ_ONLY),
        *soft,
        built_in("version", INTEGER, Shown.HIDDEN),
    )
    return replace(resource, id=id_, fields=fields)


def _judge_names(resources: Sequence[Resource], mistakes: Mistakes) -> None:
    names: dict[str, Resource] = {}
    places: dict[tuple[str, str], Resource] = {}
    for resource in resources:
        if resource.external:
            continue
        first = names.setdefault(resource.name.lower(), resource)
        if first is not resource:
            mistakes.add(
                resource.origin, f"{resource.name} is declared already, at {first.origin}. Keep one table"
            )
            continue
        for what, value in (("path", resource.path), ("table", resource.table)):
            other = places.setdefault((what, value), resource)
            if other is not resource:
                mistakes.add(
                    resource.origin,
                    f"{resource.name} and {other.name} have one {what}, {value}. "
                    f"Give one another plural: ## {resource.title} (other words)",
                )
                break
        if len(resource.table) > MAX_IDENTIFIER:
            mistakes.add(
                resource.origin,
                f"the table {resource.table} has a name of {len(resource.table)} characters; "
                f"PostgreSQL keeps {MAX_IDENTIFIER}",
            )
        _judge_fields(resource, mistakes)


def _judge_deletions(resources: Sequence[Resource], mistakes: Mistakes) -> None:
    """What goes with a row that can come back must be able to come back with it."""
    soft = {resource.name for resource in resources if resource.soft_delete}
    for resource in resources:
        for field in resource.fields:
            along = field.on_delete is OnDelete.CASCADE and field.target in soft
            if along and not resource.soft_delete:
                mistakes.add(
                    field.origin if field.origin != NO_ORIGIN else resource.origin,
                    f'{resource.name} goes with its "{field.name}", and could not come back with it: '
                    f'add the rule line "soft delete" to {resource.name}, or write on delete clear or refuse',
                )
            if field.wire == "deleted" and resource.soft_delete:
                mistakes.add(
                    field.origin,
                    f'"deleted" of {resource.name} is the parameter that asks for deleted rows. '
                    "Give the field another name",
                )


def _judge_fields(resource: Resource, mistakes: Mistakes) -> None:
    names: dict[str, Field] = {}
    wires: dict[str, Field] = {}
    for field in resource.fields:
        if field.name in names:
            mistakes.add(
                field.origin,
                f'{resource.name} has the field "{field.name}" already, at {names[field.name].origin}',
            )
            continue
        names[field.name] = field
        other = wires.setdefault(field.wire, field)
        if other is not field:
            leads = field.type.kind in (Kind.REFERENCE, Kind.MANY)
            reference, plain = (field, other) if leads else (other, field)
            mistakes.add(
                field.origin if not field.built_in else other.origin,
                f'"{field.name}" and "{other.name}" are both {field.wire} in JSON. '
                f'Leave {plain.name} out: the reference "{reference.name}" gives it',
            )
        if len(field.wire) > MAX_IDENTIFIER:
            mistakes.add(field.origin, f"the name {field.wire} is longer than {MAX_IDENTIFIER} characters")
    for field in resource.fields:
        if field.was is not None and field.was in names:
            mistakes.add(
                field.origin,
                f'"was {field.was}" of field "{field.name}": {resource.name} still has that field',
            )


def _with_relations(resources: Sequence[Resource], mistakes: Mistakes) -> tuple[Resource, ...]:
    by_name = {resource.name: resource for resource in resources}
    relations: dict[str, list[Relation]] = {name: [] for name in by_name}
    ways = Counter((source.name, field.type.target) for source, field in _ways(resources))
    links = {
        (source.name, field.name): link_of(source, field, by_name[field.linked])
        for source, field in _ways(resources)
        if field.linked in by_name
    }
    _judge_links(resources, links.values(), mistakes)
    for source, field in _ways(resources):
        target = str(field.type.target)
        link = links.get((source.name, field.name))
        way = None if link is None else through(link)
        many = field.type.kind is Kind.MANY
        relations[source.name].append(Relation(field.name, source.name, target, field.name, many, way))
    for source, field in _ways(resources):
        target = str(field.type.target)
        if target not in by_name or by_name[target].external:
            continue
        name = source.table
        if ways[source.name, target] > 1:
            name = f"{name}_by_{field.name}"
        taken = by_name[target].field(name)
        if taken is not None:
            also = ", and the other side of a many exists by itself" if taken.type.kind is Kind.MANY else ""
            mistakes.add(
                taken.origin,
                f'"{name}" of {target} is the name of its {source.name} rows already '
                f'(from "{field.name}" of {source.name}){also}. Rename or leave out the field',
            )
            continue
        if any(relation.name == name for relation in relations[target]):
            mistakes.add(field.origin, f'{target} has two relations named "{name}". Rename "{field.name}"')
            continue
        link = links.get((source.name, field.name))
        way = None if link is None else through(link, back=True)
        relations[target].append(Relation(name, target, source.name, field.name, True, way))
    related = (replace(resource, relations=tuple(relations[resource.name])) for resource in resources)
    return (*related, *links.values())


def _judge_links(resources: Iterable[Resource], links: Iterable[Resource], mistakes: Mistakes) -> None:
    tables = {resource.table: resource.name for resource in resources if not resource.external}
    for link in links:
        other = tables.setdefault(link.table, link.name)
        if other != link.name:
            mistakes.add(
                link.origin, f"the links of {link.name} have one table with {other}, {link.table}. Rename one"
            )
        if len(link.table) > MAX_IDENTIFIER:
            mistakes.add(
                link.origin,
                f"the links of {link.name} have the table {link.table}, a name of {len(link.table)} "
                f"characters; PostgreSQL keeps {MAX_IDENTIFIER}. Shorten the name of the field",
            )


def _ways(resources: Sequence[Resource]) -> list[tuple[Resource, Field]]:
    return [
        (resource, field)
        for resource in resources
        for field in resource.fields
        if field.type.kind in (Kind.REFERENCE, Kind.MANY)
    ]
