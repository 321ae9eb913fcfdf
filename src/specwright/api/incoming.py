"""The body of a request that is passed on to the application: inflated, and no longer than the limit."""

from collections.abc import MutableMapping
from typing import Any

from starlette.middleware.body_limit import RequestBodyLimitResponder

from specwright.api.compression import inflator
from specwright.api.request import Receive, Scope

#: The application is handed pieces of this size, however far the stream would swell.
_PIECE = 64 * 1024
_OF_THE_CODED = (b"content-encoding", b"content-length")


class Incoming:
    """Receives for the application; `waiting` while the client keeps it waiting.

    Raises:
        Problem: the body is coded otherwise than in gzip.
    """

    def __init__(self, receive: Receive, content_encoding: bytes | None) -> None:
        self._receive = receive
        self._inflator = inflator(content_encoding)
        self._ended = False
        self.waiting = False

    def scope(self, scope: Scope) -> Scope:
        """The scope as the application is to see it: of the coding nothing is left."""
        if self._inflator is None:
            return scope
        return {**scope, "headers": [line for line in scope["headers"] if line[0] not in _OF_THE_CODED]}

    async def receive(self) -> MutableMapping[str, Any]:
        """The next message (ASGI).

        Raises:
            Problem: the body is not the gzip that it claims to be.
        """
        if self._inflator is None:
            return await self._next()
        while not (piece := self._inflator.take(_PIECE)):
            if self._ended:
                self._inflator.finish()
                self._inflator = None
                return {"type": "http.request", "body": b"", "more_body": False}
            message = await self._next()
            if message["type"] != "http.request":
                return message
            self._inflator.feed(message.get("body", b""))
        return {"type": "http.request", "body": piece, "more_body": True}

    async def _next(self) -> MutableMapping[str, Any]:
        self.waiting = not self._ended
        message = await self._receive()
        self.waiting = False
        self._ended = not message.get("more_body", False)
        return message


class Limited(RequestBodyLimitResponder):
    """Starlette's limit, which a route may raise or lower for itself with `max_body_size`.

    Starlette refuses a request that declares too long a body even if nobody reads it; here the answer stands.
    """

    async def send_with_limit(self, message: MutableMapping[str, Any]) -> None:
        """Pass on what the application sends."""
        if message["type"] == "http.response.start":
            self.response_started = True
        await self.send(message)
