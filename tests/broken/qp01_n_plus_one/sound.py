"""Authors and their books by SQLAlchemy; the list of books fetches all their authors at once."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Path, Query
from guard import guard
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ForeignKey, String, create_engine, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    mapped_column,
    relationship,
    selectinload,
    sessionmaker,
)
from sqlalchemy.pool import StaticPool

engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
sessions = sessionmaker(engine, expire_on_commit=False)

Number = Annotated[int, Path(ge=1, lt=2**63)]


class Base(DeclarativeBase):
    id: Mapped[int] = mapped_column(primary_key=True)


class AuthorRow(Base):
    __tablename__ = "authors"

    name: Mapped[str] = mapped_column(String(80))


class BookRow(Base):
    __tablename__ = "books"

    title: Mapped[str] = mapped_column(String(80))
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"), index=True)
    author: Mapped[AuthorRow] = relationship()


Base.metadata.create_all(engine)


class Read(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int


class NewAuthor(BaseModel):
    name: str = Field(min_length=1, max_length=80)


class Author(NewAuthor, Read):
    pass


class NewBook(BaseModel):
    title: str = Field(min_length=1, max_length=80)
    author_id: int = Field(ge=1, lt=2**63)


class Book(Read):
    title: str
    author_id: int
    author: Author


def opened() -> Iterator[Session]:
    with sessions() as session:
        yield session


Opened = Annotated[Session, Depends(opened)]
app = FastAPI()
guard(app)


@app.post("/authors", status_code=201, response_model=Author)
def meet(author: NewAuthor, session: Opened) -> AuthorRow:
    row = AuthorRow(name=author.name)
    session.add(row)
    session.commit()
    return row


@app.get("/authors/{id}", response_model=Author)
def author(id: Number, session: Opened) -> AuthorRow:
    row = session.get(AuthorRow, id)
    if row is None:
        raise HTTPException(404, "No such author")
    return row


@app.post("/books", status_code=201, response_model=Book)
def shelve(book: NewBook, session: Opened) -> BookRow:
    if session.get(AuthorRow, book.author_id) is None:
        raise HTTPException(422, "There is no such author")
    row = BookRow(title=book.title, author_id=book.author_id)
    session.add(row)
    session.commit()
    return row


@app.get("/books", response_model=list[Book])
def books(session: Opened, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> list[BookRow]:
    shelf = select(BookRow).order_by(BookRow.id.desc()).limit(limit)
    return list(session.scalars(shelf.options(selectinload(BookRow.author))))


@app.get("/books/{id}", response_model=Book)
def book(id: Number, session: Opened) -> BookRow:
    row = session.get(BookRow, id)
    if row is None:
        raise HTTPException(404, "No such book")
    return row
