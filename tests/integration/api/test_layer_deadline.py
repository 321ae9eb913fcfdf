"""Requests that take too long: stopped, answered, and nothing of them left behind."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.requests import Request
from starlette.responses import StreamingResponse

from served import NOTES, PREFIX, Served, fresh_database, read_answer, serving, token
from specwright.app import Backend

pytestmark = pytest.mark.any_server

TIMEOUT = 1.0


def _prepare(backend: Backend) -> None:
    stopped = backend.app.state.stopped = []

    @backend.app.get("/slow")
    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped.append("slow")
            raise

    @backend.app.get("/query")
    async def query() -> None:
        await backend.service.database.fetch("SELECT pg_sleep(60)")

    @backend.app.get("/stream")
    async def stream() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(4):
                yield b"x"
                await asyncio.sleep(TIMEOUT / 2)

        return StreamingResponse(pieces())

    @backend.app.post("/echo")
    async def echo(request: Request) -> int:
        return len(await request.body())


@pytest.fixture(scope="module")
def notes(database_server: str) -> Iterator[Served]:
    """A backend that is in a hurry; the database would take its time."""
    with (
        fresh_database(database_server) as database,
        serving(
            NOTES,
            database,
            prepare=_prepare,
            request_timeout=TIMEOUT,
            database_statement_timeout=0.9,
            database_pool_size=2,
        ) as served,
    ):
        yield served


def test_an_answer_that_does_not_come(notes: Served) -> None:
    """503 with `Retry-After`, and what worked on it is stopped."""
    answer = notes.person("ada").get("//slow")
    assert (answer.status, answer.code) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    assert notes.backend.app.state.stopped == ["slow"]
    assert notes.person("ada").get("/notes").status == 200


def test_many_at_once(notes: Served) -> None:
    """Each has its own time, and those in between are served."""
    people = [notes.person(f"p{number}") for number in range(20)]
    with ThreadPoolExecutor(21) as pool:
        slow = [pool.submit(person.get, "//slow") for person in people]
        quick = [notes.person("ada").get("/notes").status for _ in range(20)]
        assert [each.result().status for each in slow] == [503] * 20
    assert quick == [200] * 20


def test_a_statement_ends_before_its_request(notes: Served) -> None:
    """PostgreSQL gives up first: 503, nothing runs on, and the pool is whole."""
    people = [notes.person(f"p{number}") for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = [each.result() for each in [pool.submit(person.get, "//query") for person in people]]
    assert {answer.status for answer in answers} == {503}
    assert all("retry-after" in answer.headers for answer in answers)
    _clean(notes)


def test_a_connection_is_given_back_clean(database_server: str) -> None:
    """Where the database sets no limit, as behind a pooler, the request's end ends its statement."""
    limits = {"request_timeout": TIMEOUT, "database_statement_timeout": 0.9, "database_pool_size": 1}
    with (
        fresh_database(database_server) as database,
        serving(NOTES, database, prepare=_prepare, **limits) as served,
    ):
        _lift_limits(served)
        for _ in range(3):
            assert served.person("ada").get("//query").status == 503
            _clean(served)


def _lift_limits(served: Served) -> None:
    """Have the database let statements run on."""
    served.person("ada").get("/notes")
    pool = served.backend.service.database._checkout._pool
    (connection,) = [holder._con for holder in pool._holders if holder._con is not None]
    setting = connection.execute("SET statement_timeout = 0")
    asyncio.run_coroutine_threadsafe(setting, connection._loop).result(10)


def _clean(served: Served) -> None:
    ada = served.person("ada")
    assert [ada.get("/notes").status for _ in range(4)] == [200] * 4
    running = served.sql(
        "SELECT query FROM pg_stat_activity WHERE datname = current_database()"
        " AND state <> 'idle' AND pid <> pg_backend_pid()"
    )
    assert running == []


def test_a_stream_may_go_on(notes: Served) -> None:
    """Only the beginning of an answer has to be in time."""
    with socket.create_connection(("127.0.0.1", notes.port), timeout=20) as connection:
        connection.sendall(b"GET /stream HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        content = b""
        while piece := connection.recv(1000):
            content += piece
    assert content.endswith(b"0\r\n\r\n")
    assert content.count(b"1\r\nx\r\n") == 4


@pytest.mark.parametrize("path", [f"{PREFIX}/notes", "/echo"])
@pytest.mark.parametrize("length", ["content-length: 100", "transfer-encoding: chunked"])
def test_a_body_that_does_not_come(notes: Served, path: str, length: str) -> None:
    """408 and the end of the connection, however steadily it trickles."""
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token()}\r\n"
    with socket.create_connection(("127.0.0.1", notes.port), timeout=20) as connection:
        connection.sendall(f"{head}content-type: application/json\r\n{length}\r\n\r\n".encode())
        for _ in range(int(TIMEOUT / 0.1) + 1):
            connection.sendall(b" " if "content" in length else b"1\r\n \r\n")
            time.sleep(0.09)
        answer = read_answer(connection)
        assert (answer.status, answer.code) == (408, "timeout")
        assert answer.headers["connection"] == "close"
        assert connection.recv(1) == b""


def test_a_client_that_leaves_early(notes: Served) -> None:
    """A body that is broken off harms nobody."""
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", notes.port), timeout=20) as connection:
            head = f"POST {PREFIX}/notes HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token()}\r\n"
            connection.sendall(
                f"{head}content-type: application/json\r\ncontent-length: 9\r\n\r\n{{".encode()
            )
    assert notes.person("ada").get("/notes").status == 200
