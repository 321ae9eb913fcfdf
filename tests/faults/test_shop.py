"""The shop of examples/shop, and fifty buyers who leave, come back and insist while its server is killed."""

import asyncio
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from faults.clients import Person, Told
from faults.conftest import LONG
from faults.servers import App, Postgres, serving, waiting
from served import fresh_database
from specwright.migrate.apply import commit, upgrade
from specwright.read.project import read_project

pytestmark = pytest.mark.anyio

SHOP = Path(__file__).parents[2] / "examples" / "shop"
BUYERS = 50

#: Of products: how many are there, and how many there were before anybody bought.
_BOOKS = """
    SELECT p.stock, p.stock + coalesce(sum(l.quantity), 0)::int
    FROM unnest($1::uuid[]) WITH ORDINALITY AS asked (id, place)
    JOIN products p ON p.id = asked.id LEFT JOIN order_lines l ON l.product_id = p.id
    GROUP BY p.id, place ORDER BY place"""


#: An order is stored, and then its commit waits for whoever holds the lock 77.
_SLOW_COMMIT = """
    CREATE FUNCTION wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_advisory_xact_lock_shared(77); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER wait_at_commit AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION wait_at_commit()"""


class Shop:
    """The shop, served by a process that can be killed, and its books."""

    def __init__(self, app: App, database: str) -> None:
        self.app = app
        self._database = database

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Any]:
        """A connection behind the API's back."""
        connection = await asyncpg.connect(self._database)
        try:
            yield connection
        finally:
            await connection.close()

    async def fetch(self, statement: str, *values: Any) -> list[Any]:
        """The rows of one statement."""
        async with self.connected() as connection:
            return [tuple(row) for row in await connection.fetch(statement, *values)]

    async def filled(self, name: str, stock: int, quantity: int) -> tuple[str, str]:
        """The path at which somebody places their new cart, and the product in it."""
        person = self.app.person(name)
        (product,) = await self.stocked([stock])
        cart = (await person.told("POST", "/carts", {})).json()["id"]
        line = {"cart_id": cart, "product_id": product, "quantity": quantity}
        assert (await person.told("POST", "/cart-lines", line)).status == 201
        return f"/carts/{cart}/place", product

    async def balance(self, products: list[str], stocks: list[int]) -> None:
        """Make sure that nothing was sold that was not there, and that nothing has vanished."""
        books = await self.fetch(_BOOKS, products)
        assert [before for _, before in books] == stocks
        assert min(stock for stock, _ in books) >= 0

    async def orders(self, owners: list[str]) -> list[tuple[str, str]]:
        """Whose order is which."""
        statement = "SELECT owner_id, id::text FROM orders WHERE owner_id = ANY ($1)"
        return await self.fetch(statement, owners)

    async def stocked(self, stocks: list[int]) -> list[str]:
        """The ids of new products, of which there are so many."""
        clerk = self.app.person("carl", roles=["clerk"])
        keys = []
        for stock in stocks:
            sku = f"P-{uuid4().hex.upper()}"
            about = {"name": sku, "sku": sku, "category": "Scarce", "price": "9.90"}
            keys.append((await clerk.told("POST", "/products", about)).json()["id"])
            counted = await clerk.told("POST", f"/products/{keys[-1]}/restock", {"quantity": stock})
            assert counted.json()["stock"] == stock
        return keys


