"""A dict, nested routers, a mounted app, a route that is not in the document; all that can go wrong."""

import logging
import os
import time
from functools import wraps
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Request
from fastapi.security import HTTPBearer

NOTES: dict[int, str] = {1: "milk"}

app = FastAPI()
notes = APIRouter(prefix="/notes")
inner = APIRouter(prefix="/{note}")
admin = FastAPI()


def caller(token: Annotated[Any, Depends(HTTPBearer(auto_error=False))]) -> str:
    """Who calls."""
    return str(token)


class Limit:
    """A dependency that is an object."""

    def __call__(self) -> int:
        return 3


def announced(endpoint: Any) -> Any:
    """A decorator, as people write them."""

    @wraps(endpoint)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        return await endpoint(*args, **kwargs)

    return wrapper


@inner.get("/text")
@announced
async def text(note: int, who: Annotated[str, Depends(caller)]) -> str:
    """One note."""
    return NOTES[note]


@notes.post("")
def write(body: dict[str, str], limit: Annotated[int, Depends(Limit())]) -> int:
    """A new note."""
    NOTES[len(NOTES) + 1] = body["text"]
    return len(NOTES)


@app.get("/hidden/{place:path}", include_in_schema=False)
async def hidden(place: str, depth: int = 0) -> str:
    """Not in the document."""
    return place


@app.get("/headers")
async def headers(request: Request) -> list[str]:
    """What reaches the app."""
    return sorted(request.headers)


@app.get("/said/{word}")
def said(word: str) -> None:
    """Print in a thread, and log."""
    print(f"printed {word}")
    logging.getLogger("shop").warning("logged %s", word)


@app.get("/late")
def late(tasks: BackgroundTasks) -> None:
    """Go on after the answer."""

    def work() -> None:
        time.sleep(0.1)
        print("late")

    tasks.add_task(work)


@app.get("/slow")
async def slow() -> None:
    """Block the event loop."""
    time.sleep(0.3)  # noqa: ASYNC251


@app.get("/busy")
async def busy() -> int:
    """Calculate, and let nobody else do anything."""
    until, turns = time.process_time() + 0.3, 0
    while time.process_time() < until:
        turns += 1
    return turns


@app.get("/stuck")
async def stuck() -> None:
    """Block it for good."""
    time.sleep(600)  # noqa: ASYNC251


@app.get("/crash")
async def crash() -> None:
    """Die at once."""
    print("so long")
    os._exit(3)


@app.get("/pid")
async def pid() -> int:
    """Which process this is."""
    return os.getpid()


@admin.get("/stats")
def stats() -> int:
    """In a mounted app."""
    return len(NOTES)


notes.include_router(inner)
app.include_router(notes, prefix="/v1")
app.mount("/admin", admin)
