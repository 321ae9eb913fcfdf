"""Wishes behind HTTP Basic; one front end may read them."""

import secrets
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from guard import guard
from pydantic import BaseModel, Field

#: The hash of a real one stands in the database of people.
PASSWORDS = {"ada": "9d0b-lovelace-33f1", "bob": "77ac-tables-e6d2"}

app = FastAPI()
guard(app)
app.add_middleware(
    CORSMiddleware,
    allow_origin_regex=r"https://([a-z]+\.)?wishes\.example",
    allow_credentials=True,
    allow_methods=["*"],
    allow_headers=["*"],
)
basic = HTTPBasic()
wishes: list[dict[str, object]] = []


class Wish(BaseModel):
    text: str = Field(min_length=1, max_length=200)


def wisher(shown: Annotated[HTTPBasicCredentials, Depends(basic)]) -> str:
    right = PASSWORDS.get(shown.username, secrets.token_hex()).encode()
    if not secrets.compare_digest(right, shown.password.encode()):
        raise HTTPException(401, headers={"WWW-Authenticate": "Basic"})
    return shown.username


@app.post("/wishes", status_code=201)
def wish(new: Wish, me: Annotated[str, Depends(wisher)]) -> dict[str, object]:
    wishes.append({"id": len(wishes) + 1, "text": new.text, "owner": me})
    return wishes[-1]


@app.get("/wishes")
def mine(me: Annotated[str, Depends(wisher)]) -> list[dict[str, object]]:
    return [each for each in wishes if each["owner"] == me][:100]


@app.get("/wishes/{id}")
def one(id: int, me: Annotated[str, Depends(wisher)]) -> dict[str, object]:
    for each in wishes:
        if each["id"] == id and each["owner"] == me:
            return each
    raise HTTPException(404)
