"""A request and its answer, as the derived routes see them: bytes in, bytes out."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from specwright.api.problems import Problem
from specwright.model.caller import ANONYMOUS, Caller

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Sent twice, these would let two readers of one request understand it differently.
_ONCE = frozenset(
    {b"authorization", b"content-type", b"content-length", b"if-match", b"if-none-match", b"content-encoding"}
)


class Disconnected(Exception):
    """The client left before its request was complete."""


@dataclass(slots=True)
class Request:
    """One request; `caller` is known once its credential has been judged."""

    method: str
    query: bytes
    headers: dict[bytes, bytes]
    receive: Receive
    id: str
    key: str = ""
    caller: Caller = ANONYMOUS

    def header(self, name: bytes) -> str | None:
        """A header's value; bytes outside ASCII are kept, as Latin-1."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1").strip()

    async def body(self, limit: int) -> bytes:
        """The whole body.

        Raises:
            Problem: it is longer than limit bytes, or compressed.
            Disconnected: the client left.
        """
        if self.headers.get(b"content-encoding", b"identity").strip().lower() not in (b"identity", b""):
            raise Problem("unsupported_media_type", "A compressed body is not taken.")
        declared = self.headers.get(b"content-length", b"0")
        if declared.isdigit() and (len(declared) > 18 or int(declared) > limit):
            raise _too_large(limit)
        chunks: list[bytes] = []
        length = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            chunk = message.get("body", b"")
            length += len(chunk)
            if length > limit:
                raise _too_large(limit)
            chunks.append(chunk)
            if not message.get("more_body", False):
                return b"".join(chunks)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    media_type: bytes = b"application/json"


def read_headers(raw: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers by lower-case name.

    Raises:
        Problem: one that must be unique is there twice.
    """
    headers: dict[bytes, bytes] = {}
    for name, value in raw:
        if name in headers and name in _ONCE:
            raise Problem("malformed", f"The header {name.decode('latin-1')} is sent twice.")
        headers[name] = value
    return headers


def _too_large(limit: int) -> Problem:
    return Problem("too_large", f"The body may have {limit} bytes.")
