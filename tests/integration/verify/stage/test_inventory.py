"""What an app is made of, as it is read off it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from playing import Play, playing
from specwright.verify.stage.inventory import Column, Relationship, Route

STARLETTE = """
from functools import partial
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
class Things(HTTPEndpoint):
    def get(self, request): return PlainTextResponse("a")
    async def post(self, request): return PlainTextResponse("a")
async def thing(word, request): return PlainTextResponse(word)
async def talk(socket): pass
inner = Starlette(routes=[
    Route("/things", Things),
    Mount("/deep", routes=[Route("/{file:path}", partial(thing, "b"), methods=["GET", "DELETE"])]),
    WebSocketRoute("/talk", talk),
])
async def app(scope, receive, send):
    await inner(scope, receive, send)
class Wrapped:
    def __init__(self, app): self.app = app
    async def __call__(self, scope, receive, send): await self.app(scope, receive, send)
wrapped = Wrapped(inner)
"""

MIXED = """
from fastapi import APIRouter, FastAPI, WebSocket
from fastapi.staticfiles import StaticFiles
from starlette.responses import PlainTextResponse
from starlette.routing import Host, Mount, Route, WebSocketRoute
app, sub, router = FastAPI(), FastAPI(), APIRouter(prefix="/talks")
@app.websocket("/ws")
async def talk(socket: WebSocket): pass
@router.websocket("/ws/{id}")
async def talk_of(socket: WebSocket, id: int): pass
@router.get("/secret", include_in_schema=False)
def secret(): return 1
@sub.websocket("/ws")
async def talk_below(socket: WebSocket): pass
@sub.get("/below")
def below(): return 2
async def plain(request): return PlainTextResponse("a")
app.include_router(router)
app.mount("/sub", sub)
app.mount("/files", StaticFiles(directory="."))
app.router.routes += [
    Route("/plain", plain),
    WebSocketRoute("/socket", talk),
    Mount("/deep", routes=[Route("/plain", plain), WebSocketRoute("/ws", talk)]),
    Host("api.example.com", sub),
]
"""


@pytest.fixture(scope="module")
def shop() -> Iterator[Play]:
    """The app that keeps a dict."""
    with playing("in_memory") as play:
        yield play


def own(play: Play) -> dict[str, Route]:
    """The routes whose functions are in the app's folder."""
    return {f"{each.method} {each.path}": each for each in play.stage.routes if each.source is not None}


def test_every_route_is_found(shop: Play) -> None:
    """Nested, mounted and hidden ones, with the whole path."""
    routes = own(shop)
    assert set(routes) == {
        "GET /v1/notes/{note}/text",
        "POST /v1/notes",
        "GET /hidden/{place}",
        "GET /headers",
        "GET /said/{word}",
        "GET /late",
        "GET /slow",
        "GET /busy",
        "GET /stuck",
        "GET /crash",
        "GET /pid",
        "GET /admin/stats",
    }
    assert [label for label, route in routes.items() if route.hidden] == ["GET /hidden/{place}"]
    assert {"/docs", "/openapi.json"} <= {each.path for each in shop.stage.routes}


def test_a_route_knows_its_function(shop: Play) -> None:
    """File and line are those of the function itself, not of what decorates it."""
    routes = own(shop)
    lines = (Path(__file__).parent / "apps/in_memory.py").read_text().splitlines()
    source = routes["GET /v1/notes/{note}/text"].source
    assert source is not None
    assert source.file == "in_memory.py"
    assert lines[source.line - 1] == '@inner.get("/text")'
    assert routes["GET /v1/notes/{note}/text"].asynchronous
    assert not routes["POST /v1/notes"].asynchronous


def test_a_route_knows_what_it_depends_on(shop: Play) -> None:
    """Functions, objects, and what reads a credential, in the order in which they are called."""
    routes = own(shop)
    text, write = routes["GET /v1/notes/{note}/text"], routes["POST /v1/notes"]
    assert [(each.name, each.security) for each in text.dependencies] == [
        ("HTTPBearer", True),
        ("caller", False),
    ]
    assert [each.name for each in write.dependencies] == ["Limit"]
    assert write.dependencies[0].source is not None


def test_the_documents_hold_hidden_routes_too(shop: Play) -> None:
    """What the app publishes stays as it is; beside it is a document of everything, for each app."""
    inventory = shop.stage.inventory
    assert inventory.openapi is not None
    assert "/hidden/{place}" not in inventory.openapi["paths"]
    parameters = inventory.documents[""]["paths"]["/hidden/{place}"]["get"]["parameters"]
    assert [each["name"] for each in parameters] == ["place", "depth"]
    assert list(inventory.documents["/admin"]["paths"]) == ["/stats"]
    assert "/hidden/{place}" not in shop("GET", "/openapi.json").body["paths"]


def test_mapped_classes() -> None:
    """Columns with what is known of them, relationships, indexes."""
    with playing("orm") as play:
        customer, order = play.stage.mappers
    assert (customer.name, customer.table, order.table) == ("Customer", "customers", "orders")
    assert customer.columns[1] == Column("email", "email", "VARCHAR", nullable=False, unique=True, index=True)
    assert order.columns[1] == Column(
        "customer_id", "customer_id", "INTEGER", nullable=False, index=True, references="customers.id"
    )
    assert order.relationships == (Relationship("customer", "Customer", columns=("customer_id",)),)
    assert customer.relationships[0].many
    assert order.indexes == (("customer_id",), ("customer_id", "note"), ("id",))


@pytest.mark.parametrize("name", ["inner", "wrapped"])
def test_an_app_of_starlette_alone(tmp_path: Path, name: str) -> None:
    """Its routes are found without OpenAPI, also behind what is wrapped around the app."""
    (tmp_path / "plain.py").write_text(STARLETTE)
    with playing(f"plain:{name}", tmp_path) as play:
        routes = own(play)
        assert play("POST", "/things").body == "a"
    assert {label: route.asynchronous for label, route in routes.items()} == {
        "GET /things": False,
        "POST /things": True,
        "GET /deep/{file}": True,
        "DELETE /deep/{file}": True,
    }


def test_an_app_with_routes_of_every_kind(tmp_path: Path) -> None:
    """WebSockets are passed over wherever they are; a host of its own is told, and hides no document."""
    (tmp_path / "mixed.py").write_text(MIXED)
    with playing("mixed:app", tmp_path) as play:
        inventory = play.stage.inventory
        assert play("GET", "/talks/secret").body == 1
    assert set(own(play)) == {"GET /talks/secret", "GET /plain", "GET /sub/below", "GET /deep/plain"}
    assert "/files/{path}" in {each.path for each in inventory.routes}
    assert {prefix: list(each["paths"]) for prefix, each in inventory.documents.items()} == {
        "": ["/talks/secret"],
        "/sub": ["/below"],
    }
    assert play.stage.notes == ["What is served for the host api.example.com alone is not looked at."]


def test_an_app_that_is_a_function(tmp_path: Path) -> None:
    """It is served, and that its routes cannot be read is said."""
    (tmp_path / "plain.py").write_text(STARLETTE)
    with playing("plain", tmp_path) as play:
        assert play("POST", "/things").body == "a"
        assert play.stage.routes == ()
        assert play.stage.notes == ["The routes of a function cannot be read."]


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_factory(tmp_path: Path, kind: str) -> None:
    """A function without arguments makes the app."""
    (tmp_path / "made.py").write_text(f"from fastapi import FastAPI\n{kind} create_app(): return FastAPI()\n")
    with playing("made:create_app", tmp_path) as play:
        assert play("GET", "/openapi.json").status == 200
