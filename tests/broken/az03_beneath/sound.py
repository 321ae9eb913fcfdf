"""Letters in SQLite by hand, and boxes that they are kept in."""

import sqlite3
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Path, Request
from guard import guard
from pydantic import BaseModel, Field

KEYS = {"key-90ab3e51c7": "ada", "key-41fd7702be": "bob"}

database = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
database.row_factory = sqlite3.Row
database.executescript("""
    CREATE TABLE letters (
        id INTEGER PRIMARY KEY, writer TEXT NOT NULL, box_id INTEGER NOT NULL, title TEXT NOT NULL
    );
    CREATE INDEX letters_writer ON letters (writer);
    CREATE INDEX letters_box ON letters (box_id);
    CREATE TABLE boxes (id INTEGER PRIMARY KEY, writer TEXT NOT NULL, label TEXT NOT NULL);
    CREATE INDEX boxes_writer ON boxes (writer);
""")

app = FastAPI()
guard(app)


class NewBox(BaseModel):
    label: str = Field(min_length=1, max_length=80)


class Box(NewBox):
    id: int
    writer: str


class NewLetter(BaseModel):
    title: str = Field(min_length=1, max_length=80)
    box_id: int = Field(ge=1, le=2**62)


class Letter(NewLetter):
    id: int
    writer: str


def writer(request: Request) -> str:
    key = request.headers.get("x-key", "")
    if key not in KEYS:
        raise HTTPException(401, "No such key")
    return KEYS[key]


Writer = Annotated[str, Depends(writer)]
Id = Annotated[int, Path(ge=1, le=2**62)]


def own(id: int, me: str) -> Box:
    found: Any = database.execute("SELECT * FROM boxes WHERE id = ? AND writer = ?", (id, me)).fetchone()
    if found is None:
        raise HTTPException(404, "No such box")
    return Box(**found)


@app.post("/boxes", status_code=201)
async def build(box: NewBox, me: Writer) -> Box:
    made = database.execute("INSERT INTO boxes (writer, label) VALUES (?, ?) RETURNING *", (me, box.label))
    return Box(**made.fetchone())


@app.get("/boxes")
async def boxes(me: Writer) -> list[Box]:
    found = database.execute("SELECT * FROM boxes WHERE writer = ? ORDER BY id DESC LIMIT 50", (me,))
    return [Box(**row) for row in found]


@app.get("/boxes/{id}")
async def box(id: Id, me: Writer) -> Box:
    return own(id, me)


@app.get("/boxes/{id}/letters")
async def kept(id: Id, me: Writer) -> list[Letter]:
    own(id, me)
    found = database.execute("SELECT * FROM letters WHERE box_id = ? ORDER BY id DESC LIMIT 50", (id,))
    return [Letter(**row) for row in found]


@app.post("/letters", status_code=201)
async def write(letter: NewLetter, me: Writer) -> Letter:
    own(letter.box_id, me)
    made = database.execute(
        "INSERT INTO letters (writer, title, box_id) VALUES (?, ?, ?) RETURNING *",
        (me, letter.title, letter.box_id),
    )
    return Letter(**made.fetchone())


@app.get("/letters")
async def letters(me: Writer) -> list[Letter]:
    found = database.execute("SELECT * FROM letters WHERE writer = ? ORDER BY id DESC LIMIT 50", (me,))
    return [Letter(**row) for row in found]


@app.get("/letters/{id}")
async def letter(id: Id, me: Writer) -> Letter:
    found: Any = database.execute("SELECT * FROM letters WHERE id = ? AND writer = ?", (id, me)).fetchone()
    if found is None:
        raise HTTPException(404, "No such letter")
    return Letter(**found)
