"""What every test shares.

One rule says what runs again on another PostgreSQL (`-m database`): every test that uses the shared server,
but not those of modules with `pytestmark = pytest.mark.any_server`. These are about what is judged before a
statement is sent, or what is made of its outcome: bytes, headers, credentials, limits, bodies, queries. To
another server they would send the same statements once more; what statements do there, the others see.
The longest of those that say nothing about a server's version are among them.
"""

import asyncio
import os
from collections.abc import Iterator
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import settings

from leftovers import DROP_ROLES
from specwright.db import embedded

# No wall clock in a test; `make fuzz` looks longer.
# The same cases each time; `make fuzz` looks for new ones.
settings.register_profile("specwright", deadline=None, derandomize=True, max_examples=60)
settings.register_profile("short", parent=settings.get_profile("specwright"), max_examples=20)
settings.register_profile("fuzz", deadline=None, max_examples=500, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "specwright"))


@pytest.fixture
def anyio_backend() -> str:
    """The product runs on asyncio, and so do its tests."""
    return "asyncio"


@pytest.fixture(scope="session")
def database_server() -> Iterator[str]:
    """The URL of a PostgreSQL server: an embedded one, or that of SPECWRIGHT_TEST_DATABASE_URL."""
    if given := os.environ.get("SPECWRIGHT_TEST_DATABASE_URL"):
        yield given
        return
    with embedded.scratch() as server:
        yield server.url


@pytest.fixture
def database_url(database_server: str) -> Iterator[str]:
    """The URL of a fresh, empty database, dropped after the test."""
    name = f"specwright_test_{uuid4().hex}"
    _execute(database_server, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    address, _, query = database_server.partition("?")
    yield f"{address.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
    _execute(database_server, f"DROP DATABASE {name} WITH (FORCE)")
    _execute(database_server, DROP_ROLES.format(database=name))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what depends on the shared server, so that `-m database` runs it on another one."""
    for item in items:
        used = "database_server" in getattr(item, "fixturenames", ())
        if used and item.get_closest_marker("any_server") is None:
            item.add_marker(pytest.mark.database)


def _execute(url: str, statement: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())
