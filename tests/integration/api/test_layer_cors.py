"""Pages of other origins, on every kind of route, over a socket."""

from collections.abc import Callable, Iterator

import pytest
from fastapi import Response

from served import NOTES, PREFIX, Answer, Served, fresh_database, serving
from specwright.app import Backend
from specwright.model.errors import ConfigError

pytestmark = pytest.mark.any_server

FRIEND = "https://app.example"
PATHS = (f"{PREFIX}/notes", f"{PREFIX}/notes/x", "/own", "/health/live", "/openapi.json", "/nothing")


def _prepare(backend: Backend) -> None:
    @backend.app.get("/own")
    async def own() -> dict[str, int]:
        return {"own": 1}

    @backend.app.get("/own-cors")
    async def own_cors(response: Response) -> None:
        response.headers["Access-Control-Allow-Origin"] = "https://one.example"
        response.headers["Vary"] = "Cookie"


@pytest.fixture(scope="module")
def notes(database_server: str) -> Iterator[Served]:
    """Friendly with one origin."""
    origins = f"{FRIEND},http://localhost:3000"
    with (
        fresh_database(database_server) as database,
        serving(NOTES, database, prepare=_prepare, cors_origins=origins, cors_credentials=True) as served,
    ):
        yield served


def _cors(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("as_", [None, "ada"])
def test_a_friend_may_read_every_answer(notes: Served, path: str, as_: str | None) -> None:
    """Derived, hand-written, health, documentation, and every refusal."""
    answer = notes.request("GET", path, f"origin: {FRIEND}", as_=as_)
    assert _cors(answer) == {
        "access-control-allow-origin": FRIEND,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "etag, location, x-request-id, retry-after, idempotency-replayed",
    }
    assert "origin" in answer.headers["vary"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://app.example",
        f"{FRIEND}.evil.example",
        f"{FRIEND}:8443",
        "*",
        "",
    ],
)
def test_a_stranger_may_not(notes: Served, path: str, origin: str) -> None:
    """No origin is reflected; caches are told that the answer depends on it."""
    for method in ("GET", "OPTIONS"):
        answer = notes.request(method, path, f"origin: {origin}", "access-control-request-method: PATCH")
        assert _cors(answer) == {}
        assert "origin" in answer.headers["vary"]


@pytest.mark.parametrize("path", PATHS)
def test_a_preflight(notes: Served, path: str) -> None:
    """Answered without a token, for every path, with the headers that are asked for."""
    answer = notes.request(
        "OPTIONS",
        path,
        f"origin: {FRIEND}",
        "access-control-request-method: PATCH",
        "access-control-request-headers: authorization,if-match,x-own",
        as_=None,
    )
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == FRIEND
    assert "PATCH" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "authorization,if-match,x-own"
    assert int(answer.headers["access-control-max-age"]) > 0


def test_a_preflight_for_odd_headers(notes: Served) -> None:
    """What is no list of header names is not repeated."""
    wanted = ("access-control-request-method: GET", "access-control-request-headers: a<b>\x7f")
    answer = notes.request("OPTIONS", PATHS[0], f"origin: {FRIEND}", *wanted, judge=False)
    assert "access-control-allow-headers" not in answer.headers


def test_a_route_that_knows_better(notes: Served) -> None:
    """What a hand-written route says itself is not said twice; its Vary stays."""
    answer = notes.anonymous.get("//own-cors", headers={"origin": FRIEND})
    assert answer.headers["access-control-allow-origin"] == "https://one.example"
    assert answer.headers["vary"] == "Cookie, origin"


def test_no_origin_unless_named(serve: Callable[..., Served]) -> None:
    """Without the setting there is no CORS at all; in development `*` means any, without credentials."""
    closed = serve(NOTES)
    answer = closed.request("GET", PATHS[0], f"origin: {FRIEND}")
    assert _cors(answer) == {}
    opened = serve(NOTES, cors_origins="*")
    answer = opened.request("GET", PATHS[0], f"origin: {FRIEND}")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


def test_any_origin_with_credentials(serve: Callable[..., Served]) -> None:
    """Any page with its visitor's cookies: no environment starts so."""
    with pytest.raises(ConfigError, match=r"CORS_ORIGINS is \* and CORS_CREDENTIALS is true"):
        serve(NOTES, cors_origins="*", cors_credentials=True)
