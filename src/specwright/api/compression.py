"""gzip, both ways: answers that are worth it, and request bodies that cannot swell beyond what is taken.

Answers of derived routes are compressed although they mix secrets with what the caller sent (BREACH): that
attack needs a browser which adds the credential to requests of a foreign page by itself, as with cookies, and
derived routes take only `Authorization`. Answers of hand-written routes, which may use cookies, are left as
they are.
"""

import asyncio
import gzip
import re
import zlib

from specwright.api.problems import Problem

#: Below this the headers outweigh what is saved.
LEAST = 1024
#: From here on the event loop would feel it.
_LARGE = 256 * 1024
#: Of JSON it leaves a fifth; the levels above cost more time than the network gains.
_LEVEL = 1
_WEIGHT = re.compile(r"(gzip|x-gzip|\*)\s*(?:;\s*q=([01](?:\.\d{0,3})?))?", re.IGNORECASE)


def accepts_gzip(accept_encoding: bytes | None) -> bool:
    """Whether an `Accept-Encoding` asks for gzip (RFC 9110 §12.5.3)."""
    if accept_encoding is None:
        return False
    weights = {}
    for part in accept_encoding.decode("latin-1").split(","):
        if found := _WEIGHT.fullmatch(part.strip()):
            weights[found[1].lower().removeprefix("x-")] = float(found[2] or 1)
    return weights.get("gzip", weights.get("*", 0)) > 0


async def compress(body: bytes) -> bytes:
    """The body in gzip; the same bytes each time."""
    if len(body) < _LARGE:
        return gzip.compress(body, _LEVEL, mtime=0)
    return await asyncio.to_thread(gzip.compress, body, _LEVEL, mtime=0)


def inflator(content_encoding: bytes | None) -> "Inflator | None":
    """What undoes the coding of a request body; None where there is none.

    Raises:
        Problem: the coding is not gzip; `Accept-Encoding` in the answer says so (RFC 7694 §3).
    """
    coding = (content_encoding or b"").strip().lower()
    if coding in (b"", b"identity"):
        return None
    if coding in (b"gzip", b"x-gzip"):
        return Inflator()
    raise Problem(
        "unsupported_media_type",
        "Of the codings of a body only gzip is taken.",
        headers=[("Accept-Encoding", "gzip")],
    )


class Inflator:
    """A gzip stream that is inflated no further than asked for."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)
        self._rest = b""
        self._begun = False
        self._pending = False

    def feed(self, data: bytes) -> None:
        """More of the compressed bytes."""
        self._rest += data

    def take(self, most: int) -> bytes:
        """At most so many of the inflated bytes; empty when more input is needed.

        Raises:
            Problem: this is not gzip.
        """
        while self._rest or self._pending:
            if self._stream.eof:
                # Members may follow one another (RFC 1952 §2.2).
                self._stream = zlib.decompressobj(wbits=31)
            self._begun = True
            try:
                piece = self._stream.decompress(self._rest, most)
            except zlib.error:
                raise _broken() from None
            self._rest = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
            # A full measure may have left output inside the stream, though all input is used up.
            self._pending = len(piece) == most and not self._stream.eof
            if piece:
                return piece
        return b""

    def finish(self) -> None:
        """There is no more input.

        Raises:
            Problem: the stream ends in the middle.
        """
        if self._begun and not self._stream.eof:
            raise _broken()


def _broken() -> Problem:
    return Problem("malformed", "The body is not complete gzip, as its Content-Encoding promises.")
