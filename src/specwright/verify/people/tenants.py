"""People within tenants: two founders who are strangers to each other, and colleagues of the first."""

from dataclasses import replace
from typing import Any

from specwright.model.manifest import Manifest
from specwright.model.tenant import Chosen, Tenant
from specwright.model.types import Kind
from specwright.verify.lab import Lab, NotRun
from specwright.verify.people.people import People, Person
from specwright.verify.policy.granted import resource_at
from specwright.verify.requirements.examples import Credentials
from specwright.verify.surface.surface import Collection


async def found(lab: Lab, manifest: Manifest, tenant: Tenant, credentials: Credentials) -> dict[str, str]:
    """Give the lab's owner and stranger a tenant each, and the owner a colleague for each kind of member.

    Returns the key of each person's tenant, by their name. Without a founder nobody can be in one: then the
    people stay as they are.
    """
    entity = _collection(lab, manifest, tenant.entity)
    through = _collection(lab, manifest, tenant.through)
    if entity is None:
        return {}
    keys: dict[str, str] = {}
    inside: list[Person] = []
    for person in (lab.people.owner, lab.people.stranger):
        try:
            key = (await lab.new_row(entity, person)).key
        except NotRun:
            return {}
        keys[person.name] = key
        inside.append(_within(person, tenant, key, credentials))
    owner, stranger = inside
    others = [_within(person, tenant, keys[owner.name], credentials) for person in lab.people.others]
    lab.people = People(owner, stranger, tuple(others))
    if through is not None:
        for name, members in _kinds(manifest, tenant):
            try:
                await lab.new_row(through, owner, **members)
            except NotRun:
                continue
            colleague = Person(name, (), credentials(name, (), {}), known_as=frozenset({name}))
            others.append(_within(colleague, tenant, keys[owner.name], credentials))
    lab.people = People(owner, stranger, tuple(others), await _elsewhere(lab, entity, tenant, credentials))
    return keys | {person.name: keys[owner.name] for person in others}


async def _elsewhere(lab: Lab, entity: Collection, tenant: Tenant, credentials: Credentials) -> Person | None:
    """The owner in a second tenant, which their requests name; None where they can found no other."""
    if tenant.by not in (Chosen.HEADER, Chosen.CLAIM):
        return None
    try:
        key = (await lab.new_row(entity, lab.people.owner)).key
    except NotRun:
        return None
    return _within(lab.people.owner, tenant, key, credentials)


def _kinds(manifest: Manifest, tenant: Tenant) -> list[tuple[str, dict[str, Any]]]:
    """A name and the members of a membership, for each value of its first choice; else one colleague."""
    through = manifest.resource(tenant.through)
    member = through.field(tenant.member)
    assert member is not None
    founder = dict(tenant.founder or ())
    for field in through.fields:
        if field.type.kind is Kind.ENUM:
            first = founder.get(field.name)
            return [
                (f"{value}-colleague", {member.wire: f"{value}-colleague", field.wire: value})
                for value in field.type.literals
                if first is None or value != first.value
            ]
    return [("colleague", {member.wire: "colleague"})]


def _within(person: Person, tenant: Tenant, key: str, credentials: Credentials) -> Person:
    """The person, whose requests say which tenant they are for; in a path they do so by themselves."""
    if tenant.by is Chosen.HEADER:
        return replace(person, headers={**person.headers, tenant.name.lower(): key})
    if tenant.by is Chosen.CLAIM:
        return replace(person, headers=credentials(person.name, person.roles, {tenant.name: key}))
    return person


def _collection(lab: Lab, manifest: Manifest, entity: str) -> Collection | None:
    for collection in lab.surface.collections:
        resource = resource_at(manifest, collection.operations[0].path)
        if resource is not None and resource.name == entity:
            return collection
    return None
