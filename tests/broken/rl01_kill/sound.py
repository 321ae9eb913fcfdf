"""Notes in a file of SQLite, written before they are answered for; a cache in memory answers reads."""

import secrets
import sqlite3

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


def store(notes: list[Note]) -> None:
    with sqlite3.connect(FILE) as database:
        rows = [(note.id, note.text) for note in notes]
        database.executemany("INSERT INTO notes (id, text) VALUES (?, ?)", rows)


app = FastAPI()
guard(app)


@app.post("/notes", status_code=201)
async def add(note: NewNote) -> Note:
    made = Note(id=secrets.token_hex(8), text=note.text)
    cache[made.id] = made.text
    store([made])
    return made


@app.get("/notes/{id}")
async def one(id: str) -> Note:
    if id not in cache:
        raise HTTPException(404, "No such note")
    return Note(id=id, text=cache[id])
