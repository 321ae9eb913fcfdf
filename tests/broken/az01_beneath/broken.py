"""Notes by asynchronous SQLAlchemy and aiosqlite; what is beneath one is read by whoever has its key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import PlainTextResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from guard import guard
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import String, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import StaticPool

PEOPLE = {"tok-5f1c9e77ab20": "ada", "tok-c83d04e6b915": "bob"}

engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class NoteRow(Base):
    __tablename__ = "notes"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    owner: Mapped[str] = mapped_column(String(40), index=True)
    text: Mapped[str] = mapped_column(String(200))


class NewNote(BaseModel):
    text: str = Field(min_length=1, max_length=200)


class Note(NewNote):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    owner: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield


app = FastAPI(lifespan=lifespan)
guard(app)
bearer = HTTPBearer(auto_error=False)


async def caller(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> str:
    if credentials is None or credentials.credentials not in PEOPLE:
        raise HTTPException(401, "No such token")
    return PEOPLE[credentials.credentials]


async def opened() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


Caller = Annotated[str, Depends(caller)]
Session = Annotated[AsyncSession, Depends(opened)]


@app.post("/notes", status_code=201, response_model=Note)
async def write(note: NewNote, me: Caller, session: Session) -> NoteRow:
    row = NoteRow(owner=me, text=note.text)
    session.add(row)
    await session.commit()
    return row


@app.get("/notes", response_model=list[Note])
async def mine(me: Caller, session: Session) -> list[NoteRow]:
    found = await session.scalars(select(NoteRow).where(NoteRow.owner == me).order_by(NoteRow.id).limit(50))
    return list(found)


async def own(id: UUID, me: Caller, session: Session) -> NoteRow:
    row = await session.get(NoteRow, id)
    if row is None or row.owner != me:
        raise HTTPException(404, "No such note")
    return row


@app.get("/notes/{id}", response_model=Note)
async def read(id: UUID, me: Caller, session: Session) -> NoteRow:
    return await own(id, me, session)


@app.get("/notes/{note_id}/download", response_class=PlainTextResponse)
async def download(note_id: UUID, me: Caller, session: Session) -> str:
    row = await session.get(NoteRow, note_id)
    if row is None:
        raise HTTPException(404, "No such note")
    return f"{row.id}\n{row.text}"


@app.get("/notes/{note_id}/formats")
async def formats(note_id: UUID, me: Caller) -> list[str]:
    return ["plain"]
