"""Pages of a wiki by asynchronous SQLAlchemy; a tag is its version."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Depends, FastAPI, Header, HTTPException, Response
from guard import guard
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import String, select, update
from sqlalchemy import delete as deletion
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

WRITERS = {"w-40c9e1b7d5": "ada", "w-f2861a03ce": "bob"}

engine = create_async_engine("sqlite+aiosqlite:///wiki.db")
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class PageRow(Base):
    __tablename__ = "pages"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    writer: Mapped[str] = mapped_column(String(40), index=True)
    text: Mapped[str] = mapped_column(String(2000))
    version: Mapped[int] = mapped_column(default=1)


class NewPage(BaseModel):
    text: str = Field(min_length=1, max_length=2000)


class Page(NewPage):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    writer: str
    version: int


async def opened() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


async def writer(x_key: Annotated[str, Header()] = "") -> str:
    if x_key not in WRITERS:
        raise HTTPException(401, "No such key")
    return WRITERS[x_key]


Me = Annotated[str, Depends(writer)]
Opened = Annotated[AsyncSession, Depends(opened)]
Tag = Annotated[str, Header(description='The tag of an answer, or "*".')]


async def own(id: UUID, me: Me, session: Opened) -> PageRow:
    row = await session.get(PageRow, id)
    if row is None or row.writer != me:
        raise HTTPException(404, "No such page")
    return row


def tag(row: PageRow) -> str:
    return f'"{row.id.hex}-{row.version}"'


def match(row: PageRow, tags: str) -> None:
    if tags not in ("*", tag(row)):
        raise HTTPException(412, "It has been changed")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
guard(app)


@app.post("/pages", status_code=201, response_model=Page)
async def write(page: NewPage, me: Me, session: Opened, response: Response) -> PageRow:
    row = PageRow(text=page.text, writer=me)
    session.add(row)
    await session.commit()
    response.headers["etag"] = tag(row)
    return row


@app.get("/pages", response_model=list[Page])
async def mine(me: Me, session: Opened) -> list[PageRow]:
    found = select(PageRow).where(PageRow.writer == me).order_by(PageRow.id).limit(50)
    return list(await session.scalars(found))


@app.get("/pages/{id}", response_model=Page)
async def read(
    row: Annotated[PageRow, Depends(own)], response: Response, if_none_match: Tag = ""
) -> PageRow | Response:
    if if_none_match == tag(row):
        return Response(status_code=304, headers={"etag": tag(row)})
    response.headers["etag"] = tag(row)
    return row


@app.put("/pages/{id}", response_model=Page)
async def rewrite(
    row: Annotated[PageRow, Depends(own)],
    page: NewPage,
    session: Opened,
    response: Response,
    if_match: Tag = "*",
) -> PageRow:
    match(row, if_match)
    this = PageRow.id == row.id, PageRow.version == row.version
    done = await session.execute(
        update(PageRow).where(*this).values(text=page.text, version=row.version + 1).returning(PageRow.id)
    )
    if done.first() is None:
        raise HTTPException(412, "It has just been changed")
    await session.commit()
    await session.refresh(row)
    response.headers["etag"] = tag(row)
    return row


@app.delete("/pages/{id}", status_code=204)
async def remove(row: Annotated[PageRow, Depends(own)], session: Opened, if_match: Tag = "*") -> None:
    match(row, if_match)
    this = PageRow.id == row.id, PageRow.version == row.version
    if (await session.execute(deletion(PageRow).where(*this).returning(PageRow.id))).first() is None:
        raise HTTPException(412, "It has just been changed")
    await session.commit()
