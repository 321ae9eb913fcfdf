"""Letters behind OAuth2's password flow and random keys; who tries too often waits."""

import hashlib
import secrets
from collections import Counter
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from guard import guard
from pydantic import BaseModel, Field

MOST_WRONG = 8

accounts: dict[str, tuple[bytes, bytes]] = {}
sessions: dict[str, str] = {}
letters: dict[str, "Letter"] = {}
app = FastAPI()
guard(app)
bearer = OAuth2PasswordBearer(tokenUrl="login", auto_error=False)


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


async def writer(sid: Annotated[str | None, Depends(bearer)]) -> str:
    if sid not in sessions:
        raise HTTPException(401, "Sign in first")
    return sessions[sid]


Writer = Annotated[str, Depends(writer)]


@app.post("/register", status_code=201)
def register(account: Account) -> dict[str, str]:
    if account.email in accounts:
        raise HTTPException(409, "There is such an account")
    salt = secrets.token_bytes(16)
    accounts[account.email] = salt, scrambled(account.password, salt)
    return {"email": account.email}


class Turnstile:
    """Lets an account be tried a few times, and an address."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.wrong: Counter[str] = Counter()

    def check(self, *names: str) -> None:
        if any(self.wrong[name] >= self.most for name in names):
            raise HTTPException(429, "Too many tries", {"retry-after": "900"})

    def count(self, *names: str) -> None:
        self.wrong.update(names)

    def forget(self, *names: str) -> None:
        for name in names:
            del self.wrong[name]


turnstile = Turnstile(MOST_WRONG)


@app.post("/login")
def log_in(form: Annotated[OAuth2PasswordRequestForm, Depends()], request: Request) -> dict[str, str]:
    turnstile.check(address(request), form.username)
    salt, right = accounts.get(form.username, (b"", b""))
    if not secrets.compare_digest(scrambled(form.password, salt), right):
        turnstile.count(address(request), form.username)
        raise HTTPException(401, "Wrong email or password")
    turnstile.forget(address(request), form.username)
    sid = secrets.token_urlsafe(32)
    sessions[sid] = form.username
    return {"access_token": sid, "token_type": "bearer"}


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
