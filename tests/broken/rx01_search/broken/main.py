"""Songs in sqlite3; what is looked for is taken apart by an expression first."""

import re
import sqlite3
import threading
from typing import Annotated

from fastapi import FastAPI, HTTPException, Path, Query
from guard import guard
from pydantic import BaseModel, Field

lock = threading.Lock()
book = sqlite3.connect(":memory:", check_same_thread=False)
book.execute("CREATE TABLE song (id INTEGER PRIMARY KEY, title TEXT NOT NULL)")
app = FastAPI()
guard(app)


class NewSong(BaseModel):
    title: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00]*$")]


class Song(NewSong):
    id: int


def words(asked: str) -> list[str]:
    if not re.match(r"^(\w+\s?)*$", asked):
        raise HTTPException(422, "Words are looked for, and nothing else")
    return asked.split()


@app.post("/songs", status_code=201)
def write(song: NewSong) -> Song:
    with lock, book:
        written = book.execute("INSERT INTO song (title) VALUES (?)", (song.title,))
    return Song(id=written.lastrowid or 0, title=song.title)


@app.get("/songs")
def songs(q: Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")] = "") -> list[Song]:
    pattern = "%" + "%".join(words(q)) + "%"
    found = "SELECT id, title FROM song WHERE title LIKE ? ORDER BY id DESC LIMIT 50"
    with lock:
        rows = book.execute(found, (pattern,)).fetchall()
    return [Song(id=row[0], title=row[1]) for row in rows]


@app.get("/songs/{id}")
def one(id: Annotated[int, Path(ge=1, lt=2**63)]) -> Song:
    with lock:
        row = book.execute("SELECT id, title FROM song WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise HTTPException(404, "No such song")
    return Song(id=row[0], title=row[1])
