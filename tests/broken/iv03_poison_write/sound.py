"""Alarms in memory, behind API keys; when they ring is a time."""

from datetime import datetime
from itertools import count
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import APIKeyHeader
from guard import guard
from pydantic import BaseModel, Field

PEOPLE = {"k3y-4f9d2c71a8": "ada", "k3y-b07e65d913": "bob"}
key = APIKeyHeader(name="x-api-key", auto_error=False)


class NewAlarm(BaseModel):
    label: str = Field(max_length=60)
    rings_at: datetime


class Alarm(BaseModel):
    id: int
    owner: str
    label: str
    rings_at: str

    def shown(self) -> dict[str, object]:
        at = datetime.fromisoformat(self.rings_at)
        return {**self.model_dump(), "weekday": at.strftime("%A")}


class Alarms:
    """All of them, and the numbers that are left."""

    def __init__(self) -> None:
        self.numbers = count(1)
        self.rows: dict[int, Alarm] = {}

    def of(self, owner: str) -> list[Alarm]:
        return [alarm for alarm in self.rows.values() if alarm.owner == owner][:100]


def caller(shown: Annotated[str | None, Security(key)]) -> str:
    if shown not in PEOPLE:
        raise HTTPException(401, "No such key")
    return PEOPLE[shown]


alarms = Alarms()
Caller = Annotated[str, Depends(caller)]
app = FastAPI()
guard(app)


@app.post("/alarms", status_code=201)
async def wake(alarm: NewAlarm, me: Caller) -> Alarm:
    number = next(alarms.numbers)
    made = Alarm(id=number, owner=me, label=alarm.label, rings_at=alarm.rings_at.isoformat())
    alarms.rows[number] = made
    return made


@app.get("/alarms")
async def mine(me: Caller) -> list[dict[str, object]]:
    return [alarm.shown() for alarm in alarms.of(me)]


@app.get("/alarms/{id}")
async def one(id: int, me: Caller) -> dict[str, object]:
    alarm = alarms.rows.get(id)
    if alarm is None or alarm.owner != me:
        raise HTTPException(404, "No such alarm")
    return alarm.shown()
