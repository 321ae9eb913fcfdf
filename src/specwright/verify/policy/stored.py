"""The rows of a project's throw-away database, read past the app: what the judge judges by."""

import asyncio
import threading
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from specwright.model.interpret import Row, World
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource


class Stored:
    """What is in a database, read again and again by one connection in a thread of its own.

    Who asks may be within an event loop, and waits for the answer nevertheless.
    """

    def __init__(self, url: str, manifest: Manifest) -> None:
        self._url = url
        self._manifest = manifest
        self._connection: Any = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="the judge's eyes", daemon=True)

    def world(self) -> World:
        """Every row of every entity, by the names of the spec, and the database's time.

        Raises:
            OSError, asyncpg.PostgresError: the database is not to be read.
        """
        if not self._thread.is_alive():
            self._thread.start()
        return asyncio.run_coroutine_threadsafe(self._world(), self._loop).result()

    def close(self) -> None:
        """Let go of the database."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._disconnect(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    async def _world(self) -> World:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._url, statement_cache_size=0)
        connection = self._connection
        rows = {resource.name: await _rows(connection, resource) for resource in self._manifest.stored}
        now: datetime = await connection.fetchval("SELECT now()")
        return World(self._manifest, rows, now)

    async def _disconnect(self) -> None:
        if self._connection is not None:
            # Nothing is under way that could be lost.
            self._connection.terminate()


async def _rows(connection: Any, resource: Resource) -> list[Row]:
    fields = [field for field in resource.fields if field.stored]
    columns = ", ".join(_quoted(field.column) for field in fields)
    table = f"{_quoted(resource.schema)}.{_quoted(resource.table)}"
    found = await connection.fetch(f"SELECT {columns} FROM {table}")  # noqa: S608
    names = [field.name for field in fields]
    return [dict(zip(names, _plain(record.values()), strict=True)) for record in found]


def _plain(values: Iterable[Any]) -> list[Any]:
    """With Python's own UUIDs, in lists too: asyncpg has its own."""
    return [
        UUID(int=value.int)
        if isinstance(value, UUID)
        else _plain(value)
        if isinstance(value, list)
        else value
        for value in values
    ]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
