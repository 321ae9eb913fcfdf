"""The backend and its database as processes of their own, to be killed and stopped."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg

from faults.clients import SECRET, Person, exchange, token
from specwright.db import embedded, postmaster

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Postgres:
    """An embedded server of the test's own, its data really synced; it comes back at the same address."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._server = embedded.start(root)
        self.url = self._server.url

    @property
    def pid(self) -> int:
        """The process to send signals to."""
        running = postmaster.find(self._server.data)
        assert running is not None
        return running.pid

    def stop(self, *, at_once: bool = False) -> None:
        """Stop; `at_once` without a checkpoint, so that the next start recovers from the log."""
        if at_once:
            postmaster.stop(self._server.data, at_once=True)
        self._server.stop()

    def start(self) -> None:
        """Start again."""
        self._server = embedded.start(self._root)
        assert self._server.url == self.url, "the socket has moved"

    async def restart(self, *, at_once: bool = False) -> None:
        """Stop and start, while the event loop goes on."""
        await asyncio.to_thread(self.stop, at_once=at_once)
        await asyncio.to_thread(self.start)

    async def connect(self) -> Any:
        """A connection behind the backend's back."""
        return await asyncpg.connect(self.url)

    async def fetch(self, statement: str, *values: Any) -> list[Any]:
        """The rows of one statement."""
        connection = await self.connect()
        try:
            rows: list[Any] = await connection.fetch(statement, *values)
            return rows
        finally:
            await connection.close()

    async def texts(self, owner: str) -> list[str]:
        """The texts of the notes that a person has."""
        return [row[0] for row in await self.fetch("SELECT text FROM notes WHERE owner_id = $1", owner)]


class App:
    """`specwright serve`."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, postgres: Postgres) -> None:
        self.process = process
        self.port = port
        self.postgres = postgres

    def person(self, name: str, **claims: Any) -> Person:
        """Somebody signed in."""
        return Person(self.port, token(name, **claims))

    @property
    def worker(self) -> int | None:
        """The process that serves, None while there is none."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else None

    @property
    def resident(self) -> int:
        """The bytes of memory that the serving process holds."""
        return int(Path(f"/proc/{self.worker}/statm").read_text().split()[1]) * _PAGE

    def kill(self) -> None:
        """kill -9 of the serving process."""
        worker = self.worker
        assert worker is not None, "there is nobody to kill"
        os.kill(worker, signal.SIGKILL)

    async def answers(self, path: str = "/health/live") -> None:
        """Wait until this is answered 200; whoever waits forever is stopped by the test's patience."""
        async with asyncio.timeout(60):
            request = f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode()
            told = None
            while told is None or told.status != 200:
                await asyncio.sleep(0.02)
                told = await exchange(self.port, request)


async def waiting(connection: Any, count: int) -> None:
    """Return when so many statements wait for a lock that this connection holds."""
    statement = (
        "SELECT count(DISTINCT pid) FROM pg_locks"
        " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    )
    for _ in range(1000):
        if await connection.fetchval(statement) >= count:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("they do not wait")


@contextmanager
def serving(root: Path, postgres: Postgres, **settings: str) -> Iterator[App]:
    """Run `specwright serve` on a free port until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {
        "ENVIRONMENT": "production",
        "DATABASE_URL": postgres.url,
        "AUTH_SECRET": SECRET,
        "APP_SECRET": SECRET[::-1],
        "LOG_LEVEL": "warning",
    }
    with (root / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "specwright", "serve", str(root), "--port", str(port)],
            env=os.environ | given | settings,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    app = App(process, port, postgres)
    try:
        _wait(app, root / "serve.log")
        yield app
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(app: App, log: Path) -> None:
    for _ in range(600):
        assert app.process.poll() is None, log.read_text()
        with suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{app.port}/health/live", timeout=30).close()
            return
        time.sleep(0.1)
    raise AssertionError("the backend does not answer")
