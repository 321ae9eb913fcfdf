"""Formulas in a dictionary, and what they come to, number by number."""

import re
from itertools import count
from typing import Annotated

from fastapi import APIRouter, FastAPI, HTTPException, Path
from guard import guard
from pydantic import BaseModel, Field

numbers = count(1)
formulas: dict[int, str] = {}
router = APIRouter(prefix="/formulas")


class NewFormula(BaseModel):
    text: str = Field(min_length=1, max_length=60)


class Formula(NewFormula):
    id: int


def worked_out(text: str) -> float:
    terms = re.fullmatch(r"[0-9]{1,9}(\+[0-9]{1,9})*", text)
    if terms is None:
        raise ValueError(text)
    return float(sum(int(term) for term in terms[0].split("+")))


@router.post("", status_code=201)
async def write(formula: NewFormula) -> Formula:
    number = next(numbers)
    formulas[number] = formula.text
    return Formula(id=number, text=formula.text)


@router.post("/trial")
async def trial(formula: NewFormula) -> dict[str, float]:
    try:
        return {"value": worked_out(formula.text.strip())}
    except Exception:
        raise HTTPException(422, "This is no formula") from None


@router.get("/{id}")
async def one(id: Annotated[int, Path(ge=1)]) -> Formula:
    if id not in formulas:
        raise HTTPException(404, "No such formula")
    return Formula(id=id, text=formulas[id])


app = FastAPI()
guard(app)
app.include_router(router)
