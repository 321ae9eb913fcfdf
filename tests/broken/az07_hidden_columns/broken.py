"""Members of a club by SQLModel, a list that is sorted by any column, shown or not."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Cookie, Depends, FastAPI, HTTPException, Path, Query
from guard import guard
from sqlalchemy.pool import StaticPool
from sqlmodel import Field, Session, SQLModel, create_engine, select

SESSIONS = {"c-5d0b92e7f41a": "ada", "c-a8341fc60e97": "bob"}

engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})


class NewCard(SQLModel):
    name: str = Field(min_length=1, max_length=80)


class Card(NewCard, table=True):
    id: int | None = Field(default=None, primary_key=True)
    holder: str = Field(index=True)
    api_key: str = ""


class CardShown(NewCard):
    id: int
    holder: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    SQLModel.metadata.create_all(engine)
    yield


def opened() -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as session:
        yield session


def holder(session: Annotated[str | None, Cookie()] = None) -> str:
    if session is None or session not in SESSIONS:
        raise HTTPException(401, "Sign in first")
    return SESSIONS[session]


Me = Annotated[str, Depends(holder)]
Opened = Annotated[Session, Depends(opened)]
app = FastAPI(lifespan=lifespan)
guard(app)


@app.post("/cards", status_code=201, response_model=CardShown)
def issue(card: NewCard, me: Me, opened: Opened) -> Card:
    row = Card(name=card.name, holder=me, api_key=f"secret of {me}")
    opened.add(row)
    opened.commit()
    return row


@app.get("/cards", response_model=list[CardShown])
def cards(me: Me, opened: Opened, sort: Annotated[str, Query(max_length=20)] = "id") -> Any:
    if sort not in Card.model_fields:
        raise HTTPException(422, "There is nothing to sort by that is called so")
    mine = select(Card).where(Card.holder == me)
    return opened.exec(mine.order_by(getattr(Card, sort), Card.id).limit(50)).all()  # type: ignore[arg-type]


@app.get("/cards/{id}", response_model=CardShown)
def card(id: Annotated[int, Path(ge=1, lt=2**63)], me: Me, opened: Opened) -> Card:
    found = opened.get(Card, id)
    if found is None or found.holder != me:
        raise HTTPException(404, "No such card")
    return found
