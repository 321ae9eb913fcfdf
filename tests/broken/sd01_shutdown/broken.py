"""Slips in a file of SQLite; asked to end, it does so on the spot."""

import os
import secrets
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException
from guard import guard
from pydantic import BaseModel, Field

FILE = "slips.db"


class NewSlip(BaseModel):
    text: str = Field(min_length=1, max_length=200)


class Slip(NewSlip):
    id: str


with sqlite3.connect(FILE) as database:
    database.execute("CREATE TABLE IF NOT EXISTS slips (id TEXT PRIMARY KEY, text TEXT NOT NULL)")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    yield


app = FastAPI(lifespan=lifespan)
guard(app)


@app.post("/slips", status_code=201)
def add(slip: NewSlip) -> Slip:
    made = Slip(id=secrets.token_hex(8), text=slip.text)
    with sqlite3.connect(FILE) as database:
        database.execute("INSERT INTO slips (id, text) VALUES (?, ?)", (made.id, made.text))
    return made


@app.get("/slips/{id}")
def one(id: str) -> Slip:
    with sqlite3.connect(FILE) as database:
        row = database.execute("SELECT text FROM slips WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise HTTPException(404, "No such slip")
    return Slip(id=id, text=row[0])
