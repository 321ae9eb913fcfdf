"""Walks; a sign-in gives two tokens, and the long one opens what only the short one should."""

import secrets
import time
from typing import Annotated, Any

import jwt
from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from guard import guard
from pydantic import BaseModel, Field

KEY = secrets.token_urlsafe(40)
LIVES = {"access": 600, "refresh": 86_400}

walkers: set[str] = set()
walks: dict[str, dict[str, Any]] = {}
app = FastAPI()
guard(app)


class Newcomer(BaseModel):
    username: str = Field(pattern="^[a-z0-9]{3,30}$")


class Renewal(BaseModel):
    refresh_token: str = Field(max_length=1000)


class NewWalk(BaseModel):
    through: str = Field(min_length=1, max_length=80)


def token(kind: str, name: str) -> str:
    claims = {"sub": name, "scope": kind, "exp": int(time.time()) + LIVES[kind]}
    return jwt.encode(claims, KEY, "HS384")


def pair(name: str) -> dict[str, str]:
    return {"access_token": token("access", name), "refresh_token": token("refresh", name)}


def read(shown: str, kind: str) -> str:
    try:
        claims = jwt.decode(shown, KEY, ["HS384"], options={"require": ["exp", "sub"]})
    except jwt.PyJWTError:
        raise HTTPException(401, "Sign in again") from None
    return str(claims["sub"])


def walker(shown: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> str:
    return read(shown.credentials, "access")


Walker = Annotated[str, Depends(walker)]
auth = APIRouter(prefix="/auth")
walking = APIRouter(prefix="/walks")


@auth.post("/register", status_code=201)
def register(new: Newcomer) -> dict[str, str]:
    if new.username in walkers:
        raise HTTPException(409)
    walkers.add(new.username)
    return {"username": new.username, **pair(new.username)}


@auth.post("/renew")
def renew(renewal: Renewal) -> dict[str, str]:
    return pair(read(renewal.refresh_token, "refresh"))


@walking.post("", status_code=201)
def walk(new: NewWalk, me: Walker) -> dict[str, Any]:
    id = secrets.token_hex(8)
    walks[id] = {"id": id, "through": new.through, "walker": me}
    return walks[id]


@walking.get("")
def walked(me: Walker) -> list[dict[str, Any]]:
    return [walk for walk in walks.values() if walk["walker"] == me][:100]


@walking.get("/{id}")
def one(id: str, me: Walker) -> dict[str, Any]:
    if walks.get(id, {}).get("walker") != me:
        raise HTTPException(404)
    return walks[id]


app.include_router(auth)
app.include_router(walking)
