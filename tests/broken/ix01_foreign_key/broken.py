"""Customers and their orders in PostgreSQL by psycopg; what leads from one to the others has no index."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from guard import guard
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from pydantic import AfterValidator, BaseModel, Field

SCHEMA = """
    CREATE TABLE IF NOT EXISTS customers (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name varchar(80) NOT NULL CHECK (name <> '')
    );
    CREATE TABLE IF NOT EXISTS orders (
        id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        customer_id int NOT NULL REFERENCES customers ON DELETE CASCADE,
        thing varchar(80) NOT NULL,
        placed timestamptz NOT NULL DEFAULT now()
    );
"""

pool = AsyncConnectionPool("postgresql://shop@127.0.0.1/shop", open=False, min_size=1, max_size=4)


def writable(text: str) -> str:
    """PostgreSQL has no place for a NUL in a text."""
    if "\0" in text:
        raise ValueError("has a NUL")
    return text


Text = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(writable)]
Number = Annotated[int, Field(ge=1, lt=2**31)]


class NewCustomer(BaseModel):
    name: Text


class Customer(NewCustomer):
    id: int


class NewOrder(BaseModel):
    thing: Text


class Order(NewOrder):
    id: int
    customer_id: int


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with pool:
        async with pool.connection() as connection:
            await connection.execute(SCHEMA)
        yield


async def opened() -> AsyncIterator[AsyncConnection]:
    async with pool.connection() as connection:
        yield connection


Database = Annotated[AsyncConnection, Depends(opened)]
app = FastAPI(lifespan=lifespan)
guard(app)


@app.post("/customers", status_code=201)
async def welcome(customer: NewCustomer, database: Database) -> Customer:
    async with database.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("INSERT INTO customers (name) VALUES (%s) RETURNING *", [customer.name])
        return Customer.model_validate(await cursor.fetchone())


@app.get("/customers/{customer_id}")
async def customer(customer_id: Number, database: Database) -> Customer:
    async with database.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("SELECT * FROM customers WHERE id = %s", [customer_id])
        row = await cursor.fetchone()
    if row is None:
        raise HTTPException(404, "No such customer")
    return Customer.model_validate(row)


@app.post("/customers/{customer_id}/orders", status_code=201)
async def order(
    order: NewOrder, customer: Annotated[Customer, Depends(customer)], database: Database
) -> Order:
    async with database.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            "INSERT INTO orders (customer_id, thing) VALUES (%s, %s) RETURNING *", [customer.id, order.thing]
        )
        return Order.model_validate(await cursor.fetchone())


@app.get("/customers/{customer_id}/orders")
async def orders(customer: Annotated[Customer, Depends(customer)], database: Database) -> list[Order]:
    async with database.cursor(row_factory=dict_row) as cursor:
        asked = "SELECT * FROM orders WHERE customer_id = %(of)s ORDER BY placed DESC, id DESC LIMIT %(most)s"
        await cursor.execute(asked, {"of": customer.id, "most": 50})
        return [Order.model_validate(row) for row in await cursor.fetchall()]


@app.get("/customers/{customer_id}/orders/{id}")
async def ordered(id: Number, customer: Annotated[Customer, Depends(customer)], database: Database) -> Order:
    async with database.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("SELECT * FROM orders WHERE id = %s AND customer_id = %s", [id, customer.id])
        row = await cursor.fetchone()
    if row is None:
        raise HTTPException(404, "No such order")
    return Order.model_validate(row)
