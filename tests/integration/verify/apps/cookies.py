"""Notes behind a cookie; nothing is said of answers, and a body is wanted that the schema does not tell."""

import secrets
from typing import Annotated, Any

from fastapi import Cookie, Depends, FastAPI, HTTPException, Request, Response
from pydantic import BaseModel

app = FastAPI()
accounts: dict[str, str] = {}
sessions: dict[str, str] = {}
notes: dict[int, dict[str, Any]] = {}


class Account(BaseModel):
    username: str
    password: str


@app.post("/register", status_code=201)
def register(account: Account) -> dict[str, str]:
    if not any(letter.isdigit() for letter in account.password):
        raise HTTPException(422, "password needs a digit")
    if len(account.username) > 10:
        raise HTTPException(422, "username must be at most 10 characters")
    accounts[account.username] = account.password
    return {"username": account.username}


@app.post("/login")
def login(account: Account, response: Response) -> dict[str, bool]:
    if accounts.get(account.username) != account.password:
        raise HTTPException(401, "wrong")
    key = secrets.token_urlsafe(16)
    sessions[key] = account.username
    response.set_cookie("session", key, httponly=True)
    return {"ok": True}


def caller(session: Annotated[str | None, Cookie()] = None) -> str:
    if session not in sessions:
        raise HTTPException(401, "sign in")
    return sessions[session]


Caller = Annotated[str, Depends(caller)]


@app.post("/notes", status_code=201)
async def write(request: Request, user: Caller) -> Any:
    body = await request.json() if await request.body() else {}
    for name in ("text", "colour"):
        if name not in body:
            raise HTTPException(422, [{"loc": ["body", name], "msg": "Field required", "type": "missing"}])
    if body["colour"] not in ("red", "green"):
        raise HTTPException(422, [{"loc": ["body", "colour"], "msg": "should be 'red' or 'green'"}])
    number = len(notes) + 1
    notes[number] = body | {"number": number, "by": user}
    return {"result": "written"}


@app.get("/notes")
def every(user: Caller) -> Any:
    return {"notes": [note for note in notes.values() if note["by"] == user], "total": len(notes)}


@app.get("/notes/{number}")
def read(number: int, user: Caller) -> Any:
    if number not in notes or notes[number]["by"] != user:
        raise HTTPException(404)
    return notes[number]
