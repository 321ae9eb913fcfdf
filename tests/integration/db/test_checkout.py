"""Connections on loan: handed from one user to the next, none lost, none kept for ever."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from specwright.db import checkout
from specwright.db.pool import Database, DatabaseUnavailable
from specwright.db.url import normalise

pytestmark = pytest.mark.anyio

SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Two connections at most."""
    opened = Database(normalise(database_url), size=2, acquire_timeout=1)
    yield opened
    await opened.close()


async def sessions(url: str) -> int:
    """How many sessions the database has besides the one that asks."""
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(SESSIONS)) - 1
    finally:
        await connection.close()


async def test_many_share_few(database: Database, database_url: str) -> None:
    """Two hundred at once are all served, over two connections."""
    rows = await asyncio.gather(*(database.fetchrow("SELECT $1::int", [n]) for n in range(200)))
    assert [row[0] for row in rows] == list(range(200))
    assert await sessions(database_url) == 2


async def test_who_waits_longest_is_next(database: Database) -> None:
    """Connections are handed on in the order of asking, and a newcomer does not jump the queue."""
    served: list[int] = []

    async def ask(number: int) -> None:
        await database.fetchrow("SELECT pg_sleep(0.01)")
        served.append(number)

    async with database.transaction(), database.transaction():
        tasks = [asyncio.create_task(ask(number)) for number in range(6)]
        await asyncio.sleep(0.1)
    await asyncio.gather(*tasks, ask(6))
    assert sorted(served[:2]) == [0, 1]
    assert served[-1] == 6


async def test_who_gives_up_waiting_takes_nothing_along(database: Database) -> None:
    """A waiting request that is cancelled in the moment of its turn passes the connection on."""
    for _ in range(50):
        async with database.transaction():
            first = await database._checkout.take()
            waiting = [asyncio.create_task(database.fetchrow("SELECT 1")) for _ in range(3)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            database._checkout.hand_on(first)
            waiting[0].cancel()
            outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert isinstance(outcomes[0], asyncio.CancelledError)
        assert [row[0] for row in outcomes[1:]] == [1, 1]
    async with database.transaction(), database.transaction():
        with pytest.raises(DatabaseUnavailable):
            await database.fetchrow("SELECT 1")


async def test_a_broken_connection_makes_room(database: Database, database_url: str) -> None:
    """Those who wait behind a connection that breaks get a new one."""
    async with database.transaction():
        doomed = asyncio.create_task(database.fetchrow("SELECT pg_sleep(5), 'doomed'"))
        await asyncio.sleep(0.2)
        waiting = [asyncio.create_task(database.fetchrow("SELECT 1")) for _ in range(3)]
        killer = await asyncpg.connect(database_url)
        await killer.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE query LIKE '%doomed%' AND pid != pg_backend_pid()"
        )
        await killer.close()
        with pytest.raises(DatabaseUnavailable):
            await doomed
        assert [row[0] for row in await asyncio.gather(*waiting)] == [1, 1, 1]


async def test_what_lies_idle_is_closed(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database without requests is left without connections, and reached again by the next request."""
    monkeypatch.setattr(checkout, "LONGEST_IDLE", 0.2)
    for _ in range(2):
        await asyncio.gather(database.fetchrow("SELECT 1"), database.fetchrow("SELECT 1"))
        assert await sessions(database_url) > 0
        async with asyncio.timeout(10):
            while await sessions(database_url):  # noqa: ASYNC110 # nobody tells of another's end
                await asyncio.sleep(0.05)
