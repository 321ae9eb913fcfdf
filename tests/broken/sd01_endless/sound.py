"""Jobs in a file of SQLite, and a worker that counts them until the app ends."""

import asyncio
import secrets
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException
from guard import guard
from pydantic import BaseModel, Field

FILE = "jobs.db"
counted = {"jobs": 0}


class NewJob(BaseModel):
    name: str = Field(min_length=1, max_length=80)


class Job(NewJob):
    id: str


with sqlite3.connect(FILE) as database:
    database.execute("CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, name TEXT NOT NULL)")


async def count() -> None:
    while True:
        with sqlite3.connect(FILE) as database:
            (counted["jobs"],) = database.execute("SELECT count(*) FROM jobs").fetchone()
        await asyncio.sleep(0.5)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    worker = asyncio.create_task(count())
    yield
    worker.cancel()
    await asyncio.wait([worker])


app = FastAPI(lifespan=lifespan)
guard(app)


@app.post("/jobs", status_code=201)
def add(job: NewJob) -> Job:
    made = Job(id=secrets.token_hex(8), name=job.name)
    with sqlite3.connect(FILE) as database:
        database.execute("INSERT INTO jobs (id, name) VALUES (?, ?)", (made.id, made.name))
    return made


@app.get("/jobs/{id}")
def one(id: str) -> Job:
    with sqlite3.connect(FILE) as database:
        row = database.execute("SELECT name FROM jobs WHERE id = ?", (id,)).fetchone()
    if row is None:
        raise HTTPException(404, "No such job")
    return Job(id=id, name=row[0])
