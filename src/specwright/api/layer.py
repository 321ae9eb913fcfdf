"""The one ASGI layer around the application: request id, credential, dispatch, problems, the log line.

Derived routes are answered here and never reach FastAPI's router; everything else passes through.
"""

import asyncio
import json
import logging
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from os import urandom
from time import perf_counter

import asyncpg
from starlette.requests import ClientDisconnect

from specwright.api.audit import DENIED, Auditor
from specwright.api.dispatch import Dispatch, Match
from specwright.api.edge import Edge
from specwright.api.exchange import Exchange
from specwright.api.idempotency import HEADER, once
from specwright.api.incoming import Incoming, Limited
from specwright.api.problems import Problem, unauthenticated
from specwright.api.request import App, Disconnected, Receive, Reply, Request, Scope, Send, refuse_repeats
from specwright.api.service import Service
from specwright.api.transaction import finish
from specwright.api.visit import Visit
from specwright.auth import KeysUnavailable, Unauthenticated
from specwright.db.pool import DatabaseUnavailable
from specwright.db.sqlstate import is_of_another_version
from specwright.logs import RequestRecord

ACCESS = logging.getLogger("specwright.access")
FAULTS = logging.getLogger("specwright.faults")

LIVE = "/health/live"
READY = "/health/ready"
HEALTH = (LIVE, READY)

_ID = re.compile(rb"[A-Za-z0-9._\-]{1,128}")
#: https://www.w3.org/TR/trace-context/: version-trace id-parent id-flags.
_TRACE = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class Layer:
    """ASGI middleware; pure, so that context variables and streaming are left alone."""

    def __init__(
        self, app: App, service: Service, dispatch: Dispatch, edge: Edge, *, explains: bool = False
    ) -> None:
        """In development a layer `explains` in its log why a request was denied."""
        self.app = app
        self.service = service
        self.dispatch = dispatch
        self.edge = edge
        self.auditor = Auditor(service, explains=explains)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a derived route, or pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = _request_id(headers)
        scope["request_id"] = request_id
        exchange = Exchange(send, self.edge, scope, headers, request_id)
        self.edge.deadline.begin(exchange)
        try:
            reply = await self._reply(scope, receive, exchange)
            if reply is not None:
                await exchange.reply(reply)
        except (Disconnected, ClientDisconnect):
            exchange.status = 499
        except asyncio.CancelledError:
            await exchange.problem(_too_late(exchange))
            if not exchange.overdue:
                raise
            task = asyncio.current_task()
            assert task is not None
            task.uncancel()
        except Problem as problem:
            await exchange.problem(problem)
        except Exception as error:
            await exchange.problem(_problem_of(error, request_id))
        finally:
            self.edge.deadline.end(exchange)
            if exchange.status in DENIED or (self.auditor.watches and exchange.match is not None):
                await self.auditor.note(exchange)
            if exchange.route not in HEALTH:
                _log(exchange)
            if exchange.afterwards:
                await finish(exchange)

    async def _reply(self, scope: Scope, receive: Receive, exchange: Exchange) -> Reply | None:
        """Our answer; None when the application has given its own."""
        edge, method, path, headers = self.edge, exchange.method, scope["path"], exchange.headers
        raw = (scope.get("raw_path") or path.encode()).decode("latin-1")
        if edge.guarded:
            edge.correct(scope, headers)
            exchange.prefix = scope.get("root_path", "").encode()
        if edge.cors is not None and b"origin" in headers:
            exchange.grant = edge.cors.grant(headers)
        health = path in HEALTH
        if edge.guarded and not health:
            # Who asks for health is a machine beside this one, by address and in the clear.
            edge.admit(scope, headers)
        if method == "OPTIONS" and edge.cors is not None:
            preflight = edge.cors.preflight(headers, exchange.grant)
            if preflight is not None:
                return preflight
        if health:
            return await self._health(method, path)
        match = self.dispatch.find(method, raw)
        if match is None:
            incoming = Incoming(receive, headers.get(b"content-encoding"))
            exchange.source = incoming
            Visit(self.service, exchange)
            limited = Limited(self.app, self.service.max_body)
            await limited(incoming.scope(scope), incoming.receive, exchange.send)
            return None
        exchange.route, exchange.match = match.template, match
        request = Request(method, scope["query_string"], headers, receive, exchange.request_id, match.key)
        request.other = match.other
        exchange.source = request
        if len(headers) < len(scope["headers"]):
            refuse_repeats(scope["headers"], self.service.tenancy.header)
        return await self._derived(match, request, exchange)

    async def _derived(self, match: Match, request: Request, exchange: Exchange) -> Reply:
        handler = match.handlers.get(request.method)
        if handler is None:
            return _by_methods(request.method, (*match.handlers, "OPTIONS"))
        try:
            request.caller = await self.service.authentication.caller(request.header(b"authorization"))
        except Unauthenticated as error:
            raise unauthenticated(error.detail) from None
        exchange.caller = request.caller.id
        request.caller = self.service.tenancy.entered(
            request.caller, match.within, request.headers, match.places
        )
        request.exchange = exchange
        if request.method == "POST" and HEADER in request.headers:
            return await once(match.endpoints, request, handler)
        return await handler(request)

    async def _health(self, method: str, path: str) -> Reply:
        """Alive: this process answers. Ready: so does its database."""
        if method not in ("GET", "HEAD"):
            return _by_methods(method, ("GET", "HEAD", "OPTIONS"))
        if path == READY:
            await self.service.database.ready()
        return Reply(200, b'{"status":"%s"}' % (b"alive" if path == LIVE else b"ready"))


