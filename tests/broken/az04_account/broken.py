"""Orders in a dictionary, of accounts that have numbers; a body says whose an order is."""

from itertools import count
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Security
from fastapi.security import APIKeyHeader
from guard import guard
from pydantic import BaseModel, ConfigDict, Field

KEYS = {"k-5d83b1c07ef4": 4711, "k-e1960fa27d3b": 4712}

orders: dict[int, dict[str, Any]] = {}
numbers = count(1)


class NewOrder(BaseModel):
    model_config = ConfigDict(extra="allow")

    item: str = Field(min_length=1, max_length=80)


class Order(BaseModel):
    id: int
    item: str
    account_id: int


class Caller:
    """Whoever the key belongs to."""

    def __init__(
        self, key: Annotated[str | None, Security(APIKeyHeader(name="x-api-key", auto_error=False))]
    ) -> None:
        if key is None or key not in KEYS:
            raise HTTPException(401, "No such key")
        self.account = KEYS[key]

    def own(self, number: int) -> dict[str, Any]:
        order = orders.get(number)
        if order is None or order["account_id"] != self.account:
            raise HTTPException(404, "No such order")
        return order


router = APIRouter(prefix="/orders")
Me = Annotated[Caller, Depends()]


@router.post("", status_code=201)
async def order(order: NewOrder, me: Me) -> Order:
    number = next(numbers)
    orders[number] = {"account_id": me.account} | order.model_dump() | {"id": number}
    return Order(**orders[number])


@router.get("")
async def mine(me: Me) -> list[Order]:
    own = [order for order in orders.values() if order["account_id"] == me.account]
    return [Order(**order) for order in own[:50]]


@router.get("/{number}")
async def read(number: int, me: Me) -> Order:
    return Order(**me.own(number))


app = FastAPI()
guard(app)
app.include_router(router)
