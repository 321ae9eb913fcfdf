"""Meters, read with API keys by raw sqlite3; a page for developers has stayed in."""

import platform
import sqlite3
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Path
from guard import guard
from pydantic import BaseModel, Field

OPERATOR = "operator"
KEYS = {"mtr-8c1f07d2b95e": "ada", "mtr-41e9aa6c730d": "bob", "mtr-f2d86b15c04a": OPERATOR}

database = sqlite3.connect(":memory:", check_same_thread=False)
database.row_factory = sqlite3.Row
database.execute("CREATE TABLE readings (id INTEGER PRIMARY KEY, kwh INTEGER, note TEXT, reader TEXT)")
app = FastAPI(docs_url=None, redoc_url=None)
guard(app)


class Reading(BaseModel):
    kwh: int = Field(ge=0, le=10**9)
    note: str = Field(max_length=100)


async def reader(x_meter_key: Annotated[str, Header()] = "") -> str:
    if x_meter_key not in KEYS:
        raise HTTPException(401, "No such key")
    return KEYS[x_meter_key]


async def operator(name: Annotated[str, Depends(reader)]) -> str:
    if name != OPERATOR:
        raise HTTPException(403, "For operators")
    return name


Me = Annotated[str, Depends(reader)]


@app.post("/readings", status_code=201)
async def add(reading: Reading, me: Me) -> dict[str, Any]:
    statement = "INSERT INTO readings (kwh, note, reader) VALUES (?, ?, ?) RETURNING *"
    row = database.execute(statement, (reading.kwh, reading.note, me)).fetchone()
    database.commit()
    return dict(row)


@app.get("/readings")
async def mine(me: Me) -> list[dict[str, Any]]:
    found = database.execute("SELECT * FROM readings WHERE reader = ? ORDER BY id LIMIT 100", (me,))
    return [dict(row) for row in found]


@app.get("/readings/{id}")
async def one(id: Annotated[int, Path(ge=1, le=2**63 - 1)], me: Me) -> dict[str, Any]:
    row = database.execute("SELECT * FROM readings WHERE id = ? AND reader = ?", (id, me)).fetchone()
    if row is None:
        raise HTTPException(404, "No such reading")
    return dict(row)


@app.get("/debug", dependencies=[Depends(reader)])
async def debug() -> dict[str, str]:
    return {"python": platform.python_version(), "keys": str(len(KEYS))}
