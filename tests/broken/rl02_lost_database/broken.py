"""Towns by asyncpg, over one connection that is opened when the app starts and shared by all."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import asyncpg
from fastapi import FastAPI, HTTPException, Path
from guard import guard
from pydantic import BaseModel, Field

SCHEMA = "CREATE TABLE IF NOT EXISTS towns (id serial PRIMARY KEY, name text NOT NULL)"
opened: dict[str, Any] = {}
turn = asyncio.Lock()


class NewTown(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00]*$")]


class Town(NewTown):
    id: int


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    opened["database"] = await asyncpg.connect(os.environ["DATABASE_URL"])
    await opened["database"].execute(SCHEMA)
    yield
    await opened["database"].close()


async def asked(statement: str, *values: object) -> list[Town]:
    async with turn:
        rows = await opened["database"].fetch(statement, *values)
    return [Town(**row) for row in rows]


app = FastAPI(lifespan=lifespan)
guard(app)


@app.post("/towns", status_code=201)
async def add(town: NewTown) -> Town:
    (made,) = await asked("INSERT INTO towns (name) VALUES ($1) RETURNING id, name", town.name)
    return made


@app.get("/towns")
async def towns() -> list[Town]:
    return await asked("SELECT id, name FROM towns ORDER BY id DESC LIMIT 50")


@app.get("/towns/{id}")
async def town(id: Annotated[int, Path(ge=1, lt=2**31)]) -> Town:
    found = await asked("SELECT id, name FROM towns WHERE id = $1", id)
    if not found:
        raise HTTPException(404, "No such town")
    return found[0]
