"""Pages with versions, by psycopg: it compares the version that an editor has seen, and then writes."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import FastAPI, Header, HTTPException, Path, Response
from guard import guard
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel, Field

SCHEMA = """
    CREATE TABLE IF NOT EXISTS pages (id serial PRIMARY KEY, text text NOT NULL, version integer NOT NULL)
"""
pool: AsyncConnectionPool[AsyncConnection[dict[str, Any]]] = AsyncConnectionPool(
    os.environ["DATABASE_URL"],
    kwargs={"row_factory": dict_row},
    check=AsyncConnectionPool.check_connection,
    open=False,
    max_size=8,
)


class NewPage(BaseModel):
    text: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class Page(NewPage):
    id: int


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with pool:
        async with pool.connection() as connection:
            await connection.execute(SCHEMA)
        yield


async def asked(statement: str, *values: object) -> dict[str, Any]:
    async with pool.connection() as connection:
        row = await (await connection.execute(statement.encode(), values)).fetchone()
    if row is None:
        raise HTTPException(404, "No such page")
    return row


def shown(row: dict[str, Any], response: Response) -> Page:
    response.headers["etag"] = f'"{row["version"]}"'
    return Page(id=row["id"], text=row["text"])


Key = Annotated[int, Path(ge=1, lt=2**31)]
app = FastAPI(lifespan=lifespan)
guard(app)


@app.post("/pages", status_code=201)
async def add(page: NewPage, response: Response) -> Page:
    row = await asked("INSERT INTO pages (text, version) VALUES (%s, 1) RETURNING *", page.text)
    return shown(row, response)


@app.get("/pages/{id}")
async def one(
    id: Key, response: Response, if_none_match: Annotated[str | None, Header(max_length=200)] = None
) -> Any:
    row = await asked("SELECT * FROM pages WHERE id = %s", id)
    page = shown(row, response)
    if if_none_match == response.headers["etag"]:
        return Response(status_code=304, headers={"etag": response.headers["etag"]})
    return page


@app.put("/pages/{id}")
async def write(
    id: Key, page: NewPage, response: Response, if_match: Annotated[str | None, Header(max_length=200)] = None
) -> Page:
    row = await asked("SELECT * FROM pages WHERE id = %s", id)
    if if_match is not None and if_match != f'"{row["version"]}"':
        raise HTTPException(412, "Somebody else was faster")
    changed = "UPDATE pages SET text = %s, version = %s + 1 WHERE id = %s RETURNING *"
    return shown(await asked(changed, page.text, row["version"], id), response)
