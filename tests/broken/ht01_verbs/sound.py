"""Recipes in aiosqlite; what is deleted is filtered out of everything that is read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import aiosqlite
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Path, Request
from guard import guard
from pydantic import BaseModel, Field

TABLE = """
    CREATE TABLE recipe (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, method TEXT NOT NULL, deleted INTEGER DEFAULT 0
    )
"""
LIVING = "FROM recipe WHERE deleted = 0"
Key = Annotated[int, Path(ge=1, lt=2**63)]


class NewRecipe(BaseModel):
    name: str = Field(min_length=1, max_length=80)
    method: str = Field(max_length=1000)


class Recipe(NewRecipe):
    id: int


class Kitchen:
    """One connection, used by one request at a time."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self.connection = connection
        self.lock = asyncio.Lock()

    async def run(self, statement: str, *values: object) -> list[Recipe]:
        async with self.lock:
            cursor = await self.connection.execute(statement, values)
            rows = await cursor.fetchall()
            await self.connection.commit()
        return [Recipe(id=row[0], name=row[1], method=row[2]) for row in rows]

    async def one(self, id: int) -> Recipe:
        found = await self.run(f"SELECT id, name, method {LIVING} AND id = ?", id)
        if not found:
            raise HTTPException(404, "No such recipe")
        return found[0]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with aiosqlite.connect(":memory:") as connection:
        await connection.execute(TABLE)
        app.state.kitchen = Kitchen(connection)
        yield


def kitchen(request: Request) -> Kitchen:
    found: Kitchen = request.app.state.kitchen
    return found


Cook = Annotated[Kitchen, Depends(kitchen)]
recipes = APIRouter(prefix="/recipes")
v1 = APIRouter(prefix="/v1")


@recipes.post("", status_code=201)
async def add(recipe: NewRecipe, cook: Cook) -> Recipe:
    statement = "INSERT INTO recipe (name, method) VALUES (?, ?) RETURNING id, name, method"
    return (await cook.run(statement, recipe.name, recipe.method))[0]


@recipes.get("")
async def every(cook: Cook) -> list[Recipe]:
    return await cook.run(f"SELECT id, name, method {LIVING} ORDER BY id DESC LIMIT 100")


@recipes.get("/{id}")
async def one(id: Key, cook: Cook) -> Recipe:
    return await cook.one(id)


@recipes.put("/{id}")
async def change(id: Key, recipe: NewRecipe, cook: Cook) -> Recipe:
    await cook.one(id)
    statement = "UPDATE recipe SET name = ?, method = ? WHERE id = ? RETURNING id, name, method"
    return (await cook.run(statement, recipe.name, recipe.method, id))[0]


@recipes.delete("/{id}", status_code=204)
async def remove(id: Key, cook: Cook) -> None:
    await cook.one(id)
    await cook.run("UPDATE recipe SET deleted = 1 WHERE id = ? RETURNING id, name, method", id)


v1.include_router(recipes)
app = FastAPI(lifespan=lifespan)
app.include_router(v1)
guard(app)
