"""Customers who want more than they pay for."""

from collections.abc import Iterator
from typing import Any

import pytest
from app.models import Cart, CartLine, Order, OrderLine, Product
from fastapi import APIRouter
from sqlmodel import delete, select, text, update

from conftest import Shop
from specwright import SessionDep
from specwright.testing import Project

MISSING = "01890000-0000-7000-8000-000000000000"
router = APIRouter(prefix="/api/v1/careless")


@router.post("/fill")
async def fill(session: SessionDep) -> None:
    """There is plenty of everything, for nothing."""
    await session.execute(update(Product).values(stock=1000, price=0))


@router.post("/count")
async def count(session: SessionDep) -> None:
    """One more of everything, by way of the classes."""
    for product in await session.scalars(select(Product)):
        product.stock += 1


@router.post("/forge")
async def forge(session: SessionDep) -> None:
    """An order that nobody placed."""
    await session.execute(text("INSERT INTO orders (number, status) VALUES ('forged', 'placed')"))


@router.post("/settle")
async def settle(session: SessionDep) -> None:
    """Every order is paid, and its lines cost nothing."""
    await session.execute(update(Order).values(status="paid"))
    await session.execute(update(OrderLine).values(unit_price=0))


@router.post("/clear")
async def clear(session: SessionDep) -> None:
    """Nobody has a cart any more."""
    await session.execute(delete(CartLine))
    await session.execute(delete(Cart))


@pytest.fixture(scope="session", autouse=True)
def routes(specwright_project: Project) -> Iterator[None]:
    """The careless routes are in the application."""
    specwright_project.app.include_router(router)
    yield


def state(shop: Shop) -> list[Any]:
    """All that is stored of products, carts and orders."""
    return [
        row
        for table in ("products", "carts", "cart_lines", "orders", "order_lines")
        for row in shop.sql(f"SELECT '{table}', t::text FROM {table} t ORDER BY 2")  # noqa: S608
    ]


def test_what_a_customer_cannot_write(shop: Shop) -> None:
    """No price, no stock, no order, no line of one: neither theirs nor anybody's, and nothing is changed."""
    product = shop.product("A", stock=5, cost="4.00")
    order = shop.order("ada", {product: 1})["id"]
    (line,) = shop("ada").get(f"/orders/{order}/order-lines").json()["items"]
    shop.cart("ada", {product: 1})
    before = state(shop)
    new_line = {"order_id": order, "product_id": product, "quantity": 1, "unit_price": "0.00"}
    for name, seen in (("ada", 403), ("eve", 404)):
        asked = [
            ("PATCH", f"/products/{product}", {"price": "0.01"}, 403),
            ("PATCH", f"/products/{product}", {"stock": 99}, None),
            ("POST", f"/products/{product}/restock", {"quantity": 99}, 403),
            ("DELETE", f"/products/{product}", None, 403),
            ("POST", "/orders", {"number": "mine"}, 403),
            ("POST", "/order-lines", new_line, 403),
            ("PATCH", f"/orders/{order}", {"status": "paid"}, seen),
            ("PATCH", f"/orders/{order}", {"status": "cancelled"}, seen),
            ("PATCH", f"/orders/{order}", {"owner_id": name}, None),
            ("DELETE", f"/orders/{order}", None, seen),
            ("PATCH", f"/order-lines/{line['id']}", {"quantity": 9}, None),
            ("DELETE", f"/order-lines/{line['id']}", None, seen),
        ]
        for method, path, body, status in asked:
            answer = shop(name).request(method, path, json=body)
            assert answer.status_code in ((status,) if status else (403, 404, 422)), (method, path, answer)
    assert state(shop) == before


