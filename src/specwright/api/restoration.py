"""`POST /tasks/{id}/restore`: a deleted row comes back, with all that went with it."""

from dataclasses import replace

from specwright.api import json_text
from specwright.api.body import JSON, check_media_type
from specwright.api.endpoints import Endpoints, changed
from specwright.api.hooked import answered
from specwright.api.problems import FieldError, validation
from specwright.api.request import Reply, Request
from specwright.api.transaction import Transaction
from specwright.api.visit import Visit
from specwright.api.writing import Asked, write
from specwright.model.grant import RESTORE


class Restoration:
    """The restore of one resource."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints

    async def restore(self, request: Request) -> Reply:
        """Answer the row as it is again."""
        endpoints = self._endpoints
        asked = await self._asked(request)
        if request.keyed is None:
            return changed(await write(endpoints.service, asked, request.caller))

        async def work(visit: Visit, transaction: Transaction) -> Reply:
            async with transaction.derived() as connection:
                return changed(await write(endpoints.service, asked, request.caller, connection))

        return await answered(endpoints, request, work)

    async def _asked(self, request: Request) -> Asked:
        """The write that is asked for.

        Raises:
            Problem: nobody is signed in who would have to be, or the request is not understood.
        """
        endpoints = self._endpoints
        endpoints.row_scope(RESTORE, request.caller)
        showing = endpoints.showing(request)
        _refuse_members(await request.body(endpoints.service.max_body), request.header(b"content-type"))
        conditions = endpoints.conditions(request)
        shape = showing.by(endpoints.rights(request.caller).shape(RESTORE))
        shape = replace(shape, conditions=tuple(conditions))
        values = {"key": endpoints.key(request.key), "request": request.id, **conditions}
        return Asked("restore", shape, values)


def _refuse_members(raw: bytes, content_type: str | None) -> None:
    """Refuse a body that says anything: there is nothing to say.

    Raises:
        Problem: unsupported_media_type, malformed or validation_failed.
    """
    if not raw.strip():
        return
    check_media_type(content_type, (JSON,))
    members = json_text.read(raw)
    if not isinstance(members, dict):
        raise validation([FieldError("", "wrong_type", "The body must be a JSON object.")])
    if members:
        raise validation([FieldError(name, "unknown_member", "There is no such member.") for name in members])
