"""What every answer says besides its content, and what HEAD and OPTIONS answer."""

from collections.abc import Iterator

import pytest
from fastapi import Response

from served import NOTES, PREFIX, Served, fresh_database, serving
from specwright.app import Backend

pytestmark = pytest.mark.any_server

PATHS = (f"{PREFIX}/notes", f"{PREFIX}/notes/x", "/own", "/health/live", "/health/ready", "/docs", "/nothing")


def _prepare(backend: Backend) -> None:
    @backend.app.get("/own")
    async def own() -> dict[str, int]:
        return {"own": 1}

    @backend.app.get("/own-headers")
    async def own_headers(response: Response) -> None:
        response.headers["Cache-Control"] = "public, max-age=60"
        response.headers["Content-Security-Policy"] = "default-src 'self'"
        response.headers["Referrer-Policy"] = "origin"


@pytest.fixture(scope="module")
def notes(database_server: str) -> Iterator[Served]:
    """Notes and a few routes by hand."""
    with fresh_database(database_server) as database, serving(NOTES, database, prepare=_prepare) as served:
        yield served


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("as_", [None, "ada"])
def test_security_headers(notes: Served, path: str, as_: str | None) -> None:
    """On every answer; and none names the server."""
    answer = notes.request("GET", path, as_=as_)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "server" not in answer.headers
    assert "strict-transport-security" not in answer.headers


def test_scoped_answers_are_stored_nowhere(notes: Served) -> None:
    """Derived answers and refusals never; hand-written ones not when a credential was sent."""
    ada = notes.person("ada")
    note = ada.made("/notes", {"text": "x"})
    path = f"/notes/{note['id']}"
    answers = [ada.get("/notes"), ada.get(path), ada.patch(path, {"text": "y"}), ada.get("/notes/x")]
    answers += [ada.delete(path), notes.anonymous.get("/notes"), ada.get("//own")]
    assert {answer.headers["cache-control"] for answer in answers} == {"private, no-store"}
    assert "cache-control" not in notes.anonymous.get("//own").headers
    cookie = notes.anonymous.get("//own", headers={"cookie": "session=1"})
    assert cookie.headers["cache-control"] == "private, no-store"


def test_a_route_that_knows_better(notes: Served) -> None:
    """What a hand-written route says itself stands."""
    answer = notes.person("ada").get("//own-headers")
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert answer.headers["content-security-policy"] == "default-src 'self'"
    assert answer.headers["referrer-policy"] == "origin"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_head_is_get_without_the_body(notes: Served) -> None:
    """The same status and headers, down to the length."""
    ada = notes.person("ada")
    note = ada.made("/notes", {"text": "x"})
    for path in ("/notes", f"/notes/{note['id']}", "/notes/x", "//health/live", "//health/ready"):
        get, head = ada.get(path), ada.send("HEAD", path)
        assert (head.status, head.body) == (get.status, b"")
        differ = {"x-request-id", "date"} | ({"content-length"} if get.status >= 400 else set())
        assert {k: v for k, v in head.headers.items() if k not in differ} == {
            k: v for k, v in get.headers.items() if k not in differ
        }


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        (f"{PREFIX}/notes", "GET, HEAD, POST, PATCH, DELETE, OPTIONS"),
        (f"{PREFIX}/notes/x", "GET, HEAD, PATCH, PUT, DELETE, OPTIONS"),
        ("/health/live", "GET, HEAD, OPTIONS"),
        ("/health/ready", "GET, HEAD, OPTIONS"),
    ],
)
def test_options(notes: Served, path: str, allow: str) -> None:
    """204 with the methods there are, whoever asks."""
    for as_ in (None, "ada"):
        answer = notes.request("OPTIONS", path, as_=as_)
        assert (answer.status, answer.headers["allow"], answer.body) == (204, allow, b"")


def test_a_known_row_is_not_sent_again(notes: Served) -> None:
    """`no-store` is for caches; a program that kept the answer itself asks with its tag and gets 304."""
    ada = notes.person("ada")
    path = f"/notes/{ada.made('/notes', {'text': 'x'})['id']}"
    tag = ada.get(path).headers["etag"]
    again = ada.get(path, headers={"if-none-match": tag})
    assert (again.status, again.headers["etag"], again.body) == (304, tag, b"")
