"""Reservations of tables in memory; its own refusals have another shape than those of FastAPI."""

from itertools import count

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from guard import guard
from pydantic import BaseModel, Field


class Wanted(BaseModel):
    guest: str = Field(min_length=1, max_length=80)
    seats: int = Field(ge=1, le=12)


class Reservation(Wanted):
    id: int


class Restaurant(FastAPI):
    """The app, with its book."""

    def __init__(self) -> None:
        super().__init__(title="Restaurant")
        self.book: dict[int, Reservation] = {}
        self.numbers = count(1)
        guard(self)


app = Restaurant()


def refused(status: int, why: str) -> JSONResponse:
    return JSONResponse({"error": why, "ok": False}, status)


@app.post("/reservations", status_code=201)
async def reserve(wanted: Wanted) -> Reservation:
    made = Reservation(id=next(app.numbers), **wanted.model_dump())
    app.book[made.id] = made
    return made


@app.get("/reservations")
async def reservations() -> list[Reservation]:
    return list(app.book.values())[-100:]


@app.get("/reservations/{id}", response_model=Reservation)
async def one(id: int) -> Reservation | JSONResponse:
    if id not in app.book:
        return refused(404, "No such reservation")
    return app.book[id]


@app.delete("/reservations/{id}", status_code=204, response_model=None)
async def cancel(id: int) -> JSONResponse | None:
    if app.book.pop(id, None) is None:
        return refused(404, "No such reservation")
    return None
