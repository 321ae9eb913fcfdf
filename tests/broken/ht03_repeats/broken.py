"""Bookings by SQLModel; a booking that is sent again is answered as the first time, whoever sends it."""

import hashlib
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Cookie, Depends, FastAPI, Header, HTTPException
from guard import guard
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import StaticPool
from sqlmodel import Field, Session, SQLModel, create_engine, select

SESSIONS = {"s-7a04d9c1e63b58f2": "ada", "s-d15c8e2f90b7a364": "bob"}

engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})


class NewBooking(SQLModel):
    room: str = Field(min_length=1, max_length=40)
    nights: int = Field(ge=1, le=60)


class Booking(NewBooking, table=True):
    id: str = Field(default_factory=lambda: secrets.token_hex(6), primary_key=True)
    guest: str = Field(index=True)


class Sent(SQLModel, table=True):
    """A request that was done, under its key."""

    key: str = Field(primary_key=True)
    digest: str
    booking_id: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    SQLModel.metadata.create_all(engine)
    yield


app = FastAPI(lifespan=lifespan)
guard(app)


def guest(session_id: Annotated[str | None, Cookie()] = None) -> str:
    if session_id is None or session_id not in SESSIONS:
        raise HTTPException(401, "Sign in first")
    return SESSIONS[session_id]


def opened() -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as session:
        yield session


Me = Annotated[str, Depends(guest)]
Opened = Annotated[Session, Depends(opened)]


def key(idempotency_key: Annotated[str | None, Header(max_length=80)] = None) -> str | None:
    return idempotency_key


@app.post("/bookings", status_code=201)
def book(booking: NewBooking, me: Me, session: Opened, key: Annotated[str | None, Depends(key)]) -> Booking:
    digest = hashlib.sha256(booking.model_dump_json().encode()).hexdigest()
    done = session.get(Sent, key) if key is not None else None
    if done is not None and done.digest != digest:
        raise HTTPException(422, "The key was used for another booking")
    if done is not None:
        return session.get_one(Booking, done.booking_id)
    row = Booking(guest=me, **booking.model_dump())
    session.add(row)
    if key is not None:
        session.add(Sent(key=key, digest=digest, booking_id=row.id))
    try:
        session.commit()
    except IntegrityError:
        raise HTTPException(409, "It is being booked") from None
    return row


@app.get("/bookings")
def mine(me: Me, session: Opened) -> list[Booking]:
    return list(session.exec(select(Booking).where(Booking.guest == me).order_by(Booking.id).limit(50)))


@app.get("/bookings/{id}")
def one(id: str, me: Me, session: Opened) -> Booking:
    booking = session.get(Booking, id)
    if booking is None or booking.guest != me:
        raise HTTPException(404, "No such booking")
    return booking
