"""Writes with hooks: before and after them runs people's code, and all of it is one transaction."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Literal

from specwright.api.body import Action
from specwright.api.changes import Change, Changes, affected
from specwright.api.creations import created
from specwright.api.endpoints import Endpoints, changed
from specwright.api.functions import Function, handled
from specwright.api.problems import Problem, of_item, of_row
from specwright.api.request import Reply, Request
from specwright.api.rights import Showing
from specwright.api.transaction import Transaction
from specwright.api.visit import Visit
from specwright.api.writing import Asked, named, refuse, write
from specwright.model.caller import Caller
from specwright.model.field import Filled
from specwright.model.grant import HAND_OVER
from specwright.sql.writeshape import WriteShape

Moment = Literal["before", "after"]

#: What there are hooks for. A PUT is an update, too.
HOOKED = ("create", "update", "delete")


class Hooked:
    """Create, update, replace and delete of one resource, with their hooks in the order of their binding."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        self._changes = Changes(endpoints)
        self._functions: dict[tuple[Moment, str], list[Function]] = {}

    def add(self, moment: Moment, action: str, function: Function) -> None:
        """Call this one, too."""
        self._functions.setdefault((moment, action), []).append(function)

    def handlers(self, action: str) -> dict[tuple[str, bool], Callable[[Request], Awaitable[Reply]]]:
        """What answers instead of the plain endpoints, by method and whether the path names a row."""
        match action:
            case "create":
                return {("POST", False): self.create}
            case "update":
                return {
                    ("PATCH", True): self.update,
                    ("PUT", True): self.replace,
                    ("PATCH", False): self.update_all,
                }
            case _:
                return {("DELETE", True): self.delete, ("DELETE", False): self.delete_all}

    async def create(self, request: Request) -> Reply:
        """`POST /tasks`: a row, or one after another in the order of an array."""
        asked = await self._endpoints.asked_create(request)

        async def work(visit: Visit, transaction: Transaction) -> Reply:
            if not isinstance(asked, list):
                made = await self._create(visit, transaction, asked, request.caller)
                return self._endpoints.created(made, request.caller)
            items = []
            for index, each in enumerate(asked):
                with named(partial(of_item, index=index)):
                    items.append((await self._create(visit, transaction, each, request.caller))["item"])
            return created(",".join(item or "{}" for item in items))

        return await answered(self._endpoints, request, work)

    async def _create(self, visit: Visit, transaction: Transaction, asked: Asked, caller: Caller) -> Any:
        final = await self._before(visit, transaction, "create", asked, None)
        async with transaction.derived() as connection:
            row = await write(self._endpoints.service, final, caller, connection)
        key = self._endpoints.key(row["key"])
        again = await self._after(visit, transaction, "create", final, key)
        return row if again is None else {**again, "key": row["key"]}

    async def update(self, request: Request) -> Reply:
        """`PATCH /tasks/{id}`."""
        return await self._change(request, "update")

    async def replace(self, request: Request) -> Reply:
        """`PUT /tasks/{id}`."""
        return await self._change(request, "replace")

    async def update_all(self, request: Request) -> Reply:
        """`PATCH /tasks?…`: one row after another, in the order of their keys."""
        return await self._each(request, await self._changes.asked_update(request), self._update)

    async def delete_all(self, request: Request) -> Reply:
        """`DELETE /tasks?…`, in the same way."""
        return await self._each(request, self._changes.asked_delete(request), self._delete)

    async def _each(self, request: Request, change: Change, one: Callable[..., Awaitable[Any]]) -> Reply:
        async def work(visit: Visit, transaction: Transaction) -> Reply:
            async with transaction.derived() as connection:
                keys = await self._changes.lock(change, request.caller, connection)
            for key in keys:
                asked = replace(change.asked, values=change.asked.values | {"key": key})
                with named(partial(of_row, key=str(key))):
                    await one(visit, transaction, asked, request.caller)
            return affected(len(keys))

        return await answered(self._endpoints, request, work)

    async def _change(self, request: Request, action: Action) -> Reply:
        asked = await self._endpoints.asked_change(request, action)

        async def work(visit: Visit, transaction: Transaction) -> Reply:
            return changed(await self._update(visit, transaction, asked, request.caller))

        return await answered(self._endpoints, request, work)

    async def _update(self, visit: Visit, transaction: Transaction, asked: Asked, caller: Caller) -> Any:
        key = asked.values["key"]
        await lock(self._endpoints, transaction, "update", asked, caller)
        final = await self._before(visit, transaction, "update", asked, key)
        async with transaction.derived() as connection:
            row = await write(self._endpoints.service, final, caller, connection)
        again = await self._after(visit, transaction, "update", final, key)
        return row if again is None else again

    async def delete(self, request: Request) -> Reply:
        """`DELETE /tasks/{id}`."""
        asked = self._endpoints.asked_delete(request)

        async def work(visit: Visit, transaction: Transaction) -> Reply:
            await self._delete(visit, transaction, asked, request.caller)
            return Reply(204)

        return await answered(self._endpoints, request, work)

    async def _delete(self, visit: Visit, transaction: Transaction, asked: Asked, caller: Caller) -> None:
        key = asked.values["key"]
        await lock(self._endpoints, transaction, "delete", asked, caller)
        for function in self._of("before", "delete"):
            await _shown(function, visit, await _row(function, transaction, key))
        # What is deleted cannot be looked up afterwards.
        after = self._of("after", "delete")
        rows = [await _row(function, transaction, key) for function in after]
        async with transaction.derived() as connection:
            await write(self._endpoints.service, asked, caller, connection)
        for function, row in zip(after, rows, strict=True):
            await _shown(function, visit, row)

    def _of(self, moment: Moment, action: str) -> list[Function]:
        return self._functions.get((moment, action), [])

    async def _before(
        self, visit: Visit, transaction: Transaction, action: str, asked: Asked, key: Any
    ) -> Asked:
        """The write as the hooks leave it."""
        for function in self._of("before", action):
            instances = function.instances
            if instances is None:
                await function.run(visit)
                continue
            if action == "create":
                row = instances.made(self._sent(asked, await visit.caller()))
            else:
                row = await instances.stored(transaction, key)
                instances.merge(row, _set(asked))
            held = instances.taken(row)
            await function.run(visit, row)
            values = instances.changes(row, held, action, str(function))
            asked = setting(self._endpoints, await visit.caller(), asked, values)
        return asked

    async def _after(
        self, visit: Visit, transaction: Transaction, action: str, asked: Asked, key: Any
    ) -> dict[str, Any] | None:
        """The row as the answer shows it once the hooks are done; None where there are none."""
        functions = self._of("after", action)
        if not functions:
            return None
        for function in functions:
            await _shown(function, visit, await _row(function, transaction, key))
        shape = asked.shape
        showing = Showing(shape.shown, shape.include, shape.reads)
        found = await public(self._endpoints, transaction, await visit.caller(), key, showing)
        if found is None and asked.shape.scope.action not in ("create", HAND_OVER):
            raise Problem("forbidden", f"You may not {action} this so that you cannot read it any more.")
        return found or {"version": 1, "item": None}

    def _sent(self, asked: Asked, caller: Caller) -> dict[str, Any]:
        """The values of a new row, as far as they are known."""
        values = {name: asked.values[f"new_{name}"] for name in asked.shape.fields}
        for field in self._endpoints.resource.fields:
            if field.filled is not None and values.get(field.name) is None:
                values.pop(field.name, None)
                if field.filled is Filled.CALLER:
                    values[field.name] = caller.id
                elif field.filled is Filled.TENANT:
                    values[field.name] = caller.tenant
        return values


