"""Sightings of birds in memory, by classes; a cursor that cannot be read is refused."""

import base64
import json
from bisect import bisect_right
from itertools import count
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Path, Query
from guard import guard
from pydantic import BaseModel, Field


class NewSighting(BaseModel):
    bird: str = Field(min_length=1, max_length=60)
    place: str = Field(max_length=60)


class Sighting(NewSighting):
    id: int


class Page(BaseModel):
    items: list[Sighting]
    next_cursor: str | None


class Cursor:
    """Behind which row a page begins."""

    def __init__(self, cursor: Annotated[str | None, Query(max_length=200)] = None) -> None:
        self.after = 0 if cursor is None else self.read(cursor)

    @staticmethod
    def read(cursor: str) -> int:
        try:
            found: Any = json.loads(base64.urlsafe_b64decode(cursor))
            return int(found["after"])
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            raise HTTPException(422, "That is no cursor") from None

    @staticmethod
    def write(after: int) -> str:
        return base64.urlsafe_b64encode(json.dumps({"after": after}).encode()).decode()


class Sightings:
    """All of them, in the order in which they were told."""

    def __init__(self) -> None:
        self.numbers = count(1)
        self.told: list[Sighting] = []

    def add(self, sighting: NewSighting) -> Sighting:
        made = Sighting(id=next(self.numbers), **sighting.model_dump())
        self.told.append(made)
        return made

    def page(self, after: int, limit: int) -> Page:
        start = bisect_right(self.told, after, key=lambda each: each.id)
        items = self.told[start : start + limit]
        more = start + limit < len(self.told)
        return Page(items=items, next_cursor=Cursor.write(items[-1].id) if more else None)


sightings = Sightings()
router = APIRouter(prefix="/sightings", tags=["sightings"])


@router.post("", status_code=201)
async def tell(sighting: NewSighting) -> Sighting:
    return sightings.add(sighting)


@router.get("")
async def told(cursor: Annotated[Cursor, Depends()], limit: Annotated[int, Query(ge=1, le=100)] = 20) -> Page:
    return sightings.page(cursor.after, limit)


@router.get("/{id}")
async def one(id: Annotated[int, Path(ge=1)]) -> Sighting:
    found = sightings.page(id - 1, 1).items
    if not found or found[0].id != id:
        raise HTTPException(404, "No such sighting")
    return found[0]


birds = APIRouter(prefix="/birds")
birds.include_router(router)
app = FastAPI()
app.include_router(birds)
guard(app)
