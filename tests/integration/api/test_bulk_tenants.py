"""Writes of many rows stay within the tenant of their request, whoever sends them."""

from collections.abc import Iterator

import pytest

from crm import Desk, crm
from protected import build
from served import Served, fresh_database, serving
from specwright import Backend
from specwright.read.spec import read_specs


def bind(backend: Backend) -> None:
    """The actions that the spec declares."""

    @backend.action("Deal")
    async def win() -> None:
        return None

    @backend.action("Deal")
    async def purge() -> None:
        return None


@pytest.fixture(scope="module", params=["header X-Organization", "path"])
def way(request: pytest.FixtureRequest) -> str:
    """How a request names its tenant."""
    return str(request.param)


@pytest.fixture(scope="module")
def served(way: str, database_server: str) -> Iterator[Served]:
    """The CRM."""
    with fresh_database(database_server) as database:
        build(database, read_specs({"specs/it/spec.md": crm(way)}))
        with serving(crm(way), database, prepare=bind, tables=False) as one:
            yield one


def _deals(way: str, desk: Desk) -> str:
    return f"/organizations/{desk.headers['x-organization']}/deals" if way == "path" else "/deals"


def test_an_array_founds_as_many(served: Served, way: str) -> None:
    """Of organizations made together, whoever makes them is the first member of each."""
    ada = served.person("ada")
    answer = ada.post("/organizations", [{"name": "One"}, {"name": "Two"}])
    assert answer.status == 201, answer
    for row in answer.json()["items"]:
        assert row["name"] in ("One", "Two")
        desk = Desk(ada, row["id"])
        made = desk.send("POST", _deals(way, desk), [{"title": "a"}, {"title": "b"}])
        assert {deal["organization_id"] for deal in made.json()["items"]} == {row["id"]}


def test_rows_of_another_tenant_do_not_match(served: Served, way: str) -> None:
    """They are not there, for whoever is no member, and from a tenant for whoever is in both."""
    ada, bob = served.person("ada"), served.person("bob")
    acme, annex = (Desk(ada, ada.made("/organizations", {"name": name})["id"]) for name in ("Acme", "Annex"))
    globex = Desk(bob, bob.made("/organizations", {"name": "Globex"})["id"])
    for desk in (acme, annex, globex):
        made = desk.send("POST", _deals(way, desk), [{"title": "same"}] * 2)
        assert made.status == 201, made
    query = "?title=same&max_affected=2"
    assert acme.send("PATCH", _deals(way, acme) + query, {"title": "mine"}).json() == {"affected": 2}
    assert len(annex.send("GET", f"{_deals(way, annex)}?title=same").json()["items"]) == 2
    for method, body in (("PATCH", {"title": "theirs"}), ("DELETE", None)):
        stranger = Desk(bob, acme.headers["x-organization"])
        answer = stranger.send(method, f"{_deals(way, acme)}?title=mine&max_affected=9", body)
        assert answer.status in (200, 403)
        assert answer.status == 403 or answer.json() == {"affected": 0}
    assert len(acme.send("GET", f"{_deals(way, acme)}?title=mine").json()["items"]) == 2
    assert acme.send("DELETE", f"{_deals(way, acme)}?title=mine&max_affected=2").json() == {"affected": 2}
