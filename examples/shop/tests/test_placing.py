"""A cart becomes an order: once, of what is there, or not at all."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from conftest import Shop

BOOKS = """
    SELECT p.sku, p.stock, p.stock + coalesce(sum(l.quantity) FILTER (WHERE o.status <> 'cancelled'), 0)::int
    FROM products p LEFT JOIN order_lines l ON l.product_id = p.id LEFT JOIN orders o ON o.id = l.order_id
    GROUP BY p.id ORDER BY p.sku
"""


def placed_at_once(shop: Shop, buyers: list[tuple[str, str | None]]) -> list[Any]:
    """The answers to buyers who place their carts at the same time, each until it is decided."""

    def insist(buyer: tuple[str, str | None]) -> Any:
        while True:
            answer = shop.place(*buyer)
            if answer.status_code != 503 and answer.json().get("code") != "still_running":
                return answer

    with ThreadPoolExecutor(len(buyers)) as pool:
        return list(pool.map(insist, buyers))


def test_fifty_buyers_of_ten(shop: Shop) -> None:
    """Ten get one, forty are told that there is none left, and the books agree."""
    product = shop.product("LAST", stock=10)
    names = [f"buyer-{n}" for n in range(50)]
    for name in names:
        shop.cart(name, {product: 1})
    answers = placed_at_once(shop, [(name, f"key-of-{name}") for name in names])
    told = sorted((answer.status_code, answer.json().get("code")) for answer in answers)
    assert told == [(200, None)] * 10 + [(409, "out_of_stock")] * 40
    assert shop.sql(BOOKS) == [("LAST", 0, 10)]
    assert len(shop.clerk.get("/orders?limit=100").json()["items"]) == 10
    # Who has ordered is told of the same order once more; who has not may have what comes in later.
    shop.clerk.post(f"/products/{product}/restock", json={"quantity": 1})
    for name, answer in zip(names, answers, strict=True):
        if answer.status_code == 200:
            assert shop.place(name, f"key-of-{name}").content == answer.content
    late = next(name for name, answer in zip(names, answers, strict=True) if answer.status_code == 409)
    assert shop.place(late, f"key-of-{late}").status_code == 200
    assert shop.sql(BOOKS) == [("LAST", 0, 11)]


def test_one_cart_fifty_times(shop: Shop) -> None:
    """Under fifty keys: one order, and forty-nine are told that the cart is empty."""
    product = shop.product("A", stock=100)
    shop.cart("ada", {product: 2})
    answers = placed_at_once(shop, [("ada", f"key-{n}") for n in range(50)])
    told = sorted((answer.status_code, answer.json().get("code")) for answer in answers)
    assert told == [(200, None)] + [(409, "empty_cart")] * 49
    assert shop.sql(BOOKS) == [("A", 98, 100)]


def test_one_key_fifty_times(shop: Shop) -> None:
    """Under one key: one order, and everybody is told of it."""
    product = shop.product("A", stock=100)
    shop.cart("ada", {product: 2})
    answers = placed_at_once(shop, [("ada", "the-key")] * 50)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert shop.sql(BOOKS) == [("A", 98, 100)]
    assert len(shop("ada").get("/orders").json()["items"]) == 1


def test_the_same_products_in_another_order(shop: Shop) -> None:
    """Of carts that were filled from both ends of the shelf none is refused for standing in another's way."""
    products = [shop.product(f"P{n}", stock=100) for n in range(9)]
    names = [f"buyer-{n}" for n in range(8)]
    for n, name in enumerate(names):
        shop.cart(name, dict.fromkeys(products if n % 2 else reversed(products), 1))
    with ThreadPoolExecutor(len(names)) as pool:
        answers = list(pool.map(shop.place, names))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert {row[1:] for row in shop.sql(BOOKS)} == {(92, 100)}


def test_one_product_that_is_missing_holds_up_the_others(shop: Shop) -> None:
    """All or nothing: neither is anything sold, nor is the cart any emptier."""
    first, last = shop.product("A", stock=5), shop.product("B", stock=1)
    shop.cart("ada", {first: 5, last: 2})
    answer = shop.place("ada", "a")
    assert (answer.status_code, answer.json()["detail"]) == (409, "Product B: 2 wanted, 1 there.")
    assert (shop.stock(first), shop.stock(last)) == (5, 1)
    assert shop("ada").get(shop.cart("ada")).json()["total"] == "70.00"
    assert shop("ada").get("/orders").json()["items"] == []
    shop.clerk.post(f"/products/{last}/restock", json={"quantity": 1})
    assert shop.place("ada", "a").json()["total"] == "70.00"


def test_the_price_is_that_of_the_moment(shop: Shop) -> None:
    """Neither what it was when it went into the cart, nor what it is afterwards."""
    product = shop.product("A", price="10.00")
    shop.cart("ada", {product: 3})
    shop.clerk.patch(f"/products/{product}", json={"price": "12.34"})
    order = shop.place("ada").json()
    shop.clerk.patch(f"/products/{product}", json={"price": "99.00"})
    assert shop("ada").get(f"/orders/{order['id']}").json()["total"] == order["total"] == "37.02"


def test_what_is_taken_back_is_sold_again(shop: Shop) -> None:
    """Once: of a buyer and a clerk who cancel at the same moment one puts it back, the other is refused."""
    product = shop.product("A", stock=5)
    path = f"/orders/{shop.order('ada', {product: 5})['id']}/cancel"
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda client: client.post(path).status_code, [shop("ada"), shop.clerk]))
    assert sorted(answers) == [200, 403]
    assert shop.sql(BOOKS) == [("A", 5, 5)]
    assert shop.order("bob", {product: 5})["status"] == "placed"


def test_counting_while_others_buy(shop: Shop) -> None:
    """What a clerk adds and what buyers take away both count."""
    product = shop.product("A", stock=20)
    names = [f"buyer-{n}" for n in range(10)]
    for name in names:
        shop.cart(name, {product: 2})

    def restock(_: int) -> int:
        return int(shop.clerk.post(f"/products/{product}/restock", json={"quantity": 1}).status_code)

    with ThreadPoolExecutor(2) as pool:
        counted = pool.map(restock, range(10))
        bought = placed_at_once(shop, [(name, None) for name in names])
        assert set(counted) == {200}
    assert {answer.status_code for answer in bought} == {200}
    assert shop.sql(BOOKS) == [("A", 10, 30)]
