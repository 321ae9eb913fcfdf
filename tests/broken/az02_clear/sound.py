"""Alerts in memory, each in its reader's own box; all of a box are cleared at once."""

from itertools import count
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException
from guard import guard
from pydantic import BaseModel, Field

KEYS = {"alert-6b0f2c9e41": "ada", "alert-d7358a1e60": "bob"}


class NewAlert(BaseModel):
    text: str = Field(min_length=1, max_length=200)


class Alert(NewAlert):
    id: int
    reader: str


class Boxes:
    """The alerts of everybody."""

    def __init__(self) -> None:
        self.numbers = count(1)
        self.alerts: dict[int, Alert] = {}

    def of(self, reader: str) -> list[Alert]:
        return [alert for alert in self.alerts.values() if alert.reader == reader]


boxes = Boxes()


class Reader:
    """Whoever the key belongs to."""

    def __init__(self, x_key: Annotated[str, Header()] = "") -> None:
        if x_key not in KEYS:
            raise HTTPException(401, "No such key")
        self.name = KEYS[x_key]


Me = Annotated[Reader, Depends()]
alerts = APIRouter(prefix="/alerts")


@alerts.post("", status_code=201)
async def alert(new: NewAlert, me: Me) -> Alert:
    made = Alert(id=next(boxes.numbers), reader=me.name, text=new.text)
    boxes.alerts[made.id] = made
    return made


@alerts.get("")
async def mine(me: Me) -> list[Alert]:
    return boxes.of(me.name)[-50:]


@alerts.get("/{id}")
async def one(id: int, me: Me) -> Alert:
    found = boxes.alerts.get(id)
    if found is None or found.reader != me.name:
        raise HTTPException(404, "No such alert")
    return found


@alerts.delete("", status_code=204)
async def clear(me: Me) -> None:
    for each in boxes.of(me.name):
        del boxes.alerts[each.id]


app = FastAPI()
app.include_router(alerts)
guard(app)
