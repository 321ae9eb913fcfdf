"""Raw asyncpg, in every way there is to send a statement."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from fastapi import FastAPI, Request

URL = os.environ["SHOP_DATABASE"]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The schema is the app's own business."""
    async with asyncpg.create_pool(URL, min_size=1, max_size=2) as pool:
        await pool.execute("CREATE TABLE IF NOT EXISTS notes (id serial, text text, tags jsonb)")
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/ways")
async def ways(request: Request) -> int:
    """One statement in each way."""
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        await connection.execute("INSERT INTO notes (text) VALUES ('one')")
        await connection.execute("SAVEPOINT here; SELECT 'two'; RELEASE here")
        await connection.executemany("INSERT INTO notes (text) VALUES ($1)", [("two",), ("three",)])
        await connection.fetchrow("SELECT 'row'")
        prepared = await connection.prepare("SELECT 'prepared'")
        await prepared.fetch()
        async for _ in connection.cursor("SELECT 'cursor'"):
            pass
        await connection.copy_records_to_table("notes", records=[("four",)], columns=["text"])
        return int(await connection.fetchval("SELECT count(*) FROM notes"))


@app.get("/where")
async def where(request: Request) -> list[Any]:
    """Which database this is."""
    row = await request.app.state.pool.fetchrow("SELECT current_database(), current_user::text")
    return list(row)
