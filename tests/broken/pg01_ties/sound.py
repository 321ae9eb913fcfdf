"""Tickets in memory behind a cursor that names the last row, and no other."""

from bisect import bisect_right
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, FastAPI, HTTPException, Query
from guard import guard
from pydantic import BaseModel, Field


class NewTicket(BaseModel):
    title: str = Field(min_length=1, max_length=100)
    weight: int = Field(default=3, ge=1, le=5)


class Ticket(NewTicket):
    id: str


class Page(BaseModel):
    tickets: list[Ticket]
    next_cursor: str | None


def place(ticket: Ticket) -> str:
    """Where a ticket stands in the list."""
    return f"{ticket.weight}-{ticket.id}"


tickets: dict[str, Ticket] = {}
router = APIRouter()


@router.post("/tickets", status_code=201)
def open_ticket(ticket: NewTicket) -> Ticket:
    made = Ticket(id=uuid4().hex, **ticket.model_dump())
    tickets[made.id] = made
    return made


@router.get("/tickets")
def listed(
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
    cursor: Annotated[str, Query(max_length=80)] = "",
) -> Page:
    every = sorted(tickets.values(), key=lambda ticket: (place(ticket), ticket.id))
    start = bisect_right(every, cursor, key=place)
    page = every[start : start + limit]
    more = start + limit < len(every)
    return Page(tickets=page, next_cursor=place(page[-1]) if page and more else None)


@router.get("/tickets/{id}")
def one(id: str) -> Ticket:
    if id not in tickets:
        raise HTTPException(404, "No such ticket")
    return tickets[id]


app = FastAPI()
app.include_router(router)
guard(app)
