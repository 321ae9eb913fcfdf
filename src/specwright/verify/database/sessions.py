"""An app's sessions on its throw-away PostgreSQL: made to wait, and counted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from specwright.db.url import normalise

_TABLES = """
    SELECT string_agg(quote_ident(n.nspname) || '.' || quote_ident(t.relname), ', ')
    FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE t.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
_AT_WORK = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
    AND state <> 'idle'
"""


@asynccontextmanager
async def held(database: str | None) -> AsyncIterator[bool]:
    """While the context lasts, whoever reads or writes a row of a database, by URL, waits.

    Whether that could be had: there is nothing to hold in another database than PostgreSQL, and what
    somebody holds already is left alone.
    """
    if not is_postgres(database):
        yield False
        return
    connection = await _connected(database)
    try:
        tables = await connection.fetchval(_TABLES)
        transaction = connection.transaction()
        await transaction.start()
        try:
            # Less than PostgreSQL takes to look for deadlocks: it is us who give way.
            await connection.execute("SET LOCAL lock_timeout = '500ms'")
            await connection.execute(f"LOCK TABLE {tables}" if tables else "SELECT")
            locked = bool(tables)
        except asyncpg.PostgresError:
            locked = False
        try:
            yield locked
        finally:
            await transaction.rollback()
    finally:
        await connection.close()


async def at_work(database: str | None) -> int:
    """How many sessions of the app are in a transaction now; none where it has no PostgreSQL."""
    if not is_postgres(database):
        return 0
    connection = await _connected(database)
    try:
        found: int = await connection.fetchval(_AT_WORK)
        return found
    finally:
        await connection.close()


def is_postgres(database: str | None) -> bool:
    """Whether a database, by URL, is one of PostgreSQL's."""
    return database is not None and database.startswith("postgresql")


async def _connected(database: str | None) -> "asyncpg.Connection[asyncpg.Record]":
    assert database is not None, "asked of PostgreSQL only"
    return await asyncpg.connect(**normalise(database).arguments)
