"""Profiles that people change by bodies without a schema, their roles too."""

from json import JSONDecodeError
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request, Security
from fastapi.security import APIKeyHeader
from guard import guard

KEYS = {"k-5d83b1c07ef4": "ada", "k-e1960fa27d3b": "bob"}
CHANGED = ("motto", "role")

profiles: dict[str, dict[str, str]] = {
    name: {"name": name, "motto": "", "role": "reader"} for name in KEYS.values()
}

app = FastAPI()
guard(app)


def caller(
    key: Annotated[str | None, Security(APIKeyHeader(name="x-api-key", auto_error=False))],
) -> str:
    if key is None or key not in KEYS:
        raise HTTPException(401, "No such key")
    return KEYS[key]


Me = Annotated[str, Depends(caller)]


@app.get("/me")
async def profile(me: Me) -> dict[str, str]:
    return profiles[me]


@app.patch("/me")
async def change(me: Me, request: Request) -> dict[str, str]:
    try:
        body: Any = await request.json()
    except (JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise HTTPException(400, "No JSON") from None
    if not isinstance(body, dict):
        raise HTTPException(422, "An object is wanted")
    for name in CHANGED:
        value = body.get(name)
        if isinstance(value, str) and value.isascii() and value.isprintable() and len(value) <= 80:
            profiles[me][name] = value
    return profiles[me]
