"""A small server on this machine that nobody has a reason to ask for anything."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


class Canary:
    """Keeps the first line of each request that it gets, and answers every one with the same JSON."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self._answer: Any = {}

    def serve(self, answer: Any) -> None:
        """What it answers from now on."""
        self._answer = answer

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await reader.readline()
            self.asked.append(line.decode("latin-1").strip())
            body = json.dumps(self._answer).encode()
            head = (
                f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
                "connection: close\r\n\r\n"
            )
            writer.write(head.encode() + body)
            await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def canary() -> AsyncIterator[Canary]:
    """One that listens for as long as the context lasts."""
    made = Canary()
    server = await asyncio.start_server(made._met, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys.json"
    try:
        yield made
    finally:
        server.close()
