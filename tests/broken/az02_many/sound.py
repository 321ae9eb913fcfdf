"""Reminders by SQLAlchemy's Core, behind HTTP Basic; many are changed, or removed, by their keys."""

from secrets import compare_digest, token_hex
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from guard import guard
from pydantic import BaseModel, Field
from sqlalchemy import (
    Column,
    Executable,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    insert,
    select,
    update,
)

PEOPLE = {"ada": "hC7q-2vXe-9mTz", "bob": "wJ4n-8sKd-1pRb"}

engine = create_engine("sqlite:///reminders.db", connect_args={"check_same_thread": False})
metadata = MetaData()
reminders = Table(
    "reminders",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("owner", String(40), nullable=False, index=True),
    Column("text", String(200), nullable=False),
)
metadata.create_all(engine)

Key = Annotated[str, Field(max_length=12)]
Keys = Annotated[list[Key], Field(min_length=1, max_length=20)]


class NewReminder(BaseModel):
    text: str = Field(min_length=1, max_length=200)


class Reminder(NewReminder):
    id: str
    owner: str


class Change(NewReminder):
    ids: Keys


class Changed(BaseModel):
    changed: int


def caller(told: Annotated[HTTPBasicCredentials, Depends(HTTPBasic())]) -> str:
    known = PEOPLE.get(told.username, "")
    if not known or not compare_digest(known.encode(), told.password.encode()):
        raise HTTPException(401, "Who are you?", {"WWW-Authenticate": "Basic"})
    return told.username


def rows(statement: Executable) -> list[Any]:
    with engine.begin() as connection:
        return [*connection.execute(statement).mappings()]


def count(statement: Executable) -> Changed:
    with engine.begin() as connection:
        return Changed(changed=connection.execute(statement).rowcount)


Me = Annotated[str, Depends(caller)]
app = FastAPI()
guard(app)


@app.post("/reminders", status_code=201, response_model=Reminder)
def remind(reminder: NewReminder, me: Me) -> Any:
    made = insert(reminders).values(id=token_hex(6), owner=me, text=reminder.text).returning(reminders)
    return rows(made)[0]


@app.get("/reminders", response_model=list[Reminder])
def mine(me: Me) -> Any:
    found = select(reminders).where(reminders.c.owner == me).order_by(reminders.c.id).limit(50)
    return rows(found)


@app.get("/reminders/{id}", response_model=Reminder)
def one(id: str, me: Me) -> Any:
    found = select(reminders).where(reminders.c.id == id, reminders.c.owner == me)
    for row in rows(found):
        return row
    raise HTTPException(404, "No such reminder")


@app.patch("/reminders")
def change(change: Change, me: Me) -> Changed:
    these = reminders.c.id.in_(change.ids), reminders.c.owner == me
    return count(update(reminders).where(*these).values(text=change.text))


@app.delete("/reminders")
def forget(ids: Annotated[Keys, Query()], me: Me) -> Changed:
    these = reminders.c.id.in_(ids), reminders.c.owner == me
    return count(delete(reminders).where(*these))
