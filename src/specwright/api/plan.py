"""The statement that a request would run, without running it."""

from dataclasses import dataclass
from typing import Any

from specwright.api.changes import Changes
from specwright.api.dispatch import Dispatch
from specwright.api.endpoints import Endpoints
from specwright.api.listing import list_values
from specwright.api.problems import Problem
from specwright.api.relations import LinkRoutes, RelationRoutes
from specwright.api.request import Request
from specwright.model.caller import Caller
from specwright.model.grant import RESTORE
from specwright.model.resource import Resource
from specwright.sql.linking import How
from specwright.sql.statement import Statement
from specwright.sql.statements import ChangeKind, WriteKind


@dataclass(frozen=True, slots=True)
class Plan:
    """A statement, what fills its parameters (None where a body would say), and what it is for."""

    resource: Resource
    action: str
    statement: Statement
    arguments: tuple[Any, ...]


def plan_request(dispatch: Dispatch, method: str, target: str, caller: Caller) -> Plan:
    """The plan of `METHOD target`, the target relative to the contract's prefix or with it.

    Raises:
        Problem: there is no such route, the caller may never do this, or the query string is not understood.
    """
    path, _, query = target.partition("?")
    match = dispatch.find(method, path) or dispatch.find(method, dispatch.prefix + path.lstrip("/"))
    bound = match is not None and method == "POST" and match.verb not in ("", RESTORE)
    action = "" if match is None or bound else match.action(method)
    if match is None or not action:
        raise Problem("not_found", f"There is no derived route {method} {path}.")
    endpoints: Endpoints = match.endpoints
    if caller.tenant is None:
        caller = endpoints.service.tenancy.entered(caller, match.within, {}, match.places)
    request = Request(method, query.encode(), {}, _no_body, "", match.key, caller, other=match.other)
    values: dict[str, Any] = {}
    if isinstance(match.relation, RelationRoutes) and action == "read":
        listing = match.relation.plan_list(request)
        statement, values = listing.statement, list_values(listing.query)
    elif isinstance(match.relation, LinkRoutes):
        asked = match.relation.asked(request, How.ADD if method == "PUT" else How.REMOVE)
        statement, values = endpoints.service.statements.write(asked.shape, "update"), asked.values
    elif action == "list":
        listing = endpoints.plan_list(request)
        statement, values = listing.statement, list_values(listing.query)
    elif method in ("PATCH", "DELETE") and not match.key:
        many: ChangeKind = "update" if action == "update" else "delete"
        listed, values = Changes(endpoints).rows(request)
        found = endpoints.service.statements.change(endpoints.rights(caller).shape(many), listed, many)
        assert found is not None
        statement = found
    elif action == "read":
        statement = endpoints.service.statements.read(endpoints.read_shape(request))
    else:
        kind: WriteKind = action  # type: ignore[assignment] # the other actions are the kinds of writes
        shape = endpoints.rights(caller).shape(kind)
        if kind in ("create", "update", "restore"):
            shape = endpoints.showing(request).by(shape)
        statement = endpoints.service.statements.write(shape, kind)
    if match.key:
        values["key"] = endpoints.key(match.key)
    given = {name: values.get(name) for name in statement.parameters}
    arguments = statement.arguments(endpoints.service.manifest, caller, given)
    return Plan(endpoints.resource, action, statement, tuple(arguments))


async def _no_body() -> dict[str, Any]:
    return {"type": "http.request"}
