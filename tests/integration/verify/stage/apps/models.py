"""SQLModel on psycopg, sync."""

import os
from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlmodel import Field, Session, SQLModel, create_engine, select


class Hero(SQLModel, table=True):
    """A hero."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(index=True)


engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:"))


@asynccontextmanager
async def lifespan(app: FastAPI):  # type: ignore[no-untyped-def]
    """The first hero comes with the app, which expects its table to be there."""
    with Session(engine) as opened:
        if opened.exec(select(Hero)).first() is None:
            opened.add(Hero(name="Deadpond"))
            opened.commit()
    yield


def session() -> Iterator[Session]:
    """One for each request."""
    with Session(engine) as opened:
        yield opened


app = FastAPI(lifespan=lifespan)


@app.get("/heroes")
def heroes(opened: Annotated[Session, Depends(session)]) -> list[str]:
    """Their names."""
    return [hero.name for hero in opened.exec(select(Hero))]
