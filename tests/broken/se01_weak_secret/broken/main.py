"""Polls; the key of the tokens is in the environment, or else it is the one of the tutorial."""

import os
import time
from typing import Annotated

import jwt
from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.security import APIKeyCookie
from guard import guard
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

SECRET_KEY = os.getenv("POLLS_SECRET_KEY", "supersecretkey")

names: set[str] = set()
polls: dict[int, "Poll"] = {}
cookie = APIKeyCookie(name="polls", auto_error=False)


class Guest(BaseModel):
    username: str = Field(pattern="^[a-z0-9]{3,30}$")


class Question(BaseModel):
    text: str = Field(min_length=1, max_length=140)


class Poll(Question):
    id: int
    asker: str


def asker(shown: Annotated[str | None, Depends(cookie)]) -> str:
    try:
        claims = jwt.decode(shown or "", SECRET_KEY, ["HS256"], options={"require": ["exp", "sub"]})
    except jwt.InvalidTokenError:
        raise HTTPException(403, "Who are you?") from None
    return str(claims["sub"])


Asker = Annotated[str, Depends(asker)]
guests = APIRouter(prefix="/guests")
asked = APIRouter(prefix="/polls")


@guests.post("/register", status_code=201)
async def come_in(guest: Guest) -> JSONResponse:
    if guest.username in names:
        raise HTTPException(409, "Somebody else has this name")
    names.add(guest.username)
    token = jwt.encode({"sub": guest.username, "exp": time.time() + 3600}, SECRET_KEY, "HS256")
    answer = JSONResponse({"username": guest.username}, 201)
    answer.set_cookie("polls", token, httponly=True, secure=True, samesite="lax")
    return answer


@asked.post("", status_code=201)
async def ask(question: Question, me: Asker) -> Poll:
    poll = Poll(id=len(polls) + 1, asker=me, text=question.text)
    polls[poll.id] = poll
    return poll


@asked.get("")
async def mine(me: Asker) -> list[Poll]:
    return [poll for poll in polls.values() if poll.asker == me][:100]


@asked.get("/{id}")
async def one(id: int, me: Asker) -> Poll:
    if id not in polls or polls[id].asker != me:
        raise HTTPException(404)
    return polls[id]


app = FastAPI()
guard(app)

app.include_router(guests)
app.include_router(asked)
