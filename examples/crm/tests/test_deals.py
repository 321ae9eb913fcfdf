"""What Python adds to the deals, and what of them only managers see."""

import asyncio
from typing import Any

import asyncpg
import pytest

from conftest import ROLES, House
from specwright.testing import Running

MANAGERS = ("owner", "manager")


@pytest.mark.parametrize("role", ROLES)
def test_the_margin_is_for_managers(role: str, acme: House) -> None:
    """To everybody else it is not there: not in one deal, not in a list, not when they ask for it."""
    deal = acme.deal(by="manager", margin="7.00")
    client = acme(role)
    shown = [
        client.get(f"/deals/{deal['id']}").json(),
        *client.get("/deals").json()["items"],
        *client.get("/deals?fields=id,margin").json()["items"],
    ]
    assert [row.get("margin", "not there") for row in shown] == [
        "7.00" if role in MANAGERS else "not there"
    ] * 3


def test_a_seller_learns_no_margin_from_their_own_deal(acme: House) -> None:
    """Neither from an answer to a change, nor by trying values, nor from the order of a list."""
    deal = acme.deal(by="seller")
    path = f"/deals/{deal['id']}"
    assert acme("manager").patch(path, json={"margin": "7.00"}).json()["margin"] == "7.00"
    seller = acme("seller")
    assert "margin" not in seller.patch(path, json={"title": "Two thousand chairs"}).json()
    assert "margin" not in seller.post(f"{path}/win", json={"amount": 9}).json()
    for query in ("margin=7", "margin__gte=7", "sort=margin", "filter=margin == 7"):
        assert seller.get(f"/deals?{query}").status_code == 422
    assert seller.patch(path, json={"margin": "7.00"}).status_code == 403
    new = {"title": "Stools", "contact_id": deal["contact_id"], "margin": "1.00"}
    assert seller.post("/deals", json=new).status_code == 403
    assert acme("manager").get(path).json()["margin"] == "7.00"


def test_a_deal_is_closed_once(acme: House) -> None:
    """When it was won or lost is the backend's to say, and forgotten when a manager opens it again."""
    path = f"/deals/{acme.deal(amount='10.00')['id']}"
    won = acme("seller").post(f"{path}/win", json={}).json()
    assert (won["stage"], won["amount"]) == ("won", "10.00")
    changed = acme("manager").patch(path, json={"title": "Stools"}).json()
    assert changed["closed_at"] == won["closed_at"] is not None
    assert acme("manager").patch(path, json={"closed_at": None}).status_code == 422
    assert acme("manager").patch(path, json={"stage": "offer"}).json()["closed_at"] is None


def test_what_is_refused_leaves_nothing_behind(acme: House) -> None:
    """A deal that cannot be won is as it was."""
    deal = acme.deal(by="manager")
    path = f"/deals/{deal['id']}"
    for asked in (
        acme("manager").post(f"{path}/win", json={}),
        acme("manager").patch(path, json={"title": "Stools", "stage": "won"}),
    ):
        assert (asked.status_code, asked.json()["code"]) == (409, "no_amount")
    for amount in (-1, "much", "0.001", "99999999999"):
        assert acme("manager").post(f"{path}/win", json={"amount": amount}).status_code == 422
    assert acme("manager").post(f"{path}/win", json={"amount": 1, "title": "Stools"}).status_code == 422
    assert acme("manager").get(path).json() == deal


def test_stale_deals_of_one_organization_are_lost(acme: House, globex: House) -> None:
    """Those expected before the day, and nobody else's."""
    for house in (acme, globex):
        house.deal(title="Old", expected_on="2020-01-31")
        house.deal(title="New", expected_on="2020-02-01")
        house.deal(title="Some day")
    lost = acme("manager").post("/deals/lose-stale", json={"before": "2020-02-01"}).json()
    assert [(deal["title"], deal["stage"]) for deal in lost] == [("Old", "lost")]
    stages = {deal["title"]: deal["stage"] for deal in acme("viewer").get("/deals").json()["items"]}
    assert stages == {"Old": "lost", "New": "lead", "Some day": "lead"}
    assert {deal["stage"] for deal in globex("viewer").get("/deals").json()["items"]} == {"lead"}


def test_whoever_gets_a_deal_works_on_it(acme: House, globex: House) -> None:
    """A manager hands it over to somebody in the organization; from then on it is the other seller's."""
    path = f"/deals/{acme.deal(by='manager')['id']}"
    assert acme("seller").patch(path, json={"stage": "offer"}).status_code == 403
    assert acme("manager").patch(path, json={"seller_id": "seller@globex"}).status_code == 403
    assert acme("manager").patch(path, json={"seller_id": acme.sub("seller")}).status_code == 200
    assert acme("seller").patch(path, json={"stage": "offer"}).status_code == 200
    assert acme("seller").patch(path, json={"seller_id": acme.sub("viewer")}).status_code == 403


def test_every_change_of_a_deal_is_on_record(acme: House, backend: Running) -> None:
    """Who did what, in the order in which it was done; by an action, too."""
    path = f"/deals/{acme.deal(amount='10.00')['id']}"
    acme("manager").patch(path, json={"title": "Stools"})
    acme("seller").post(f"{path}/win", json={})
    acme("owner").delete(path)

    async def recorded() -> list[Any]:
        connection = await asyncpg.connect(backend.database_url)
        try:
            return await connection.fetch("SELECT caller, action FROM specwright.audit ORDER BY number")
        finally:
            await connection.close()

    assert [tuple(row) for row in asyncio.run(recorded())] == [
        (acme.sub("seller"), "create"),
        (acme.sub("manager"), "update"),
        (acme.sub("seller"), "update"),
        (acme.sub("owner"), "delete"),
    ]
