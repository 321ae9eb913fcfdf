"""Rooms by SQLAlchemy and psycopg2, in threads that share one connection and wait for it half a second."""

import os
from typing import Annotated

from fastapi import FastAPI, HTTPException, Path
from guard import guard
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import String, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

URL = os.environ["DATABASE_URL"]
engine = create_engine(URL, pool_size=1, max_overflow=0, pool_timeout=0.5, pool_pre_ping=True)


class Base(DeclarativeBase):
    pass


class Room(Base):
    __tablename__ = "room"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))


class NewRoom(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00]*$")]


class Shown(NewRoom):
    model_config = ConfigDict(from_attributes=True)
    id: int


def opened() -> Session:
    return Session(engine, expire_on_commit=False)


Base.metadata.create_all(engine)
app = FastAPI()
guard(app)


@app.post("/rooms", status_code=201)
def add(room: NewRoom) -> Shown:
    row = Room(name=room.name)
    with opened() as database:
        database.add(row)
        database.commit()
    return Shown.model_validate(row)


@app.get("/rooms")
def rooms() -> list[Shown]:
    with opened() as database:
        found = database.scalars(select(Room).order_by(Room.id.desc()).limit(50)).all()
    return [Shown.model_validate(row) for row in found]


@app.get("/rooms/{id}")
def room(id: Annotated[int, Path(ge=1, lt=2**31)]) -> Shown:
    with opened() as database:
        row = database.get(Room, id)
    if row is None:
        raise HTTPException(404, "No such room")
    return Shown.model_validate(row)


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "up"}
