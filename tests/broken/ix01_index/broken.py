"""Parcels in a SQLite file, told apart by their owner, one after the other."""

import secrets
import sqlite3
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from guard import guard
from pydantic import BaseModel, Field

KEYS = {"parcel-7d3e90b1": "ada", "parcel-c56a28f4": "bob"}
FILE = "parcels.db"
SCHEMA = """
    CREATE TABLE IF NOT EXISTS parcels (id TEXT PRIMARY KEY, owner TEXT NOT NULL, label TEXT NOT NULL);
"""


class NewParcel(BaseModel):
    label: str = Field(min_length=1, max_length=80)


class Parcel(NewParcel):
    id: str
    owner: str


def opened() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(FILE, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    try:
        yield connection
    finally:
        connection.close()


def caller(x_key: Annotated[str, Header()] = "") -> str:
    if x_key not in KEYS:
        raise HTTPException(401, "No such key")
    return KEYS[x_key]


with sqlite3.connect(FILE) as database:
    database.executescript(SCHEMA)

Me = Annotated[str, Depends(caller)]
Database = Annotated[sqlite3.Connection, Depends(opened)]
app = FastAPI()
guard(app)


@app.post("/parcels", status_code=201)
def send(parcel: NewParcel, me: Me, database: Database) -> Parcel:
    made = Parcel(id=secrets.token_hex(8), owner=me, label=parcel.label)
    database.execute("INSERT INTO parcels VALUES (:id, :owner, :label)", made.model_dump())
    return made


@app.get("/parcels")
def mine(me: Me, database: Database) -> list[Parcel]:
    rows = database.execute("SELECT * FROM parcels WHERE owner = ? ORDER BY id LIMIT 50", (me,))
    return [Parcel(**row) for row in rows]


@app.get("/parcels/{id}")
def parcel(id: str, me: Me, database: Database) -> Parcel:
    row = database.execute("SELECT * FROM parcels WHERE id = ? AND owner = ?", (id, me)).fetchone()
    if row is None:
        raise HTTPException(404, "No such parcel")
    return Parcel(**row)
