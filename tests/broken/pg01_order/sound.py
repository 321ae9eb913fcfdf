"""A logbook by raw asyncpg, whose pages are cut out of entries in order."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import asyncpg
from fastapi import Depends, FastAPI, HTTPException, Path, Query, Request
from guard import guard
from pydantic import BaseModel, Field

TABLE = "CREATE TABLE IF NOT EXISTS entry (id bigserial PRIMARY KEY, note text NOT NULL)"
PAGE = "SELECT id, note FROM entry ORDER BY id LIMIT $1 OFFSET $2"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=1, max_size=4) as pool:
        await pool.execute(TABLE)
        app.state.pool = pool
        yield


async def connected(request: Request) -> AsyncIterator[Any]:
    async with request.app.state.pool.acquire() as connection:
        yield connection


Connection = Annotated[Any, Depends(connected)]


class NewEntry(BaseModel):
    note: str = Field(max_length=500, pattern=r"^[^\x00]*$")


class Entry(NewEntry):
    id: int


app = FastAPI(lifespan=lifespan)
guard(app)


@app.post("/entries", status_code=201)
async def note(entry: NewEntry, connection: Connection) -> Entry:
    row = await connection.fetchrow("INSERT INTO entry (note) VALUES ($1) RETURNING *", entry.note)
    return Entry(**row)


@app.get("/entries")
async def entries(
    connection: Connection,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> list[Entry]:
    return [Entry(**row) for row in await connection.fetch(PAGE, limit, offset)]


@app.get("/entries/{id}")
async def entry(id: Annotated[int, Path(ge=1, lt=2**63)], connection: Connection) -> Entry:
    row = await connection.fetchrow("SELECT id, note FROM entry WHERE id = $1", id)
    if row is None:
        raise HTTPException(404, "No such entry")
    return Entry(**row)
