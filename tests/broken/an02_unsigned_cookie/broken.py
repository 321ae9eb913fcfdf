"""Stamps; the cookie is JSON in base64 that says who somebody is, and nothing else says that it is true."""

import base64
import json
from typing import Annotated

from fastapi import APIRouter, Cookie, Depends, FastAPI, HTTPException, Response
from guard import guard
from pydantic import BaseModel, Field

collectors: list[str] = []
stamps: dict[int, "Stamp"] = {}
app = FastAPI()
guard(app)


class Newcomer(BaseModel):
    username: str = Field(pattern="^[a-z0-9]{3,30}$")


class NewStamp(BaseModel):
    motif: str = Field(min_length=1, max_length=80)


class Stamp(NewStamp):
    id: int
    collector: str


def sealed(name: str) -> str:
    said = {"username": name}
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode()


def opened(cookie: str) -> str:
    said = json.loads(base64.urlsafe_b64decode(cookie))
    return str(said["username"])


def collector(album: Annotated[str, Cookie()] = "") -> str:
    try:
        name = opened(album)
    except (ValueError, KeyError, TypeError, AttributeError):
        name = ""
    if name not in collectors:
        raise HTTPException(401, "Whose album?")
    return name


Collector = Annotated[str, Depends(collector)]


@app.post("/register", status_code=201)
def register(new: Newcomer, response: Response) -> dict[str, str]:
    if new.username in collectors:
        raise HTTPException(409)
    collectors.append(new.username)
    response.set_cookie("album", sealed(new.username), httponly=True, secure=True, samesite="lax")
    return {"username": new.username}


album = APIRouter(prefix="/stamps")


@album.post("", status_code=201)
def add(stamp: NewStamp, me: Collector) -> Stamp:
    added = Stamp(id=len(stamps) + 1, collector=me, motif=stamp.motif)
    stamps[added.id] = added
    return added


@album.get("")
def mine(me: Collector) -> list[Stamp]:
    return [stamp for stamp in stamps.values() if stamp.collector == me][:100]


@album.get("/{id}")
def one(id: int, me: Collector) -> Stamp:
    if id not in stamps or stamps[id].collector != me:
        raise HTTPException(404)
    return stamps[id]


app.include_router(album)
