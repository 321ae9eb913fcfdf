"""Measurements by a cookie, which no cache keeps."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.security import APIKeyCookie
from guard import guard
from pydantic import BaseModel, Field

guests: dict[str, str] = {}
measured: dict[str, dict[str, str]] = {}
app = FastAPI()
guard(app)
cookie = APIKeyCookie(name="guest")


@app.middleware("http")
async def headers(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await go_on(request)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    return response


class Guest(BaseModel):
    username: str = Field(pattern="^[a-z0-9]{3,40}$")


class Measurement(BaseModel):
    value: str = Field(max_length=50)


async def guest(key: Annotated[str, Depends(cookie)]) -> str:
    if key not in guests:
        raise HTTPException(401)
    return guests[key]


Me = Annotated[str, Depends(guest)]


@app.post("/register", status_code=201)
async def come_in(new: Guest, response: Response) -> dict[str, str]:
    if new.username in guests.values():
        raise HTTPException(409)
    key = secrets.token_urlsafe(24)
    guests[key] = new.username
    response.set_cookie("guest", key, httponly=True, secure=True, samesite="lax")
    return {"username": new.username}


@app.post("/measurements", status_code=201)
async def measure(new: Measurement, me: Me) -> dict[str, str]:
    id = secrets.token_hex(6)
    measured[id] = {"id": id, "value": new.value, "username": me}
    return measured[id]


@app.get("/measurements")
async def mine(me: Me) -> list[dict[str, str]]:
    return [each for each in measured.values() if each["username"] == me][:100]


@app.get("/measurements/{id}")
async def one(id: str, me: Me) -> dict[str, str]:
    if measured.get(id, {}).get("username") != me:
        raise HTTPException(404)
    return measured[id]