Work = Callable[[Visit, Transaction], Awaitable[Reply]]


async def answered(endpoints: Endpoints, request: Request, work: Work) -> Reply:
    """The work in the request's transaction; an exception of people's own goes to their own handler.

    Raises:
        Problem: the request is refused. Nothing of it is stored.
    """
    assert request.exchange is not None
    visit = Visit(endpoints.service, request.exchange, request.caller)
    try:
        async with visit.begun() as transaction:
            if request.keyed is None:
                return await work(visit, transaction)
            async with transaction.derived() as connection:
                await request.keyed.claim(connection)
            reply = await work(visit, transaction)
            async with transaction.derived() as connection:
                await request.keyed.keep(connection, reply)
            return reply
    except Problem:
        raise
    except Exception as error:
        return await handled(error, visit)


async def lock(
    endpoints: Endpoints, transaction: Transaction, action: str, asked: Asked, caller: Caller
) -> None:
    """Lock the row, and judge whether the caller may do this to it at all.

    Raises:
        Problem: there is no such row for them, it is another version, or they may not.
    """
    shape = replace(asked.shape, targets=(), fields=(), same=(), shown=(), include=(), caller_row=False)
    statement = endpoints.service.statements.write(shape, "lock")
    async with transaction.derived() as connection:
        found = await endpoints.service.fetch(statement, caller, asked.values, action, connection)
    refuse(endpoints.resource, action, dict(found[0]) if found else {"readable": False}, asked.body)


async def public(
    endpoints: Endpoints, transaction: Transaction, caller: Caller, key: Any, showing: Showing
) -> dict[str, Any] | None:
    """A row as the caller may see it, with its version; None when they may not."""
    read = endpoints.rights(caller).read
    if not read.scope.possible:
        return None
    statement = endpoints.service.statements.read(showing.of(read))
    async with transaction.derived() as connection:
        found = await endpoints.service.fetch(statement, caller, {"key": key}, connection=connection)
    return dict(found[0]) if found else None


def setting(endpoints: Endpoints, caller: Caller, asked: Asked, values: Mapping[str, Any]) -> Asked:
    """The same write, with these values besides."""
    if not values:
        return asked
    names = dict.fromkeys((*asked.shape.fields, *values))
    fields = [field for field in endpoints.resource.fields if field.name in names]
    shape: WriteShape = endpoints.rights(caller).setting(asked.shape, fields)
    given = {f"new_{name}": value for name, value in values.items()}
    if asked.kind == "update":
        given |= {f"set_{name}": True for name in values}
    return replace(asked, shape=shape, values={**asked.values, **given})


def _set(asked: Asked) -> dict[str, Any]:
    return {name: asked.values[f"new_{name}"] for name in asked.shape.fields if asked.values[f"set_{name}"]}


async def _row(function: Function, transaction: Transaction, key: Any) -> Any:
    return None if function.instances is None else await function.instances.stored(transaction, key)


async def _shown(function: Function, visit: Visit, row: Any) -> None:
    """Call a function that may look at its row, and change nothing on it."""
    if function.instances is None:
        await function.run(visit)
        return
    held = function.instances.taken(row)
    await function.run(visit, row)
    function.instances.unchanged(row, held, str(function))
