"""A request and its answer, as the derived routes see them: bytes in, bytes out."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from specwright.api.compression import inflator
from specwright.api.problems import Problem
from specwright.model.caller import ANONYMOUS, Caller

if TYPE_CHECKING:
    from specwright.api.exchange import Exchange
    from specwright.api.idempotency import Keyed

Headers = tuple[tuple[bytes, bytes], ...]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Sent twice, these would let two readers of one request understand it differently.
_ONCE = frozenset(
    {
        b"authorization",
        b"content-type",
        b"content-length",
        b"content-encoding",
        b"if-match",
        b"if-none-match",
        b"idempotency-key",
    }
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
    #: Whether the client keeps us waiting for its body.
    waiting: bool = False
    #: What is done, where method and path do not tell.
    action: str = ""
    #: The answer in the making, for what a hook asks of it.
    exchange: "Exchange | None" = None
    #: The body, where it has been read before anybody understands it.
    content: bytes | None = None
    #: The key of the row that is linked, or no longer.
    other: str = ""
    #: Its idempotency key, where it has one and was not answered by it.
    keyed: "Keyed | None" = None

    def header(self, name: bytes) -> str | None:
        """A header's value; bytes outside ASCII are kept, as Latin-1."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1").strip()

    async def body(self, limit: int) -> bytes:
        """The whole body, inflated if it came in gzip.

        Raises:
            Problem: it is longer than limit bytes, before or after that; or coded otherwise, or broken.
            Disconnected: the client left.
        """
        if self.content is not None:
            return self.content
        inflating = inflator(self.headers.get(b"content-encoding"))
        declared = self.headers.get(b"content-length", b"0")
        if declared.isdigit() and (len(declared) > 18 or int(declared) > limit):
            raise _too_large(limit)
        chunks: list[bytes] = []
        came = length = 0
        more = True
        while more:
            self.waiting = True
            message = await self.receive()
            self.waiting = False
            if message["type"] == "http.disconnect":
                raise Disconnected
            chunk = message.get("body", b"")
            more = message.get("more_body", False)
            came += len(chunk)
            if came > limit:
                raise _too_large(limit)
            if inflating is None:
                chunks.append(chunk)
                continue
            inflating.feed(chunk)
            # One byte beyond the limit is enough to know.
            while piece := inflating.take(limit + 1 - length):
                chunks.append(piece)
                length += len(piece)
                if length > limit:
                    raise _too_large(limit)
        if inflating is not None:
            inflating.finish()
        return b"".join(chunks)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; that of 304 is the body which is not sent, for its headers are the same."""

    status: int
    body: bytes = b""
    headers: Headers = ()
    media_type: bytes = b"application/json"


def refuse_repeats(raw: list[tuple[bytes, bytes]], also: bytes | None = None) -> None:
    """Judge headers of which some came more than once; `also` is one more that must not.

    Raises:
        Problem: one of them must be unique.
    """
    seen: set[bytes] = set()
    for name, _ in raw:
        if name in seen and (name in _ONCE or name == also):
            raise Problem("malformed", f"The header {name.decode('latin-1')} is sent twice.")
        seen.add(name)


def _too_large(limit: int) -> Problem:
    return Problem("too_large", f"The body may have {limit} bytes.")
