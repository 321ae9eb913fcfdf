"""Trips by SQLModel, a session in a cookie; a trip is closed beneath its key."""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Cookie, Depends, FastAPI, HTTPException
from guard import guard
from sqlalchemy.pool import StaticPool
from sqlmodel import Field, Session, SQLModel, create_engine, select

SESSIONS = {"s-1b7e40c2d9f85a36": "ada", "s-e92f6d0b3c7a1845": "bob"}

engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})


class NewTrip(SQLModel):
    goal: str = Field(min_length=1, max_length=80)


class Trip(NewTrip, table=True):
    id: str = Field(default_factory=lambda: secrets.token_hex(6), primary_key=True)
    traveller: str = Field(index=True)
    closed: bool = False


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    SQLModel.metadata.create_all(engine)
    yield


app = FastAPI(lifespan=lifespan)
guard(app)


def traveller(session_id: Annotated[str | None, Cookie()] = None) -> str:
    if session_id is None or session_id not in SESSIONS:
        raise HTTPException(401, "Sign in first")
    return SESSIONS[session_id]


def opened() -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as session:
        yield session


Me = Annotated[str, Depends(traveller)]
Opened = Annotated[Session, Depends(opened)]


def own(id: str, me: Me, session: Opened) -> Trip:
    trip = session.get(Trip, id)
    if trip is None or trip.traveller != me:
        raise HTTPException(404, "No such trip")
    return trip


@app.post("/trips", status_code=201)
def plan(trip: NewTrip, me: Me, session: Opened) -> Trip:
    row = Trip(goal=trip.goal, traveller=me)
    session.add(row)
    session.commit()
    return row


@app.get("/trips")
def plans(me: Me, session: Opened) -> list[Trip]:
    return list(session.exec(select(Trip).where(Trip.traveller == me).order_by(Trip.id).limit(50)))


@app.get("/trips/{id}")
def trip(trip: Annotated[Trip, Depends(own)]) -> Trip:
    return trip


@app.put("/trips/{id}")
def replan(trip: Annotated[Trip, Depends(own)], changed: NewTrip, session: Opened) -> Trip:
    trip.goal = changed.goal
    session.add(trip)
    session.commit()
    return trip


@app.post("/trips/{id}/close")
def close(trip: Annotated[Trip, Depends(own)], session: Opened) -> Trip:
    trip.closed = True
    session.add(trip)
    session.commit()
    return trip


@app.delete("/trips/{id}", status_code=204)
def cancel(trip: Annotated[Trip, Depends(own)], session: Opened) -> None:
    session.delete(trip)
    session.commit()
