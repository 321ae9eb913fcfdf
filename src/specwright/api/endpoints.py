"""The routes of one resource: a request becomes one statement, its outcome an answer.

The order of judgement on a row route is 401, then the body, 404 where the caller may not read the row, 412,
403, 422 for references, 422 for rules, 409 for constraints. A foreign row and a missing one answer the same.
"""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import asyncpg

from specwright.api import cursor
from specwright.api.body import Action, Body, default_value
from specwright.api.etag import conditions, is_known, make_tag, wanted_versions
from specwright.api.idempotency import judged
from specwright.api.includes import entities
from specwright.api.problems import FieldError, Problem, validation
from specwright.api.request import Reply, Request
from specwright.api.rights import Listing, rights_of
from specwright.api.service import Service
from specwright.api.violations import move_problem, problem_of, reference_problem, rule_problem
from specwright.model.caller import Caller
from specwright.model.expression import TRUE
from specwright.model.manifest import HAND_OVER, MOVE, SEE_DELETED, Field, Filled, Resource
from specwright.model.types import Kind
from specwright.model.values import read_text
from specwright.sql.linking import How
from specwright.sql.lists import Beneath, ListShape
from specwright.sql.query import ListQuery
from specwright.sql.reads import ReadShape
from specwright.sql.scope import Deleted, Scope
from specwright.sql.statement import Statement
from specwright.sql.statements import WriteKind
from specwright.sql.writes import WriteShape, refused_at_once

#: A longer body is read in a thread: a mebibyte of small numbers takes long enough to hold up the others.
_READ_AT_ONCE = 64 * 1024

