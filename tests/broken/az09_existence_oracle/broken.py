"""Files in PostgreSQL, by asyncpg and nothing else; that of another is a 403."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from guard import guard
from pydantic import AfterValidator, BaseModel, Field

KEYS = {"file-3a70de9b15": "ada", "file-c4912f80e6": "bob"}
SCHEMA = """
    CREATE TABLE IF NOT EXISTS files (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        owner text NOT NULL,
        name text NOT NULL
    );
    CREATE INDEX IF NOT EXISTS files_owner ON files (owner, id);
"""


def writable(text: str) -> str:
    """PostgreSQL has no place for a NUL in a text."""
    if "\0" in text:
        raise ValueError("has a NUL")
    return text


class NewFile(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=80), AfterValidator(writable)]


class File(NewFile):
    id: UUID
    owner: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool("postgresql://files@127.0.0.1/files", min_size=1, max_size=4) as pool:
        await pool.execute(SCHEMA)
        app.state.pool = pool
        yield


def caller(x_key: Annotated[str, Header()] = "") -> str:
    if x_key not in KEYS:
        raise HTTPException(401, "No such key")
    return KEYS[x_key]


def pool(request: Request) -> Any:
    return request.app.state.pool


Me = Annotated[str, Depends(caller)]
Pool = Annotated[Any, Depends(pool)]
app = FastAPI(lifespan=lifespan)
guard(app)


@app.post("/files", status_code=201)
async def put(file: NewFile, me: Me, pool: Pool) -> File:
    row = await pool.fetchrow("INSERT INTO files (owner, name) VALUES ($1, $2) RETURNING *", me, file.name)
    return File(**row)


@app.get("/files")
async def mine(me: Me, pool: Pool) -> list[File]:
    rows = await pool.fetch("SELECT * FROM files WHERE owner = $1 ORDER BY id LIMIT 50", me)
    return [File(**row) for row in rows]


@app.get("/files/{id}")
async def read(id: UUID, me: Me, pool: Pool) -> File:
    row = await pool.fetchrow("SELECT * FROM files WHERE id = $1", id)
    if row is None:
        raise HTTPException(404, "No such file")
    if row["owner"] != me:
        raise HTTPException(403, "Not yours")
    return File(**row)
