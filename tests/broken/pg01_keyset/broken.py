"""A journal in memory whose pages begin with the last line that was read."""

from typing import Annotated

from fastapi import APIRouter, FastAPI, HTTPException, Query
from guard import guard
from pydantic import BaseModel, Field


class NewLine(BaseModel):
    text: str = Field(min_length=1, max_length=100)


class Line(NewLine):
    id: int


lines: list[Line] = []
router = APIRouter()


@router.post("/lines", status_code=201)
def write(line: NewLine) -> Line:
    lines.append(Line(id=len(lines) + 1, **line.model_dump()))
    return lines[-1]


@router.get("/lines")
def listed(
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
    after: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> list[Line]:
    return [line for line in lines if line.id >= after][:limit]


@router.get("/lines/{id}")
def one(id: int) -> Line:
    if not 0 < id <= len(lines):
        raise HTTPException(404, "No such line")
    return lines[id - 1]


app = FastAPI()
app.include_router(router)
guard(app)
