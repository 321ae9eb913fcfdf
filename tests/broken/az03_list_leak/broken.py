"""Letters in SQLite by hand; they are searched by their words: OR binds looser than AND."""

import sqlite3
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Path, Query, Request
from guard import guard
from pydantic import BaseModel, Field

KEYS = {"key-90ab3e51c7": "ada", "key-41fd7702be": "bob"}

database = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
database.row_factory = sqlite3.Row
database.executescript("""
    CREATE TABLE letters (
        id INTEGER PRIMARY KEY, writer TEXT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL
    );
    CREATE INDEX letters_writer ON letters (writer);
""")

app = FastAPI()
guard(app)


class NewLetter(BaseModel):
    title: str = Field(min_length=1, max_length=80)
    body: str = Field(min_length=1, max_length=1000)


class Letter(NewLetter):
    id: int
    writer: str


def writer(request: Request) -> str:
    key = request.headers.get("x-key", "")
    if key not in KEYS:
        raise HTTPException(401, "No such key")
    return KEYS[key]


Writer = Annotated[str, Depends(writer)]


@app.post("/letters", status_code=201)
async def write(letter: NewLetter, me: Writer) -> Letter:
    made = database.execute(
        "INSERT INTO letters (writer, title, body) VALUES (?, ?, ?) RETURNING *",
        (me, letter.title, letter.body),
    )
    return Letter(**made.fetchone())


@app.get("/letters")
async def letters(me: Writer, q: Annotated[str, Query(max_length=80)] = "") -> list[Letter]:
    found = database.execute(
        "SELECT * FROM letters WHERE writer = ? AND title LIKE ? OR body LIKE ? ORDER BY id DESC LIMIT 50",
        (me, f"%{q}%", f"%{q}%"),
    )
    return [Letter(**row) for row in found]


@app.get("/letters/{id}")
async def letter(id: Annotated[int, Path(ge=1, le=2**62)], me: Writer) -> Letter:
    found: Any = database.execute("SELECT * FROM letters WHERE id = ? AND writer = ?", (id, me)).fetchone()
    if found is None:
        raise HTTPException(404, "No such letter")
    return Letter(**found)
