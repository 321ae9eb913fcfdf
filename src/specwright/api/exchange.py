"""The answer to one request, as far as it has gone."""

from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

from specwright.api import problems
from specwright.api.compression import LEAST, accepts_gzip, compress
from specwright.api.edge import PRIVATE, Edge
from specwright.api.etag import of_gzip
from specwright.api.problems import Problem
from specwright.api.request import Headers, Reply, Scope, Send

if TYPE_CHECKING:
    from specwright.api.dispatch import Match

Work = Callable[[], Awaitable[object]]

_CREDENTIALS = (b"authorization", b"cookie")
_ORIGIN_VARIES = (b"vary", b"origin")
_GZIP = (b"content-encoding", b"gzip")


class Source(Protocol):
    """Reads a body; `waiting` while the client does not send it."""

    waiting: bool


class Exchange:
    """What is sent, with the header lines that every answer has."""

    #: For the log: the derived route, our own answer, what it refuses and, in development, why.
    match: "Match | None" = None
    answer: Reply | None = None
    refusal: Problem | None = None
    denied: str | None = None

    def __init__(
        self, send: Send, edge: Edge, scope: Scope, headers: dict[bytes, bytes], request_id: str
    ) -> None:
        self._send = send
        self._edge = edge
        self.scope = scope
        self.method: str = scope["method"]
        #: The path's template, once it is known.
        self.route: str = scope["path"]
        self.headers = headers
        self.request_id = request_id
        self.started = perf_counter()
        self.overdue = False
        self.status = 0
        self.caller: str | None = None
        #: Whoever reads the request's body.
        self.source: Source | None = None
        #: What the page that asks may do with the answer (CORS).
        self.grant: Headers = ()
        #: The path that a proxy serves the API under.
        self.prefix = b""
        #: What is to be done once the answer is sent.
        self.afterwards: list[Work] = []

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Pass on what the application sends; where it says something itself, it has the say."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._edge.deadline.end(self)
            lines = list(message.get("headers", ()))
            said = {name.lower() for name, _ in lines}
            ours = [*self._edge.passed, *self.grant]
            if any(name in self.headers for name in _CREDENTIALS):
                ours.append(PRIVATE)
            lines += [line for line in ours if line[0] not in said]
            if self._edge.cors is not None:
                lines.append(_ORIGIN_VARIES)
            lines.append((b"x-request-id", self.request_id.encode()))
            message = {**message, "headers": lines}
        await self._send(message)

    async def reply(self, reply: Reply) -> None:
        """Send a whole answer of ours; to HEAD, all but its body."""
        self._edge.deadline.end(self)
        self.answer = reply
        body, status, own = reply.body, reply.status, reply.headers
        lines = [*self._edge.derived, (b"x-request-id", self.request_id.encode())]
        if len(body) >= LEAST and accepts_gzip(self.headers.get(b"accept-encoding")):
            own = of_gzip(own)
            if status != 304:
                body = await compress(body)
                lines.append(_GZIP)
        if self.prefix:
            own = tuple((name, self.prefix + value if name == b"location" else value) for name, value in own)
        lines += own
        if self.grant:
            lines += self.grant
        if status != 204 and status != 304:
            if body:
                lines.append((b"content-type", reply.media_type))
            lines.append((b"content-length", b"%d" % len(body)))
        self.status = status
        await self._send({"type": "http.response.start", "status": status, "headers": lines})
        if self.method == "HEAD" or status == 304:
            body = b""
        await self._send({"type": "http.response.body", "body": body})

    async def problem(self, problem: Problem) -> None:
        """Send a problem, unless an answer has begun already."""
        if self.status == 0:
            self.refusal = problem
            await self.reply(problem_reply(problem, self.request_id))


def problem_reply(problem: Problem, request_id: str) -> Reply:
    """A problem as an answer."""
    headers = tuple((name.lower().encode(), value.encode("latin-1")) for name, value in problem.headers)
    content = problems.body(problem, request_id)
    return Reply(problem.status, content, headers, problems.MEDIA_TYPE.encode())
