"""Pages in a dictionary; their names are words with hyphens, as a validator of the model sees to."""

import re
from itertools import count
from typing import Annotated

from fastapi import FastAPI, HTTPException, Path
from guard import guard
from pydantic import BaseModel, Field, field_validator

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*-?")

numbers = count(1)
pages: dict[int, "Page"] = {}
app = FastAPI()
guard(app)


class NewPage(BaseModel):
    slug: str = Field(min_length=1, max_length=80)
    # Pydantic's own engine goes through a text once, whatever the expression.
    topic: str = Field(max_length=80, pattern=r"^([a-z0-9]+-?)*$")

    @field_validator("slug")
    @classmethod
    def hyphenated(cls, slug: str) -> str:
        if not SLUG.fullmatch(slug):
            raise ValueError("words with hyphens")
        return slug


class Page(NewPage):
    id: int


@app.post("/pages", status_code=201)
async def publish(page: NewPage) -> Page:
    number = next(numbers)
    pages[number] = Page(id=number, **page.model_dump())
    return pages[number]


@app.get("/pages/{id}")
async def one(id: Annotated[int, Path(ge=1)]) -> Page:
    if id not in pages:
        raise HTTPException(404, "No such page")
    return pages[id]
