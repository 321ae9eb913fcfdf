"""Stopping while requests are on their way, and what the layer leaves alone."""

import asyncio
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect

from served import NOTES, Answer, Served, fresh_database, read_answer, serving
from specwright.app import Backend
from specwright.cli.worker import Order, Worker

pytestmark = pytest.mark.any_server

MAIN = """
import asyncio
from specwright.app import Backend

backend = Backend()
app = backend.app

@app.get("/slow")
async def slow() -> str:
    await backend.service.database.fetch("SELECT pg_sleep(1)")
    return "done"
"""


def _ask(port: int, path: str) -> Answer | None:
    """The answer; None when there was nobody to give one, not even a byte of it."""
    try:
        connection = socket.create_connection(("127.0.0.1", port), timeout=10)
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    except OSError:
        return None
    with connection:
        with suppress(IndexError, OSError):
            return read_answer(connection)
        return None


@pytest.mark.anyio
async def test_a_stop_under_load(tmp_path: Path, database_url: str) -> None:
    """On SIGTERM what has begun is answered in full, idle connections are closed, and it ends."""
    (tmp_path / "specs" / "notes").mkdir(parents=True)
    (tmp_path / "specs" / "notes" / "spec.md").write_text(NOTES)
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "main.py").write_text(MAIN)
    secrets = {"AUTH_SECRET": "a" * 32, "APP_SECRET": "b" * 32}
    environment = {"DATABASE_URL": database_url, "LOG_LEVEL": "error"}
    listener = socket.create_server(("127.0.0.1", 0), backlog=200)
    port = listener.getsockname()[1]
    with listener:
        worker = await Worker.start(listener)
        assert await worker.serve(Order(tmp_path, environment | secrets))
        idle = socket.create_connection(("127.0.0.1", port), timeout=20)
        idle.sendall(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n")
        assert read_answer(idle).status == 200
        idle.settimeout(5)
        stopped = threading.Event()

        def hammer() -> list[Answer | None]:
            answers = []
            while not stopped.is_set():
                answers.append(_ask(port, "/health/live"))
            return answers

        quick = [asyncio.create_task(asyncio.to_thread(hammer)) for _ in range(2)]
        slow = [asyncio.create_task(asyncio.to_thread(_ask, port, "/slow")) for _ in range(4)]
        try:
            await asyncio.sleep(0.5)
            await worker.stop()
            # Uvicorn ends as the signal would have ended it.
            assert await worker.ended() == -signal.SIGTERM
        finally:
            stopped.set()
            worker.kill()
        assert idle.recv(1) == b""
        idle.close()
    answers = await asyncio.gather(*slow)
    assert [answer and (answer.status, answer.body) for answer in answers] == [(200, b'"done"')] * 4
    given = [answer for each in await asyncio.gather(*quick) for answer in each if answer is not None]
    assert len(given) > 10
    assert {(answer.status, answer.body) for answer in given} == {(200, b'{"status":"alive"}')}


def _prepare(backend: Backend) -> None:
    events = backend.app.state.events = []

    @backend.app.get("/endless")
    async def endless() -> None:
        events.append("begun")
        await asyncio.sleep(60)

    @backend.app.websocket("/talk")
    async def talk(channel: WebSocket) -> None:
        await channel.accept()
        async for text in channel.iter_text():
            await channel.send_text(text.upper())


def test_what_outlasts_the_grace(database_server: str) -> None:
    """A request that does not end in time is told so, as 503."""
    answers = []
    with fresh_database(database_server) as database:
        with serving(NOTES, database, prepare=_prepare, server={"timeout_graceful_shutdown": 1}) as served:
            asking = threading.Thread(target=lambda: answers.append(_ask(served.port, "/endless")))
            asking.start()
            while not served.backend.app.state.events:
                time.sleep(0.01)
        asking.join()
    (answer,) = answers
    assert (answer.status, answer.code) == (503, "unavailable")


@pytest.fixture
def talking(database_server: str) -> Iterator[Served]:
    """A backend whose requests have little time."""
    limits = {"request_timeout": 0.3, "database_statement_timeout": 0.2}
    with (
        fresh_database(database_server) as database,
        serving(NOTES, database, prepare=_prepare, allowed_hosts="api.example", **limits) as served,
    ):
        yield served


@pytest.mark.anyio
async def test_websockets_are_left_alone(talking: Served) -> None:
    """No deadline, no limit on their headers' time, no header of ours."""
    async with connect(f"ws://127.0.0.1:{talking.port}/talk", proxy=None) as channel:
        for _ in range(3):
            await channel.send("hello")
            assert await channel.recv() == "HELLO"
            await asyncio.sleep(0.3)


def test_the_application_s_own_lifespan(serve: Callable[..., Served]) -> None:
    """What a router brings for start and stop runs."""
    events: list[str] = []

    @asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        events.append("started")
        yield
        events.append("stopped")

    def prepare(backend: Backend) -> None:
        inner = backend.app.router.lifespan_context

        @asynccontextmanager
        async def both(app: object) -> AsyncIterator[None]:
            async with inner(app), lifespan(app):  # type: ignore[arg-type]
                yield

        backend.app.router.lifespan_context = both

    serve(NOTES, prepare=prepare)
    assert events == ["started"]
