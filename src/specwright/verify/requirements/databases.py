"""A fresh, empty database for each proof, copied from one template that was built once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import asyncpg

from specwright.db.url import Dsn

#: Brings an empty database to the schema of the spec.
Build = Callable[[Dsn], Awaitable[None]]

_TEMPLATE = "specwright_template"
_SPARE = "specwright_spare"
_COPY = "specwright_proof"


class Databases:
    """Copies of a template on a throw-away server, one at a time, always at the same address.

    One address, since an app reads its settings once: it stays, and its database is another. The next copy
    is made while this one is used.
    """

    def __init__(self, server: Dsn) -> None:
        self._server = server
        self._spare: asyncio.Task[None] | None = None
        self.address = replace(server, database=_COPY)

    @asynccontextmanager
    async def built(self, build: Build) -> AsyncIterator[None]:
        """The template is there, as `build` makes it."""
        await self._execute(f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0 ENCODING 'UTF8'")
        await build(replace(self._server, database=_TEMPLATE))
        self._copy()
        try:
            yield
        finally:
            if self._spare is not None:
                await asyncio.wait([self._spare])

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[None]:
        """A copy at `address`, dropped afterwards, whoever is still connected."""
        assert self._spare is not None, "the template is built first"
        await self._spare
        await self._execute(f"ALTER DATABASE {_SPARE} RENAME TO {_COPY}")
        self._copy()
        try:
            yield
        finally:
            await self._execute(f"DROP DATABASE {_COPY} WITH (FORCE)")

    def _copy(self) -> None:
        self._spare = asyncio.create_task(self._execute(f"CREATE DATABASE {_SPARE} TEMPLATE {_TEMPLATE}"))

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(**self._server.arguments)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()
