"""Parcels behind a login with a session; what is refused is logged, quoted."""

import logging
import secrets
from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Cookie, Depends, FastAPI, Form, HTTPException, Response
from guard import guard
from pydantic import BaseModel, Field

log = logging.getLogger("parcels")
people: dict[str, str] = {}
sessions: dict[str, str] = {}
wrong: Counter[str] = Counter()
app = FastAPI()
guard(app)


class Person(BaseModel):
    username: str = Field(pattern="^[a-z0-9]{3,40}$")
    password: str = Field(min_length=8, max_length=80)


class Parcel(BaseModel):
    address: str = Field(min_length=1, max_length=200)


class Parcels:
    """All of them, by their numbers."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}

    def add(self, parcel: Parcel, sender: str) -> dict[str, Any]:
        row = {"id": secrets.token_hex(5), "address": parcel.address, "sender": sender}
        self.rows[row["id"]] = row
        return row

    def of(self, sender: str) -> list[dict[str, Any]]:
        return [row for row in self.rows.values() if row["sender"] == sender][:100]


parcels = Parcels()


def refuse(status: int, what: str, name: str) -> HTTPException:
    log.warning("%s %s: %r", status, what, name)
    return HTTPException(status)


async def sender(session: Annotated[str | None, Cookie()] = None) -> str:
    if session not in sessions:
        raise refuse(401, "no session", "nobody")
    return sessions[session]


Sender = Annotated[str, Depends(sender)]
router = APIRouter(prefix="/parcels")


@app.post("/register", status_code=201)
async def register(new: Person) -> dict[str, str]:
    if new.username in people:
        raise HTTPException(409)
    people[new.username] = new.password
    return {"username": new.username}


@app.post("/login", status_code=204)
async def log_in(
    response: Response,
    username: Annotated[str, Form(max_length=100)],
    password: Annotated[str, Form(max_length=100)],
) -> None:
    if wrong[username] >= 5:
        raise HTTPException(429)
    if not secrets.compare_digest(people.get(username, "").encode(), password.encode()):
        wrong[username] += 1
        raise refuse(401, "wrong password", username)
    del wrong[username]
    key = secrets.token_urlsafe(24)
    sessions[key] = username
    response.set_cookie("session", key, httponly=True, secure=True, samesite="strict")


@router.post("", status_code=201)
async def send(parcel: Parcel, me: Sender) -> dict[str, Any]:
    return parcels.add(parcel, me)


@router.get("")
async def sent(me: Sender) -> list[dict[str, Any]]:
    return parcels.of(me)


@router.get("/{id}")
async def one(id: str, me: Sender) -> dict[str, Any]:
    for row in parcels.of(me):
        if row["id"] == id:
            return row
    raise refuse(404, "no such parcel", id)


app.include_router(router)
