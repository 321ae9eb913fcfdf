"""Boxes, and things in them, behind an API key; below nested routers; and one route that is hidden."""

from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.security import APIKeyHeader
from pydantic import BaseModel, Field

app = FastAPI()
v1 = APIRouter(prefix="/v1")
boxes_router = APIRouter(prefix="/boxes", tags=["boxes"])
KEYS = {"key-of-ada": "ada", "key-of-bob": "bob", "key-of-the-boss": "boss"}
boxes: dict[UUID, dict[str, Any]] = {}
things: dict[UUID, dict[str, Any]] = {}


def caller(key: Annotated[str, Depends(APIKeyHeader(name="X-Key"))]) -> str:
    if key not in KEYS:
        raise HTTPException(401)
    return KEYS[key]


Caller = Annotated[str, Depends(caller)]


class Box(BaseModel):
    label: str = Field(pattern=r"^[A-Z]{2}-\d{3}$")
    owner: str | None = None


class Thing(BaseModel):
    name: str = Field(min_length=3, max_length=8)
    weight: float = Field(gt=0, le=5)


class Label(BaseModel):
    text: str
    box_id: UUID


def _box(box_id: UUID, user: str) -> dict[str, Any]:
    if box_id not in boxes or boxes[box_id]["owner"] != user:
        raise HTTPException(404)
    return boxes[box_id]


@boxes_router.post("", status_code=201)
def make(box: Box, user: Caller) -> dict[str, Any]:
    key = uuid4()
    boxes[key] = {"id": key, "label": box.label, "owner": user}
    return boxes[key]


@boxes_router.get("/{box_id}")
def read(box_id: UUID, user: Caller) -> dict[str, Any]:
    return _box(box_id, user)


@boxes_router.post("/{box_id}/things", status_code=201)
def put(box_id: UUID, thing: Thing, user: Caller) -> dict[str, Any]:
    _box(box_id, user)
    key = uuid4()
    things[key] = {"id": key, "box_id": box_id} | thing.model_dump()
    return things[key]


@boxes_router.get("/{box_id}/things/{thing_id}")
def look(box_id: UUID, thing_id: UUID, user: Caller) -> dict[str, Any]:
    _box(box_id, user)
    if thing_id not in things:
        raise HTTPException(404)
    return things[thing_id]


labels: dict[UUID, dict[str, Any]] = {}


@v1.post("/labels", status_code=201)
def stick(label: Label, user: Caller) -> dict[str, Any]:
    _box(label.box_id, user)
    key = uuid4()
    labels[key] = {"id": key} | label.model_dump()
    return labels[key]


@v1.get("/labels/{label_id}")
def peel(label_id: UUID, user: Caller) -> dict[str, Any]:
    return labels[label_id]


@v1.get("/metrics", include_in_schema=False)
def metrics() -> dict[str, int]:
    return {"boxes": len(boxes)}


v1.include_router(boxes_router)
app.include_router(v1)
