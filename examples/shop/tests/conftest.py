"""A shelf with products, and people who shop."""

import asyncio
from typing import Any

import asyncpg
import pytest

from specwright.testing import Running

pytest_plugins = ["specwright.testing"]


class Shop:
    """The shop as its people see it; `shop("ada")` is a client of hers."""

    def __init__(self, backend: Running) -> None:
        self._backend = backend
        self._carts: dict[str, str] = {}

    def __call__(self, name: str) -> Any:
        """A client of somebody."""
        return self._backend.person(name)

    @property
    def clerk(self) -> Any:
        """A client of a clerk."""
        return self._backend.person("carl", "clerk")

    @property
    def admin(self) -> Any:
        """A client of an admin."""
        return self._backend.person("amy", "admin")

    @property
    def anonymous(self) -> Any:
        """A client of somebody who is not signed in."""
        return self._backend.anonymous

    def product(self, sku: str, stock: int = 5, price: str = "10.00", **more: Any) -> str:
        """The id of a new product with so many on the shelf."""
        about = {"name": f"Product {sku}", "sku": sku, "category": "Things", "price": price, **more}
        made = self.clerk.post("/products", json=about)
        assert made.status_code == 201, made.text
        key = str(made.json()["id"])
        assert self.clerk.post(f"/products/{key}/restock", json={"quantity": stock}).status_code == 200
        return key

    def stock(self, key: str) -> int:
        """How many are on the shelf."""
        return int(self.anonymous.get(f"/products/{key}").json()["stock"])

    def cart(self, name: str, products: dict[str, int] | None = None) -> str:
        """The path of somebody's cart, with so many of each product put into it."""
        if name not in self._carts:
            self._carts[name] = self(name).post("/carts", json={}).json()["id"]
        for product, quantity in (products or {}).items():
            line = {"cart_id": self._carts[name], "product_id": product, "quantity": quantity}
            added = self(name).post("/cart-lines", json=line)
            assert added.status_code == 201, added.text
        return f"/carts/{self._carts[name]}"

    def place(self, name: str, key: str | None = None) -> Any:
        """The answer to somebody who places their cart, under an idempotency key or without."""
        headers = {} if key is None else {"idempotency-key": key}
        return self(name).post(f"{self.cart(name)}/place", headers=headers)

    def order(self, name: str, products: dict[str, int]) -> Any:
        """An order of these products, placed."""
        self.cart(name, products)
        placed = self.place(name)
        assert placed.status_code == 200, placed.text
        return placed.json()

    def sql(self, statement: str) -> list[Any]:
        """What a statement finds in the database, behind the API's back."""

        async def fetched() -> list[Any]:
            connection = await asyncpg.connect(self._backend.database_url)
            try:
                return [tuple(row) for row in await connection.fetch(statement)]
            finally:
                await connection.close()

        return asyncio.run(fetched())


@pytest.fixture
def shop(backend: Running) -> Shop:
    """An empty shop."""
    return Shop(backend)
