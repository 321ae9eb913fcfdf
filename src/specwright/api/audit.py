"""The audit log: who was denied something, and who used a right that reaches beyond what is their own.

Its lines are written when the answer is on its way. In development the access line of a denied request says
why, too. Where a row decides, that takes a statement more; the client has its answer by then.
"""

import logging
from urllib.parse import unquote
from weakref import WeakKeyDictionary

from specwright.api.dispatch import Match
from specwright.api.exchange import Exchange
from specwright.api.problems import Problem
from specwright.api.request import Request
from specwright.api.service import Service
from specwright.db.pool import DatabaseUnavailable
from specwright.db.sqlstate import DRIVER_ERRORS
from specwright.model.caller import Caller
from specwright.model.expression import FALSE, TRUE, CallerPath, walk
from specwright.model.grant import HAND_OVER, Grant, WhoKind
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.sql.explanation import explain, explain_row, judged, named

AUDIT = logging.getLogger("specwright.audit")

#: What an answer says to whoever may not; of a 404, sometimes.
DENIED = frozenset({401, 403, 404})

#: A grant of these is privileged, whoever has it.
_PRIVILEGED = frozenset({HAND_OVER, "restore"})


class Auditor:
    """Judges the exchanges of one service once they are over."""

    def __init__(self, service: Service, *, explains: bool) -> None:
        self.service = service
        #: Whether the access log says why: in development.
        self.explains = explains
        #: Whether any grant is privileged: else no request that went well is looked at.
        self.watches = any(
            is_privileged(service.manifest, grant, action)
            for resource in service.manifest.stored
            for grant in resource.grants
            for action in grant.actions
        )
        self._privileges: WeakKeyDictionary[Caller, dict[tuple[str, str], str]] = WeakKeyDictionary()

    async def note(self, exchange: Exchange) -> None:
        """Write down what is to be written of an exchange."""
        match, request, problem = exchange.match, exchange.source, exchange.refusal
        asked = request if isinstance(request, Request) else None
        if exchange.status in DENIED:
            if exchange.status != 404 or (problem is not None and problem.hides):
                _write(exchange, match, asked, "denied")
            if self.explains and match is not None and asked is not None and problem is not None:
                exchange.denied = await self._why(match, asked, problem)
        elif match is not None and asked is not None and exchange.status < 400:
            grants = self._privilege(match.endpoints.resource, _action(match, asked), asked.caller)
            if grants:
                _write(exchange, match, asked, "privileged", grants)

    def _privilege(self, resource: Resource, action: str, caller: Caller) -> str:
        """The privileged grants that let the caller do this; none where anybody in their place might.

        Decided once per caller: which of several grants let a particular row pass, no statement asks.
        """
        known = self._privileges.setdefault(caller, {})
        found = known.get((resource.name, action))
        if found is None:
            reasons = self.service.statements.reasons(resource, action, caller)
            held = [reason for reason in reasons if FALSE not in (reason.who, reason.when)]
            special = [
                reason for reason in held if is_privileged(self.service.manifest, reason.grant, action)
            ]
            needless = any(
                (reason.who, reason.when, reason.then) == (TRUE, TRUE, TRUE)
                for reason in held
                if reason not in special
            )
            found = "" if needless else "; ".join(named(reason.grant) for reason in special)
            known[resource.name, action] = found
        return found

    async def _why(self, match: Match, request: Request, problem: Problem) -> str:
        """Why the request was denied, for whoever develops it."""
        if (
            problem.status == 401
            and request.header(b"authorization") is not None
            and request.caller.anonymous
        ):
            return problem.detail
        if problem.errors:
            return _of_fields(match.endpoints.resource, problem)
        try:
            return await self._of_grants(match, request, problem)
        except (DatabaseUnavailable, Problem, *DRIVER_ERRORS):
            # The row can have no such key, or the database is away: there is nothing more to tell.
            return problem.detail

    async def _of_grants(self, match: Match, request: Request, problem: Problem) -> str:
        endpoints, caller = match.endpoints, request.caller
        resource, action = endpoints.resource, _action(match, request)
        if problem.status == 404:
            action = "read"
        statements = self.service.statements
        if not match.key:
            return explain(resource, action, caller, judged(statements.reasons(resource, action, caller)))
        reasons, statement = explain_row(statements, resource, action, caller)
        arguments = statement.arguments(self.service.manifest, caller, {"key": endpoints.key(match.key)})
        found = await self.service.database.fetchrow(statement.text, arguments, read=True)
        if found is None:
            return f"there is no row {resource.path}/{match.key}"
        return explain(resource, action, caller, judged(reasons, found))


def is_privileged(manifest: Manifest, grant: Grant, action: str) -> bool:
    """Whether it takes more than being signed in, or having something to do with the row.

    That is so of a grant to a role, to a name whose condition asks for roles or claims, and of any grant to
    hand a row over or to restore one.
    """
    if action in _PRIVILEGED or grant.who.kind is WhoKind.ROLE:
        return True
    name = manifest.name(grant.who.name) if grant.who.kind is WhoKind.NAMED else None
    return name is not None and any(
        isinstance(node, CallerPath) and node.names[:1] in (("roles",), ("claims",))
        for node in walk(name.condition)
    )


def _write(
    exchange: Exchange, match: Match | None, request: Request | None, what: str, grants: str | None = None
) -> None:
    resource = action = key = None
    if match is not None and request is not None:
        resource = match.endpoints.resource.path
        action = _action(match, request)
        key = match.key or _made(exchange) or None
    AUDIT.info(
        "%s: %s",
        what,
        f"{action} {resource}" if action is not None else exchange.method,
        extra={
            "request_id": exchange.request_id,
            "method": exchange.method,
            "route": exchange.route,
            "status": exchange.status,
            "caller": exchange.caller,
            "action": action,
            "resource": resource,
            "key": key,
            "grant": grants,
        },
    )


def _action(match: Match, request: Request) -> str:
    return request.action or match.action(request.method)


def _made(exchange: Exchange) -> str:
    """The key of the row that was made."""
    headers = () if exchange.answer is None else exchange.answer.headers
    places = (value for name, value in headers if name == b"location")
    return unquote(next(places, b"").decode().rpartition("/")[2])


def _of_fields(resource: Resource, problem: Problem) -> str:
    """Which fields were denied, and the lines that say to whom they are open."""
    by_wire = {field.wire: field for field in resource.fields}
    fields = (by_wire[error.field] for error in problem.errors if error.field in by_wire)
    told = (
        f"{field.wire} is writable by {' and '.join(field.writable_by)} ({field.origin})" for field in fields
    )
    return "; ".join(told) or problem.detail
