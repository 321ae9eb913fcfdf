"""A shelf of books in sqlite3, whose numbers may be larger than its columns."""

import sqlite3
import threading
from typing import Annotated

from fastapi import APIRouter, FastAPI, HTTPException, Path, Query
from guard import guard
from pydantic import BaseModel, Field

lock = threading.Lock()
shelf = sqlite3.connect(":memory:", check_same_thread=False)
shelf.row_factory = sqlite3.Row
shelf.execute("CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT NOT NULL, pages INTEGER NOT NULL)")

Number = Annotated[int, Path(ge=1)]
router = APIRouter(prefix="/shelf")


class Book(BaseModel):
    title: str = Field(min_length=1, max_length=200)
    pages: int = Field(ge=1)


class Shelved(Book):
    id: int


@router.post("/books", status_code=201)
def shelve(book: Book) -> Shelved:
    with lock, shelf:
        added = shelf.execute("INSERT INTO book (title, pages) VALUES (?, ?)", (book.title, book.pages))
    return Shelved(id=added.lastrowid or 0, **book.model_dump())


@router.get("/books")
def books(longer_than: Annotated[int, Query(ge=0, le=100_000)] = 0) -> list[Shelved]:
    with lock:
        found = shelf.execute("SELECT * FROM book WHERE pages > ? ORDER BY id LIMIT 100", (longer_than,))
        return [Shelved(**row) for row in found]


@router.get("/books/{id}")
def book(id: Number) -> Shelved:
    with lock:
        found = shelf.execute("SELECT * FROM book WHERE id = ?", (id,)).fetchone()
    if found is None:
        raise HTTPException(404, "No such book")
    return Shelved(**found)


app = FastAPI()
app.include_router(router)
guard(app)
