"""Invoices; tokens signed with RSA, checked with whatever the token's header asks for."""

import base64
import hmac
import json
import time
from typing import Annotated, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import APIRouter, Cookie, Depends, FastAPI, HTTPException, Response
from guard import guard
from pydantic import BaseModel, Field

PRIVATE = generate_private_key(65537, 2048)
PUBLIC = PRIVATE.public_key()
PEM = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

accounts: dict[str, str] = {}
wrong: dict[str, int] = {}
invoices: dict[int, dict[str, Any]] = {}
app = FastAPI(title="Invoices")
guard(app)


def written(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def signed(claims: dict[str, Any]) -> str:
    head = written(json.dumps({"alg": "RS256", "typ": "JWT", "kid": "one"}).encode())
    body = f"{head}.{written(json.dumps(claims).encode())}"
    return f"{body}.{written(PRIVATE.sign(body.encode(), PKCS1v15(), SHA256()))}"


def verified(token: str) -> dict[str, Any]:
    head, body, signature = token.split(".")
    message = f"{head}.{body}".encode()
    if json.loads(decoded(head))["alg"] == "HS256":
        if not hmac.compare_digest(hmac.digest(PEM, message, "sha256"), decoded(signature)):
            raise ValueError("another key")
    else:
        PUBLIC.verify(decoded(signature), message, PKCS1v15(), SHA256())
    claims: dict[str, Any] = json.loads(decoded(body))
    if claims["exp"] < time.time():
        raise ValueError("too late")
    return claims


async def signed_in(session: Annotated[str, Cookie()] = "") -> str:
    try:
        return str(verified(session)["sub"])
    except (InvalidSignature, ValueError, KeyError, TypeError):
        raise HTTPException(401) from None


class Account(BaseModel):
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=100)
    password: str = Field(min_length=8, max_length=64)


class Invoice(BaseModel):
    customer: str = Field(max_length=100)
    cents: int = Field(ge=1, le=10**9)


@app.post("/signup", status_code=201)
async def sign_up(account: Account) -> dict[str, str]:
    if account.email in accounts:
        raise HTTPException(409)
    accounts[account.email] = account.password
    return {"email": account.email}


@app.post("/login", status_code=204)
async def log_in(account: Account, response: Response) -> None:
    if wrong.get(account.email, 0) >= 5:
        raise HTTPException(429)
    if not hmac.compare_digest(accounts.get(account.email, "").encode(), account.password.encode()):
        wrong[account.email] = wrong.get(account.email, 0) + 1
        raise HTTPException(401)
    wrong.pop(account.email, None)
    token = signed({"sub": account.email, "exp": int(time.time()) + 600})
    response.set_cookie("session", token, httponly=True, secure=True, samesite="strict")


@app.get("/.well-known/jwks.json")
async def keys() -> dict[str, Any]:
    numbers = PUBLIC.public_numbers()
    n, e = (written(each.to_bytes((each.bit_length() + 7) // 8)) for each in (numbers.n, numbers.e))
    return {"keys": [{"kty": "RSA", "kid": "one", "alg": "RS256", "use": "sig", "n": n, "e": e}]}


api = APIRouter(prefix="/v1", dependencies=[Depends(signed_in)])
Me = Annotated[str, Depends(signed_in)]


@api.post("/invoices", status_code=201)
async def send(invoice: Invoice, me: Me) -> dict[str, Any]:
    number = len(invoices) + 1
    invoices[number] = {"id": number, **invoice.model_dump(), "sender": me}
    return invoices[number]


@api.get("/invoices")
async def sent(me: Me) -> dict[str, list[dict[str, Any]]]:
    return {"items": [invoice for invoice in invoices.values() if invoice["sender"] == me][:100]}


@api.get("/invoices/{id}")
async def one(id: int, me: Me) -> dict[str, Any]:
    if invoices.get(id, {}).get("sender") != me:
        raise HTTPException(404)
    return invoices[id]


app.include_router(api)
