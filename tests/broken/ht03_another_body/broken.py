"""Payments in raw sqlite3, each under a key of its sender; with another body it is another key."""

import hashlib
import secrets
import sqlite3
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException
from guard import guard
from pydantic import BaseModel, Field

KEYS = {"pay-91d3f7a2c0": "ada", "pay-5be8046d1f": "bob"}
FILE = "payments.db"
SCHEMA = """
    CREATE TABLE IF NOT EXISTS payments (
        id TEXT PRIMARY KEY, payer TEXT NOT NULL, cents INTEGER NOT NULL, subject TEXT NOT NULL,
        sent_as TEXT UNIQUE, digest TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS payments_payer ON payments (payer, id);
"""
SHOWN = "SELECT id, payer, cents, subject, digest FROM payments"


class NewPayment(BaseModel):
    cents: int = Field(ge=1, le=10**9)
    subject: str = Field(min_length=1, max_length=140)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()


class Payment(NewPayment):
    id: str
    payer: str


with sqlite3.connect(FILE) as database:
    database.executescript(SCHEMA)


class Till:
    """The payments of whoever asks."""

    def __init__(self, x_key: Annotated[str, Header()] = "") -> None:
        if x_key not in KEYS:
            raise HTTPException(401, "No such key")
        self.payer = KEYS[x_key]

    def name(self, key: str, payment: NewPayment) -> str:
        return f"{self.payer}:{key}:{payment.digest}"

    def run(self, statement: str, *values: object) -> Iterator[sqlite3.Row]:
        connection = sqlite3.connect(FILE, isolation_level=None)
        connection.row_factory = sqlite3.Row
        try:
            yield from connection.execute(statement, values)
        finally:
            connection.close()

    def pay(self, payment: NewPayment, key: str | None) -> Payment:
        name = None if key is None else self.name(key, payment)
        made = secrets.token_hex(8), self.payer, payment.cents, payment.subject, name, payment.digest
        [*self.run("INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (sent_as) DO NOTHING", *made)]
        row = next(self.run(f"{SHOWN} WHERE id = ? OR sent_as = ?", made[0], name))
        if row["digest"] != payment.digest:
            raise HTTPException(422, "The key was used for another payment")
        return Payment(**row)


Mine = Annotated[Till, Depends()]
router = APIRouter(prefix="/payments")


@router.post("", status_code=201)
def pay(payment: NewPayment, till: Mine, idempotency_key: Annotated[str | None, Header()] = None) -> Payment:
    return till.pay(payment, idempotency_key)


@router.get("")
def mine(till: Mine) -> list[Payment]:
    rows = till.run(f"{SHOWN} WHERE payer = ? ORDER BY id LIMIT 50", till.payer)
    return [Payment(**row) for row in rows]


@router.get("/{id}")
def one(id: str, till: Mine) -> Payment:
    row = next(till.run(f"{SHOWN} WHERE id = ? AND payer = ?", id, till.payer), None)
    if row is None:
        raise HTTPException(404, "No such payment")
    return Payment(**row)


app = FastAPI()
guard(app)
app.include_router(router)
