"""A fresh, empty database for each proof, copied from one template that was built once."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg

from specwright.db.url import Dsn

#: Brings an empty database to the schema of the spec.
Build = Callable[[Dsn], Awaitable[None]]

_TEMPLATE = "specwright_template"
_COPY = "specwright_proof"


class Databases:
    """Copies of a template on a throw-away server, one at a time, always at the same address.

    One address, since an app reads its settings once: it stays, and its database is another.
    """

    def __init__(self, server: Dsn) -> None:
        self._server = server
        self.address = replace(server, database=_COPY)

    async def prepare(self, build: Build) -> None:
        """Make the template."""
        await self._execute(f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0 ENCODING 'UTF8'")
        await build(replace(self._server, database=_TEMPLATE))

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[None]:
        """A copy at `address`, dropped afterwards, whoever is still connected."""
        await self._execute(f"CREATE DATABASE {_COPY} TEMPLATE {_TEMPLATE}")
        try:
            yield
        finally:
            await self._execute(f"DROP DATABASE {_COPY} WITH (FORCE)")

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(**self._server.arguments)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()
