"""Notes that are answered for while they wait in memory for SQLite, to be written a batch at a time."""

import asyncio
import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI, HTTPException
from guard import guard
from pydantic import BaseModel, Field

FILE = "notes.db"


class NewNote(BaseModel):
    text: str = Field(min_length=1, max_length=200)


class Note(NewNote):
    id: str


with sqlite3.connect(FILE) as database:
    database.execute("CREATE TABLE IF NOT EXISTS notes (id TEXT PRIMARY KEY, text TEXT NOT NULL)")
    cache = dict(database.execute("SELECT id, text FROM notes"))
waiting: list[Note] = []


def store(notes: list[Note]) -> None:
    with sqlite3.connect(FILE) as database:
        rows = [(note.id, note.text) for note in notes]
        database.executemany("INSERT INTO notes (id, text) VALUES (?, ?)", rows)


def flush() -> None:
    batch = waiting.copy()
    waiting.clear()
    store(batch)


async def every_second() -> None:
    while True:
        await asyncio.sleep(1)
        flush()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    writing = asyncio.create_task(every_second())
    yield
    writing.cancel()
    with suppress(asyncio.CancelledError):
        await writing
    flush()


app = FastAPI(lifespan=lifespan)
guard(app)


@app.post("/notes", status_code=201)
async def add(note: NewNote) -> Note:
    made = Note(id=secrets.token_hex(8), text=note.text)
    cache[made.id] = made.text
    waiting.append(made)
    return made


@app.get("/notes/{id}")
async def one(id: str) -> Note:
    if id not in cache:
        raise HTTPException(404, "No such note")
    return Note(id=id, text=cache[id])
