"""Actions: verbs that the spec declares and grants, and Python does."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from fastapi.routing import serialize_response
from fastapi.utils import create_model_field
from pydantic import TypeAdapter
from sqlalchemy import inspect
from starlette.responses import Response

from specwright.api.arguments import Arguments
from specwright.api.endpoints import Endpoints, changed
from specwright.api.functions import Function, reply_of
from specwright.api.hooked import answered, lock, public, setting
from specwright.api.instances import mapper_of, resource_of
from specwright.api.request import Reply, Request
from specwright.api.rights import Showing
from specwright.api.schemas import Described, Schema
from specwright.api.transaction import Transaction
from specwright.api.visit import Visit
from specwright.api.writing import Asked, write
from specwright.model.errors import ConfigError
from specwright.model.resource import Action, Resource

EndpointsOf = Callable[[Resource], Endpoints]


class BoundAction:
    """An action and its function.

    Raises:
        ConfigError: they do not go together.
    """

    def __init__(self, endpoints: Endpoints, of: EndpointsOf, action: Action, function: Function) -> None:
        self.action = action
        self.function = function
        self._endpoints = endpoints
        self._of = of
        self._manifest = endpoints.service.manifest
        if action.level == "collection" and function.row is not None:
            raise ConfigError(f"{function} takes a row, and {action.origin} declares {action.name} on all.")
        self._arguments = Arguments(self._manifest, action, function)
        self._returns = function.returns
        self._field = None
        #: The entity of the rows that it gives back; None where these are none.
        self._answered: Resource | None = None
        if self._row_or_nothing(self._returns):
            self._answered = self._entity(self._returns)
        else:
            self._field = create_model_field(f"{function.name}_response", self._returns, mode="serialization")

    async def run(self, request: Request) -> Reply:
        """`POST /tasks/{id}/snooze`, or `POST /tasks/archive`."""
        if self.action.level == "collection":
            return await self._run_on_all(request)
        endpoints, name = self._endpoints, self.action.name
        endpoints.row_scope(name, request.caller)
        showing = self._showing(request)
        values = await self._read(request)
        conditions = endpoints.conditions(request)
        # The answer is read when all is done: what is written shows nothing.
        shape = replace(endpoints.rights(request.caller).shape(name), shown=(), conditions=tuple(conditions))
        given = {"key": endpoints.key(request.key), "request": request.id, **conditions}
        asked = Asked("update", shape, given, action=name)

        async def work(visit: Visit, transaction: Transaction) -> Reply:
            await lock(endpoints, transaction, name, asked, request.caller)
            answer = await self._changing(visit, transaction, asked, values)
            return await self._reply(visit, transaction, answer, request, showing)

        return await answered(endpoints, request, work)

    async def _run_on_all(self, request: Request) -> Reply:
        endpoints = self._endpoints
        scope = endpoints.collection_scope(self.action.name, request.caller)
        showing = self._showing(request)
        values = await self._read(request)

        async def work(visit: Visit, transaction: Transaction) -> Reply:
            if endpoints.resource.tenant is not None:
                async with transaction.derived() as connection:
                    await endpoints.permit(scope, request.caller, connection)
            answer = await self.function.run(visit, values=values)
            return await self._reply(visit, transaction, answer, request, showing)

        return await answered(endpoints, request, work)

    async def _changing(
        self, visit: Visit, transaction: Transaction, asked: Asked, values: Mapping[str, Any]
    ) -> Any:
        """Call the function, and store what it changed on its row: that much the action's grant allows."""
        instances = self.function.instances
        if instances is None:
            return await self.function.run(visit, values=values)
        row = await instances.stored(transaction, asked.values["key"])
        held = instances.taken(row)
        answer = await self.function.run(visit, row, values)
        caller = await visit.caller()
        final = setting(
            self._endpoints,
            caller,
            asked,
            instances.changes(row, held, self.action.name, str(self.function)),
        )
        if final is not asked:
            async with transaction.derived() as connection:
                await write(self._endpoints.service, final, caller, connection)
        return answer

    async def _read(self, request: Request) -> dict[str, Any]:
        raw = await request.body(self._endpoints.service.max_body)
        return self._arguments.read(raw, request.header(b"content-type"))

    def _showing(self, request: Request, rows: int = 1) -> Showing:
        """What the request wants to be shown of so many rows; where none are answered, it can want nothing.

        Raises:
            Problem: the query string is not understood.
        """
        if self._answered is not None:
            return self._of(self._answered).showing(request, rows)
        self._endpoints.service.parameters.read_nothing(request.query)
        return Showing(())

    async def _reply(
        self, visit: Visit, transaction: Transaction, answer: Any, request: Request, showing: Showing
    ) -> Reply:
        if answer is None:
            return Reply(204)
        if isinstance(answer, Response):
            return reply_of(answer)
        if self._field is not None:
            content = await serialize_response(
                field=self._field, response_content=answer, is_coroutine=True, dump_json=True
            )
            return Reply(200, content)
        if isinstance(answer, list | tuple):
            showing = self._showing(request, len(answer))
            rows = [await self._public(visit, transaction, each, showing) for each in answer]
            return Reply(200, f"[{','.join(row['item'] for row in rows)}]".encode())
        if resource_of(self._manifest, type(answer)) is not None:
            return changed(await self._public(visit, transaction, answer, showing))
        return Reply(200, json.dumps(await serialize_response(response_content=answer)).encode())

    async def _public(
        self, visit: Visit, transaction: Transaction, instance: Any, showing: Showing
    ) -> dict[str, Any]:
        """A row that the function gave back, as the caller may see it."""
        resource = resource_of(self._manifest, type(instance))
        if resource is None:
            raise TypeError(f"{self.function} gave back a {type(instance).__name__}, which is no row.")
        await transaction.session.flush()
        endpoints, caller = self._of(resource), await visit.caller()
        if resource is not self._answered:
            showing = Showing(endpoints.rights(caller).shown)
        key = inspect(instance).mapper.primary_key_from_instance(instance)[0]
        found = await public(endpoints, transaction, caller, key, showing)
        return found or {"version": 0, "item": "{}"}

    def described(self) -> Described:
        """For the document."""
        nothing = self._returns is None or NoneType in get_args(self._returns)
        body = self._arguments.schema()
        if self._returns is None:
            return Described(body, None, nothing, {})
        if self._field is None:
            return Described(body, self._rows(self._returns), nothing, {}, self._answered)
        adapter: TypeAdapter[Any] = TypeAdapter(self._returns)
        schema = adapter.json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
        return Described(body, schema, nothing, schema.pop("$defs", {}))

    def _row_or_nothing(self, returns: Any) -> bool:
        """Whether what the function gives back decides the answer: rows, or nothing, or it does not say."""
        if returns in (Any, None, Response):
            return True
        if get_origin(returns) in (Union, UnionType):
            return all(part is NoneType or self._row_or_nothing(part) for part in get_args(returns))
        if get_origin(returns) is list:
            return resource_of(self._manifest, get_args(returns)[0]) is not None
        return mapper_of(returns) is not None

    def _entity(self, returns: Any) -> Resource | None:
        """The entity of these rows, the first of several; the action's own where it is not said."""
        if returns is Any:
            return self._endpoints.resource
        if get_origin(returns) in (Union, UnionType, list):
            return next(filter(None, map(self._entity, get_args(returns))), None)
        return resource_of(self._manifest, returns)

    def _rows(self, returns: Any) -> Schema:
        if get_origin(returns) is list:
            return {"type": "array", "items": self._rows(get_args(returns)[0])}
        if get_origin(returns) in (Union, UnionType):
            (part,) = [part for part in get_args(returns) if part is not NoneType][:1]
            return self._rows(part)
        resource = resource_of(self._manifest, returns)
        return {} if resource is None else {"$ref": f"#/components/schemas/{resource.name}Public"}
