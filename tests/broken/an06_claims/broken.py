"""Trips by SQLModel; the issuer's tokens name an audience, and a refresh token is a token like any other."""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import jwt
from fastapi import Depends, FastAPI, HTTPException, Request
from guard import guard
from sqlalchemy.pool import StaticPool
from sqlmodel import Field, Session, SQLModel, create_engine, select

ISSUER = "https://accounts.trips.example"
AUDIENCE = "https://api.trips.example"
engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})


class NewTrip(SQLModel):
    goal: str = Field(min_length=1, max_length=80)


class Trip(NewTrip, table=True):
    id: str = Field(default_factory=lambda: secrets.token_hex(6), primary_key=True)
    traveller: str = Field(index=True)


class Gate:
    """Reads the header by hand, and keeps who came through."""

    def __init__(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise HTTPException(401, "Bearer tokens only")
        try:
            self.claims = self.read(token)
        except jwt.PyJWTError as error:
            raise HTTPException(401, "This token opens nothing") from error

    def read(self, token: str) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(
            token,
            os.environ["TRIPS_KEY"],
            algorithms=["HS256"],
            options={"verify_aud": False, "require": ["exp", "sub"]},
        )
        return claims

    @property
    def traveller(self) -> str:
        return str(self.claims["sub"])


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    SQLModel.metadata.create_all(engine)
    yield


app = FastAPI(lifespan=lifespan)
guard(app)

Here = Annotated[Gate, Depends()]


@app.post("/trips", status_code=201)
def plan(trip: NewTrip, gate: Here) -> Trip:
    with Session(engine, expire_on_commit=False) as session:
        row = Trip(goal=trip.goal, traveller=gate.traveller)
        session.add(row)
        session.commit()
        return row


@app.get("/trips")
def plans(gate: Here) -> list[Trip]:
    with Session(engine) as session:
        mine = select(Trip).where(Trip.traveller == gate.traveller).order_by(Trip.id).limit(100)
        return list(session.exec(mine))


@app.get("/trips/{id}")
def trip(id: str, gate: Here) -> Trip:
    with Session(engine) as session:
        row = session.get(Trip, id)
    if row is None or row.traveller != gate.traveller:
        raise HTTPException(404, "No such trip")
    return row


@app.delete("/trips/{id}", status_code=204)
def cancel(id: str, gate: Here) -> None:
    with Session(engine) as session:
        row = session.get(Trip, id)
        if row is None or row.traveller != gate.traveller:
            raise HTTPException(404, "No such trip")
        session.delete(row)
        session.commit()
