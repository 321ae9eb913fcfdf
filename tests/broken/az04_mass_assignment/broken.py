"""Tickets in a dictionary; a change is laid over the row, with whatever it says."""

from itertools import count
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Security
from fastapi.security import APIKeyHeader
from guard import guard
from pydantic import BaseModel, ConfigDict, Field

KEYS = {"k-7c20e5d1f9a3": "ada", "k-d48b16e0c275": "bob"}

tickets: dict[int, dict[str, Any]] = {}
numbers = count(1)


class NewTicket(BaseModel):
    subject: str = Field(min_length=1, max_length=80)


class TicketChange(BaseModel):
    model_config = ConfigDict(extra="allow")

    subject: str = Field(min_length=1, max_length=80)


class Ticket(NewTicket):
    id: int
    owner: str
    role: str


class Caller:
    """Whoever the key belongs to."""

    def __init__(
        self, key: Annotated[str | None, Security(APIKeyHeader(name="x-api-key", auto_error=False))]
    ) -> None:
        if key is None or key not in KEYS:
            raise HTTPException(401, "No such key")
        self.name = KEYS[key]

    def own(self, number: int) -> dict[str, Any]:
        ticket = tickets.get(number)
        if ticket is None or ticket["owner"] != self.name:
            raise HTTPException(404, "No such ticket")
        return ticket


router = APIRouter(prefix="/tickets")
Me = Annotated[Caller, Depends()]


@router.post("", status_code=201)
async def write(ticket: NewTicket, me: Me) -> Ticket:
    number = next(numbers)
    tickets[number] = {"id": number, "owner": me.name, "role": "asker", "subject": ticket.subject}
    return Ticket(**tickets[number])


@router.get("")
async def mine(me: Me) -> list[Ticket]:
    own = [ticket for ticket in tickets.values() if ticket["owner"] == me.name]
    return [Ticket(**ticket) for ticket in own[:50]]


@router.get("/{number}")
async def read(number: int, me: Me) -> Ticket:
    return Ticket(**me.own(number))


@router.patch("/{number}")
async def change(number: int, changes: TicketChange, me: Me) -> Ticket:
    ticket = me.own(number)
    ticket |= changes.model_dump()
    return Ticket(**ticket)


app = FastAPI()
guard(app)
app.include_router(router)