_DIAGNOSES: dict[WriteKind, WriteKind] = {
    "create": "diagnose_create",
    "update": "diagnose_update",
    "delete": "diagnose_delete",
    "restore": "diagnose_restore",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A write as a request asks for it: its shape, and what fills its parameters."""

    kind: WriteKind
    shape: WriteShape
    values: dict[str, Any]
    body: Body | None = None
    #: What a refusal calls it, where that is not its kind.
    action: str = ""


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
        self._keyed_by_uuid = resource.key_field.type.kind is Kind.UUID
        self._linked = [field for field in resource.fields if field.linked]

    async def list_rows(self, request: Request) -> Reply:
        """`GET /tasks`: one page."""
        listing = self.plan_list(request)
        rows = await self.fetch(listing.statement, request.caller, list_values(listing.query))
        return Reply(200, self.page(listing, rows[0]))

    def plan_list(self, request: Request, beneath: Beneath | None = None) -> Listing:
        """What a list request asks for, and the statement that answers it; or one beneath a row.

        Raises:
            Problem: the caller may not list, or the query string is not understood.
        """
        rights = self.rights(request.caller)
        scope = rights.scope("read") if beneath else self.collection_scope("list", request.caller)
        if not request.query and beneath is None and rights.first_page is not None:
            return rights.first_page
        above = "" if beneath is None else f"{beneath.relation.source}.{beneath.relation.name} {request.key}"
        query = self.service.parameters.read_list(
            self.resource,
            rights.readable,
            request.query,
            shown=rights.seen,
            caller=request.caller,
            cursor_reader=self._cursor_reader(request.caller, above),
        )
        if query.deleted is not Deleted.HIDDEN and beneath is not None:
            message = "No relation leads to deleted rows."
            raise validation([FieldError("deleted", "unknown_parameter", message)])
        if query.deleted is not Deleted.HIDDEN:
            scope = self.deleted_scope("list", query.deleted, request.caller)
        statement = self._list_statement(scope, query, request.caller, beneath)
        listing = Listing(query, statement, self._binding(query, request.caller, above))
        if not request.query and beneath is None:
            rights.first_page = listing
        return listing

    async def create(self, request: Request) -> Reply:
        """`POST /tasks`: a new row."""
        asked = await self.asked_create(request)
        if request.keyed is not None:
            asked = request.keyed.create(asked)
        return self.created(await self.write(asked, request.caller), request.caller)

    async def asked_create(self, request: Request) -> Asked:
        """The write that a `POST /tasks` asks for.

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
        shown = self.shown(request)
        body = await self._body(request, "create")
        if body.forbidden:
            raise forbidden_fields(body.forbidden)
        shape = self.rights(request.caller).shape("create")
        if shown != shape.shown:
            shape = replace(shape, shown=shown)
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
        rows = await self.fetch(statement, request.caller, {"key": key})
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
        await self.write(self.asked_delete(request), request.caller)
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
        return changed(await self.write(await self.asked_change(request, action), request.caller))

    async def asked_change(self, request: Request, action: Action) -> Asked:
        """The write that a PATCH (`update`) or PUT (`replace`) of `/tasks/{id}` asks for.

        Raises:
            Problem: nobody is signed in who would have to be, or the request is not understood.
        """
        if not any(self.rights(request.caller).scope(move).possible for move in self._moves):
            self.row_scope("update", request.caller)
        shown = self.shown(request)
        body = await self._body(request, action)
        asked = self.conditions(request)
        judged_as = self._judged_as(action, body)
        if judged_as != action:
            request.action = judged_as
        shape = self.rights(request.caller).shape(judged_as)
        if body.unchanged or asked or shown != shape.shown:
            shape = replace(shape, shown=shown, same=tuple(body.unchanged), conditions=tuple(asked))
        values: dict[str, Any] = {"key": self.key(request.key), "request": request.id, **asked}
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
        (found,) = await self.fetch(self.service.statements.permit(scope), caller, {}, connection=connection)
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

    def shown(self, request: Request) -> tuple[str, ...]:
        """The names of the fields that the answer shows.

        Raises:
            Problem: the query string is not understood.
        """
        rights = self.rights(request.caller)
        if not request.query:
            return rights.shown
        fields = self.service.parameters.read_item(rights.seen, request.query)
        return tuple(field.name for field in fields)

    async def _body(self, request: Request, action: Action) -> Body:
        raw = await request.body(self.service.max_body)
        content_type = request.header(b"content-type")
        arguments = (self.resource, action, self.rights(request.caller).members, raw, content_type)
        if len(raw) <= _READ_AT_ONCE:
            return self.service.bodies.read(*arguments)
        return await asyncio.to_thread(self.service.bodies.read, *arguments)

    def _default(self, name: str) -> Any:
        field = self.resource.field(name)
        assert field is not None
        return default_value(self.service.manifest, field)

    def key(self, text: str) -> Any:
        """The key that a path segment spells.

        Raises:
            Problem: no row can have it, so it is not found.
        """
        if not self._keyed_by_uuid:
            if "\x00" in text:
                raise Problem("not_found")
            return text
        try:
            return read_text(text, Kind.UUID)
        except ValueError:
            raise Problem("not_found") from None

    async def write(self, asked: Asked, caller: Caller, connection: Any = None) -> Any:
        """Run the write; when it is refused, ask once why. With a connection, as a part of its transaction.

        Nothing wrong then means that a race was lost: try again, and give up after the second time.

        Raises:
            Problem: the reason.
        """
        kind, shape, body = asked.kind, asked.shape, asked.body
        for _ in range(2):
            if not refused_at_once(shape) and (body is None or not body.forbidden):
                row = await self._attempt(asked, caller, connection)
                if row is not None:
                    return row
            diagnosis = self.service.statements.write(shape, _DIAGNOSES[kind])
            verdicts = await self.fetch(diagnosis, caller, asked.values, connection=connection)
            self.refuse(asked.action or kind, dict(verdicts[0]) if verdicts else {"readable": False}, body)
        raise Problem("conflict", "The row changed while it was being written; try again.")

    async def _attempt(self, asked: Asked, caller: Caller, connection: Any) -> Any:
        """The row as written; None when it was refused."""
        kind, shape, values = asked.kind, asked.shape, asked.values
        statement = self.service.statements.write(shape, kind)
        confirmation = self.service.statements.confirmation(shape, kind)
        # A set of links that somebody else writes meanwhile is seen by a statement that begins after theirs.
        replaces = kind == "update" and any(linking.how is How.SET for linking in shape.links)
        lock = self.service.statements.write(shape, "lock") if replaces else None

        async def work(connection: Any) -> Any:
            if lock is not None:
                await self.fetch(lock, caller, values, kind, connection)
            rows = await self.fetch(statement, caller, values, kind, connection)
            if shape.keyed:
                rows = judged(rows)
            if confirmation is None or not rows:
                return rows[0] if rows else None
            key = self.key(rows[0]["key"]) if kind == "create" else values["key"]
            (stored,) = await self.fetch(confirmation, caller, {**values, "key": key}, kind, connection)
            answer = {"key", "version", "item"}
            self.refuse(kind, {name: holds for name, holds in stored.items() if name not in answer}, None)
            return stored

        if (confirmation is None and lock is None) or connection:
            return await work(connection)
        return await self.service.database.atomically(work)

    def refuse(self, action: str, verdict: Mapping[str, Any], body: Body | None = None) -> None:
        """Raise the first reason of a diagnosis, in the order of judgement; return when there is none."""
        failed = [name for name, holds in verdict.items() if not holds]
        if "readable" in failed:
            # Of a row that is there, more than that is known.
            raise Problem("not_found", hides="granted" in verdict)
        if "version" in failed:
            raise Problem("precondition_failed")
        if any(name.startswith("granted") for name in failed):
            what = f"{action} of" if action.startswith(MOVE) else action
            raise Problem("forbidden", f"You may not {what} this {self.resource.title.lower()}.")
        if "deleted" in failed:
            raise Problem("conflict", f"This {self.resource.title.lower()} is not deleted.")
        members = [name for name in failed if name.startswith("member:")]
        forbidden = [self.resource.fields[int(name.partition(":")[2])].wire for name in members]
        if body is not None:
            forbidden += body.forbidden
        if forbidden:
            raise forbidden_fields(dict.fromkeys(forbidden))
        for name in failed:
            what, _, number = name.partition(":")
            match what:
                case "mover":
                    wire = self.resource.fields[int(number)].wire
                    raise Problem("forbidden", f"You may not make this move of {wire}.")
                case "same":
                    raise _not_the_same(self.resource.fields[int(number)])
                case "reference":
                    raise reference_problem(self.resource, self.resource.fields[int(number)].name)
                case "link" if body is None:
                    raise Problem("not_found")
                case "link":
                    wire = f"{self.resource.fields[int(number)].wire}.{verdict[f'missing:{number}'] - 1}"
                    message = f"{wire} refers to nothing that exists for you."
                    raise validation([FieldError(wire, "reference_not_found", message)])
                case "begin":
                    raise _not_the_first(self.resource.fields[int(number)])
                case "move":
                    field = self.resource.fields[int(number)]
                    raise move_problem(self.resource, field, verdict.get(f"state:{number}"))
                case "rule":
                    raise rule_problem(self.resource, self.resource.rules[int(number)].id)

    async def fetch(
        self,
        statement: Statement,
        caller: Caller,
        values: Mapping[str, Any],
        action: str = "",
        connection: Any = None,
    ) -> list[Any]:
        """The rows of a statement; on a connection, as a part of its transaction."""
        manifest = self.service.manifest
        arguments = statement.arguments(manifest, caller, values)
        try:
            if connection is not None:
                found: list[Any] = await connection.fetch(statement.text, *arguments)
                return found
            return await self.service.database.fetch(statement.text, arguments, read=not action)
        except asyncpg.PostgresError as error:
            problem = problem_of(manifest, action, error)
            if problem is None:
                raise
            raise problem from error

    def _list_statement(
        self, scope: Scope, query: ListQuery, caller: Caller, beneath: Beneath | None
    ) -> Statement:
        shape = ListShape(
            scope=scope,
            fields=tuple(field.name for field in query.fields),
            sort=tuple(sort.key for sort in query.sort),
            filters=tuple((asked.path, _operator(asked)) for asked in query.filters),
            after=None if query.after is None else tuple(value is None for value in query.after),
            offset=query.offset > 0,
            count=query.count,
            condition=TRUE if query.condition is None else query.condition.shape,
            search=query.search is not None,
            include=self.rights(caller).includes(query.include),
            beneath=beneath,
            reads=self.rights(caller).reads(query.reached),
            members=self.rights(caller).apart,
        )
        return self.service.statements.list(shape)

    def page(self, listing: Listing, page: Any) -> bytes:
        """The answer of a list."""
        following = "null"
        if page["more"]:
            values = [page[f"k{position}"] for position in range(len(listing.query.sort))]
            following = f'"{cursor.write(self.service.secret, listing.binding, values)}"'
        counted = f',"total":{page["total"]}' if listing.query.count else ""
        return f'{{"items":[{page["items"] or ""}],"next_cursor":{following}{counted}}}'.encode()

    def _binding(self, query: ListQuery, caller: Caller, above: str) -> bytes:
        tenant = None if self.resource.tenant is None else caller.tenant
        return cursor.binding(self.service.contract, self.resource, query, caller.id, tenant, above)

    def _cursor_reader(self, caller: Caller, above: str) -> Any:
        def read(query: ListQuery, text: str) -> tuple[Any, ...]:
            binding = self._binding(query, caller, above)
            return cursor.read(self.service.secret, binding, text)

        return read


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


def unauthenticated(detail: str = "") -> Problem:
    """The 401 that says how to sign in (RFC 6750 §3)."""
    return Problem("unauthenticated", detail, headers=[("WWW-Authenticate", "Bearer")])


def _not_the_same(field: Field) -> Problem:
    code = "immutable" if field.immutable else "read_only"
    message = f"{field.wire} cannot be changed: leave it out, or send what it is."
    return validation([FieldError(field.wire, code, message)])


def _not_the_first(field: Field) -> Problem:
    assert field.default is not None
    message = f"{field.wire} begins as {field.default.value}: leave it out."
    return validation([FieldError(field.wire, "not_a_choice", message)])


def forbidden_fields(wires: Collection[str]) -> Problem:
    """The 403 that names the members which are not the caller's to set."""
    names = ", ".join(wires)
    errors = [FieldError(wire, "forbidden", f"You may not set {wire}.") for wire in wires]
    return Problem("forbidden", f"You may not set {names}.", errors=errors)


def _operator(asked: Any) -> str:
    if asked.operator != "isnull":
        return str(asked.operator)
    return "isnull" if asked.value else "notnull"


def list_values(query: ListQuery) -> dict[str, Any]:
    """What fills the parameters; one row more than asked tells whether there is a next page."""
    values: dict[str, Any] = {"limit": query.limit + 1, "offset": query.offset}
    values |= {f"filter{n}": asked.value for n, asked in enumerate(query.filters)}
    if query.condition is not None:
        values |= query.condition.values
    if query.search is not None:
        values["search"] = query.search
    values |= {f"after{n}": value for n, value in enumerate(query.after or ())}
    return values
