"""The one ASGI layer around the application: request id, credential, dispatch, problems, the log line.

Derived routes are answered here and never reach FastAPI's router; everything else passes through.
"""

import json
import logging
import re
from collections.abc import Iterable
from time import perf_counter
from typing import Any
from uuid import uuid4

import asyncpg

from specwright.api import problems
from specwright.api.dispatch import Dispatch, Match
from specwright.api.endpoints import unauthenticated
from specwright.api.problems import Problem
from specwright.api.request import App, Disconnected, Receive, Reply, Request, Scope, Send, read_headers
from specwright.api.service import Service
from specwright.auth import KeysUnavailable, Unauthenticated
from specwright.db.pool import DatabaseUnavailable

ACCESS = logging.getLogger("specwright.access")
FAULTS = logging.getLogger("specwright.faults")

LIVE = "/health/live"
READY = "/health/ready"

_ID = re.compile(rb"[A-Za-z0-9._\-]{1,128}")
#: https://www.w3.org/TR/trace-context/: version-trace id-parent id-flags.
_TRACE = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class Layer:
    """ASGI middleware; pure, so that context variables and streaming are left alone."""

    def __init__(self, app: App, service: Service, dispatch: Dispatch) -> None:
        self.app = app
        self.service = service
        self.dispatch = dispatch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a derived route, or pass the request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        request_id = _request_id(scope["headers"])
        scope["request_id"] = request_id
        exchange = _Exchange(send, request_id)
        template = path = scope["path"]
        request: Request | None = None
        try:
            if path in (LIVE, READY):
                await exchange.reply(await self._health(scope["method"], path), scope["method"])
                return
            raw = scope.get("raw_path") or path.encode()
            match = self.dispatch.find(scope["method"], raw.decode("latin-1"))
            if match is None:
                await self.app(scope, receive, exchange.send)
                return
            template = match.template
            request = Request(scope["method"], scope["query_string"], {}, receive, request_id, match.key)
            reply = await self._derived(match, request, scope["headers"])
            await exchange.reply(reply, request.method)
        except Disconnected:
            exchange.status = 499
        except Problem as problem:
            await exchange.problem(problem, scope["method"])
        except Exception as error:
            await exchange.problem(_problem_of(error, request_id), scope["method"])
        finally:
            if path not in (LIVE, READY):
                caller = None if request is None else request.caller.id
                _log(scope["method"], template, exchange, started, caller)

    async def _derived(self, match: Match, request: Request, headers: list[tuple[bytes, bytes]]) -> Reply:
        handler = match.handlers.get(request.method)
        if handler is None:
            allow = ", ".join(match.handlers)
            raise Problem("method_not_allowed", headers=[("Allow", allow)])
        request.headers = read_headers(headers)
        try:
            request.caller = await self.service.authentication.caller(request.header(b"authorization"))
        except Unauthenticated as error:
            raise unauthenticated(error.detail) from None
        return await handler(request)

    async def _health(self, method: str, path: str) -> Reply:
        """Alive: this process answers. Ready: so does its database."""
        if method not in ("GET", "HEAD"):
            raise Problem("method_not_allowed", headers=[("Allow", "GET, HEAD")])
        if path == READY:
            await self.service.database.ready()
        return Reply(200, b'{"status":"%s"}' % (b"alive" if path == LIVE else b"ready"))


class _Exchange:
    """The answer to one request, as far as it has gone."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.status = 0

    async def send(self, message: Any) -> None:
        """Pass on what the application sends, with the request id."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = {**message, "headers": [*message.get("headers", ()), self._id_header]}
        await self._send(message)

    async def reply(self, reply: Reply, method: str) -> None:
        """Send a whole answer; to HEAD, all but its body."""
        headers = [(b"content-length", b"%d" % len(reply.body)), *reply.headers]
        if reply.body:
            headers.insert(0, (b"content-type", reply.media_type))
        if reply.status in (204, 304):
            headers = list(reply.headers)
        await self.send({"type": "http.response.start", "status": reply.status, "headers": headers})
        body = b"" if method == "HEAD" else reply.body
        await self._send({"type": "http.response.body", "body": body})

    async def problem(self, problem: Problem, method: str) -> None:
        """Send a problem, unless an answer has begun already."""
        if self.status == 0:
            await self.reply(problem_reply(problem, self.request_id), method)

    @property
    def _id_header(self) -> tuple[bytes, bytes]:
        return (b"x-request-id", self.request_id.encode())


def problem_reply(problem: Problem, request_id: str) -> Reply:
    """A problem as an answer."""
    headers = tuple((name.lower().encode(), value.encode("latin-1")) for name, value in problem.headers)
    content = problems.body(problem, request_id)
    return Reply(problem.status, content, headers, problems.MEDIA_TYPE.encode())


def _problem_of(error: Exception, request_id: str) -> Problem:
    """What the client is told of an exception; a fault of ours goes to the log alone."""
    if isinstance(error, DatabaseUnavailable | KeysUnavailable):
        FAULTS.warning("%s", error, extra={"request_id": request_id})
        return Problem("unavailable", headers=[("Retry-After", str(error.retry_after))])
    if isinstance(error, asyncpg.PostgresError):
        # It quotes the row, and with it what the client sent.
        error.detail = None
    FAULTS.error("unhandled exception", exc_info=error, extra={"request_id": request_id})
    return Problem("internal")


def _request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The request's own id, its trace's, or a new one."""
    trace = None
    for name, value in headers:
        if name == b"x-request-id" and _ID.fullmatch(value):
            return value.decode()
        if name == b"traceparent" and (found := _TRACE.fullmatch(value)):
            trace = found[1].decode()
    return trace or uuid4().hex


def _log(method: str, route: str, exchange: _Exchange, started: float, caller: str | None) -> None:
    if not ACCESS.isEnabledFor(logging.INFO):
        return
    ACCESS.info(
        "%s %s %s",
        method,
        json.dumps(route, ensure_ascii=True)[1:-1],
        exchange.status or 500,
        extra={
            "request_id": exchange.request_id,
            "method": method,
            "route": route,
            "status": exchange.status or 500,
            "milliseconds": round((perf_counter() - started) * 1000, 2),
            "caller": caller,
        },
    )
