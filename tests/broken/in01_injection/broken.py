"""A phone book in sqlite3; a name that is looked for is written into the statement."""

import sqlite3
import threading
from typing import Annotated

from fastapi import FastAPI, HTTPException, Path, Query
from guard import guard
from pydantic import BaseModel, Field

lock = threading.Lock()
book = sqlite3.connect(":memory:", check_same_thread=False)
book.execute("CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL, town TEXT NOT NULL)")


class NewPerson(BaseModel):
    name: str = Field(min_length=1, max_length=80)
    town: str = Field(max_length=80)


class Person(NewPerson):
    id: int


app = FastAPI()
guard(app)


def found(where: str, *values: object) -> list[Person]:
    with lock:
        rows = book.execute(f"SELECT id, name, town FROM person {where}", values).fetchall()
    return [Person(id=row[0], name=row[1], town=row[2]) for row in rows]


@app.post("/people", status_code=201)
def enter(person: NewPerson) -> Person:
    with lock, book:
        entered = book.execute("INSERT INTO person (name, town) VALUES (?, ?)", (person.name, person.town))
    return Person(id=entered.lastrowid or 0, **person.model_dump())


@app.get("/people")
def people(name: Annotated[str, Query(max_length=80, pattern=r"^[^\x00]*$")] = "") -> list[Person]:
    if not name:
        return found("ORDER BY id DESC LIMIT 100")
    return found(f"WHERE name = '{name}' ORDER BY id DESC LIMIT 100")


@app.get("/people/{id}")
def one(id: Annotated[int, Path(ge=1, lt=2**63)]) -> Person:
    rows = found("WHERE id = ?", id)
    if not rows:
        raise HTTPException(404, "No such person")
    return rows[0]
