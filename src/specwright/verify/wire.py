"""Requests byte for byte, each on a connection of its own: for clients that are slow, or go away."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from specwright.verify.lab import PATIENCE, Lab
from specwright.verify.result import Probe

_END = b"\r\n\r\n"


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, content: bytes) -> None:
        """Send bytes; that nobody is there any more is seen when an answer is awaited."""
        with suppress(OSError):
            self._writer.write(content)
            await self._writer.drain()

    async def read(self, count: int = -1, patience: float = PATIENCE) -> bytes:
        """The bytes that come, so many at most or all until the end; what has not come in time is missing."""
        found = b""
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(patience):
                while count < 0 or len(found) < count:
                    chunk = await self._reader.read(count - len(found) if count > 0 else 65536)
                    if not chunk:
                        break
                    found += chunk
        return found

    async def reads(self, patience: float = PATIENCE) -> bool:
        """Whether the app has begun to read the body of a request that expects to be told so."""
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(patience):
                return b" 100 " in (await self._reader.readuntil(_END)).partition(b"\r\n")[0]
        return False

    def hang_up(self) -> None:
        """Go away without a word."""
        at = self._writer.get_extra_info("socket")
        if at is not None and not self._writer.transport.is_closing():
            at.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


@asynccontextmanager
async def wires(lab: Lab, count: int) -> AsyncIterator[list[Wire]]:
    """So many connections to the app; those that are left in the end hang up."""
    at = urlsplit(lab.base)
    opened: list[Wire] = []
    try:
        for _ in range(count):
            opened.append(Wire(*await asyncio.open_connection(at.hostname, at.port)))
        yield opened
    finally:
        for each in opened:
            each.hang_up()


def head(lab: Lab, probe: Probe, *, expecting: bool = False) -> bytes:
    """The head of a request; `expecting` to be told when its body is read (RFC 9110 §10.1.1)."""
    lines = [
        f"{probe.method} {probe.path} HTTP/1.1",
        f"host: {urlsplit(lab.base).netloc}",
        "connection: close",
    ]
    lines += [f"{name}: {value}" for name, value in lab.headers(probe, "").items()]
    lines += [f"content-length: {len(probe.body)}"] if probe.body is not None else []
    lines += ["expect: 100-continue"] if expecting else []
    return "\r\n".join(lines).encode("latin-1") + _END


def status(answer: bytes) -> int | None:
    """The status of a whole answer, as it came; None of one that breaks off."""
    top, end, body = answer.partition(_END)
    first, *lines = top.decode("latin-1").split("\r\n")
    parts = first.split()
    if not end or len(parts) < 2 or not parts[1].isdecimal():
        return None
    told = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if len(body) < int(told.get("content-length", 0)):
        return None
    chunked = "chunked" in told.get("transfer-encoding", "")
    return int(parts[1]) if not chunked or body.endswith(b"0" + _END) else None