@pytest.fixture(scope="module")
def shop(postgres: Postgres) -> Iterator[Shop]:
    """The example, as it would be deployed: migrated, and served with five connections to its database."""
    with fresh_database(postgres.url) as database, tempfile.TemporaryDirectory(prefix="sw-shop-") as folder:
        root = Path(folder)
        for part in ("specs", "app"):
            shutil.copytree(SHOP / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
        commit(root, read_project(root), "first")
        asyncio.run(upgrade(root, database))
        with serving(root, postgres, DATABASE_URL=database, DATABASE_POOL_SIZE="5") as app:
            yield Shop(app, database)


class Buyer:
    """Somebody who asks until they are told, and hangs up before that with the chance of `leaves`."""

    def __init__(self, person: Person, name: str, leaves: float = 0.3) -> None:
        self.name = name
        #: The order that each key was acknowledged with.
        self.orders: dict[str, str] = {}
        self.refused = False
        self._person = person
        self._leaves = leaves
        self._random = random.Random(name)
        self._cart = ""

    async def fill(self, products: list[str]) -> None:
        """Put two products into the cart, one to three of each."""
        if not self._cart:
            self._cart = (await self.insist("/carts", {}, f"{self.name}-cart")).json()["id"]
        for product in self._random.sample(products, 2):
            line = {
                "cart_id": self._cart,
                "product_id": product,
                "quantity": self._random.randint(1, 3),
            }
            told = await self.insist("/cart-lines", line, f"{self.name}-{len(self.orders)}-{product}")
            assert told.status == 201, told

    async def place(self) -> None:
        """Place the cart, under a key of its own."""
        key = f"{self.name}-{len(self.orders)}"
        told = await self.insist(f"/carts/{self._cart}/place", None, key)
        if told.status == 200:
            self.orders[key] = told.json()["id"]
        else:
            # Nothing comes in meanwhile, so that what was refused once stays refused.
            assert (told.status, told.json()["code"]) == (409, "out_of_stock"), told
            self.refused = True

    async def insist(self, path: str, body: Any, key: str) -> Told:
        """Ask until there is an answer that decides it."""
        while True:
            if self._random.random() < self._leaves:
                await self._leave(path, body, key)
            told = await self._person.ask("POST", path, body, f"idempotency-key: {key}")
            undecided = told is None or told.status == 503 or told.json().get("code") == "still_running"
            if told is not None and not undecided:
                return told
            await asyncio.sleep(self._random.uniform(0.02, 0.1))

    async def is_told_the_same(self) -> None:
        """Ask for each order once more."""
        for key, order in self.orders.items():
            told = await self.insist(f"/carts/{self._cart}/place", None, key)
            assert (told.status, told.json()["id"]) == (200, order)
            assert told.headers["idempotency-replayed"] == "true"

    async def _leave(self, path: str, body: Any, key: str) -> None:
        """Send it, and hang up before it is answered."""
        ask = self._person.ask("POST", path, body, f"idempotency-key: {key}")
        with suppress(TimeoutError):
            await asyncio.wait_for(ask, self._random.uniform(0.001, 0.05))


async def test_fifty_buyers_of_what_is_scarce(shop: Shop) -> None:
    """Stock is never below zero, nothing is sold twice or lost, and each key tells of one order."""
    for n in range(5 if LONG else 1):
        await asyncio.wait_for(sell_out(shop, f"sale-{n}"), 300)


async def sell_out(shop: Shop, sale: str) -> None:
    """Everybody buys until they are told that there is no more; in the middle the server is killed."""
    stocks = [60, 70, 80, 90]
    products = await shop.stocked(stocks)
    names = [f"{sale}-{n}" for n in range(BUYERS)]
    buyers = [Buyer(shop.app.person(name), name) for name in names]
    busy, over = asyncio.Event(), asyncio.Event()

    async def buy(buyer: Buyer) -> None:
        while not buyer.refused:
            await buyer.fill(products)
            await buyer.place()
            if sum(len(each.orders) for each in buyers) >= BUYERS // 2:
                busy.set()

    async def kill() -> None:
        await busy.wait()
        shop.app.kill()
        await shop.app.answers()

    async def audit() -> None:
        while not over.is_set():
            await shop.balance(products, stocks)
            await asyncio.sleep(0.1)

    async with asyncio.TaskGroup() as group:
        group.create_task(audit())
        await asyncio.gather(kill(), *map(buy, buyers))
        over.set()
    await shop.balance(products, stocks)
    told = [(buyer.name, order) for buyer in buyers for order in buyer.orders.values()]
    assert sorted(await shop.orders(names)) == sorted(told)
    assert len(told) > BUYERS // 2
    for buyer in buyers:
        await buyer.is_told_the_same()


async def test_fifty_who_place_one_cart(shop: Shop) -> None:
    """Under five keys, ten times each: one order. Ten are told of it, and forty that the cart is empty."""
    for n in range(20 if LONG else 2):
        ada = shop.app.person(f"ada-{n}")
        path, product = await shop.filled(f"ada-{n}", 100, 2)
        buyers = [Buyer(ada, f"ada-{n}-{k}") for k in range(BUYERS)]
        answers = await asyncio.gather(
            *(buyer.insist(path, None, f"{n}-{k % 5}") for k, buyer in enumerate(buyers))
        )
        ((_, order),) = await shop.orders([f"ada-{n}"])
        winners = {k % 5 for k, told in enumerate(answers) if told.status == 200}
        assert len(winners) == 1
        for k, told in enumerate(answers):
            if k % 5 in winners:
                assert (told.status, told.json()["id"]) == (200, order)
            else:
                assert (told.status, told.json()["code"]) == (409, "empty_cart")
        await shop.balance([product], [100])


async def test_killed_between_commit_and_answer(shop: Shop) -> None:
    """The commit goes through without the server: whoever asks again is told of the order that there is."""
    async with shop.connected() as blocker:
        await blocker.execute(_SLOW_COMMIT)
        try:
            for n in range(10 if LONG else 1):
                person, headers = shop.app.person(f"cut-off-{n}"), "idempotency-key: once"
                path, product = await shop.filled(f"cut-off-{n}", 5, 2)
                async with blocker.transaction():
                    await blocker.execute("SELECT pg_advisory_xact_lock(77)")
                    first = asyncio.create_task(person.ask("POST", path, None, headers))
                    await waiting(blocker, 1)
                    shop.app.kill()
                    assert await first is None
                    await shop.app.answers()
                    meanwhile = await person.told("POST", path, None, headers)
                    assert (meanwhile.status, meanwhile.json()["code"]) == (409, "still_running")
                told = await Buyer(person, "again", leaves=0).insist(path, None, "once")
                assert (told.status, told.headers["idempotency-replayed"]) == (200, "true")
                assert await shop.orders([f"cut-off-{n}"]) == [(f"cut-off-{n}", told.json()["id"])]
                assert await shop.fetch("SELECT stock FROM products WHERE id = $1", product) == [(3,)]
        finally:
            await blocker.execute("DROP FUNCTION wait_at_commit CASCADE")


async def test_killed_before_the_commit(shop: Shop) -> None:
    """Nothing is left, of the key either: whoever asks again is the first."""
    for n in range(10 if LONG else 1):
        person, headers = shop.app.person(f"early-{n}"), "idempotency-key: once"
        path, product = await shop.filled(f"early-{n}", 5, 2)
        async with shop.connected() as blocker:
            async with blocker.transaction():
                await blocker.execute("SELECT FROM products WHERE id = $1 FOR UPDATE", product)
                first = asyncio.create_task(person.ask("POST", path, None, headers))
                await waiting(blocker, 1)
                shop.app.kill()
                assert await first is None
            await shop.app.answers()
        told = await Buyer(person, "again", leaves=0).insist(path, None, "once")
        assert told.status == 200 and "idempotency-replayed" not in told.headers
        assert await shop.orders([f"early-{n}"]) == [(f"early-{n}", told.json()["id"])]
        assert await shop.fetch("SELECT stock FROM products WHERE id = $1", product) == [(3,)]
