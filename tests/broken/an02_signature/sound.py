"""Books behind OAuth2's password flow, with PyJWT."""

import hashlib
import secrets
import time
from typing import Annotated, Any

import jwt
from fastapi import Depends, FastAPI, Form, HTTPException
from fastapi.security import OAuth2PasswordBearer
from guard import guard
from pydantic import BaseModel, Field

KEY = secrets.token_urlsafe(48)
MOST_WRONG = 5

people: dict[str, tuple[bytes, bytes]] = {}
wrong: dict[str, int] = {}
books: dict[str, dict[str, str]] = {}
app = FastAPI()
guard(app)

bearer = OAuth2PasswordBearer(tokenUrl="token")


class Newcomer(BaseModel):
    username: str = Field(min_length=3, max_length=40)
    password: str = Field(min_length=8, max_length=72)


class Book(BaseModel):
    title: str = Field(max_length=200)


def hashed(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**10, r=8, p=1)


def reader(token: Annotated[str, Depends(bearer)]) -> str:
    try:
        claims: dict[str, Any] = jwt.decode(token, KEY, ["HS256"], options={"require": ["exp", "sub"]})
    except jwt.PyJWTError:
        raise HTTPException(401, "Sign in again", {"www-authenticate": "Bearer"}) from None
    return str(claims["sub"])


Reader = Annotated[str, Depends(reader)]


@app.post("/people", status_code=201)
def join(newcomer: Newcomer) -> dict[str, str]:
    if newcomer.username in people:
        raise HTTPException(409, "This name is taken")
    salt = secrets.token_bytes(16)
    people[newcomer.username] = salt, hashed(newcomer.password, salt)
    return {"username": newcomer.username}


@app.post("/token")
def sign_in(username: Annotated[str, Form()], password: Annotated[str, Form()]) -> dict[str, str]:
    if wrong.get(username, 0) >= MOST_WRONG:
        raise HTTPException(429, "Too many tries")
    salt, right = people.get(username, (b"", b""))
    if not secrets.compare_digest(hashed(password, salt), right):
        wrong[username] = wrong.get(username, 0) + 1
        raise HTTPException(401, "Wrong name or password")
    wrong.pop(username, None)
    now = int(time.time())
    token = jwt.encode({"sub": username, "iat": now, "exp": now + 900}, KEY, "HS256")
    return {"access_token": token, "token_type": "bearer"}


@app.post("/books", status_code=201)
def add(book: Book, me: Reader) -> dict[str, str]:
    made = {"id": secrets.token_hex(8), "title": book.title, "reader": me}
    books[made["id"]] = made
    return made


@app.get("/books")
def shelf(me: Reader) -> list[dict[str, str]]:
    return [book for book in books.values() if book["reader"] == me][:100]


@app.get("/books/{id}")
def read(id: str, me: Reader) -> dict[str, str]:
    book = books.get(id)
    if book is None or book["reader"] != me:
        raise HTTPException(404)
    return book
