"""Animals by SQLAlchemy and psycopg; a part of a name is written into text()."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Path
from guard import guard
from pydantic import BaseModel, Field
from sqlalchemy import TextClause, create_engine, text

engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1))

TABLE = "CREATE TABLE IF NOT EXISTS animal (id serial PRIMARY KEY, name text NOT NULL)"


class NewAnimal(BaseModel):
    name: str = Field(min_length=1, max_length=80, pattern=r"^[^\x00]*$")


class Animal(NewAnimal):
    id: int


class Search:
    """What is looked for, as a dependency."""

    def __init__(self, q: Annotated[str, Field(max_length=80, pattern=r"^[^\x00]*$")] = "") -> None:
        self.statement = text(
            f"SELECT id, name FROM animal WHERE name LIKE '%{q}%' ORDER BY id DESC LIMIT 100"
        )
        self.values: dict[str, str] = {}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    with engine.begin() as connection:
        connection.execute(text(TABLE))
    yield


def asked(statement: TextClause, values: Mapping[str, object]) -> list[Animal]:
    with engine.begin() as connection:
        return [Animal(**row) for row in connection.execute(statement, values).mappings()]


app = FastAPI(lifespan=lifespan)
guard(app)


@app.post("/animals", status_code=201)
def catch(animal: NewAnimal) -> Animal:
    statement = text("INSERT INTO animal (name) VALUES (:name) RETURNING id, name")
    return asked(statement, {"name": animal.name})[0]


@app.get("/animals")
def animals(search: Annotated[Search, Depends()]) -> list[Animal]:
    return asked(search.statement, search.values)


@app.get("/animals/{id}")
def animal(id: Annotated[int, Path(ge=1, lt=2**31)]) -> Animal:
    statement = text("SELECT id, name FROM animal WHERE id = :id")
    found = asked(statement, {"id": id})
    if not found:
        raise HTTPException(404, "No such animal")
    return found[0]
