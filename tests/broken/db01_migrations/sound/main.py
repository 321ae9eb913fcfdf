"""Recipes by SQLAlchemy in a SQLite file, whose tables Alembic makes; once, recipes had no title."""

import secrets
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from guard import guard
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import NullPool, String, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

URL = "sqlite:///recipes.db"

# A file is opened fast: nobody waits for a connection, and so nobody waits for who does.
sessions = sessionmaker(create_engine(URL, poolclass=NullPool), expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class RecipeRow(Base):
    __tablename__ = "recipes"

    id: Mapped[str] = mapped_column(String(12), primary_key=True, default=lambda: secrets.token_hex(6))
    text: Mapped[str] = mapped_column(String(2000))
    title: Mapped[str] = mapped_column(String(80), server_default="untitled")


class NewRecipe(BaseModel):
    title: str = Field(min_length=1, max_length=80)
    text: str = Field(min_length=1, max_length=2000)


class Recipe(NewRecipe):
    model_config = ConfigDict(from_attributes=True)

    id: str


def opened() -> Iterator[Session]:
    with sessions() as session:
        yield session


Opened = Annotated[Session, Depends(opened)]
app = FastAPI()
guard(app)


@app.post("/recipes", status_code=201, response_model=Recipe)
def write(recipe: NewRecipe, session: Opened) -> RecipeRow:
    row = RecipeRow(title=recipe.title, text=recipe.text)
    session.add(row)
    session.commit()
    return row


@app.get("/recipes", response_model=list[Recipe])
def recipes(session: Opened) -> list[RecipeRow]:
    return list(session.scalars(select(RecipeRow).order_by(RecipeRow.id).limit(50)))


@app.get("/recipes/{id}", response_model=Recipe)
def recipe(id: str, session: Opened) -> RecipeRow:
    row = session.get(RecipeRow, id)
    if row is None:
        raise HTTPException(404, "No such recipe")
    return row
