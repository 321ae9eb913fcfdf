"""Contacts by SQLModel, one or a list of them at once."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from guard import guard
from sqlalchemy.pool import StaticPool
from sqlmodel import Field, Session, SQLModel, create_engine, select

KEYS = {"contact-58d1e07b3f": "ada", "contact-c2609fa4e7": "bob"}

engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})


class NewContact(SQLModel):
    name: str = Field(min_length=1, max_length=80)


class Contact(NewContact, table=True):
    id: str = Field(default_factory=lambda: token_hex(6), primary_key=True)
    owner: str = Field(index=True)


class ManyContacts(SQLModel):
    items: list[Contact]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    SQLModel.metadata.create_all(engine)
    yield


app = FastAPI(lifespan=lifespan)
guard(app)


def caller(x_key: Annotated[str, Header()] = "") -> str:
    if x_key not in KEYS:
        raise HTTPException(401, "No such key")
    return KEYS[x_key]


def opened() -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as session:
        yield session


Me = Annotated[str, Depends(caller)]
Opened = Annotated[Session, Depends(opened)]
Some = Annotated[list[NewContact], Field(max_length=50)]


@app.post("/contacts", status_code=201)
def add(new: NewContact | Some, me: Me, session: Opened) -> Contact | ManyContacts:
    many = new if isinstance(new, list) else [new]
    rows = [Contact(name=each.name, owner=me) for each in many]
    session.add_all(rows)
    session.commit()
    return ManyContacts(items=rows) if isinstance(new, list) else rows[0]


@app.get("/contacts")
def mine(me: Me, session: Opened) -> list[Contact]:
    return list(session.exec(select(Contact).where(Contact.owner == me).order_by(Contact.id).limit(50)))


@app.get("/contacts/{id}")
def one(id: str, me: Me, session: Opened) -> Contact:
    contact = session.get(Contact, id)
    if contact is None or contact.owner != me:
        raise HTTPException(404, "No such contact")
    return contact
