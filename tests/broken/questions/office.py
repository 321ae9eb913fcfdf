"""An office in which nobody has said for whom the pages beneath /admin are."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import APIKeyHeader

KEYS = {"k-5d83b1c07ef4": "ada", "k-e1960fa27d3b": "bob"}

app = FastAPI()


def caller(
    key: Annotated[str | None, Security(APIKeyHeader(name="x-api-key", auto_error=False))],
) -> str:
    if key is None or key not in KEYS:
        raise HTTPException(401, "No such key")
    return KEYS[key]


Me = Annotated[str, Depends(caller)]


@app.get("/api/admin/stats")
async def stats(me: Me) -> dict[str, int]:
    return {"people": len(KEYS)}


@app.get("/staff-only/keys")
async def keys(me: Me) -> list[str]:
    raise HTTPException(403, "For heads only")


@app.post("/internal/reset")
async def reset(me: Me) -> None:
    """Nobody tries this."""


@app.get("/roots")
async def roots(me: Me) -> list[str]:
    return ["beet"]
