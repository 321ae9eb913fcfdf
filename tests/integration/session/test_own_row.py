"""The caller's own row in a table of users comes with their first write through a session, too."""

from typing import Any

import asyncpg
import pytest
from sqlalchemy import insert, select, text

from protected import migrate, sessions_on
from specwright.model.caller import Caller
from specwright.model.manifest import Manifest
from specwright.read.spec import read_specs
from specwright.sql.identity import identity
from specwright.sql.tables import Tables

pytestmark = pytest.mark.anyio

SPEC = """# Notes

## User

| Field | Type | Rules |
|---|---|---|
| nick | text | ..9 |

| Who | May |
|---|---|
| owner | read |

## Note

| Field | Type | Rules |
|---|---|---|
| title | text | ..9 |
| owner | User | the caller, on delete cascade |

| Who | May |
|---|---|
| owner | everything |
"""


async def users(url: str) -> list[Any]:
    """The ids of all users."""
    connection = await asyncpg.connect(url)
    try:
        return [row["id"] for row in await connection.fetch("SELECT id FROM users ORDER BY id")]
    finally:
        await connection.close()


async def test_a_first_write_makes_the_callers_row(database_url: str) -> None:
    """Reading makes none; an insert does, once, and the session is the caller's again afterwards."""
    manifest = read_specs({"specs/it/spec.md": SPEC})
    await migrate(database_url, Manifest(), manifest)
    notes = Tables(manifest).of("Note")
    sessions = sessions_on(database_url)
    try:
        for title in ("one", "two"):
            async with sessions.scoped(identity(manifest, Caller("ada"))) as session:
                assert len((await session.execute(select(notes))).all()) == (title == "two")
                await session.execute(insert(notes).values(title=title))
                assert (await session.scalar(text("SELECT current_user"))).endswith("_signed_in")
        async with sessions.scoped(identity(manifest, Caller("bob"))) as session:
            assert (await session.execute(select(notes))).all() == []
        assert await users(database_url) == ["ada"]
    finally:
        await sessions.close()
