"""aiosqlite without an ORM."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite
from fastapi import FastAPI

FILE = Path(__file__).parent / "lite.db"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The schema is the app's own business."""
    async with aiosqlite.connect(FILE) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS notes (text TEXT)")
    yield


app = FastAPI(lifespan=lifespan)


@app.post("/notes/{text}")
async def write(text: str) -> int:
    """A note, and how many there are."""
    async with aiosqlite.connect(FILE) as connection:
        await connection.execute("INSERT INTO notes VALUES (?)", (text,))
        await connection.commit()
        async with connection.execute("SELECT count(*) FROM notes") as cursor:
            row = await cursor.fetchone()
    return int(row[0]) if row else 0
