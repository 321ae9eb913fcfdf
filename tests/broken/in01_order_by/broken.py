"""Races by raw asyncpg; the column that sorts them is taken from the request."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, FastAPI, HTTPException, Path, Query
from guard import guard
from pydantic import BaseModel, Field

TABLE = "CREATE TABLE IF NOT EXISTS race (id bigserial PRIMARY KEY, title text NOT NULL, metres int NOT NULL)"


class NewRace(BaseModel):
    title: str = Field(min_length=1, max_length=80, pattern=r"^[^\x00]*$")
    metres: int = Field(ge=10, le=1_000_000)


class Race(NewRace):
    id: int


class Races:
    """The table, by its pool."""

    pool: Any

    async def add(self, race: NewRace) -> Race:
        statement = "INSERT INTO race (title, metres) VALUES ($1, $2) RETURNING *"
        return Race(**await self.pool.fetchrow(statement, race.title, race.metres))

    async def sorted(self, column: str) -> list[Race]:
        statement = f"SELECT id, title, metres FROM race ORDER BY {column}, id LIMIT 100"
        return [Race(**row) for row in await self.pool.fetch(statement)]

    async def one(self, id: int) -> Race | None:
        row = await self.pool.fetchrow("SELECT id, title, metres FROM race WHERE id = $1", id)
        return Race(**row) if row else None


def column(name: str) -> str:
    if not name:
        raise HTTPException(422, "Races are not sorted by this")
    return name


races = Races()
router = APIRouter(prefix="/races")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=1, max_size=3) as races.pool:
        await races.pool.execute(TABLE)
        yield


@router.post("", status_code=201)
async def announce(race: NewRace) -> Race:
    return await races.add(race)


@router.get("")
async def announced(sort: Annotated[str, Query(max_length=60)] = "id") -> list[Race]:
    return await races.sorted(column(sort))


@router.get("/{id}")
async def one(id: Annotated[int, Path(ge=1, lt=2**63)]) -> Race:
    race = await races.one(id)
    if race is None:
        raise HTTPException(404, "No such race")
    return race


app = FastAPI(lifespan=lifespan)
app.include_router(router)
guard(app)
