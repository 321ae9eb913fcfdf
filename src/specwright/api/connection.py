"""One connection, in front of the application: uvicorn's, with limits on what it leaves unlimited.

The parser takes headers of any number and length, and a client may send them as slowly as it likes. What no
application sees cannot be refused by the ASGI layer, so it is refused here, as the same problems.
"""

import asyncio
from typing import Any
from uuid import uuid4

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from specwright.api import problems
from specwright.api.problems import Problem
from specwright.api.request import Headers
from specwright.settings import Settings

#: The request line and all headers together: what uvicorn allows with its other parser.
MOST_BYTES = 64 * 1024
MOST_HEADERS = 100
#: What is read, and thrown away, of a body that goes on behind its answer.
MOST_DISCARDED = 16 * 1024 * 1024


class Connection(HttpToolsProtocol):
    """An HTTP/1.1 connection.

    Refused with a problem and closed: headers that are too many, too large (431), too slow (408) or no HTTP,
    and a body in broken chunks (400). Who is answered before their body is complete is told `Connection:
    close`, has the same time and MOST_DISCARDED bytes to come to the answer, and is then cut off.

    Of other protocols there is WebSocket; any other `Upgrade` is as if it were not there (RFC 9110 §7.8).
    """

    #: Seconds within which a request's headers must have come, from its first byte or the connection's.
    patience: float = 10

    _since: float | None = None
    _size = 0
    _chunk = 0
    _first = 0
    _begun = False
    _whole = True
    _keep = False
    _deaf = False
    _spare = MOST_DISCARDED
    _check: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The client has connected."""
        super().connection_made(transport)
        self._side = _Side(self)
        self._since = self.loop.time()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes have come."""
        if self._deaf:
            self._spare -= len(data)
            if self._spare < 0:
                self.transport.close()
            return
        self._chunk = len(data)
        if self._begun:
            self._size += len(data)
        self._unset_keepalive_if_required()
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self._refuse(Problem("malformed", "Invalid HTTP request received."))
        if self._begun and self._size > MOST_BYTES:
            self._refuse(Problem("headers_too_large"))

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._since, self._begun, self._whole = self.loop.time(), True, False
        # The chunk in which it begins may be another request's body for the most part.
        self._first, self._size = self._chunk, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head of a request is complete."""
        self._since, self._begun = None, False
        suspect = self._first + self._size > MOST_BYTES
        if len(self.headers) > MOST_HEADERS or (suspect and self._head_size() > MOST_BYTES):
            # Uvicorn cannot read a path of any length.
            self.app, self.url = _refusal, b"/"
        if self._misread():
            return
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not before:
            self.cycle.transport = self._side
            # Until its body is complete; an answer that begins earlier ends the connection.
            self._keep, self.cycle.keep_alive = self.cycle.keep_alive, False

    def on_message_complete(self) -> None:
        """The body of a request is complete."""
        if self._misread():
            return
        self._whole, self._since = True, None
        if self._keep and not self.cycle.response_started:
            self.cycle.keep_alive = True
        self._keep = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is sent."""
        super().on_response_complete()
        if self._deaf:
            self._unset_keepalive_if_required()

    def shutdown(self) -> None:
        """The server stops: what has begun is answered."""
        self._keep = False
        super().shutdown()

    def handle_websocket_upgrade(self) -> None:
        """WebSocket takes over; its own pings watch the connection once it is agreed upon."""
        named = dict(self.headers)
        if self.app is _refusal:
            self._refuse(Problem("headers_too_large"))
        elif b"transfer-encoding" in named or named.get(b"content-length", b"0").strip(b"0"):
            self._refuse(Problem("malformed", "A request for another protocol has no body."))
        elif self.cycle is not None and not self.cycle.response_complete:
            self.transport.close()
        else:
            self._forget()
            super().handle_websocket_upgrade()
            self.loop.call_later(self.patience, _close_unless_agreed, self.transport)

    def finish(self) -> None:
        """Close, once the client has had a chance to read the answer."""
        if self._whole:
            self.transport.close()
        else:
            self._linger()

    def _parse(self, data: bytes) -> None:
        rest: bytes | memoryview = data
        while True:
            try:
                self.parser.feed_data(rest)
                return
            except httptools.HttpParserUpgrade as upgrade:
                if self._should_upgrade():
                    self.handle_websocket_upgrade()
                    return
                if not self._misread():
                    return
                rest = memoryview(rest)[upgrade.args[0] :]
            self._read_again()

    def _misread(self) -> bool:
        """Whether the parser takes what follows for another protocol, and it is a body."""
        if not self.parser.should_upgrade() or self.parser.get_method() == b"CONNECT":
            return False
        return not self._should_upgrade()

    def _read_again(self) -> None:
        """Parse the head as it would be without `Upgrade`."""
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        lines += [b"%s: %s" % line for line in self.headers if line[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        # As uvicorn's own: what comes behind the last request is no mistake of that request.
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._chunk = 0
        self.parser.feed_data(b"\r\n".join((*lines, b"", b"")))

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _watch(self) -> None:
        self._check = self.loop.call_later(self.patience, self._look)

    def _forget(self) -> None:
        if self._check is not None:
            self._check.cancel()

    def _look(self) -> None:
        """Now and then, rather than with a timer for each request."""
        if self.transport.is_closing():
            return
        idle = self.cycle is None or self.cycle.response_complete
        if self._since is None and idle and self.timeout_keep_alive_task is None:
            # Empty lines between requests: they have ended the keep-alive and begun nothing.
            self._since = self.loop.time()
        elif self._since is not None and self.loop.time() - self._since >= self.patience * 0.99:
            if not self._begun or self._deaf:
                self.transport.close()
                return
            self._refuse(Problem("timeout"))
        self._watch()

    def _refuse(self, problem: Problem) -> None:
        if self.transport.is_closing() or self._deaf:
            return
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            of_its_body = not self._whole and not self._begun and not self.pipeline
            if cycle.response_started or not of_its_body:
                # The answer to an earlier request is on its way: this one's would be taken for it.
                self.transport.close()
                return
            # For the application it is as if the client had left.
            cycle.disconnected = cycle.response_complete = True
            cycle.message_event.set()
        lines, content = _answer(problem)
        head = b"".join(b"%s: %s\r\n" % line for line in (*self.server_state.default_headers, *lines))
        self.logger.warning("refused before it was a request: %s", problem)
        self.transport.write(STATUS_LINE[problem.status] + head + b"\r\n" + content)
        self._linger()

    def _linger(self) -> None:
        """Closing now, with bytes of the client unread, would reset the connection and lose the answer."""
        self._deaf, self._since = True, self.loop.time()
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()


class _Side(asyncio.Transport):
    """The connection as an answer has it: to close it ends our side at once, the client's in a moment."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send."""
        self._connection.transport.write(data)

    def is_closing(self) -> bool:
        """Whether the client is gone, or as good as gone."""
        return self._connection.transport.is_closing()

    def close(self) -> None:
        """The answer is over, and nothing else follows."""
        self._connection.finish()


def _close_unless_agreed(transport: asyncio.Transport) -> None:
    protocol: Any = transport.get_protocol()
    if not transport.is_closing() and not protocol.handshake_complete:
        transport.close()


def _answer(problem: Problem) -> tuple[Headers, bytes]:
    request_id = uuid4().hex
    content = problems.body(problem, request_id)
    lines = (
        (b"content-type", problems.MEDIA_TYPE.encode()),
        (b"content-length", b"%d" % len(content)),
        (b"cache-control", b"private, no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-request-id", request_id.encode()),
        (b"connection", b"close"),
    )
    return lines, content


async def _refusal(_scope: Any, _receive: Any, send: Any) -> None:
    """Stands in for the application once headers have been too large."""
    lines, content = _answer(Problem("headers_too_large"))
    await send({"type": "http.response.start", "status": 431, "headers": lines})
    await send({"type": "http.response.body", "body": content})


def server_options(settings: Settings) -> dict[str, Any]:
    """How uvicorn is to be configured: with these connections, no banner, and no proxy that it believes."""
    return {
        "http": Connection,
        "proxy_headers": False,
        "server_header": False,
        "timeout_keep_alive": settings.keep_alive_timeout,
    }
