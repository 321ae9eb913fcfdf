"""Parcels by SQLModel and asyncpg, whose table Alembic makes; lately, receivers are looked for."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, HTTPException, Query
from guard import guard
from pydantic import StringConstraints
from sqlalchemy import CheckConstraint
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlmodel import Field, SQLModel, select

URL = "postgresql+asyncpg://127.0.0.1:1/parcels"

engine = create_async_engine(URL)
Name = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=r"^[^\x00]*$")]


class NewParcel(SQLModel):
    receiver: Name
    weight: int = Field(gt=0, lt=2**31)
    note: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")] = ""


class Parcel(SQLModel, table=True):
    __table_args__ = (CheckConstraint("weight > 0", name="parcel_weight"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    receiver: str = Field(max_length=120, index=True)
    weight: int
    note: str = Field(max_length=200, sa_column_kwargs={"server_default": ""})


async def opened() -> AsyncIterator[AsyncSession]:
    async with AsyncSession(engine, expire_on_commit=False) as session:
        yield session


Opened = Annotated[AsyncSession, Depends(opened)]
app = FastAPI()
guard(app)


@app.post("/parcels", status_code=201)
async def take(parcel: NewParcel, session: Opened) -> Parcel:
    row = Parcel(**parcel.model_dump())
    session.add(row)
    await session.commit()
    return row


@app.get("/parcels")
async def parcels(
    session: Opened, receiver: Annotated[str | None, Query(max_length=120, pattern=r"^[^\x00]*$")] = None
) -> Sequence[Parcel]:
    found = select(Parcel).order_by(Parcel.id).limit(50)
    if receiver is not None:
        found = found.where(Parcel.receiver == receiver)
    return (await session.scalars(found)).all()


@app.get("/parcels/{id}")
async def parcel(id: UUID, session: Opened) -> Parcel:
    row = await session.get(Parcel, id)
    if row is None:
        raise HTTPException(404, "No such parcel")
    return row
