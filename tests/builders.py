"""Manifests written in Python, for tests that do not read a spec."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from specwright.model.field import Field, Filled, Shown
from specwright.model.grant import ACTIONS, Grant, Role, Who, WhoKind, WhoName
from specwright.model.links import link_of, through
from specwright.model.manifest import Manifest
from specwright.model.names import singular
from specwright.model.relation import Relation
from specwright.model.resource import Resource, Rule
from specwright.model.syntax import parse
from specwright.model.types import INTEGER, TEXT, TIMESTAMP, UUID, Kind, Type

ANYONE = Who(WhoKind.ANYONE)
SIGNED_IN = Who(WhoKind.SIGNED_IN)
OWNER = Who(WhoKind.OWNER)


def role(name: str) -> Who:
    """The role as the subject of a grant."""
    return Who(WhoKind.ROLE, name)


def named(name: str) -> Who:
    """A name from a `Who|Is` table as the subject of a grant."""
    return Who(WhoKind.NAMED, name)


def to(target: str) -> Type:
    """A reference."""
    return Type(Kind.REFERENCE, target=target)


def many(target: str) -> Type:
    """Links to any number of rows."""
    return Type(Kind.MANY, target=target)


def field(name: str, type: Type, **rest: Any) -> Field:
    """A declared field."""
    wire = f"{name}_id" if type.kind is Kind.REFERENCE else name
    if type.kind is Kind.MANY:
        wire = f"{singular(name)}_ids"
        rest = {"shown": Shown.BOTH if type.target == "User" else Shown.WRITE_ONLY} | rest
    return Field(id=name, name=name, wire=wire, column=wire, type=type, **rest)


def owner(name: str = "owner") -> Field:
    """A field that the caller fills."""
    return field(name, to("User"), filled=Filled.CALLER)


def grant(who: Who, may: str, when: str | None = None, then: str | None = None) -> Grant:
    """A row of a `Who|May|When|Then` table."""
    actions = ACTIONS if may == "everything" else tuple(may.split(", "))
    return Grant(
        id=f"{who}:{may}:{when}:{then}",
        who=who,
        actions=actions,
        when=None if when is None else parse(when),
        then=None if then is None else parse(then),
        may=may,
    )


def entity(
    name: str,
    *fields: Field,
    plural: str | None = None,
    grants: tuple[Grant, ...] = (),
    rules: tuple[str, ...] = (),
) -> Resource:
    """A stored resource with its built-in fields."""
    plural = plural or f"{name.lower()}s"
    return Resource(
        id=name,
        name=name,
        title=name,
        path=plural,
        table=plural,
        fields=(
            _built_in("id", UUID, Shown.READ_ONLY),
            *fields,
            _built_in("created_at", TIMESTAMP, Shown.READ_ONLY),
            _built_in("updated_at", TIMESTAMP, Shown.READ_ONLY),
            _built_in("version", INTEGER, Shown.HIDDEN),
        ),
        grants=grants,
        rules=tuple(Rule(id=f"{name}:{text}", condition=parse(text)) for text in rules),
    )


def backend(
    *resources: Resource, names: dict[str, str] | None = None, roles: tuple[str, ...] = ()
) -> Manifest:
    """A manifest of these resources, with the relations between them and an external User."""
    user = Resource(
        id="User",
        name="User",
        title="User",
        path="users",
        table="users",
        fields=(_built_in("id", TEXT, Shown.READ_ONLY),),
        external=True,
    )
    by_name = {resource.name: resource for resource in (*resources, user)}
    links = {
        (resource.name, field.name): link_of(resource, field, by_name[field.linked])
        for resource in resources
        for field in resource.fields
        if field.linked is not None
    }
    return Manifest(
        resources=(*(_related(resource, resources, links) for resource in resources), *links.values(), user),
        roles=tuple(Role(name) for name in roles),
        names=tuple(WhoName(name, parse(condition)) for name, condition in (names or {}).items()),
    )


def _built_in(name: str, type: Type, shown: Shown) -> Field:
    return Field(id=name, name=name, wire=name, column=name, type=type, shown=shown, built_in=True)


def _related(
    resource: Resource, resources: tuple[Resource, ...], links: Mapping[tuple[str, str], Resource]
) -> Resource:
    forward = [
        Relation(field.name, resource.name, field.target, field.name, many=False)
        for field in resource.fields
        if field.target is not None
    ]
    inverse = [
        Relation(other.table, resource.name, other.name, field.name, many=True)
        for other in resources
        for field in other.fields
        if field.target == resource.name
    ]
    forward += [
        Relation(
            field.name,
            resource.name,
            field.linked,
            field.name,
            True,
            through(links[resource.name, field.name]),
        )
        for field in resource.fields
        if field.linked is not None
    ]
    inverse += [
        Relation(
            other.table,
            resource.name,
            other.name,
            field.name,
            True,
            through(links[other.name, field.name], back=True),
        )
        for other in resources
        for field in other.fields
        if field.linked == resource.name
    ]
    return replace(resource, relations=(*forward, *inverse))
