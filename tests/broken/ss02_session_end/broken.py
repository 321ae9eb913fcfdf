"""Plans; signing out makes the browser forget the cookie, and nobody else."""

import hmac
import secrets
from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from guard import guard
from pydantic import BaseModel, Field

accounts: dict[str, str] = {}
plans: list["Plan"] = []
wrong: Counter[str] = Counter()
app = FastAPI()
guard(app)


class Sessions:
    """Who is signed in, by random keys."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def open(self, name: str) -> str:
        key = secrets.token_urlsafe(24)
        self.names[key] = name
        return key

    def close(self, key: str) -> None:
        self.names.pop(key, None)

    def __call__(self, request: Request) -> str:
        name = self.names.get(request.cookies.get("plans", ""))
        if name is None:
            raise HTTPException(401)
        return name


sessions = Sessions()
Planner = Annotated[str, Depends(sessions)]


class Account(BaseModel):
    username: str = Field(pattern="^[a-z0-9]{3,40}$")
    password: str = Field(min_length=8, max_length=100)


class NewPlan(BaseModel):
    what: str = Field(max_length=200)


class Plan(NewPlan):
    id: int
    whose: str


account = APIRouter(prefix="/account")


@account.post("/sign-up", status_code=201)
async def sign_up(new: Account) -> dict[str, str]:
    if new.username in accounts:
        raise HTTPException(409)
    accounts[new.username] = new.password
    return {"username": new.username}


@account.post("/sign-in", status_code=204)
async def sign_in(shown: Account, response: Response) -> None:
    if wrong[shown.username] >= 5:
        raise HTTPException(429)
    if not hmac.compare_digest(accounts.get(shown.username, "").encode(), shown.password.encode()):
        wrong[shown.username] += 1
        raise HTTPException(401)
    del wrong[shown.username]
    key = sessions.open(shown.username)
    response.set_cookie("plans", key, httponly=True, secure=True, samesite="strict")


@account.post("/sign-out", status_code=204)
async def sign_out(request: Request, response: Response, me: Planner) -> None:
    response.delete_cookie("plans")


planning = APIRouter(prefix="/plans")


@planning.post("", status_code=201)
async def plan(new: NewPlan, me: Planner) -> Plan:
    plans.append(Plan(id=len(plans) + 1, whose=me, what=new.what))
    return plans[-1]


@planning.get("")
async def mine(me: Planner) -> list[Plan]:
    return [plan for plan in plans if plan.whose == me][:100]


@planning.get("/{id}")
async def one(id: int, me: Planner) -> Plan:
    for plan in plans:
        if plan.id == id and plan.whose == me:
            return plan
    raise HTTPException(404)


outer = APIRouter(prefix="/api")
outer.include_router(account)
outer.include_router(planning)
app.include_router(outer)
