"""Requests about many rows at once, made to be about one: how they say which rows they mean."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from specwright.model.names import plural, singular, snake
from specwright.verify.lab import Lab, NotRun, Row, parse
from specwright.verify.result import Probe
from specwright.verify.surface.schemas import element, members, plain, required, variants
from specwright.verify.surface.surface import Collection, Operation, Schema

#: What stands behind the name of what is compared: `ids[]`, `id__in`.
_BEHIND = re.compile(r"\[\]$|_{1,2}in$")
#: A text of this length is in no other row.
_TELLING = 8


@dataclass(frozen=True, slots=True)
class Bulk:
    """What a request about many rows is sent with besides its path."""

    query: list[tuple[str, Any]]
    headers: dict[str, str]
    #: `...` where there is no body.
    json: Any


async def about(lab: Lab, operation: Operation, row: Row) -> Bulk:
    """A request about this row alone: named by its key, or found by a text of it.

    One that names no rows is about all that its sender may change. It is tried on throw-away databases only,
    and where others are not meant to change the row.

    Raises:
        NotRun: it cannot be made, or is better left.
    """
    query, headers = lab.maker.asked(operation, row.person)
    found = _in_query(operation, row)
    if found is not None:
        query = [*(each for each in query if each[0] != found[0]), found]
        json = await _change(lab, operation, row, operation.body) if operation.body is not None else ...
        return Bulk(query, headers, json)
    json = await _named(lab, operation, row, operation.body)
    if json is None:
        if lab.inside is None or lab.policy.may(lab.people.stranger, operation, row) is not False:
            raise NotRun("nothing in it says which rows it is about")
        json = await _change(lab, operation, row, operation.body) if operation.body is not None else ...
    return Bulk(query, headers, json)


def takes_many(operation: Operation) -> bool:
    """Whether its body may be a list of rows."""
    shapes = variants(plain(operation.body)) if operation.body is not None else ()
    return any(members(element(each)) for each in shapes)


def first_shown(collection: Collection, probe: Probe) -> Mapping[str, Any]:
    """The first row in an answer that has many; nothing where there is none."""
    found = parse(probe)
    lists = [found] if isinstance(found, list) else []
    if isinstance(found, Mapping):
        lists = [each for each in found.values() if isinstance(each, list)]
    return collection.shown(lists[0][0]) if len(lists) == 1 and lists[0] else {}


def _keys(row: Row) -> dict[str, Any]:
    """The row's keys, by all the names that they may have where rows are named."""
    one = singular(snake(row.collection.name.rpartition("/")[2]))
    found: dict[str, Any] = {}
    for member in (row.collection.member, "id"):
        if member in row.body:
            name = snake(member)
            names = (name, plural(name), f"{one}_{name}", f"{one}_{plural(name)}")
            found |= {each: row.body[member] for each in names if each not in found}
    return found


def _in_query(operation: Operation, row: Row) -> tuple[str, Any] | None:
    """The parameter that names the row, or else one that finds it."""
    keys = _keys(row)
    parameters = [each.name for each in operation.of("query")]
    for name in parameters:
        if (plain_name := snake(_BEHIND.sub("", name))) in keys:
            return name, keys[plain_name]
    for name in parameters:
        if isinstance(text := row.body.get(name), str) and len(text) >= _TELLING:
            return name, text
    return None


async def _named(lab: Lab, operation: Operation, row: Row, shape: Schema | None, *, deep: bool = True) -> Any:
    """A body that names the row: in a member, in a list of keys, or of rows; None where nothing can."""
    keys = _keys(row)
    if (item := element(shape)) is not None:
        if not members(item):
            return [row.body.get(row.collection.member, row.key)]
        named = await _named(lab, operation, row, item, deep=False)
        return None if named is None else [named]
    inside = members(shape)
    for name, each in inside.items():
        if snake(name) in keys:
            key = keys[snake(name)]
            rest = await _change(lab, operation, row, _without(shape, name))
            return {**rest, name: [key] if element(each) is not None else key}
    for name, each in inside.items():
        if deep and element(each) is not None and members(element(each)):
            named = await _named(lab, operation, row, each, deep=False)
            if named is not None:
                return {**await _change(lab, operation, row, _without(shape, name)), name: named}
    return None


async def _change(lab: Lab, operation: Operation, row: Row, shape: Schema | None) -> dict[str, Any]:
    if not members(shape):
        return {}
    return await lab.maker.body(lab, replace(operation, body=shape), row.person, row.place)


def _without(shape: Schema | None, name: str) -> Schema:
    """An object's schema without one of its members."""
    return {
        "type": "object",
        "properties": {each: schema for each, schema in members(shape).items() if each != name},
        "required": [each for each in required(shape) if each != name],
    }
