"""A register to which only the registrar adds: it looks whether a name is taken, and then writes it."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Path, Security
from fastapi.security import APIKeyHeader
from guard import guard
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import String, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

URL = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://", 1)
KEYS = {"reg-8c1f07d2b95e": "ada", "reg-41e9aa6c730d": "bob", "reg-f2d86b15c04a": "olga"}
REGISTRARS = {"olga"}
engine = create_async_engine(URL, pool_pre_ping=True)
header = APIKeyHeader(name="x-register-key", auto_error=False)
opened = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Name(Base):
    __tablename__ = "name"
    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(String(80), index=True)


class NewName(BaseModel):
    word: Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00]*$")]


class Shown(NewName):
    model_config = ConfigDict(from_attributes=True)
    id: int


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


async def session() -> AsyncIterator[AsyncSession]:
    async with opened() as found:
        yield found


def caller(key: Annotated[str | None, Security(header)]) -> str:
    if key is None or key not in KEYS:
        raise HTTPException(401, "No such key")
    return KEYS[key]


Me = Annotated[str, Depends(caller)]


def registrar(me: Me) -> None:
    if me not in REGISTRARS:
        raise HTTPException(403, "For registrars only")


Database = Annotated[AsyncSession, Depends(session)]
app = FastAPI(lifespan=lifespan)
guard(app)


@app.post("/names", status_code=201, dependencies=[Depends(registrar)])
async def take(name: NewName, database: Database) -> Shown:
    if await database.scalar(select(Name.id).where(Name.word == name.word)) is not None:
        raise HTTPException(409, "Taken")
    row = Name(word=name.word)
    database.add(row)
    await database.commit()
    return Shown.model_validate(row)


@app.get("/names/{id}", dependencies=[Depends(caller)])
async def one(id: Annotated[int, Path(ge=1, lt=2**31)], database: Database) -> Shown:
    row = await database.get(Name, id)
    if row is None:
        raise HTTPException(404, "No such name")
    return Shown.model_validate(row)
