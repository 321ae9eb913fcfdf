"""The pool in front of a database that comes and goes."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from specwright.db import embedded
from specwright.db.pool import Database, DatabaseUnavailable
from specwright.db.url import normalise

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A pool on a fresh database."""
    opened = Database(normalise(database_url), size=2, acquire_timeout=1, statement_timeout=1)
    yield opened
    await opened.close()


@pytest.fixture
def project() -> Iterator[Path]:
    """A folder whose server may be stopped and started again; its path is short, as a socket's must be."""
    with tempfile.TemporaryDirectory(prefix="sw-") as folder:
        yield Path(folder)
        if (server := embedded.running(Path(folder))) is not None:
            server.stop()


async def test_sessions_speak_the_wires_formats(database: Database) -> None:
    """UTC and ISO intervals, and a limit on every statement."""
    row = await database.fetchrow(
        "SELECT current_setting('TimeZone'), current_setting('IntervalStyle'),"
        " current_setting('statement_timeout'), current_setting('application_name')"
    )
    assert tuple(row) == ("UTC", "iso_8601", "1s", "specwright")


async def test_values_are_bound(database: Database) -> None:
    """Rows come back as asyncpg's records."""
    rows = await database.fetch("SELECT n FROM generate_series(1, $1) AS n", [3], read=True)
    assert [row["n"] for row in rows] == [1, 2, 3]
    assert await database.fetchrow("SELECT 1 WHERE false") is None


async def test_a_transaction_is_whole(database: Database) -> None:
    """What fails is undone, and the error is the caller's own."""
    await database.fetch("CREATE TABLE t (n int PRIMARY KEY)")
    async with database.transaction() as connection:
        await connection.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO t VALUES (2)")
            raise ZeroDivisionError
    assert [row["n"] for row in await database.fetch("SELECT n FROM t")] == [1]


async def test_the_statements_own_errors_pass_through(database: Database) -> None:
    """A violated constraint is no matter of availability."""
    await database.fetch("CREATE TABLE t (n int PRIMARY KEY)")
    await database.fetch("INSERT INTO t VALUES (1)")
    with pytest.raises(asyncpg.UniqueViolationError):
        await database.fetchrow("INSERT INTO t VALUES (1) RETURNING n")
    with pytest.raises(asyncpg.UniqueViolationError):
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(FileNotFoundError):
        async with database.transaction():
            raise FileNotFoundError
    await database.ready()


async def test_a_slow_statement_is_given_up(database: Database) -> None:
    """After the limit the caller hears that the database cannot serve, and the pool goes on."""
    with pytest.raises(DatabaseUnavailable, match="statement timeout"):
        await database.fetchrow("SELECT pg_sleep(30)")
    await database.ready()


async def test_a_full_pool_makes_nobody_wait_forever(database: Database) -> None:
    """The third of two connections is refused after the acquisition's limit."""
    async with database.transaction(), database.transaction():
        with pytest.raises(DatabaseUnavailable, match="no connection within 1 seconds") as caught:
            await database.fetchrow("SELECT 1")
    assert caught.value.retry_after >= 1
    await database.ready()


async def test_a_cancelled_request_gives_its_connection_back(database: Database) -> None:
    """A client that goes away leaves no statement running and no hole in the pool."""
    for _ in range(5):
        task = asyncio.create_task(database.fetchrow("SELECT pg_sleep(0.5)"))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with database.transaction(), database.transaction():
        pass
    assert (await database.fetchrow("SELECT count(*) FROM pg_stat_activity WHERE query ~ '^SELECT pg_s'"))[
        0
    ] == 0


async def test_a_migration_elsewhere_does_not_disturb(database: Database, database_url: str) -> None:
    """A statement whose plan another process's ALTER TABLE made invalid is prepared anew."""
    await database.fetch("CREATE TABLE t (a int)")
    for _ in range(3):
        await database.fetch("SELECT * FROM t", read=True)
    other = await asyncpg.connect(database_url)
    try:
        await other.execute("ALTER TABLE t ADD b text; INSERT INTO t VALUES (1, 'x')")
        assert [tuple(row) for row in await database.fetch("SELECT * FROM t")] == [(1, "x")]
        await other.execute("ALTER TABLE t ALTER a TYPE text")
        with pytest.raises(DatabaseUnavailable):
            async with database.transaction() as connection:
                await connection.fetch("SELECT * FROM t")
        async with database.transaction() as connection:
            assert [tuple(row) for row in await connection.fetch("SELECT * FROM t")] == [("1", "x")]
    finally:
        await other.close()


async def test_a_read_survives_its_connections_end(database: Database, database_url: str) -> None:
    """It is sent again on a fresh connection; a write, which may have happened, is not."""
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'specwright'"
    other = await asyncpg.connect(database_url)
    try:
        for read in (True, False):
            await database.ready()
            waiting = asyncio.create_task(database.fetchrow("SELECT pg_sleep(0.4)", read=read))
            await asyncio.sleep(0.15)
            await other.execute(end)
            if read:
                assert await waiting is not None
            else:
                with pytest.raises(DatabaseUnavailable):
                    await waiting
            await database.ready()
    finally:
        await other.close()


async def test_the_database_may_come_later_and_go(project: Path) -> None:
    """Nothing is connected at first; away is away; a restart needs nothing from us."""
    server = embedded.start(project)
    database = Database(normalise(server.url))
    server.stop()
    with pytest.raises(DatabaseUnavailable):
        await database.ready()
    server = embedded.start(project)
    await database.ready()
    with pytest.raises(DatabaseUnavailable):
        async with database.transaction() as connection:
            server.stop()
            await connection.execute("SELECT 1")
    server = embedded.start(project)
    async with database.transaction() as connection:
        await connection.execute("SELECT 1")
    await database.close()
    server.stop()


async def test_a_restart_is_not_noticed(project: Path) -> None:
    """Connections that an earlier server left behind are replaced, for writes too."""
    server = embedded.start(project)
    database = Database(normalise(server.url))
    await database.fetch("CREATE TABLE t ()")
    for _ in range(2):
        server.stop()
        with pytest.raises(DatabaseUnavailable):
            await database.fetch("INSERT INTO t DEFAULT VALUES")
        server = embedded.start(project)
        await database.fetch("INSERT INTO t DEFAULT VALUES")
    assert (await database.fetchrow("SELECT count(*) FROM t"))[0] == 2
    await database.close()
    await database.close()
    server.stop()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u@127.0.0.1:1/d",
        "postgresql://u@/d?host=/no/such/folder",
        "postgresql://u@no-such-host.invalid/d",
    ],
)
async def test_an_unreachable_server_is_away(url: str) -> None:
    """Whatever the network's reason."""
    with pytest.raises(DatabaseUnavailable):
        await Database(normalise(url)).ready()


async def test_a_database_that_does_not_exist_is_away(database_server: str) -> None:
    """The reason is told to whoever reads the log."""
    dsn = normalise(database_server.replace("/postgres", "/no_such_database", 1))
    with pytest.raises(DatabaseUnavailable, match="no_such_database"):
        await Database(dsn).ready()
