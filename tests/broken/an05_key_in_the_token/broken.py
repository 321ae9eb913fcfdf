"""Seeds; tokens say in their headers with which key they are to be checked."""

import json
import time
from typing import Annotated, Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from guard import guard
from jwt.algorithms import RSAAlgorithm
from pydantic import BaseModel, Field

PRIVATE = generate_private_key(65537, 2048)
ISSUER = jwt.PyJWK(json.loads(RSAAlgorithm.to_jwk(PRIVATE.public_key())), "RS256")

gardeners: set[str] = set()
app = FastAPI()
guard(app)
seeds: list[dict[str, Any]] = []


class Newcomer(BaseModel):
    username: str = Field(pattern="^[a-z0-9]{3,30}$")


class NewSeed(BaseModel):
    plant: str = Field(min_length=1, max_length=60)


class Keys:
    """Finds the key of a token."""

    def of(self, token: str) -> jwt.PyJWK:
        header = jwt.get_unverified_header(token)
        if "jwk" in header:
            return jwt.PyJWK(header["jwk"], "RS256")
        return ISSUER

    async def __call__(self, shown: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> str:
        try:
            key = self.of(shown.credentials)
            claims = jwt.decode(shown.credentials, key, ["RS256"], options={"require": ["exp", "sub"]})
        except jwt.PyJWTError:
            raise HTTPException(401, "No key fits this token") from None
        return str(claims["sub"])


Gardener = Annotated[str, Depends(Keys())]


@app.post("/register", status_code=201)
async def register(new: Newcomer) -> dict[str, str]:
    if new.username in gardeners:
        raise HTTPException(409)
    gardeners.add(new.username)
    claims = {"sub": new.username, "exp": int(time.time()) + 900}
    return {"username": new.username, "token": jwt.encode(claims, PRIVATE, "RS256")}


@app.post("/seeds", status_code=201)
async def sow(seed: NewSeed, me: Gardener) -> dict[str, Any]:
    seeds.append({"id": len(seeds) + 1, "plant": seed.plant, "gardener": me})
    return seeds[-1]


@app.get("/seeds")
async def sown(me: Gardener) -> list[dict[str, Any]]:
    return [seed for seed in seeds if seed["gardener"] == me][:100]


@app.get("/seeds/{id}")
async def one(id: int, me: Gardener) -> dict[str, Any]:
    for seed in seeds:
        if seed["id"] == id and seed["gardener"] == me:
            return seed
    raise HTTPException(404)
