"""Readings by asyncpg; each request takes its connection before its body has come."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import asyncpg
from fastapi import Depends, FastAPI, HTTPException, Path, Request, Response
from guard import guard
from pydantic import BaseModel, Field
from starlette.middleware.base import BaseHTTPMiddleware

SCHEMA = "CREATE TABLE IF NOT EXISTS readings (id serial PRIMARY KEY, value integer NOT NULL)"
opened: dict[str, Any] = {}


class NewReading(BaseModel):
    value: Annotated[int, Field(ge=0, le=1000)]


class Reading(NewReading):
    id: int


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    opened["pool"] = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=1, max_size=10)
    await opened["pool"].execute(SCHEMA)
    yield
    opened["pool"].terminate()


async def connected(request: Request, handle: Callable[[Request], Awaitable[Response]]) -> Response:
    async with opened["pool"].acquire() as connection:
        request.state.connection = connection
        return await handle(request)


app = FastAPI(lifespan=lifespan)
app.add_middleware(BaseHTTPMiddleware, dispatch=connected)
guard(app)


def of(request: Request) -> Any:
    return request.state.connection


Connection = Annotated[Any, Depends(of)]


@app.post("/readings", status_code=201)
async def add(reading: NewReading, connection: Connection) -> Reading:
    statement = "INSERT INTO readings (value) VALUES ($1) RETURNING *"
    return Reading(**await connection.fetchrow(statement, reading.value))


@app.get("/readings")
async def readings(connection: Connection) -> list[Reading]:
    rows = await connection.fetch("SELECT * FROM readings ORDER BY id DESC LIMIT 50")
    return [Reading(**row) for row in rows]


@app.get("/readings/{id}")
async def reading(id: Annotated[int, Path(ge=1, lt=2**31)], connection: Connection) -> Reading:
    row = await connection.fetchrow("SELECT * FROM readings WHERE id = $1", id)
    if row is None:
        raise HTTPException(404, "No such reading")
    return Reading(**row)
