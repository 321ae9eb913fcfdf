"""An app that is hard to please: each collection refuses bodies in another way."""

import json
import re
from datetime import date
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, field_validator

app = FastAPI()
rows: dict[str, dict[str, Any]] = {}


def _keep(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    key = str(len(rows) + 1)
    rows[f"{kind}/{key}"] = {"id": int(key), **body}
    return rows[f"{kind}/{key}"]


class Validated(BaseModel):
    code: str
    born: date
    pin: str = Field(min_length=4)

    @field_validator("code")
    @classmethod
    def coded(cls, value: str) -> str:
        if not re.fullmatch("[A-Z]{3}", value):
            raise ValueError("code must be one of: ABC, DEF")
        return value

    @field_validator("born")
    @classmethod
    def past(cls, value: date) -> date:
        if value >= date.today():
            raise ValueError("must be in the past")
        return value


@app.post("/validated", status_code=201)
def validated(body: Validated) -> Any:
    return _keep("validated", json.loads(body.model_dump_json()))


@app.post("/problems", status_code=201)
async def problems(body: dict[str, Any]) -> Any:
    errors = [{"field": name, "detail": "is required"} for name in ("title", "size") if name not in body]
    if not errors and body["size"] not in ("small", "large"):
        errors = [{"field": "size", "code": "not_a_choice", "allowed": ["small", "large"]}]
    if errors:
        problem = {"type": "about:blank", "title": "No", "status": 422, "errors": errors}
        return JSONResponse(problem, 422, media_type="application/problem+json")
    return _keep("problems", body)


class Optional(BaseModel):
    title: str
    email: str | None = None
    phone: str | None = None


@app.post("/sentences", status_code=201)
def sentences(body: Optional) -> Any:
    if body.email is None and body.phone is None:
        raise HTTPException(400, "Either email or phone is needed")
    if body.email is not None and body.phone is not None:
        raise HTTPException(400, "Give one, not two")
    return _keep("sentences", body.model_dump())


class Pointing(BaseModel):
    whatever: int


@app.post("/pointing", status_code=201)
def pointing(body: Pointing) -> Any:
    if f"sentences/{body.whatever}" not in rows:
        raise HTTPException(404, "No such thing")
    return _keep("pointing", body.model_dump())


@app.post("/wordless", status_code=201)
async def wordless(request: Request, kind: str) -> Any:
    if not kind:
        raise HTTPException(422)
    return JSONResponse(None, 201, {"location": f"/wordless/{_keep('wordless', {})['id']}"})


@app.get("/validated/{id}")
@app.get("/problems/{id}")
@app.get("/sentences/{id}")
@app.get("/pointing/{id}")
@app.get("/wordless/{id}")
def read(request: Request, id: int) -> Any:
    found = rows.get(request.url.path.removeprefix("/"))
    if found is None:
        raise HTTPException(404)
    return found
