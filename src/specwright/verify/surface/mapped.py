"""What mapped classes tell of collections: the columns that say whose a row is, or lead to other rows."""

import re
from collections.abc import Sequence
from dataclasses import replace

from specwright.model.names import plural, singular, snake
from specwright.verify.stage.inventory import Mapper
from specwright.verify.surface.schemas import members
from specwright.verify.surface.surface import Collection, Reference, Surface

_PEOPLE = frozenset({"user", "account", "person", "member", "profile", "employee"})
_PASSWORD = re.compile(r"passw|pwd", re.I)
#: How a column is called that says whose a row is, where several refer to people.
_OWNING = re.compile(r"owner|user|author|creator|created_?by|account", re.I)


def mapped(surface: Surface, mappers: Sequence[Mapper]) -> Surface:
    """The surface, with the owners and the references that foreign keys tell of."""
    tables = {
        mapper.table: collection.name
        for mapper in mappers
        if (collection := _collection(surface, mapper)) is not None
    }
    people = {mapper.table for mapper in mappers if _of_people(mapper)}
    collections = tuple(_told(each, mappers, tables, people) for each in surface.collections)
    return replace(surface, collections=collections)


def _told(
    collection: Collection, mappers: Sequence[Mapper], tables: dict[str, str], people: set[str]
) -> Collection:
    mapper = next((each for each in mappers if tables.get(each.table) == collection.name), None)
    if mapper is None:
        return collection
    keys = {
        column.name: column.references.rpartition(".")[0]
        for column in mapper.columns
        if column.references is not None
    }
    owners = [name for name, table in keys.items() if table in people and mapper.table not in people]
    if len(owners) > 1:
        owners = [name for name in owners if _OWNING.search(name)] or owners[:1]
    sent = {name for each in (collection.create, collection.change) if each for name in members(each.body)}
    known = {reference.member for reference in collection.references}
    more = tuple(
        Reference(name, tables[table])
        for name, table in keys.items()
        if name in sent and name not in known and table in tables and name not in owners
    )
    owned_by = collection.owned_by or tuple(owners)
    return replace(collection, owned_by=owned_by, references=(*collection.references, *more))


def _collection(surface: Surface, mapper: Mapper) -> Collection | None:
    """The collection of a class's rows, which is called as the class or its table is."""
    called = {snake(mapper.name), snake(mapper.table)}
    called |= {plural(name) for name in called} | {singular(name) for name in called}
    for collection in surface.collections:
        if snake(collection.name.rpartition("/")[2]) in called:
            return collection
    return None


def _of_people(mapper: Mapper) -> bool:
    return singular(snake(mapper.name)) in _PEOPLE or any(
        _PASSWORD.search(column.name) for column in mapper.columns
    )
