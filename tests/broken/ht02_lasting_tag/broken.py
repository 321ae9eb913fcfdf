"""Notices on a board in memory, for everybody, in routers within routers; a tag says which notice it is."""

import hashlib
from datetime import UTC, datetime
from itertools import count
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Path, Response
from guard import guard
from pydantic import BaseModel, Field


class NewNotice(BaseModel):
    heading: str = Field(min_length=1, max_length=80)
    text: str = Field(max_length=500)


class Notice(NewNotice):
    id: int
    hung_at: datetime

    @property
    def tag(self) -> str:
        return f'"{hashlib.sha256(f"{self.id} {self.hung_at}".encode()).hexdigest()[:20]}"'


class Board:
    """What hangs on it."""

    def __init__(self) -> None:
        self.numbers = count(1)
        self.notices: dict[int, Notice] = {}

    def __call__(self) -> "Board":
        return self

    def hang(self, notice: NewNotice) -> Notice:
        number = next(self.numbers)
        made = Notice(id=number, hung_at=datetime.now(UTC), **notice.model_dump())
        self.notices[number] = made
        return made


OnBoard = Annotated[Board, Depends(Board())]


async def find(id: Annotated[int, Path(ge=1)], board: OnBoard) -> Notice:
    if id not in board.notices:
        raise HTTPException(404, "No such notice")
    return board.notices[id]


notices = APIRouter(prefix="/notices")
town = APIRouter(prefix="/town")


@notices.post("", status_code=201)
async def hang(notice: NewNotice, board: OnBoard) -> Notice:
    return board.hang(notice)


@notices.get("")
async def every(board: OnBoard) -> list[Notice]:
    return list(board.notices.values())[-50:]


@notices.get("/{id}", response_model=Notice)
async def one(
    notice: Annotated[Notice, Depends(find)], response: Response, if_none_match: Annotated[str, Header()] = ""
) -> object:
    if notice.tag in if_none_match:
        return Response(status_code=304, headers={"etag": notice.tag})
    response.headers["etag"] = notice.tag
    return notice


@notices.put("/{id}")
async def change(
    notice: Annotated[Notice, Depends(find)],
    changed: NewNotice,
    board: OnBoard,
    if_match: Annotated[str, Header()] = "*",
) -> Notice:
    if if_match != "*" and notice.tag not in if_match:
        raise HTTPException(412, "It has been changed")
    board.notices[notice.id] = notice.model_copy(update=changed.model_dump())
    return board.notices[notice.id]


town.include_router(notices)
app = FastAPI()
app.include_router(town)
guard(app)
