"""Events as a stream from a pool of asyncpg; a connection comes back however its stream ends."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import asyncpg
from fastapi import FastAPI, HTTPException, Path
from fastapi.responses import StreamingResponse
from guard import guard
from pydantic import BaseModel, Field

SCHEMA = "CREATE TABLE IF NOT EXISTS events (id serial PRIMARY KEY, said text NOT NULL)"
opened: dict[str, Any] = {}


class NewEvent(BaseModel):
    said: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class Event(NewEvent):
    id: int


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    opened["pool"] = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=1, max_size=8)
    await opened["pool"].execute(SCHEMA)
    yield
    opened["pool"].terminate()


async def lines() -> AsyncIterator[str]:
    async with opened["pool"].acquire() as connection:
        rows = await connection.fetch("SELECT id, said FROM events ORDER BY id DESC LIMIT 50")
        for number, row in enumerate(rows):
            yield ("," if number else "[") + json.dumps(dict(row))
        yield "]" if rows else "[]"


app = FastAPI(lifespan=lifespan)
guard(app)


@app.post("/events", status_code=201)
async def add(event: NewEvent) -> Event:
    row = await opened["pool"].fetchrow("INSERT INTO events (said) VALUES ($1) RETURNING *", event.said)
    return Event(**row)


@app.get("/events")
async def events() -> StreamingResponse:
    return StreamingResponse(lines(), media_type="application/json")


@app.get("/events/{id}")
async def event(id: Annotated[int, Path(ge=1, lt=2**31)]) -> Event:
    row = await opened["pool"].fetchrow("SELECT * FROM events WHERE id = $1", id)
    if row is None:
        raise HTTPException(404, "No such event")
    return Event(**row)
