"""The database that tests are given."""

import asyncpg
import pytest


@pytest.mark.anyio
async def test_each_test_gets_an_empty_database(database_url: str) -> None:
    """A fresh database holds no tables, and its address works as it is."""
    connection = await asyncpg.connect(database_url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
        assert await connection.fetchval("SHOW server_encoding") == "UTF8"
    finally:
        await connection.close()
