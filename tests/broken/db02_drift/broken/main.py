"""Tickets by asynchronous SQLAlchemy in PostgreSQL, whose tables and types Alembic makes."""

import enum
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, HTTPException
from guard import guard
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import CheckConstraint, String, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

URL = "postgresql+asyncpg://tickets@127.0.0.1/tickets"

engine = create_async_engine(URL)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class State(enum.StrEnum):
    OPEN = "OPEN"
    DONE = "DONE"
    LATE = "LATE"


class Base(DeclarativeBase):
    pass


class TicketRow(Base):
    __tablename__ = "tickets"
    __table_args__ = (CheckConstraint("title <> ''", name="tickets_title"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    title: Mapped[str] = mapped_column(String(80))
    state: Mapped[State]


def writable(text: str) -> str:
    """PostgreSQL has no place for a NUL in a text."""
    if "\0" in text:
        raise ValueError("has a NUL")
    return text


class NewTicket(BaseModel):
    title: Annotated[str, Field(min_length=1, max_length=80), AfterValidator(writable)]
    state: State = State.OPEN


class Ticket(NewTicket):
    model_config = ConfigDict(from_attributes=True)

    id: UUID


async def opened() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


Opened = Annotated[AsyncSession, Depends(opened)]
app = FastAPI()
guard(app)


@app.post("/tickets", status_code=201, response_model=Ticket)
async def write(ticket: NewTicket, session: Opened) -> TicketRow:
    row = TicketRow(title=ticket.title, state=ticket.state)
    session.add(row)
    await session.commit()
    return row


@app.get("/tickets", response_model=list[Ticket])
async def tickets(session: Opened) -> list[TicketRow]:
    return list(await session.scalars(select(TicketRow).order_by(TicketRow.id).limit(50)))


@app.get("/tickets/{id}", response_model=Ticket)
async def ticket(id: UUID, session: Opened) -> TicketRow:
    row = await session.get(TicketRow, id)
    if row is None:
        raise HTTPException(404, "No such ticket")
    return row