def test_somebody_else_s_cart_is_not_there(shop: Shop) -> None:
    """A foreign cart is answered like one that never was, to whoever reads, fills, places or clears it."""
    product = shop.product("A")
    cart = shop.cart("ada", {product: 1}).removeprefix("/carts/")
    (line,) = shop("ada").get("/cart-lines").json()["items"]
    before = state(shop)

    def told(answer: Any) -> Any:
        return answer.status_code, {**answer.json(), "request_id": ""}

    for name in ("eve", "carl"):
        client = shop.clerk if name == "carl" else shop(name)
        for method, path in (("GET", "{}"), ("DELETE", "{}"), ("POST", "{}/place")):
            answers = [client.request(method, f"/carts/{path.format(key)}") for key in (cart, MISSING)]
            assert told(answers[0]) == told(answers[1])
            assert answers[0].status_code in (403, 404)
        lines = [{"cart_id": key, "product_id": product} for key in (cart, MISSING)]
        assert len({str(told(client.post("/cart-lines", json=line))) for line in lines}) == 1
        assert client.patch(f"/cart-lines/{line['id']}", json={"quantity": 99}).status_code == 404
        assert client.delete(f"/cart-lines/{line['id']}").status_code == 404
        assert client.get("/cart-lines").json()["items"] == []
    assert state(shop) == before


def test_a_key_is_nobody_else_s(shop: Shop) -> None:
    """Who guesses the key of another buyer gets their own order, and learns nothing of the other."""
    product = shop.product("A")
    shop.cart("ada", {product: 1})
    shop.cart("bob", {product: 2})
    ada, bob = (shop.place(name, "6f1c").json() for name in ("ada", "bob"))
    assert (ada["owner_id"], bob["owner_id"]) == ("ada", "bob")
    assert ada["id"] != bob["id"] and shop.stock(product) == 2
    assert (
        shop("bob").post(f"{shop.cart('ada')}/place", headers={"idempotency-key": "6f1c"}).status_code == 404
    )


def test_odd_quantities(shop: Shop) -> None:
    """Only whole numbers from 1 to 99 go into a cart: nobody is paid for taking something."""
    line = {"cart_id": shop.cart("ada").removeprefix("/carts/"), "product_id": shop.product("A")}
    for quantity in (0, -1, 100, 2**63, 1.5, "1", None, "\x00"):
        answer = shop("ada").post("/cart-lines", json={**line, "quantity": quantity})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "quantity")


def test_the_database_holds_it_too(shop: Shop) -> None:
    """Routes written by hand that forget every check change nothing that their caller could not have."""
    product = shop.product("A", stock=5)
    shop.order("ada", {product: 1})
    shop.cart("ada", {product: 1})
    before = state(shop)
    for path in ("fill", "count", "forge", "settle", "clear"):
        assert shop("eve").post(f"/careless/{path}").status_code in (200, 403, 409)
        assert state(shop) == before, path
    for path in ("fill", "count", "forge", "settle"):
        assert shop("ada").post(f"/careless/{path}").status_code in (200, 403, 409)
        assert state(shop) == before, path
    assert shop("ada").post("/careless/clear").status_code == 200
    assert shop("ada").get("/carts").json()["items"] == []


def test_the_rights_of_an_action_end_with_it(shop: Shop) -> None:
    """What comes after a placement, on the same connection, is held back as before."""
    product = shop.product("A", stock=5)
    shop.order("ada", {product: 1})
    for path in ("fill", "count", "forge", "settle"):
        assert shop("ada").post(f"/careless/{path}").status_code in (200, 403, 409)
    assert shop.stock(product) == 4
    assert [order["status"] for order in shop("ada").get("/orders").json()["items"]] == ["placed"]


def test_what_a_product_cost_is_no_secret_of_an_order(shop: Shop) -> None:
    """A customer finds it in no answer: not in the product, its list, or what an order includes."""
    product = shop.product("A", cost="4.56")
    order = shop.order("ada", {product: 1})["id"]
    for path in (f"/products/{product}", "/products", f"/orders/{order}?include=order_lines.product"):
        assert "4.56" not in shop("ada").get(path).text
        assert "4.56" in shop.clerk.get(path).text
    assert shop("ada").get("/products?sort=cost").status_code == 422
