"""Shortened links by SQLAlchemy and sqlite; a name that is taken is said in the words of the driver."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from guard import guard
from pydantic import BaseModel, Field
from sqlalchemy import create_engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import StaticPool

engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})


class Base(DeclarativeBase):
    pass


class Link(Base):
    __tablename__ = "link"
    name: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]


class Linked(BaseModel):
    name: str = Field(pattern="^[a-z0-9-]{1,40}$")
    text: str = Field(max_length=300)


class NoSuchLink(Exception):
    pass


def opened() -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as session:
        yield session


Base.metadata.create_all(engine)
Opened = Annotated[Session, Depends(opened)]
app = FastAPI()
guard(app)


@app.exception_handler(IntegrityError)
def taken(request: Request, error: IntegrityError) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 409)


@app.exception_handler(NoSuchLink)
def missing(request: Request, error: NoSuchLink) -> JSONResponse:
    return JSONResponse({"detail": "No such link"}, 404)


@app.post("/links", status_code=201)
def shorten(link: Linked, session: Opened) -> Linked:
    session.add(Link(name=link.name, text=link.text))
    session.commit()
    return link


@app.get("/links")
def links(session: Opened) -> list[Linked]:
    rows = session.scalars(select(Link).order_by(Link.name).limit(100))
    return [Linked(name=row.name, text=row.text) for row in rows]


@app.get("/links/{name}")
def one(name: str, session: Opened) -> Linked:
    row = session.get(Link, name)
    if row is None:
        raise NoSuchLink
    return Linked(name=row.name, text=row.text)
