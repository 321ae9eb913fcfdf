"""gzip over a socket: answers, their tags, and request bodies."""

import gzip
import json
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse

from served import NOTES, PREFIX, Answer, Served, fresh_database, serving
from specwright.app import Backend

pytestmark = pytest.mark.any_server

LONG = NOTES.replace("..80", "..50000")
LIMIT = 100_000
JSON = "content-type: application/json"
GZIP = "content-encoding: gzip"


def _prepare(backend: Backend) -> None:
    @backend.app.post("/own")
    async def own(request: Request) -> dict[str, Any]:
        return {"length": len(await request.body()), "coding": request.headers.get("content-encoding")}

    @backend.app.get("/own")
    async def long() -> JSONResponse:
        return JSONResponse(["x"] * 5000)


@pytest.fixture(scope="module")
def notes(database_server: str) -> Iterator[Served]:
    """Notes that may be long."""
    with (
        fresh_database(database_server) as database,
        serving(LONG, database, prepare=_prepare, max_body_bytes=LIMIT) as served,
    ):
        yield served


def _get(served: Served, path: str, *headers: str, method: str = "GET") -> Answer:
    return served.request(method, path, *headers, judge=False)


def _row(served: Served, length: int) -> str:
    made = served.person("ada").made("/notes", {"text": "x" * length})
    return f"{PREFIX}/notes/{made['id']}"


@pytest.mark.parametrize("length", [5000, 40_000])
def test_a_long_answer(notes: Served, length: int) -> None:
    """The same content, for those who ask; caches are told that it depends on who asks."""
    path = _row(notes, length)
    plain, packed = _get(notes, path), _get(notes, path, "accept-encoding: gzip, br")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.body) < len(plain.body)
    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["content-type"] == plain.headers["content-type"] == "application/json"
    assert plain.headers["vary"] == packed.headers["vary"] == "accept-encoding"
    head = _get(notes, path, "accept-encoding: gzip", method="HEAD")
    assert (head.body, head.headers["content-length"]) == (b"", packed.headers["content-length"])


def test_a_short_answer(notes: Served) -> None:
    """Below a kilobyte nothing is gained."""
    path = _row(notes, 5)
    answer = _get(notes, path, "accept-encoding: gzip")
    assert "content-encoding" not in answer.headers
    assert answer.json()["text"] == "x" * 5


def test_a_large_answer(notes: Served) -> None:
    """What is compressed beside the event loop is right too."""
    for _ in range(9):
        _row(notes, 40_000)
    path = f"{PREFIX}/notes?limit=9"
    packed = _get(notes, path, "accept-encoding: gzip")
    assert gzip.decompress(packed.body) == _get(notes, path).body


def test_tags(notes: Served) -> None:
    """Other bytes have another tag; both tell the same version, and both are known again."""
    path = _row(notes, 5000)
    asks = "accept-encoding: gzip"
    plain = _get(notes, path).headers["etag"]
    packed = _get(notes, path, asks).headers["etag"]
    assert packed == f'{plain[:-1]}-gzip"'
    for known in (plain, packed, f"W/{packed}"):
        for headers, tag in (((), plain), ((asks,), packed)):
            again = _get(notes, path, f"if-none-match: {known}", *headers)
            assert (again.status, again.headers["etag"], again.body) == (304, tag, b"")
            assert "content-encoding" not in again.headers and "content-length" not in again.headers
    written = notes.request("PATCH", path, JSON, f"if-match: {packed}", body=b'{"text": "x"}')
    assert written.status == 200
    assert notes.request("PATCH", path, JSON, f"if-match: {packed}", body=b'{"text": "y"}').status == 412


def test_hand_written_answers_are_left_alone(notes: Served) -> None:
    """They may use cookies, and choose for themselves."""
    assert "content-encoding" not in _get(notes, "/own", "accept-encoding: gzip").headers


def test_a_body_in_gzip(notes: Served) -> None:
    """It is as good as a plain one, with or without a length, on both kinds of route."""
    body = gzip.compress(json.dumps({"text": "x" * 3000}).encode())
    made = notes.request("POST", f"{PREFIX}/notes", JSON, GZIP, body=body)
    assert (made.status, len(made.json()["text"])) == (201, 3000)
    chunks = b"".join(
        b"%x\r\n%s\r\n" % (len(body[i : i + 9]), body[i : i + 9]) for i in range(0, len(body), 9)
    )
    chunked = ("transfer-encoding: chunked",)
    made = notes.request("POST", f"{PREFIX}/notes", JSON, GZIP, *chunked, body=chunks + b"0\r\n\r\n")
    assert made.status == 201
    own = notes.request("POST", "/own", "content-encoding: X-GZIP", body=gzip.compress(b"x" * LIMIT))
    assert own.json() == {"length": LIMIT, "coding": None}


@pytest.mark.parametrize("path", [f"{PREFIX}/notes", "/own"])
def test_bombs(notes: Served, path: str) -> None:
    """The limit holds for what comes out, and inflating stops there."""
    for bomb in (gzip.compress(b" " * (LIMIT + 1)), gzip.compress(b" " * 80_000_000)):
        answer = notes.request("POST", path, JSON, GZIP, body=bomb)
        assert (answer.status, answer.code) == (413, "too_large")


@pytest.mark.parametrize("path", [f"{PREFIX}/notes", "/own"])
def test_broken_bodies(notes: Served, path: str) -> None:
    """What is not gzip, or not all of it, is malformed."""
    good = gzip.compress(b'{"text": "x"}')
    for body in (b'{"text": "x"}', good[:-1], good[:4], good + b"x", zlib.compress(b"{}")):
        answer = notes.request("POST", path, JSON, GZIP, body=body)
        assert (answer.status, answer.code) == (400, "malformed"), body


@pytest.mark.parametrize("path", [f"{PREFIX}/notes", "/own"])
@pytest.mark.parametrize("coding", ["br", "deflate", "zstd", "gzip, gzip", "\xff"])
def test_other_codings(notes: Served, path: str, coding: str) -> None:
    """415 with what is taken."""
    answer = notes.request("POST", path, JSON, f"content-encoding: {coding}", body=b"{}")
    assert (answer.status, answer.code) == (415, "unsupported_media_type")
    assert answer.headers["accept-encoding"] == "gzip"
