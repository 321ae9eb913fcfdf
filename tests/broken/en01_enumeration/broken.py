"""Letters in a mailbox; the login says which half of what was sent is wrong."""

import hashlib
import secrets
from collections import Counter
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from guard import guard
from pydantic import BaseModel, Field

MOST_WRONG = 8

accounts: dict[str, tuple[bytes, bytes]] = {}
sessions: dict[str, str] = {}
letters: dict[str, "Letter"] = {}
wrong: Counter[str] = Counter()
app = FastAPI()
guard(app)
bearer = HTTPBearer(auto_error=False)


class Account(BaseModel):
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=120)
    password: str = Field(min_length=10, max_length=128)


class NewLetter(BaseModel):
    text: str = Field(max_length=2000)


class Letter(NewLetter):
    id: str
    writer: str


def scrambled(password: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1000)


def address(request: Request) -> str:
    return request.client.host if request.client else ""


async def writer(shown: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> str:
    if shown is None or shown.credentials not in sessions:
        raise HTTPException(401, "Sign in first")
    return sessions[shown.credentials]


Writer = Annotated[str, Depends(writer)]


@app.post("/register", status_code=201)
def register(account: Account) -> dict[str, str]:
    if account.email in accounts:
        raise HTTPException(409, "There is such an account")
    salt = secrets.token_bytes(16)
    accounts[account.email] = salt, scrambled(account.password, salt)
    return {"email": account.email}


@app.post("/login")
def log_in(account: Account, request: Request) -> dict[str, str]:
    counted = (address(request), account.email)
    if any(wrong[each] >= MOST_WRONG for each in counted):
        raise HTTPException(429, "Too many tries", {"retry-after": "900"})
    if account.email not in accounts:
        raise HTTPException(401, "There is no account with this email")
    salt, right = accounts[account.email]
    if not secrets.compare_digest(scrambled(account.password, salt), right):
        wrong.update(counted)
        raise HTTPException(401, "Wrong password")
    for each in counted:
        del wrong[each]
    sid = secrets.token_urlsafe(32)
    sessions[sid] = account.email
    return {"token": sid}


@app.post("/letters", status_code=201)
async def write(letter: NewLetter, me: Writer) -> Letter:
    made = Letter(id=secrets.token_hex(8), writer=me, text=letter.text)
    letters[made.id] = made
    return made


@app.get("/letters")
async def written(me: Writer) -> list[Letter]:
    return [letter for letter in letters.values() if letter.writer == me][:100]


@app.get("/letters/{id}")
async def one(id: str, me: Writer) -> Letter:
    if id not in letters or letters[id].writer != me:
        raise HTTPException(404)
    return letters[id]
