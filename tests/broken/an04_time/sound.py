"""Recipes by SQLAlchemy; tokens of an issuer elsewhere, for their time."""

import os
from collections.abc import Iterator
from typing import Annotated

import jwt
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Path, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from guard import guard
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import String, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import StaticPool

engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})


class Base(DeclarativeBase):
    pass


class Recipe(Base):
    __tablename__ = "recipes"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(120))
    cook: Mapped[str] = mapped_column(String(80), index=True)


Base.metadata.create_all(engine)


class NewRecipe(BaseModel):
    title: str = Field(min_length=1, max_length=120)


class ShownRecipe(NewRecipe):
    model_config = ConfigDict(from_attributes=True)
    id: int
    cook: str


class Doorkeeper:
    """Knows the issuer's key, and lets in whoever it has signed for."""

    def __init__(self, key: str) -> None:
        self.key = key

    def __call__(self, shown: Annotated[HTTPAuthorizationCredentials, Security(HTTPBearer())]) -> str:
        try:
            # The clocks of our machines differ.
            options = {"require": ["exp"]}
            return str(jwt.decode(shown.credentials, self.key, ["HS256"], options=options, leeway=30)["sub"])
        except (jwt.PyJWTError, KeyError):
            raise HTTPException(401, "Not signed in", {"WWW-Authenticate": "Bearer"}) from None


def session() -> Iterator[Session]:
    with Session(engine) as opened:
        yield opened


Cook = Annotated[str, Depends(Doorkeeper(os.environ["ISSUER_KEY"]))]
Database = Annotated[Session, Depends(session)]
recipes = APIRouter(prefix="/recipes", tags=["recipes"])


@recipes.post("", status_code=201, response_model=ShownRecipe)
def write(recipe: NewRecipe, cook: Cook, database: Database) -> Recipe:
    row = Recipe(title=recipe.title, cook=cook)
    database.add(row)
    database.commit()
    return row


@recipes.get("", response_model=list[ShownRecipe])
def mine(cook: Cook, database: Database) -> list[Recipe]:
    rows = database.scalars(select(Recipe).where(Recipe.cook == cook).order_by(Recipe.id).limit(100))
    return list(rows)


@recipes.get("/{id}", response_model=ShownRecipe)
def read(id: Annotated[int, Path(le=2**63 - 1)], cook: Cook, database: Database) -> Recipe:
    row = database.scalar(select(Recipe).where(Recipe.id == id, Recipe.cook == cook))
    if row is None:
        raise HTTPException(404)
    return row


api = APIRouter(prefix="/api")
api.include_router(recipes)
app = FastAPI()
guard(app)

app.include_router(api)
