"""One connection, in front of the application: uvicorn's, with limits on what it leaves unlimited.

The parser takes headers of any number and length, and a client may send them as slowly as it likes. What no
application sees cannot be refused by the ASGI layer, so it is refused here, as the same problems.
"""

import asyncio
from typing import Any
from uuid import uuid4

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from specwright.api import problems
from specwright.api.problems import Problem
from specwright.api.request import Headers
from specwright.settings import Settings

#: The request line and all headers together: what uvicorn allows with its other parser.
MOST_BYTES = 64 * 1024
MOST_HEADERS = 100


class Connection(HttpToolsProtocol):
    """An HTTP/1.1 connection.

    Refused with a problem and closed: headers that are too many, too large (431), too slow (408) or no HTTP
    (400). A body that goes on after its answer was sent is given the same time, so that the client reads the
    answer, and then cut off.
    """

    #: Seconds within which a request's headers must have come, from its first byte or the connection's.
    patience: float = 10

    _since: float | None = None
    _size = 0
    _chunk = 0
    _first = 0
    _begun = False
    _whole = True
    _deaf = False
    _check: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The client has connected."""
        super().connection_made(transport)
        self._since = self.loop.time()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes have come."""
        if self._deaf:
            return
        self._chunk = len(data)
        if self._begun:
            self._size += len(data)
        super().data_received(data)
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
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body of a request is complete."""
        self._whole, self._since = True, None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is sent."""
        super().on_response_complete()
        if not self._whole and not self._begun:
            self._since = self.loop.time()

    def handle_websocket_upgrade(self) -> None:
        """Another protocol takes over."""
        self._forget()
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP."""
        self._refuse(Problem("malformed", msg))

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
        if self.cycle is not None and not self.cycle.response_complete:
            # The answer to an earlier request is on its way: this one's would be taken for it.
            self.transport.close()
            return
        lines, content = _answer(problem)
        head = b"".join(b"%s: %s\r\n" % line for line in (*self.server_state.default_headers, *lines))
        self.logger.warning("refused before it was a request: %s", problem)
        self.transport.write(STATUS_LINE[problem.status] + head + b"\r\n" + content)
        # Closing now, with bytes of the client unread, would reset the connection and lose the answer.
        self._deaf, self._since = True, self.loop.time()
        if self.transport.can_write_eof():
            self.transport.write_eof()


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
