"""Databases that refuse at first, send one away, or are at odds with another transaction."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import asyncpg
import pytest

from specwright.db.pool import Database, DatabaseUnavailable
from specwright.db.url import Dsn, normalise

pytestmark = pytest.mark.anyio


class Gate:
    """A TCP port in front of the server: closed, mute, slamming the door, or open."""

    def __init__(self, url: str) -> None:
        self._dsn = normalise(url)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.callers = 0
        self.slams = False
        self.mute = 0.0
        self._server: asyncio.Server | None = None

    @property
    def dsn(self) -> Dsn:
        """The address of the gate."""
        return replace(self._dsn, host="127.0.0.1", port=self.port, sslmode="disable")

    async def open(self) -> None:
        """Listen from now on."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self.port)

    def close(self) -> None:
        """Refuse connections."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.callers += 1
        if self.slams:
            writer.close()
            return
        await asyncio.sleep(self.mute)
        host, port = self._dsn.host or "", self._dsn.port or 5432
        if host.startswith("/"):
            there = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            there = await asyncio.open_connection(host, port)
        await asyncio.gather(_pour(reader, there[1]), _pour(there[0], writer))


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def _through(url: str, patience: float = 2) -> AsyncIterator[tuple[Gate, Database]]:
    gate = Gate(url)
    database = Database(gate.dsn, size=3, acquire_timeout=patience)
    try:
        yield gate, database
    finally:
        await database.close()
        gate.close()


async def test_the_first_connection_may_be_refused(database_url: str) -> None:
    """A server that wakes a moment later is waited for, and so are those who ask meanwhile, writes too."""
    async with _through(database_url, patience=5) as (gate, database):
        asked = [asyncio.create_task(database.fetchrow("SELECT 1")) for _ in range(8)]
        await asyncio.sleep(0.4)
        await gate.open()
        assert [row[0] for row in await asyncio.gather(*asked)] == [1] * 8


async def test_the_first_connection_may_be_slow(database_url: str) -> None:
    """As Neon's proxy is, which holds the connection until the server behind it is up."""
    async with _through(database_url, patience=5) as (gate, database):
        gate.mute = 0.5
        await gate.open()
        assert (await database.fetchrow("SELECT 1"))[0] == 1


async def test_a_long_outage_is_told_at_once(database_url: str) -> None:
    """Once the patience is used up, a request costs one attempt, and nobody queues for nothing."""
    async with _through(database_url, patience=1) as (gate, database):
        gate.slams = True
        await gate.open()
        with pytest.raises(DatabaseUnavailable):
            await database.fetchrow("SELECT 1")
        assert gate.callers > 1
        # The first one was sent away when it had waited as long; the outage is a little younger.
        await asyncio.sleep(1)
        for _ in range(5):
            before = gate.callers
            with pytest.raises(DatabaseUnavailable):
                await database.fetchrow("SELECT 1")
            assert gate.callers == before + 1
        gate.slams = False
        assert (await database.fetchrow("SELECT 1"))[0] == 1


async def test_a_wrong_password_is_no_matter_of_patience(database_url: str) -> None:
    """What waiting does not mend is told after one attempt."""
    async with _through(database_url) as (gate, _):
        await gate.open()
        database = Database(replace(gate.dsn, database="no_such_database"))
        with pytest.raises(DatabaseUnavailable, match="no_such_database"):
            await database.ready()
        assert gate.callers == 1


async def test_a_standby_is_left_for_the_new_primary(database_url: str) -> None:
    """After a failover the old connections lead to a server that only reads: away, then connected anew."""
    database = Database(normalise(database_url), size=2)
    other = await asyncpg.connect(database_url)
    name = await other.fetchval("SELECT current_database()")
    try:
        await database.fetch("CREATE TABLE t (n int)")
        await other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        await other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable, match="read-only"):
                await _insert(database)
        await other.execute("SET default_transaction_read_only = off")
        await other.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        await _insert(database)
    finally:
        await database.close()
        await other.close()


async def _insert(database: Database) -> None:
    """A write, repeated as its client would where only the connection was stale."""
    try:
        await database.fetch("INSERT INTO t VALUES (1)")
    except DatabaseUnavailable as away:
        if not away.broken:
            raise
        await database.fetch("INSERT INTO t VALUES (1)")


async def test_a_serialisation_failure_is_repeated(database_url: str) -> None:
    """Under repeatable read many add to one row: what is answered is stored, what is not is not."""
    name = database_url.partition("?")[0].rpartition("/")[2]
    database = Database(normalise(database_url), size=6, acquire_timeout=20)
    try:
        await database.fetch("CREATE TABLE t (n int)")
        await database.fetch("INSERT INTO t VALUES (0)")
        await database.close()
        other = await asyncpg.connect(database_url)
        await other.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'")
        await other.close()

        async def add(connection: object) -> None:
            await connection.execute("UPDATE t SET n = n + 1")  # type: ignore[attr-defined]

        outcomes = await asyncio.gather(
            *(database.fetch("UPDATE t SET n = n + 1") for _ in range(20)),
            *(database.atomically(add) for _ in range(20)),
            return_exceptions=True,
        )
        failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        assert all(isinstance(outcome, DatabaseUnavailable) for outcome in failed), failed
        assert (await database.fetchrow("SELECT n FROM t"))[0] == 40 - len(failed)
        assert len(failed) < 40
    finally:
        await database.close()


async def test_a_deadlock_is_repeated(database_url: str) -> None:
    """The server ends one of two that wait for each other; ours then waits and succeeds."""
    database = Database(normalise(database_url), size=2)
    other = await asyncpg.connect(database_url)
    try:
        await database.fetch("CREATE TABLE t (k int PRIMARY KEY, n int)")
        await database.fetch("INSERT INTO t VALUES (1, 0), (2, 0)")
        await other.execute("SET deadlock_timeout = '60s'")
        times: list[int] = []

        async def work(connection: object) -> None:
            times.append(1)
            await connection.execute("UPDATE t SET n = n + 1 WHERE k = 1")  # type: ignore[attr-defined]
            await connection.execute("UPDATE t SET n = n + 1 WHERE k = 2")  # type: ignore[attr-defined]

        async with other.transaction():
            await other.execute("UPDATE t SET n = n + 10 WHERE k = 2")
            ours = asyncio.create_task(database.atomically(work))
            for _ in range(500):
                if await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                    break
                await asyncio.sleep(0.02)
            await other.execute("UPDATE t SET n = n + 10 WHERE k = 1")
        await ours
        assert [row["n"] for row in await database.fetch("SELECT n FROM t ORDER BY k")] == [11, 11]
        assert len(times) == 2
    finally:
        await database.close()
        await other.close()
