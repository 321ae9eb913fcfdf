"""A backend on a real loopback socket, on a fresh database, and the people who call it."""

import asyncio
import gc
import json
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import jwt
import uvicorn
from sqlalchemy.schema import CreateIndex, CreateTable

from leftovers import DROP_ROLES
from specwright import loopback
from specwright.api.connection import server_options
from specwright.app import Backend
from specwright.model.manifest import Manifest
from specwright.read.spec import read_specs
from specwright.settings import Settings
from specwright.sql.constraints import constrained
from specwright.sql.idempotency import DEFINITION
from specwright.sql.tables import DIALECT

SECRET = secrets.token_urlsafe(32)
PREFIX = "/api/v1"

#: The smallest spec there is anything to do with.
NOTES = """
# Notes

## Note

| Field | Type | Rules |
|-------|------|-------|
| text  | text | required, ..80 |
| owner | User | the caller |

| Who   | May        |
|-------|------------|
| owner | everything |
"""

#: SQL, a path, a traceback, a class of ours or of a library: none of a client's business.
_INTERNALS = re.compile(
    r"Traceback|File \"|\.py\b|/(?:home|root|tmp)/|site-packages|asyncpg|sqlalchemy|psycopg|SQLSTATE"
    r"|\bSELECT\b|\bINSERT\b|\bUPDATE \w+ SET|\bDELETE FROM|\bWHERE\b|pg_catalog|relation \"|constraint"
    r"|violates|\bck_|\bfk_|\buq_|\bpk_|::\w+|Exception\b|pydantic",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came over the socket."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, which is JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The `code` of a problem."""
        return str(self.json()["code"])

    @property
    def faults(self) -> list[tuple[str, str]]:
        """Field and code of each error of a problem."""
        return [(error["field"], error["code"]) for error in self.json().get("errors", [])]


class Person:
    """Who calls, with their credential; paths are relative to the API's prefix unless they begin with //."""

    def __init__(self, served: "Served", token: str | None) -> None:
        self.served = served
        self.token = token
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        self._client = httpx2.Client(base_url=served.url, headers=headers, timeout=20)

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        """Send a request; a body that is not bytes goes as JSON."""
        headers = {"content-type": "application/json"} if body is not None else {}
        headers |= options.pop("headers", {})
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        target = path[1:] if path.startswith("//") else PREFIX + path
        response = self._client.request(method, target, content=content, headers=headers, **options)
        return judged(Answer(response.status_code, dict(response.headers), response.content), method)

    def get(self, path: str, **options: Any) -> Answer:
        """GET."""
        return self.send("GET", path, **options)

    def post(self, path: str, body: Any, **options: Any) -> Answer:
        """POST."""
        return self.send("POST", path, body, **options)

    def patch(self, path: str, body: Any, **options: Any) -> Answer:
        """PATCH."""
        return self.send("PATCH", path, body, **options)

    def put(self, path: str, body: Any, **options: Any) -> Answer:
        """PUT."""
        return self.send("PUT", path, body, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        """DELETE."""
        return self.send("DELETE", path, **options)

    def made(self, path: str, body: Any) -> Any:
        """The row that a create answers with, which must succeed."""
        answer = self.post(path, body)
        assert answer.status == 201, answer
        return answer.json()

    def items(self, path: str) -> list[Any]:
        """The items of a page, which must be answered."""
        answer = self.get(path)
        assert answer.status == 200, answer
        found: list[Any] = answer.json()["items"]
        return found


class Served:
    """One backend being served."""

    def __init__(self, backend: Backend, port: int, database: str) -> None:
        self.backend = backend
        self.port = port
        self.database = database
        self.url = f"http://127.0.0.1:{port}"
        self.anonymous = Person(self, None)
        #: The server's tasks, one for each request that is not over yet.
        self.requests: set[asyncio.Task[None]] = set()
        self._people: dict[Any, Person] = {}

    def person(self, name: str, *roles: str, **claims: Any) -> Person:
        """Somebody signed in with these roles."""
        known = (name, roles, json.dumps(claims))
        if known not in self._people:
            self._people[known] = Person(self, token(name, roles=list(roles), **claims))
        return self._people[known]

    def raw(self, request: bytes, *, judge: bool = True) -> Answer:
        """Send these very bytes, and read one answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(request)
            answer = read_answer(connection)
        return judged(answer, request.split(b" ", 1)[0].decode("latin-1")) if judge else answer

    def request(
        self,
        method: str,
        target: str,
        *headers: str,
        body: bytes = b"",
        as_: str | None = "ada",
        judge: bool = True,
    ) -> Answer:
        """A request whose target and headers nobody mends."""
        lines = [f"{method} {target} HTTP/1.1", "host: localhost", "connection: close", *headers]
        if as_ is not None:
            lines.append(f"authorization: Bearer {token(as_)}")
        if body and not any(line.lower().startswith(("content-length", "transfer-")) for line in headers):
            lines.append(f"content-length: {len(body)}")
        return self.raw("\r\n".join((*lines, "", "")).encode("latin-1") + body, judge=judge)

    def sql(self, statement: str, *values: Any) -> list[Any]:
        """Ask the database behind the backend's back."""

        async def ask() -> list[Any]:
            connection = await asyncpg.connect(self.database)
            try:
                found: list[Any] = await connection.fetch(statement, *values)
                return found
            finally:
                await connection.close()

        return asyncio.run(ask())

    def settle(self) -> None:
        """Wait for what becomes of requests once they are answered: their log lines, for one."""
        until = time.monotonic() + 20
        while self.requests:
            assert time.monotonic() < until, "a request is never over"
            time.sleep(0.001)

    def _is_of(self, connection: asyncpg.Connection) -> bool:
        """Whether a connection, be it of the pool or of sessions, is to this backend's database."""
        return str(connection._params.database) == self.database.partition("?")[0].rpartition("/")[2]

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """What the backend sends to its database meanwhile, on connections that it has by then."""
        seen: list[str] = []

        def note(record: Any) -> None:
            seen.append(record.query)

        connections = [
            found
            for found in gc.get_objects()
            if type(found) is asyncpg.Connection and not found.is_closed() and self._is_of(found)
        ]
        assert connections, "nothing is connected yet: send a request first"
        for connection in connections:
            connection.add_query_logger(note)
        try:
            yield seen
            self.settle()
            # asyncpg tells a logger in the next turn of its loop, which another answer has waited for.
            self.request("GET", "/health/live")
        finally:
            for connection in connections:
                connection.remove_query_logger(note)


def token(name: str | None = "ada", *, secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    """A signed token; a claim of None is left out."""
    issued = int(time.time())
    stated = {"sub": name, "iat": issued, "exp": issued + 3600, **claims}
    return jwt.encode({k: v for k, v in stated.items() if v is not None}, secret, algorithm=algorithm)


def judged(answer: Answer, method: str) -> Answer:
    """The answer, which like every one has a request id and no internals, and if refused is a problem."""
    assert answer.headers.get("x-request-id"), answer
    text = answer.body.decode()
    assert answer.status != 500, text
    if answer.status >= 400 and method != "HEAD":
        assert answer.headers["content-type"] == "application/problem+json", answer
        problem = json.loads(text)
        assert problem["status"] == answer.status
        assert problem["request_id"] == answer.headers["x-request-id"]
        assert not (found := _INTERNALS.search(text)), f"{found} in {text}"
    return answer


def read_answer(connection: socket.socket) -> Answer:
    """One answer from a socket, whatever its length is told by."""
    with connection.makefile("rb") as stream:
        status = int(stream.readline().split()[1])
        headers: dict[str, str] = {}
        while (line := stream.readline().strip()) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        if "content-length" in headers:
            # A HEAD answer tells the length of a body that it has not.
            connection.settimeout(0.5 if headers.get("connection") != "close" else None)
            try:
                body = stream.read(int(headers["content-length"]))
            except TimeoutError:
                body = b""
        else:
            body = b""
    return Answer(status, headers, body)


async def create_tables(url: str, manifest: Manifest) -> None:
    """The tables of a manifest, in an empty database."""
    tables = constrained(manifest)
    connection = await asyncpg.connect(url)
    try:
        for statement in ("CREATE SCHEMA IF NOT EXISTS specwright", *DEFINITION):
            await connection.execute(statement)
        for table in tables.metadata.sorted_tables:
            await connection.execute(str(CreateTable(table).compile(dialect=DIALECT)))
            for index in table.indexes:
                await connection.execute(str(CreateIndex(index).compile(dialect=DIALECT)))
    finally:
        await connection.close()


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """The URL of an empty database on the server."""

    def execute(statement: str) -> None:
        async def run() -> None:
            connection = await asyncpg.connect(server)
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        asyncio.run(run())

    name = f"specwright_test_{uuid4().hex}"
    execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    address, _, query = server.partition("?")
    try:
        yield f"{address.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
    finally:
        execute(f"DROP DATABASE {name} WITH (FORCE)")
        execute(DROP_ROLES.format(database=name))


@contextmanager
def serving(
    spec: str,
    database: str,
    *,
    prepare: Callable[[Backend], None] = lambda backend: None,
    tables: bool = True,
    server: dict[str, Any] | None = None,
    **settings: Any,
) -> Iterator[Served]:
    """Serve what a spec says from this database; `prepare` adds to the application, `server` to uvicorn."""
    manifest = read_specs({"specs/it/spec.md": spec})
    if tables:
        asyncio.run(create_tables(database, manifest))
    given = {
        "database_url": database,
        "auth_secret": SECRET,
        "app_secret": secrets.token_urlsafe(32),
        "environment": "development",
    }
    backend = Backend(Path("."), settings=Settings(**(given | settings)), manifest=manifest)
    prepare(backend)
    options = server_options(backend.settings) | (server or {})
    config = uvicorn.Config(backend.app, lifespan="on", log_config=None, access_log=False, **options)
    running = uvicorn.Server(config)
    with loopback.listener() as listener:
        thread = threading.Thread(target=running.run, args=([listener],), daemon=True)
        thread.start()
        while not running.started:
            assert thread.is_alive(), "the application does not start"
            time.sleep(0.01)
        served = Served(backend, listener.getsockname()[1], database)
        served.requests = running.server_state.tasks
        try:
            yield served
        finally:
            for person in (served.anonymous, *served._people.values()):
                person._client.close()
            running.should_exit = True
            thread.join(10)
