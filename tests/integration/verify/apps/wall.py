"""Rooms that the keeper makes; people who follow each other; whoever may not is refused."""

from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel

TOKENS = {"t-1b7e40c2d9f85a36": "ada", "t-e92f6d0b3c7a1845": "bob", "t-5c1d8b7e2f4a9063": "keeper"}

app = FastAPI()
rooms: dict[int, str] = {}
follows: set[tuple[str, str]] = set()


def caller(authorization: Annotated[str, Header()] = "") -> str:
    """Who calls."""
    name = TOKENS.get(authorization.removeprefix("Bearer "))
    if name is None:
        raise HTTPException(401, "Who is there?")
    return name


Me = Annotated[str, Depends(caller)]


def keeper(me: Me) -> None:
    """Whether they may."""
    if me != "keeper":
        raise HTTPException(403, "Only the keeper")


class Room(BaseModel):
    name: str


@app.post("/rooms", status_code=201, dependencies=[Depends(keeper)])
async def build(room: Room) -> dict[str, object]:
    rooms[len(rooms) + 1] = room.name
    return {"id": len(rooms), "name": room.name}


@app.get("/rooms/{room_id}")
async def look(room_id: int, me: Me) -> dict[str, object]:
    if room_id not in rooms:
        raise HTTPException(404, "No such room")
    return {"id": room_id, "name": rooms[room_id]}


@app.get("/people/{username}")
async def person(username: str, me: Me) -> dict[str, object]:
    if username not in TOKENS.values():
        raise HTTPException(404, "Nobody")
    return {"username": username, "followed": (me, username) in follows}


@app.post("/people/{username}/follow")
async def follow(username: str, me: Me) -> dict[str, object]:
    if username == me or (me, username) in follows:
        raise HTTPException(400, "Not you, not twice")
    follows.add((me, username))
    return await person(username, me)


@app.delete("/people/{username}/follow")
async def leave(username: str, me: Me) -> dict[str, object]:
    if (me, username) not in follows:
        raise HTTPException(400, "Not followed")
    follows.remove((me, username))
    return await person(username, me)
