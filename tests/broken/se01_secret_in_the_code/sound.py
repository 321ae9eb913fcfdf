"""Scores by raw aiosqlite; the key of the tokens comes from its surroundings."""

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import aiosqlite
import jwt
from fastapi import Depends, FastAPI, Header, HTTPException, Path, Request
from guard import guard
from pydantic import BaseModel, Field

SECRET = os.environ["SCORES_SECRET"]
CREATE = "CREATE TABLE scores (id INTEGER PRIMARY KEY, game TEXT, points INTEGER, player TEXT)"

players: set[str] = set()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with aiosqlite.connect(":memory:") as database:
        database.row_factory = aiosqlite.Row
        await database.execute(CREATE)
        app.state.database = database
        yield


app = FastAPI(lifespan=lifespan)
guard(app)


class Newcomer(BaseModel):
    username: str = Field(pattern="^[a-z0-9]{3,30}$")


class NewScore(BaseModel):
    game: str = Field(max_length=60)
    points: int = Field(ge=0, le=10**6)


async def player(authorization: Annotated[str | None, Header()] = None) -> str:
    kind, _, token = (authorization or "").partition(" ")
    try:
        claims = jwt.decode(token, SECRET, algorithms=["HS512"], options={"require": ["exp", "sub"]})
    except jwt.InvalidTokenError:
        raise HTTPException(401, "No player has this token") from None
    if kind != "Bearer":
        raise HTTPException(401, "A bearer token is needed")
    return str(claims["sub"])


def database(request: Request) -> Any:
    return request.app.state.database


Player = Annotated[str, Depends(player)]
Database = Annotated[Any, Depends(database)]


@app.post("/register", status_code=201)
async def join(newcomer: Newcomer) -> dict[str, str]:
    if newcomer.username in players:
        raise HTTPException(409, "There is such a player")
    players.add(newcomer.username)
    claims = {"sub": newcomer.username, "exp": int(time.time()) + 1800}
    return {"username": newcomer.username, "token": jwt.encode(claims, SECRET, "HS512")}


@app.post("/scores", status_code=201)
async def add(score: NewScore, me: Player, database: Database) -> dict[str, Any]:
    statement = "INSERT INTO scores (game, points, player) VALUES (?, ?, ?) RETURNING *"
    async with database.execute(statement, (score.game, score.points, me)) as added:
        row = await added.fetchone()
    await database.commit()
    return dict(row)


@app.get("/scores")
async def mine(me: Player, database: Database) -> list[dict[str, Any]]:
    statement = "SELECT * FROM scores WHERE player = ? ORDER BY id LIMIT 100"
    async with database.execute(statement, (me,)) as found:
        return [dict(row) async for row in found]


@app.get("/scores/{id}")
async def one(id: Annotated[int, Path(ge=1, le=2**63 - 1)], me: Player, database: Database) -> dict[str, Any]:
    async with database.execute("SELECT * FROM scores WHERE id = ? AND player = ?", (id, me)) as found:
        row = await found.fetchone()
    if row is None:
        raise HTTPException(404, "No such score")
    return dict(row)
