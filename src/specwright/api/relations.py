"""Routes of relations: `GET /tasks/{id}/tags`, and of links `PUT` and `DELETE /tasks/{id}/tags/{tag_id}`."""

from dataclasses import replace
from typing import Any

from specwright.api.endpoints import Endpoints
from specwright.api.listing import list_values, page
from specwright.api.problems import Problem
from specwright.api.request import Reply, Request
from specwright.api.rights import Listing
from specwright.api.writing import Asked, write
from specwright.model.field import Field
from specwright.model.grant import LINK
from specwright.model.relation import Relation
from specwright.sql.checks import LONGEST_SUBJECT
from specwright.sql.linking import How
from specwright.sql.lists import Beneath


class RelationRoutes:
    """One relation of the rows of `source` to rows of `target`."""

    def __init__(self, source: Endpoints, target: Endpoints, relation: Relation) -> None:
        self.source, self.target, self.relation = source, target, relation

    async def list_rows(self, request: Request) -> Reply:
        """The rows of the relation, as a list of them all is asked for; 404 if its row is not readable."""
        listing = self.plan_list(request)
        values = list_values(listing.query) | {"key": self.source.key(request.key)}
        rows = await self.target.service.fetch(listing.statement, request.caller, values)
        if not rows:
            raise Problem("not_found")
        return Reply(200, page(self.target.service, listing, rows[0]))

    def plan_list(self, request: Request) -> Listing:
        """What a request asks for, and the statement that answers it.

        Raises:
            Problem: nobody is signed in who would have to be, or the request is not understood.
        """
        scope = self.source.row_scope("read", request.caller)
        visible = self.source.service.parameters.visible(request.caller)
        if visible.resource(self.source.resource.name).relation(self.relation.name) is None:
            raise Problem("not_found")
        return self.target.plan_list(request, Beneath(self.relation, scope))


class LinkRoutes:
    """The links of one field of the rows of `source`; to rows of `target`, or to users without a table."""

    def __init__(self, source: Endpoints, target: Endpoints | None, relation: Relation, field: Field) -> None:
        self.source, self.target, self.relation, self.field = source, target, relation, field

    async def link(self, request: Request) -> Reply:
        """`PUT /tasks/{id}/tags/{tag_id}`: link the row, if it is not."""
        return await self._change(request, How.ADD)

    async def unlink(self, request: Request) -> Reply:
        """`DELETE /tasks/{id}/tags/{tag_id}`: unlink the row, if it is linked."""
        return await self._change(request, How.REMOVE)

    async def _change(self, request: Request, how: How) -> Reply:
        await write(self.source.service, self.asked(request, how), request.caller)
        return Reply(204)

    def asked(self, request: Request, how: How) -> Asked:
        """The write that links a row, or takes the link away.

        Raises:
            Problem: nobody is signed in who would have to be, or the request is not understood.
        """
        action = f"{LINK}{self.field.name}"
        self.source.row_scope(action, request.caller)
        self.source.service.parameters.read_nothing(request.query)
        rights = self.source.rights(request.caller)
        conditions = self.source.conditions(request)
        linking = rights.linking(self.field, how)
        shape = replace(rights.shape(action), links=(linking,), conditions=tuple(conditions))
        values = {
            "key": self.source.key(request.key),
            "request": request.id,
            linking.parameter: [self._key(request.other)],
            **conditions,
        }
        return Asked("update", shape, values, action=action)

    def _key(self, text: str) -> Any:
        if self.target is not None:
            return self.target.key(text)
        if "\x00" in text or len(text) > LONGEST_SUBJECT:
            raise Problem("not_found")
        return text
