"""The routes of one resource: a request becomes one statement, its outcome an answer.

The order of judgement on a row route is 401, then the body, 404 where the caller may not read the row, 412,
403, 422 for references, 422 for rules, 409 for constraints. A foreign row and a missing one answer the same.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from specwright.api.body import Action, Body, default_value
from specwright.api.creations import create_all
from specwright.api.etag import conditions, is_known, make_tag, wanted_versions
from specwright.api.includes import entities
from specwright.api.listing import binding, cursor_reader, list_shape, list_values, page
from specwright.api.problems import FieldError, Problem, of_item, unauthenticated, validation
from specwright.api.request import Reply, Request
from specwright.api.rights import Listing, Showing, rights_of
from specwright.api.service import Service
from specwright.api.writing import Asked, forbidden_fields, key_of, named, write
from specwright.model.caller import Caller
from specwright.model.field import Filled
from specwright.model.grant import HAND_OVER, SEE_DELETED
from specwright.model.resource import Resource
from specwright.sql.linking import How
from specwright.sql.lists import Beneath
from specwright.sql.reads import ReadShape
from specwright.sql.scope import Deleted, Scope
from specwright.sql.writeshape import WriteShape

T = TypeVar("T")

#: A longer body is read in a thread: a mebibyte of small numbers takes long enough to hold up the others.
_READ_AT_ONCE = 64 * 1024


class Endpoints:
    """List, create, read, update, replace and delete of one resource."""

    def __init__(self, service: Service, resource: Resource) -> None:
        self.service = service
        self.resource = resource
        self.path = f"{service.contract.prefix}/{service.manifest.route(resource)}"
        self.rights = rights_of(service.statements, resource)
        handed = resource.handed_over
        self._moves = tuple(resource.moved_alone.values())
        self._alone = {**resource.moved_alone, **({} if handed is None else {handed.name: HAND_OVER})}
        self._linked = [field for field in resource.fields if field.linked]

    async def list_rows(self, request: Request) -> Reply:
        """`GET /tasks`: one page."""
        listing = self.plan_list(request)
        rows = await self.service.fetch(listing.statement, request.caller, list_values(listing.query))
        return Reply(200, page(self.service, listing, rows[0]))

    def plan_list(self, request: Request, beneath: Beneath | None = None) -> Listing:
        """What a list request asks for, and the statement that answers it; or one beneath a row.

        Raises:
            Problem: the caller may not list, or the query string is not understood.
        """
        rights = self.rights(request.caller)
        scope = rights.scope("read") if beneath else self.collection_scope("list", request.caller)
        if beneath is None and (known := rights.listing(request.query)) is not None:
            return known
        above = "" if beneath is None else f"{beneath.relation.source}.{beneath.relation.name} {request.key}"
        query = self.service.parameters.read_list(
            self.resource,
            rights.readable,
            request.query,
            shown=rights.seen,
            caller=request.caller,
            cursor_reader=cursor_reader(self.service, self.resource, request.caller, above),
        )
        if query.deleted is not Deleted.HIDDEN and beneath is not None:
            message = "No relation leads to deleted rows."
            raise validation([FieldError("deleted", "unknown_parameter", message)])
        if query.deleted is not Deleted.HIDDEN:
            scope = self.deleted_scope("list", query.deleted, request.caller)
        shape = list_shape(rights, scope, query, beneath)
        statement = self.service.statements.list(shape)
        listing = Listing(
            query, statement, binding(self.service, self.resource, query, request.caller, above)
        )
        if beneath is None and query.after is None:
            # A page behind a cursor is hardly asked for twice.
            rights.keep(request.query, listing)
        return listing

    async def create(self, request: Request) -> Reply:
        """`POST /tasks`: a new row, or many."""
        asked = await self.asked_create(request)
        if isinstance(asked, list):
            return await create_all(self.service, asked, request)
        if request.keyed is not None:
            asked = request.keyed.create(asked)
        return self.created(await write(self.service, asked, request.caller), request.caller)

    async def asked_create(self, request: Request) -> Asked | list[Asked]:
        """The write that a `POST /tasks` asks for, or one for each item of an array.

        Raises:
            Problem: the caller may create no such row, or the request is not understood.
        """
        self.collection_scope("create", request.caller)
        if request.caller.anonymous and any(field.filled is Filled.CALLER for field in self.resource.fields):
            # Anyone may, and what is the caller's cannot be nobody's.
            raise unauthenticated()
        if not self.rights(request.caller).completes:
            # Something required is for others to see, and so to send.
            raise Problem("forbidden", f"You may not create {self.resource.path}.")
        showing = self.showing(request)
        arguments = (self.resource, self.rights(request.caller).members)
        body = await self.read_body(request, self.service.bodies.read_new, *arguments)
        if not isinstance(body, list):
            return self._new(request, showing, body)
        showing = self.showing(request, len(body))
        asked = []
        for index, item in enumerate(body):
            with named(partial(of_item, index=index)):
                asked.append(self._new(request, showing, item))
        return asked

    def _new(self, request: Request, showing: Showing, body: Body) -> Asked:
        if body.forbidden:
            raise forbidden_fields(body.forbidden)
        shape = showing.by(self.rights(request.caller).shape("create"))
        values: dict[str, Any] = {
            f"new_{name}": body.values[name] if name in body.values else self._default(name)
            for name in shape.fields
        }
        values["request"] = request.id
        name_unsure(shape, body, values)
        shape = self._link(shape, body, values, request.caller)
        return Asked("create", shape, values, body)

    def created(self, row: Any, caller: Caller) -> Reply:
        """The answer for a row that was made."""
        location = f"{self._place(caller)}/{quote(row['key'], safe='')}"
        content = row["item"].encode() if row["item"] is not None else b"{}"
        headers = ((b"location", location.encode()), (b"etag", make_tag(row["version"], content).encode()))
        return Reply(201, content, headers)

    def _place(self, caller: Caller) -> str:
        """The path of the collection; where it names the tenant, that of the caller."""
        tenant = self.service.manifest.tenant
        if tenant is None or self.resource.tenant is None:
            return self.path
        return self.path.replace(f"{{{tenant.name}}}", quote(str(caller.tenant), safe=""))

    async def read(self, request: Request) -> Reply:
        """`GET /tasks/{id}`: one row."""
        scope = self.row_scope("read", request.caller)
        shape = self.read_shape(request)
        key = self.key(request.key)
        if not scope.possible or not shape.scope.possible:
            raise Problem("not_found")
        statement = self.service.statements.read(shape)
        rows = await self.service.fetch(statement, request.caller, {"key": key})
        if not rows:
            raise Problem("not_found")
        content = rows[0]["item"].encode()
        tag = make_tag(rows[0]["version"], content)
        wanted = wanted_versions(request.header(b"if-match"))
        if wanted is not None and rows[0]["version"] not in wanted:
            raise Problem("precondition_failed")
        if is_known(request.header(b"if-none-match"), tag):
            return Reply(304, content, ((b"etag", tag.encode()),))
        return Reply(200, content, ((b"etag", tag.encode()),))

    async def update(self, request: Request) -> Reply:
        """`PATCH /tasks/{id}`: merge the body into the row (RFC 7396)."""
        return await self._change(request, "update")

    async def replace(self, request: Request) -> Reply:
        """`PUT /tasks/{id}`: the body is the row; it never creates one."""
        return await self._change(request, "replace")

    async def delete(self, request: Request) -> Reply:
        """`DELETE /tasks/{id}`."""
        await write(self.service, self.asked_delete(request), request.caller)
        return Reply(204)

    def asked_delete(self, request: Request) -> Asked:
        """The write that a `DELETE /tasks/{id}` asks for.

        Raises:
            Problem: nobody is signed in who would have to be, or the request is not understood.
        """
        self.row_scope("delete", request.caller)
        self.service.parameters.read_nothing(request.query)
        asked = self.conditions(request)
        values = {"key": self.key(request.key), "request": request.id, **asked}
        shape = replace(self.rights(request.caller).shape("delete"), conditions=tuple(asked))
        return Asked("delete", shape, values)

    async def _change(self, request: Request, action: Action) -> Reply:
        return changed(await write(self.service, await self.asked_change(request, action), request.caller))

    async def asked_change(self, request: Request, action: Action) -> Asked:
        """The write that a PATCH (`update`) or PUT (`replace`) of `/tasks/{id}` asks for.

        Raises:
            Problem: nobody is signed in who would have to be, or the request is not understood.
        """
        if not any(self.rights(request.caller).scope(move).possible for move in self._moves):
            self.row_scope("update", request.caller)
        showing = self.showing(request)
        body = await self.body(request, action)
        conditions = self.conditions(request)
        asked = self.change(request, action, body)
        shape = showing.by(asked.shape)
        if conditions:
            shape = replace(shape, conditions=tuple(conditions))
        asked = replace(asked, shape=shape)
        asked.values.update(key=self.key(request.key), **conditions)
        return asked

    def change(self, request: Request, action: Action, body: Body) -> Asked:
        """The write that a body asks for, of a row or rows that are still to be named."""
        judged_as = self._judged_as(action, body)
        if judged_as != action:
            request.action = judged_as
        shape = self.rights(request.caller).shape(judged_as)
        if body.unchanged:
            shape = replace(shape, same=tuple(body.unchanged))
        values: dict[str, Any] = {"request": request.id}
        for name in shape.fields:
            values[f"set_{name}"] = name in body.values
            values[f"new_{name}"] = body.values.get(name)
        values |= {f"same_{name}": value for name, value in body.unchanged.items()}
        name_unsure(shape, body, values)
        shape = self._link(shape, body, values, request.caller)
        return Asked("update", shape, values, body, "" if judged_as == action else judged_as)

    def _link(self, shape: WriteShape, body: Body, values: dict[str, Any], caller: Caller) -> WriteShape:
        """The same write, with the links that the body asks for."""
        linked = [field for field in self._linked if field.name in body.values]
        if not linked:
            return shape
        linkings = tuple(self.rights(caller).linking(field, How.SET) for field in linked)
        values |= {linking.parameter: body.values[linking.field.name] for linking in linkings}
        return replace(shape, links=linkings)

    def _judged_as(self, action: Action, body: Body) -> str:
        """What a change is judged as: a PATCH of one field alone may be a grant of its own."""
        if action != "update" or len(body.values) != 1 or body.unchanged or body.forbidden:
            return action
        return self._alone.get(next(iter(body.values)), action)

    def conditions(self, request: Request) -> dict[str, list[int]]:
        """What a change asks of the version of its row.

        Raises:
            Problem: 428, it must ask and does not (RFC 6585 §3).
        """
        headers = request.headers
        if self.resource.if_match_required and b"if-match" not in headers:
            raise Problem("precondition_required")
        return conditions(request.header(b"if-match"), request.header(b"if-none-match"))

    def collection_scope(self, action: str, caller: Caller) -> Scope:
        """The rows that the caller may do this to.

        Raises:
            Problem: 401 or 403, there could be none.
        """
        scope = self.rights(caller).scope(action)
        if not scope.possible:
            if caller.anonymous:
                raise unauthenticated()
            raise Problem("forbidden", f"You may not {action} {self.resource.path}.")
        return scope

    def deleted_scope(self, action: str, deleted: Deleted, caller: Caller) -> Scope:
        """The rows that the caller may list or read, deleted ones among them.

        Raises:
            Problem: 401 or 403, they are granted to see no deleted row.
        """
        if deleted is not Deleted.HIDDEN and not self.rights(caller).scope(SEE_DELETED).possible:
            if caller.anonymous:
                raise unauthenticated()
            raise Problem("forbidden", f"You may not see deleted {self.resource.path}.")
        return self.rights(caller).within(deleted, action)

    async def permit(self, scope: Scope, caller: Caller, connection: Any) -> None:
        """Judge what only the database knows of a caller, for what is done to no row in particular.

        Raises:
            Problem: 403.
        """
        (found,) = await self.service.fetch(
            self.service.statements.permit(scope), caller, {}, connection=connection
        )
        if not found["granted"]:
            raise Problem("forbidden", f"You may not {scope.action} {self.resource.path}.")

    def row_scope(self, action: str, caller: Caller) -> Scope:
        """The rows that the caller may do this to.

        Raises:
            Problem: 401, somebody who is not signed in may do this to none.
        """
        scope = self.rights(caller).scope(action)
        if caller.anonymous and not scope.possible:
            raise unauthenticated()
        return scope

    def read_shape(self, request: Request) -> ReadShape:
        """The read that a `GET /tasks/{id}` asks for.

        Raises:
            Problem: the query string is not understood.
        """
        rights = self.rights(request.caller)
        if not request.query:
            return rights.read
        fields, include, deleted = self.service.parameters.read_row(
            self.resource, rights.seen, request.query, request.caller
        )
        return replace(
            rights.read,
            scope=self.deleted_scope("read", deleted, request.caller),
            fields=tuple(field.name for field in fields),
            include=rights.includes(include),
            reads=rights.reads(sorted(entities(include))),
        )

    def showing(self, request: Request, rows: int = 1) -> Showing:
        """What the answer of a write shows of each of its rows.

        Raises:
            Problem: the query string is not understood.
        """
        rights = self.rights(request.caller)
        if not request.query:
            return Showing(rights.shown)
        fields, include = self.service.parameters.read_answer(
            self.resource, rights.seen, request.query, request.caller, rows
        )
        names = tuple(field.name for field in fields)
        return Showing(names, rights.includes(include), rights.reads(sorted(entities(include))))

    async def body(self, request: Request, action: Action) -> Body:
        """What the body of a change says.

        Raises:
            Problem: it is not understood.
        """
        arguments = (self.resource, action, self.rights(request.caller).members)
        return await self.read_body(request, self.service.bodies.read, *arguments)

    async def read_body(self, request: Request, read: Callable[..., T], *arguments: Any) -> T:
        """What the function reads in the body of the request."""
        raw = await request.body(self.service.max_body)
        content_type = request.header(b"content-type")
        if len(raw) <= _READ_AT_ONCE:
            return read(*arguments, raw, content_type)
        return await asyncio.to_thread(read, *arguments, raw, content_type)

    def _default(self, name: str) -> Any:
        field = self.resource.field(name)
        assert field is not None
        return default_value(self.service.manifest, field)

    def key(self, text: str) -> Any:
        """The key that a path segment spells.

        Raises:
            Problem: no row can have it, so it is not found.
        """
        return key_of(self.resource, text)


def name_unsure(shape: WriteShape, body: Body, values: dict[str, Any]) -> None:
    """Tell which members the body has that may be set on some rows only."""
    for name in shape.unsure:
        values[f"sent_{name}"] = name in body.values


def changed(row: Any) -> Reply:
    """The answer for a row as it is now."""
    if row["item"] is None:
        # Handed over to somebody whose rows the caller cannot read.
        return Reply(204)
    content = row["item"].encode()
    return Reply(200, content, ((b"etag", make_tag(row["version"], content).encode()),))
