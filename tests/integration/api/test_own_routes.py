"""Hand-written routes beside the derived ones: theirs win, and their refusals look like ours."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import APIRouter, Body, HTTPException
from fastapi.responses import PlainTextResponse
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from served import Served, fresh_database, serving
from specwright.api.problems import Problem
from specwright.app import Backend

NOTES = """
# Notes

## Note

| Field | Type | Rules |
|-------|------|-------|
| text  | text | required, ..80 |
| owner | User | the caller |

| Who   | May        |
|-------|------------|
| owner | everything |
"""

PREFIX = "/api/v1"


def _prepare(backend: Backend) -> None:
    app = backend.app

    @app.get(f"{PREFIX}/notes/stats")
    async def stats() -> dict[str, int]:
        return {"own": 1}

    @app.put(f"{PREFIX}/notes/{{note_id}}")
    async def replace(note_id: str) -> dict[str, str]:
        return {"own": note_id}

    @app.post(f"{PREFIX}/notes/{{note_id}}")
    async def poke(note_id: str) -> dict[str, str]:
        return {"poked": note_id}

    @app.delete(f"{PREFIX}/notes")
    async def clear() -> dict[str, str]:
        return {"cleared": "all"}

    @app.post(f"{PREFIX}/notes/{{note_id}}/snooze")
    async def snooze(note_id: str, hours: int = Body(embed=True)) -> dict[str, int]:
        return {"hours": hours}

    router = APIRouter(prefix=f"{PREFIX}/router")

    @router.get("/{kind}")
    async def refuse(kind: str) -> None:
        match kind:
            case "plain":
                raise HTTPException(418, "short and stout")
            case "detail":
                raise HTTPException(409, {"reason": "full"})
            case "ours":
                raise Problem("too_many", "Finish something first.", status=409)
            case "empty":
                raise HTTPException(304)
            case "header":
                raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
        raise RuntimeError("SELECT secret FROM /home/somewhere.py")

    app.include_router(router)

    included = APIRouter(prefix=f"{PREFIX}/notes")

    @included.get("/included")
    async def deeper() -> dict[str, bool]:
        return {"included": True}

    app.include_router(included)

    async def plain(request: Request) -> JSONResponse:
        return JSONResponse({"starlette": True})

    app.router.routes.append(Route(f"{PREFIX}/notes/plain", plain, methods=["GET"]))


@pytest.fixture(scope="module")
def own(database_server: str) -> Iterator[Served]:
    """Notes with routes of their own beside them."""
    with fresh_database(database_server) as database, serving(NOTES, database, prepare=_prepare) as served:
        yield served


def test_the_applications_route_wins(own: Served) -> None:
    """Of the same path and method; the other methods stay derived."""
    ada = own.person("ada")
    note = ada.made("/notes", {"text": "x"})
    path = f"/notes/{note['id']}"
    assert ada.put(path, {"text": "y"}).json() == {"own": note["id"]}
    assert ada.get("/notes/stats").json() == {"own": 1}
    assert ada.get("/notes/included").json() == {"included": True}
    assert ada.get("/notes/plain").json() == {"starlette": True}
    assert ada.get(path).json() == note
    assert ada.patch("/notes/stats", {"text": "y"}).status == 404
    assert ada.delete(path).status == 204


def test_the_application_may_add_methods_to_a_derived_path(own: Served) -> None:
    """A method that is not derived is the application's to answer."""
    ada = own.person("ada")
    assert ada.post("/notes/abc", {}).json() == {"poked": "abc"}
    assert ada.delete("/notes").json() == {"cleared": "all"}
    assert ada.post("/notes/abc/snooze", {"hours": 3}).json() == {"hours": 3}


def test_a_collection_route_wins_too(serve: Callable[..., Served], caplog: pytest.LogCaptureFixture) -> None:
    """The list may be replaced, and start-up says what is."""

    def prepare(backend: Backend) -> None:
        @backend.app.get(f"{PREFIX}/notes")
        async def my_list() -> list[int]:
            return [1]

    with caplog.at_level(logging.INFO, "specwright"):
        served = serve(NOTES, prepare=prepare)
    assert "GET /api/v1/notes is answered by my_list" in caplog.messages
    ada = served.person("ada")
    assert ada.get("/notes").json() == [1]
    assert ada.post("/notes", {"text": "x"}).status == 201
    refused = ada.put("/notes", {})
    assert (refused.status, refused.code) == (405, "method_not_allowed")
    assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"}


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("plain", 418, "im_a_teapot"),
        ("detail", 409, "conflict"),
        ("ours", 409, "too_many"),
        ("header", 401, "unauthenticated"),
    ],
)
def test_refusals_by_hand(own: Served, kind: str, status: int, code: str) -> None:
    """HTTPException and Problem from a hand-written route are problems like ours."""
    answer = own.person("ada").get(f"/router/{kind}")
    assert (answer.status, answer.code) == (status, code)
    assert (kind == "header") == ("www-authenticate" in answer.headers)


def test_a_fault_by_hand(own: Served, caplog: pytest.LogCaptureFixture) -> None:
    """An exception of a hand-written route is 500 without a word of it; the log has it."""
    answer = own.request("GET", f"{PREFIX}/router/fault", judge=False)
    assert answer.status == 500
    assert answer.json()["code"] == "internal"
    assert b"SELECT" not in answer.body and b"RuntimeError" not in answer.body
    assert any(record.exc_info for record in caplog.records)
    assert answer.json()["request_id"] in {getattr(record, "request_id", None) for record in caplog.records}


def test_validation_by_the_framework(own: Served) -> None:
    """FastAPI's own 422, 404 and 405 are problems too."""
    ada = own.person("ada")
    wrong = ada.post("/notes/x/snooze", {"hours": "many"})
    assert (wrong.status, wrong.code) == (422, "validation_failed")
    assert wrong.faults[0][0] == "hours"
    assert ada.post("/notes/x/snooze", b"{").status in (400, 422)
    assert ada.get("/notes/x/snooze").status == 405
    assert ada.get("/notes/x/snooze").headers["allow"] == "POST"
    assert ada.get("/router/empty").status == 304


def test_text_answers_are_left_alone(serve: Callable[..., Served]) -> None:
    """Only refusals are shaped; an answer of the application's own is passed on with the request id."""

    def prepare(backend: Backend) -> None:
        @backend.app.get("/hello", response_class=PlainTextResponse)
        async def hello() -> Any:
            return PlainTextResponse("hello", status_code=200)

    answer = serve(NOTES, prepare=prepare).anonymous.get("//hello", headers={"x-request-id": "mine"})
    assert (answer.body, answer.headers["x-request-id"]) == (b"hello", "mine")
