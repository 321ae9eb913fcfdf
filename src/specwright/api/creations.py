"""Creates of many rows, `POST /tasks` with an array: all of them are made, or none."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import asyncpg

from specwright.api.problems import Problem, of_item
from specwright.api.request import Reply, Request
from specwright.api.service import Service
from specwright.api.writing import Asked, Naming, refuse_each
from specwright.model.caller import Caller
from specwright.sql.checks import Violation
from specwright.sql.constraints import describe_constraint
from specwright.sql.creations import PLACE
from specwright.sql.writeshape import WriteShape, refused_at_once


async def create_all(service: Service, asked: Sequence[Asked], request: Request) -> Reply:
    """Make the rows, and answer them in the order in which they were sent.

    Raises:
        Problem: one of them is refused, and then none is made; the errors name which.
    """
    keyed, caller = request.keyed, request.caller
    together = _together(asked)
    values = {"rows": _rows(together.shape, asked), "request": request.id}

    async def work(connection: Any) -> Reply:
        if keyed is not None:
            await keyed.claim(connection)
        reply = created(await _create(service, together, values, caller, connection))
        if keyed is not None:
            await keyed.keep(connection, reply)
        return reply

    try:
        if keyed is None and service.statements.creation(together.shape, "confirm") is None:
            return await work(None)
        return await service.database.atomically(work)
    except Problem as problem:
        if not isinstance(problem.__cause__, asyncpg.UniqueViolationError):
            raise
        place = await _taken(service, together, values, caller, problem.__cause__)
        raise problem if place is None else of_item(problem, place) from problem


def created(items: str) -> Reply:
    """The answer for rows that were made: their JSON, between commas."""
    return Reply(201, f'{{"items":[{items}]}}'.encode())


async def _create(
    service: Service, asked: Asked, values: dict[str, Any], caller: Caller, connection: Any
) -> str:
    """The items as they are stored.

    Raises:
        Problem: why one of them is refused.
    """
    shape = asked.shape
    statement, confirmation, diagnosis = (
        service.statements.creation(shape, kind) for kind in ("create", "confirm", "diagnose")
    )
    assert statement is not None and diagnosis is not None
    for _ in range(2):
        if not refused_at_once(shape):
            (made,) = await service.fetch(statement, caller, values, "create", connection)
            if confirmation is None and made["items"] is not None:
                return str(made["items"])
            if confirmation is not None and made["keys"] is not None:
                keyed = {**values, "keys": made["keys"]}
                stored = await service.fetch(confirmation, caller, keyed, "create", connection)
                refuse_each(asked, map(_verdict, stored))
                return ",".join(row["item"] for row in stored)
        refuse_each(asked, map(_verdict, await service.fetch(diagnosis, caller, values, "", connection)))
    raise Problem("conflict", "What the rows refer to changed meanwhile; try again.")


def _verdict(row: Mapping[str, Any]) -> tuple[Naming, dict[str, Any]]:
    """What the database says of one of the rows, and what names it in a refusal."""
    verdict = {**row}
    place = verdict.pop("place")
    verdict.pop("item", None)
    return partial(of_item, index=place - 1), verdict


async def _taken(
    service: Service,
    asked: Asked,
    values: dict[str, Any],
    caller: Caller,
    error: asyncpg.UniqueViolationError,
) -> int | None:
    """Which item has a value that another row has, or an item before it; None if that is no longer so."""
    violated = describe_constraint(service.manifest, getattr(error, "constraint_name", None) or "")
    resource = asked.shape.scope.resource
    if violated is None or violated.resource != resource.name or violated.kind is not Violation.UNIQUE:
        return None
    statement = service.statements.taken(asked.shape, violated.fields)
    (found,) = await service.fetch(statement, caller, values)
    return None if found["place"] is None else int(found["place"]) - 1


def _together(asked: Sequence[Asked]) -> Asked:
    """One write of all the rows, which links what any of them does."""
    linkings = {linking.parameter: linking for each in asked for linking in each.shape.links}
    shape = asked[0].shape
    if linkings:
        shape = replace(shape, links=tuple(linkings[name] for name in sorted(linkings)))
    return replace(asked[0], shape=shape)


def _rows(shape: WriteShape, asked: Sequence[Asked]) -> str:
    """What is sent, as the statements take it; numbers and moments as texts, so that nothing is rounded."""
    resource = shape.scope.resource
    columns = {f"new_{field.name}": field.column for field in resource.fields if field.name in shape.fields}
    numbers = {field.name: number for number, field in enumerate(resource.fields)}
    columns |= {f"sent_{name}": f"_sent_{numbers[name]}" for name in shape.unsure}
    columns |= {linking.parameter: f"_link_{numbers[linking.field.name]}" for linking in shape.links}
    rows = [
        {PLACE: place, **{column: each.values.get(name) for name, column in columns.items()}}
        for place, each in enumerate(asked, 1)
    ]
    return json.dumps(rows, default=str)
