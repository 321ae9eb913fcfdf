"""In the app's process: tables for an app that expects them to be there already."""

import gc
import sys
from collections.abc import Iterator
from typing import Any

from specwright.verify.stage.record import mark


async def make_missing() -> str | None:
    """Make the tables of the app's models that its database has not, and say so.

    The app's own engine does it, in the app's own loop: only so are a database in memory, and a pool that
    belongs to a loop, the ones that the app uses. None where there is nothing to do.
    """
    tables = {table.key: metadata for metadata in _metadatas() for table in metadata.tables.values()}
    engine = _engine()
    if not tables or engine is None:
        return None
    token = mark.set(None)
    try:
        missing = await _run(engine, _missing, set(tables))
        if not missing:
            return None
        for metadata in {id(tables[name]): tables[name] for name in missing}.values():
            await _run(engine, lambda connection, each=metadata: each.create_all(connection))
    finally:
        mark.reset(token)
    return f"The app's models make its tables: {', '.join(sorted(missing))} were not there."


def _metadatas() -> Iterator[Any]:
    orm = sys.modules.get("sqlalchemy")
    if orm is not None:
        yield from [each for each in gc.get_objects() if isinstance(each, orm.MetaData) and each.tables]


def _engine() -> Any | None:
    """The engine that the app has made; the one whose driver is asynchronous where there are two."""
    module = sys.modules.get("sqlalchemy.engine")
    if module is None:
        return None
    engines = [each for each in gc.get_objects() if type(each) is module.Engine]
    return next((each for each in engines if each.dialect.is_async), engines[0] if engines else None)


async def _run(engine: Any, work: Any, *args: Any) -> Any:
    if not engine.dialect.is_async:
        with engine.begin() as connection:
            return work(connection, *args)
    from sqlalchemy.ext.asyncio import AsyncEngine

    async with AsyncEngine(engine).begin() as connection:
        return await connection.run_sync(work, *args)


def _missing(connection: Any, names: set[str]) -> set[str]:
    from sqlalchemy import inspect

    there = inspect(connection)
    return {name for name in names if not there.has_table(*_split(name))}


def _split(name: str) -> tuple[str, str | None]:
    schema, _, table = name.rpartition(".")
    return table, schema or None
