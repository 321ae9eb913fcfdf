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


def read_world(url: str, manifest: Manifest) -> World:
    """Every row of every entity, by the names of the spec, and the database's time.

    It waits for the answer, in a thread of its own: who asks may be within an event loop.
    """
    found: list[World] = []
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            found.append(asyncio.run(_world(url, manifest)))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=ask, name="the judge's eyes")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return found[0]


async def _world(url: str, manifest: Manifest) -> World:
    connection = await asyncpg.connect(url, statement_cache_size=0)
    try:
        rows = {resource.name: await _rows(connection, resource) for resource in manifest.stored}
        now: datetime = await connection.fetchval("SELECT now()")
    finally:
        await connection.close()
    return World(manifest, rows, now)


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
