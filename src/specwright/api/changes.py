"""Changes of many rows, `PATCH` and `DELETE /tasks?status=done&max_affected=50`: of all that match, or none.

The rows are those that the caller may read and the query string asks for. If one of them is not theirs to
change so, nothing is changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import asyncpg

from specwright.api.endpoints import Endpoints
from specwright.api.listing import list_shape, list_values
from specwright.api.problems import Problem, of_row
from specwright.api.request import Reply, Request
from specwright.api.writing import Asked, Naming, forbidden_fields, refuse_each
from specwright.model.caller import Caller
from specwright.model.grant import HAND_OVER
from specwright.sql.checks import Violation
from specwright.sql.constraints import describe_constraint
from specwright.sql.deletion import going_along
from specwright.sql.linking import How
from specwright.sql.lists import ListShape
from specwright.sql.statements import ChangeKind


@dataclass(frozen=True, slots=True)
class Change:
    """A write of the rows of a list, as a request asks for it."""

    asked: Asked
    listed: ListShape

    @property
    def most(self) -> int:
        """How many rows it may affect."""
        return int(self.asked.values["most"]) - 1

    @property
    def kind(self) -> ChangeKind:
        """What is done to the rows."""
        return "delete" if self.asked.kind == "delete" else "update"


class Changes:
    """Update and delete of many rows of one resource."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.endpoints = endpoints
        self._service = endpoints.service

    async def update(self, request: Request) -> Reply:
        """`PATCH /tasks?…`: merge the body into all rows that match (RFC 7396)."""
        return affected(await self._write(await self.asked_update(request), request.caller))

    async def delete(self, request: Request) -> Reply:
        """`DELETE /tasks?…`: delete all rows that match."""
        return affected(await self._write(self.asked_delete(request), request.caller))

    async def asked_update(self, request: Request) -> Change:
        """What a `PATCH /tasks?…` asks for.

        Raises:
            Problem: the caller may do so to no row, or the request is not understood.
        """
        endpoints, caller = self.endpoints, request.caller
        ways = ("update", HAND_OVER, *endpoints.resource.moved_alone.values())
        if not any(endpoints.rights(caller).scope(way).possible for way in ways):
            endpoints.collection_scope("update", caller)
        listed, values = self.rows(request)
        body = await endpoints.body(request, "update")
        self._refuse_versions(request)
        asked = endpoints.change(request, "update", body)
        endpoints.collection_scope(asked.shape.scope.action, caller)
        if body.forbidden:
            raise forbidden_fields(body.forbidden)
        asked.values.update(values)
        return Change(asked, listed)

    def asked_delete(self, request: Request) -> Change:
        """What a `DELETE /tasks?…` asks for.

        Raises:
            Problem: the caller may delete no row, or the request is not understood.
        """
        self.endpoints.collection_scope("delete", request.caller)
        listed, values = self.rows(request)
        self._refuse_versions(request)
        shape = self.endpoints.rights(request.caller).shape("delete")
        return Change(Asked("delete", shape, {"request": request.id, **values}), listed)

    async def lock(self, change: Change, caller: Caller, connection: Any) -> list[Any]:
        """The keys of the rows that match, in order and locked.

        Raises:
            Problem: there are more than may be affected.
        """
        statement = self._service.statements.change(change.asked.shape, change.listed, "lock")
        assert statement is not None
        rows = await self._service.fetch(statement, caller, change.asked.values, change.kind, connection)
        if len(rows) > change.most:
            raise _too_many(change)
        return [row["key"] for row in rows]

    def rows(self, request: Request) -> tuple[ListShape, dict[str, Any]]:
        """Which rows a request is for, and what fills the parameters of that.

        Raises:
            Problem: the query string is not understood.
        """
        endpoints, caller = self.endpoints, request.caller
        rights = endpoints.rights(caller)
        query, most = self._service.parameters.read_change(
            endpoints.resource, rights.readable, request.query, caller
        )
        listed = list_shape(rights, rights.scope("read"), query)
        return listed, list_values(query) | {"most": most + 1}

    def _refuse_versions(self, request: Request) -> None:
        """Many rows have many versions: a condition on one of them cannot be kept.

        Raises:
            Problem: 428, the request must say that any will do, and does not; or 412, it asks for one.
        """
        if self.endpoints.resource.if_match_required and b"if-match" not in request.headers:
            detail = "Send If-Match: * to change whatever versions match, or change the rows one by one."
            raise Problem("precondition_required", detail)
        if self.endpoints.conditions(request):
            raise Problem("precondition_failed", "Many rows have no version in common: send If-Match: *")

    async def _write(self, change: Change, caller: Caller) -> int:
        """How many rows are changed: all that match.

        Raises:
            Problem: one of them may not be, or they are too many.
        """
        asked = change.asked
        late = change.kind == "update" and self._service.statements.change(
            asked.shape, change.listed, "confirm"
        )
        # A set of links that somebody else writes meanwhile is seen by a statement that begins after theirs.
        replaces = any(linking.how is How.SET for linking in asked.shape.links)

        async def work(connection: Any) -> int:
            if replaces:
                await self.lock(change, caller, connection)
            return await self._attempt(change, caller, connection)

        try:
            if not late and not replaces:
                return await self._attempt(change, caller, None)
            return await self._service.database.atomically(work)
        except Problem as problem:
            if not isinstance(problem.__cause__, asyncpg.IntegrityConstraintViolationError):
                raise
            key = await self._violating(change, caller, problem.__cause__)
            raise problem if key is None else of_row(problem, key) from problem

    async def _attempt(self, change: Change, caller: Caller, connection: Any) -> int:
        asked = change.asked

        async def fetch(kind: ChangeKind, **more: Any) -> list[Any]:
            statement = self._service.statements.change(asked.shape, change.listed, kind)
            assert statement is not None
            return await self._service.fetch(statement, caller, asked.values | more, change.kind, connection)

        for _ in range(2):
            (counted,) = await fetch(change.kind)
            if counted["matched"] > change.most:
                raise _too_many(change)
            if counted["affected"] == counted["matched"]:
                if "keys" in counted:
                    late = await fetch("confirm", keys=counted["keys"] or [])
                    refuse_each(asked, map(_verdict, late))
                return int(counted["affected"])
            refuse_each(asked, map(_verdict, await fetch("diagnose")))
        raise Problem("conflict", "The rows changed while they were being written; try again.")

    async def _violating(
        self, change: Change, caller: Caller, error: asyncpg.IntegrityConstraintViolationError
    ) -> str | None:
        """The key of the first row that a constraint stands against; None where that cannot be said."""
        service, shape, listed = self._service, change.asked.shape, change.listed
        resource = self.endpoints.resource
        violated = describe_constraint(service.manifest, getattr(error, "constraint_name", None) or "")
        if violated is None:
            return None
        if change.kind == "update" and violated.kind is Violation.UNIQUE:
            if violated.resource != resource.name:
                return None
            statement = service.statements.changed_into_taken(shape, listed, violated.fields)
        elif change.kind == "delete" and violated.kind is Violation.REFERENCE:
            source, (name,) = service.manifest.resource(violated.resource), violated.fields
            field = source.field(name)
            # What goes along might refer to the row as well, and does not stand against it.
            along = source.name in going_along(service.manifest, resource)
            if field is None or field.target != resource.name or along:
                return None
            statement = service.statements.deleted_in_use(shape, listed, source.name, name)
        else:
            return None
        found = await service.fetch(statement, caller, change.asked.values)
        return str(found[0]["id"]) if found else None


def affected(rows: int) -> Reply:
    """The answer for so many rows that were changed."""
    return Reply(200, b'{"affected":%d}' % rows)


def _too_many(change: Change) -> Problem:
    return Problem("too_many_rows", f"More than {change.most:,} rows match; nothing was changed.")


def _verdict(row: Mapping[str, Any]) -> tuple[Naming, dict[str, Any]]:
    """What the database says of one of the rows, and what names it in a refusal."""
    verdict = {**row}
    return partial(of_row, key=verdict.pop("id")), verdict
