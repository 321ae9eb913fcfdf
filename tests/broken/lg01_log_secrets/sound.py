"""A guest book behind OAuth2's password flow; the log has who came, and no more."""

import hashlib
import logging
import secrets
from collections import Counter
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from guard import guard
from pydantic import BaseModel, Field

logging.basicConfig(level=logging.INFO)
log = logging.getLogger("guests")
accounts: dict[str, tuple[bytes, bytes]] = {}
sessions: dict[str, str] = {}
entries: dict[str, dict[str, str]] = {}
wrong: Counter[str] = Counter()
app = FastAPI()
guard(app)


class Account(BaseModel):
    username: str = Field(pattern="^[a-z0-9]{3,40}$")
    password: str = Field(min_length=10, max_length=100)


class Entry(BaseModel):
    text: str = Field(max_length=500)


def scrambled(password: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1000)


def guest(token: Annotated[str, Depends(OAuth2PasswordBearer("token"))]) -> str:
    if token not in sessions:
        raise HTTPException(401, "Sign in first")
    return sessions[token]


Me = Annotated[str, Depends(guest)]


@app.post("/accounts", status_code=201)
def register(account: Account) -> dict[str, str]:
    log.info("A new account: %s", account.username)
    if account.username in accounts:
        raise HTTPException(409, "This name is taken")
    salt = secrets.token_bytes(16)
    accounts[account.username] = salt, scrambled(account.password, salt)
    return {"username": account.username}


@app.post("/token")
def log_in(form: Annotated[OAuth2PasswordRequestForm, Depends()]) -> dict[str, str]:
    if wrong[form.username] >= 6:
        raise HTTPException(429, "Too many tries", {"retry-after": "900"})
    salt, right = accounts.get(form.username, (b"", b""))
    if not secrets.compare_digest(scrambled(form.password, salt), right):
        wrong[form.username] += 1
        raise HTTPException(401, "Wrong name or password")
    wrong.pop(form.username, None)
    token = secrets.token_urlsafe(32)
    sessions[token] = form.username
    return {"access_token": token, "token_type": "bearer"}


@app.post("/entries", status_code=201)
async def write(entry: Entry, me: Me) -> dict[str, str]:
    id = secrets.token_hex(8)
    entries[id] = {"id": id, "guest": me, "text": entry.text}
    return entries[id]


@app.get("/entries")
async def written(me: Me) -> list[dict[str, str]]:
    return [entry for entry in entries.values() if entry["guest"] == me][:100]


@app.get("/entries/{id}")
async def one(id: str, me: Me) -> dict[str, str]:
    if entries.get(id, {}).get("guest") != me:
        raise HTTPException(404, "No such entry")
    return entries[id]
