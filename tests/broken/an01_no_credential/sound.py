"""Notes behind API keys, and an export of them."""

from itertools import count
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Security
from fastapi.security import APIKeyHeader
from guard import guard
from pydantic import BaseModel, Field

PEOPLE = {"k3y-4f9d2c71a8": "ada", "k3y-b07e65d913": "bob"}
NOTES: dict[int, dict[str, object]] = {}
NUMBERS = count(1)

key_header = APIKeyHeader(name="x-api-key", auto_error=False)


class Note(BaseModel):
    text: str = Field(max_length=500)


class Caller:
    """The dependency as a class: whoever the key belongs to."""

    def __init__(self, key: Annotated[str | None, Security(key_header)]) -> None:
        if key is None or key not in PEOPLE:
            raise HTTPException(401, "No such key")
        self.name = PEOPLE[key]


notes = APIRouter(prefix="/notes", dependencies=[Depends(Caller)])
app = FastAPI()
guard(app)


@notes.post("", status_code=201)
async def write(note: Note, caller: Annotated[Caller, Depends()]) -> dict[str, object]:
    number = next(NUMBERS)
    NOTES[number] = {"id": number, "owner": caller.name, "text": note.text}
    return NOTES[number]


@notes.get("")
async def mine(caller: Annotated[Caller, Depends()]) -> list[dict[str, object]]:
    return [note for note in NOTES.values() if note["owner"] == caller.name]


@notes.get("/{number}")
async def read(number: int, caller: Annotated[Caller, Depends()]) -> dict[str, object]:
    note = NOTES.get(number)
    if note is None or note["owner"] != caller.name:
        raise HTTPException(404)
    return note


@app.get("/export", include_in_schema=False)
async def export(caller: Annotated[Caller, Depends()]) -> list[dict[str, object]]:
    return [note for note in NOTES.values() if note["owner"] == caller.name]


app.include_router(notes)
