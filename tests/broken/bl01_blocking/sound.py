"""Letters to a printer; one is sent there, and the printer takes its time."""

import asyncio
from itertools import count
from typing import Annotated

from fastapi import FastAPI, HTTPException, Path
from guard import guard
from pydantic import BaseModel, Field

numbers = count(1)
letters: dict[int, str] = {}
app = FastAPI()
guard(app)


class NewLetter(BaseModel):
    text: str = Field(min_length=1, max_length=200)


class Letter(NewLetter):
    id: int


@app.post("/letters", status_code=201)
async def write(letter: NewLetter) -> Letter:
    number = next(numbers)
    letters[number] = letter.text
    return Letter(id=number, text=letter.text)


@app.get("/letters/{id}")
async def read(id: Annotated[int, Path(ge=1)]) -> Letter:
    if id not in letters:
        raise HTTPException(404, "No such letter")
    return Letter(id=id, text=letters[id])


@app.get("/printer")
async def printer() -> dict[str, bool]:
    await asyncio.sleep(0.2)
    return {"ready": True}