def _by_methods(method: str, methods: Iterable[str]) -> Reply:
    """What a path answers that has only these methods: OPTIONS tells them, another one is refused.

    Raises:
        Problem: method_not_allowed.
    """
    allow = ", ".join(methods)
    if method == "OPTIONS":
        return Reply(204, headers=((b"allow", allow.encode()),))
    raise Problem("method_not_allowed", headers=[("Allow", allow)])


def _too_late(exchange: Exchange) -> Problem:
    """What the client is told when its time is over, or the server's."""
    if exchange.source is not None and exchange.source.waiting:
        return Problem("timeout", headers=[("Connection", "close")])
    # A write may have taken effect all the same.
    return Problem("unavailable", "No answer was found in time.", headers=[("Retry-After", "1")])


def _problem_of(error: Exception, request_id: str) -> Problem:
    """What the client is told of an exception; a fault of ours goes to the log alone."""
    if isinstance(error, DatabaseUnavailable | KeysUnavailable):
        FAULTS.warning("%s", error, extra={"request_id": request_id})
        return Problem("unavailable", headers=[("Retry-After", str(error.retry_after))])
    if isinstance(error, asyncpg.PostgresError):
        # It quotes the row, and with it what the client sent.
        error.detail = None
    if is_of_another_version(error):
        words = str(error).splitlines()[0]
        extra = {"request_id": request_id}
        FAULTS.warning("the database is of another version of the spec: %s", words, extra=extra)
        return Problem("unavailable", headers=[("Retry-After", "1")])
    FAULTS.error("unhandled exception", exc_info=error, extra={"request_id": request_id})
    return Problem("internal")


def _request_id(headers: Mapping[bytes, bytes]) -> str:
    """The request's own id, its trace's, or a new one."""
    given = headers.get(b"x-request-id")
    if given is not None and _ID.fullmatch(given):
        return given.decode()
    trace = headers.get(b"traceparent")
    if trace is not None and (found := _TRACE.fullmatch(trace)):
        return found[1].decode()
    return urandom(16).hex()


@lru_cache(maxsize=1024)
def _printable(route: str) -> str:
    """A route without line breaks, for those of the application are paths as they were sent."""
    return json.dumps(route)[1:-1]


def _log(exchange: Exchange) -> None:
    if not ACCESS.isEnabledFor(logging.INFO):
        return
    status = exchange.status or 500
    told = {
        "request_id": exchange.request_id,
        "method": exchange.method,
        "route": exchange.route,
        "status": status,
        "milliseconds": round((perf_counter() - exchange.started) * 1000, 2),
        "caller": exchange.caller,
        "denied": exchange.denied,
    }
    ACCESS.handle(RequestRecord(ACCESS, f"{exchange.method} {_printable(exchange.route)} {status}", told))
