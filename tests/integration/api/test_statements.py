"""How many statements a request costs, counted at the driver."""

from typing import Any

import pytest

from served import Served


@pytest.fixture
def thing(shop: Served) -> dict[str, Any]:
    """A thing of ada's; making it warms the pool as well."""
    made: dict[str, Any] = shop.person("ada").made("/things", {"name": "x"})
    return made


def _cost(shop: Served, send: Any, status: int) -> int:
    with shop.statements() as sent:
        answer = send()
    assert answer.status == status, answer
    # Once a connection, the driver asks what an array is.
    return len([text for text in sent if "typeinfo_tree" not in text and "jit" not in text])


def test_a_read_is_one_statement(shop: Served, thing: dict[str, Any]) -> None:
    """With filters, an order, a page, a count, and when there is nothing to find."""
    ada, path = shop.person("ada"), f"/things/{thing['id']}"
    wide = "/things?limit=5&offset=2&count=exact&sort=-price,name&name__ne=y&state__in=new&fields=id,name"
    assert _cost(shop, lambda: ada.get("/things"), 200) == 1
    assert _cost(shop, lambda: ada.get(wide), 200) == 1
    assert _cost(shop, lambda: ada.get(path), 200) == 1
    assert _cost(shop, lambda: ada.get(path[:-4] + "0000"), 404) == 1
    assert _cost(shop, lambda: shop.person("bob").get(path), 404) == 1


def test_a_write_is_one_statement(shop: Served, thing: dict[str, Any]) -> None:
    """References, rules and grants included."""
    ada, path = shop.person("ada"), f"/things/{thing['id']}"
    shelf = ada.made("/shelves", {"name": f"of {thing['id']}"})["id"]
    body = {"name": "y", "shelf_id": shelf, "due": "2999-01-01T00:00:00Z"}
    tag = {"if-match": "*"}
    assert _cost(shop, lambda: ada.post("/things", body), 201) == 1
    assert _cost(shop, lambda: ada.patch(path, body, headers=tag), 200) == 1
    assert _cost(shop, lambda: ada.put(path, body), 200) == 1
    assert _cost(shop, lambda: ada.delete(path), 204) == 1


def test_a_refused_write_is_two(shop: Served, thing: dict[str, Any]) -> None:
    """The write, and the question why it did nothing."""
    ada, bob, path = shop.person("ada"), shop.person("bob"), f"/things/{thing['id']}"
    missing = thing["id"][:-4] + "0000"
    late = {"made": "9999-01-01"}
    assert _cost(shop, lambda: bob.patch(path, {"name": "y"}), 404) == 2
    assert _cost(shop, lambda: bob.delete(path), 404) == 2
    assert _cost(shop, lambda: ada.patch(path, {"name": "y"}, headers={"if-match": '"9-00"'}), 412) == 2
    assert _cost(shop, lambda: ada.patch(path, {"amount": 950}), 403) == 2
    assert _cost(shop, lambda: ada.patch(path, {"shelf_id": missing}), 422) == 2
    assert _cost(shop, lambda: ada.patch(path, late), 422) == 2
    assert _cost(shop, lambda: ada.post("/things", {"name": "y", "shelf_id": missing}), 422) == 2
    assert _cost(shop, lambda: ada.post("/things", {"name": "y", **late}), 422) == 2


def test_an_idempotency_key_is_one_more(shop: Served, thing: dict[str, Any]) -> None:
    """The look at the key. What was done already is that alone; without the header there is none."""
    ada, key = shop.person("ada"), {"idempotency-key": thing["id"]}
    for _ in range(2):
        assert _cost(shop, lambda: ada.post("/things", {"name": "y"}), 201) == 1
    assert _cost(shop, lambda: ada.post("/things", {"name": "y"}, headers=key), 201) == 2
    assert _cost(shop, lambda: ada.post("/things", {"name": "y"}, headers=key), 201) == 1
    assert _cost(shop, lambda: ada.post("/things", {"name": "z"}, headers=key), 422) == 1


def test_what_a_constraint_refuses_is_one(shop: Served, thing: dict[str, Any]) -> None:
    """The constraint says why by its name."""
    ada = shop.person("ada")
    code = f"XY{int(thing['id'][:8], 16)}"
    ada.made("/things", {"name": "x", "code": code})
    assert _cost(shop, lambda: ada.post("/things", {"name": "y", "code": code}), 409) == 1


def test_what_needs_no_row_costs_none(shop: Served, thing: dict[str, Any]) -> None:
    """A bad token, body, query or path, a closed collection, and liveness."""
    ada, path = shop.person("ada"), f"/things/{thing['id']}"
    assert _cost(shop, lambda: shop.anonymous.get("/things"), 401) == 0
    assert _cost(shop, lambda: ada.patch(path, {"name": 1}), 422) == 0
    assert _cost(shop, lambda: ada.get("/things?limit=0"), 422) == 0
    assert _cost(shop, lambda: ada.get("/things?cursor=x"), 400) == 0
    assert _cost(shop, lambda: ada.get("/things/x"), 404) == 0
    assert _cost(shop, lambda: ada.get("/nothing"), 404) == 0
    assert _cost(shop, lambda: shop.anonymous.get("//health/live"), 200) == 0
