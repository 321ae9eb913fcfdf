"""An office: routers within routers, the head's beneath /admin; reports stand beside that router."""

from itertools import count
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from guard import guard
from pydantic import BaseModel, Field

TOKENS = {"t-6a81f0c3d9e2": "ada", "t-09be57c1a4f8": "bob", "t-f3d2487b0e6c": "eve"}
HEADS = {"eve"}

claims: dict[int, dict[str, Any]] = {}
numbers = count(1)
bearer = HTTPBearer(auto_error=False)


class NewClaim(BaseModel):
    reason: str = Field(min_length=1, max_length=80)


class Claim(NewClaim):
    id: int
    owner: str


def caller(token: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]) -> str:
    if token is None or token.credentials not in TOKENS:
        raise HTTPException(401, "No such token")
    return TOKENS[token.credentials]


Me = Annotated[str, Depends(caller)]


def head(me: Me) -> None:
    if me not in HEADS:
        raise HTTPException(403, "For heads only")


desk = APIRouter(prefix="/claims", tags=["claims"])
admin = APIRouter(prefix="/admin", dependencies=[Depends(head)])
reports = APIRouter(prefix="/admin/reports", dependencies=[Depends(caller)])


@desk.post("", status_code=201)
async def ask(claim: NewClaim, me: Me) -> Claim:
    number = next(numbers)
    claims[number] = {"id": number, "owner": me, "reason": claim.reason}
    return Claim(**claims[number])


@desk.get("")
async def mine(me: Me) -> list[Claim]:
    return [Claim(**claim) for claim in claims.values() if claim["owner"] == me][:50]


@desk.get("/{number}")
async def read(number: int, me: Me) -> Claim:
    claim = claims.get(number)
    if claim is None or claim["owner"] != me:
        raise HTTPException(404, "No such claim")
    return Claim(**claim)


@admin.get("/people")
async def people() -> list[str]:
    return sorted(TOKENS.values())


@reports.get("/claims")
async def every_claim() -> dict[str, int]:
    return {"claims": len(claims)}


v1 = APIRouter(prefix="/v1")
for router in (desk, admin, reports):
    v1.include_router(router)
app = FastAPI()
guard(app)
app.include_router(v1)
