"""Clients that open a connection for each request and stand whatever happens to it."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import jwt

from faults.ledger import Ledger

PREFIX = "/api/v1"
SECRET = "q3Xz-8fVbT0mJr5WkYd2LhPn7sGcAe9u4RoB6iNw1Kt"

#: A client waits no longer; longer than any bound that a test looks at.
PATIENCE = 30


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, and the seconds until it was complete."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    def json(self) -> Any:
        """The body, which is JSON."""
        return json.loads(self.body)


def token(name: str, **claims: Any) -> str:
    """A token of this person, valid for an hour."""
    now = int(time.time())
    return jwt.encode({"sub": name, "iat": now, "exp": now + 3600, **claims}, SECRET, algorithm="HS256")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody signed in at a port."""

    port: int
    token: str

    async def ask(self, method: str, path: str, body: Any = None, *headers: str) -> Told | None:
        """Send a request; None when the connection broke before the whole answer was there."""
        sent = b"" if body is None else json.dumps(body).encode()
        lines = [*headers, "content-type: application/json"] if body is not None else list(headers)
        return await exchange(self.port, self.request(method, path, sent, *lines))

    async def told(self, method: str, path: str, body: Any = None, *headers: str) -> Told:
        """Send a request that is answered."""
        answer = await self.ask(method, path, body, *headers)
        assert answer is not None, f"{method} {path} got no answer"
        return answer

    def request(self, method: str, path: str, body: bytes = b"", *headers: str) -> bytes:
        """A request's bytes; a path that begins with // is outside the API."""
        target = path[1:] if path.startswith("//") else PREFIX + path
        lines = [f"{method} {target} HTTP/1.1", "host: localhost", "connection: close", *headers]
        lines.append(f"authorization: Bearer {self.token}")
        if body:
            lines.append(f"content-length: {len(body)}")
        return "\r\n".join((*lines, "", "")).encode() + body


async def exchange(port: int, request: bytes) -> Told | None:
    """Send these bytes on a connection of their own and read the answer to its end."""
    began = time.monotonic()
    writer = None
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            status, headers = read_head(head)
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            return Told(status, headers, body, time.monotonic() - began)
    except (OSError, asyncio.IncompleteReadError):
        return None
    finally:
        if writer is not None:
            writer.close()


def read_head(head: bytes) -> tuple[int, dict[str, str]]:
    """The status and the headers of an answer."""
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return int(first.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}


async def write_until(
    person: Person, ledger: Ledger, disturb: Callable[[], Awaitable[None]], writers: int = 6
) -> None:
    """Create notes, each under a name of its own, while the disturbance lasts."""
    over = asyncio.Event()

    async def write(writer: int) -> None:
        count = 0
        while not over.is_set():
            name, count = f"{writer}-{count}", count + 1
            answer = await person.ask("POST", "/notes", {"text": name})
            ledger.note(name, None if answer is None else answer.status)
            if answer is not None and answer.status == 503:
                assert int(answer.headers["retry-after"]) >= 1
                await asyncio.sleep(0.1)

    async with asyncio.TaskGroup() as group:
        for writer in range(writers):
            group.create_task(write(writer))
        try:
            await disturb()
        finally:
            over.set()
