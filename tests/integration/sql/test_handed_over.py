"""Handing over in sessions: the policy knows what the row was, and other updates gain nothing by it."""

import asyncio
from collections.abc import Iterator
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from builders import OWNER, SIGNED_IN, backend, entity, field, grant, owner, role
from protected import build, session_of, sessions_on
from served import fresh_database
from specwright.model.caller import Caller
from specwright.model.manifest import Manifest
from specwright.model.types import BOOLEAN, TEXT, Kind, Type

MANIFEST: Manifest = backend(
    entity(
        "Task",
        field("title", TEXT),
        field("extra", Type(Kind.JSON)),
        field("done", BOOLEAN),
        owner(),
        grants=(
            grant(SIGNED_IN, "list, read"),
            grant(OWNER, "create, delete"),
            grant(OWNER, "update", "done == False"),
            grant(role("editor"), "update", None, "done == False"),
            grant(OWNER, "hand over", None, 'owner != "eve"'),
        ),
    ),
    entity("Secret", owner(), grants=(grant(OWNER, "everything"), grant(OWNER, "hand over"))),
    roles=("editor",),
)
KEY = UUID(int=1)
ADA, BOB, ED = Caller("ada"), Caller("bob"), Caller("ed", frozenset({"editor"}))


@pytest.fixture(scope="module")
def database(database_server: str) -> Iterator[str]:
    """A task of Ada's that is done, and a secret of hers, with all policies."""

    async def fill(url: str) -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(
                "INSERT INTO tasks (id, title, extra, done, owner_id) VALUES ($1, 'x', '[1]', true, 'ada')",
                KEY,
            )
            await connection.execute("INSERT INTO secrets (id, owner_id) VALUES ($1, 'ada')", KEY)
        finally:
            await connection.close()

    with fresh_database(database_server) as url:
        build(url, MANIFEST)
        asyncio.run(fill(url))
        yield url


def outcome(url: str, caller: Caller, statement: str) -> int | None:
    """How many rows a statement of a session changes, which is thrown away; None where it is refused."""

    async def ask() -> int | None:
        sessions = sessions_on(url)
        try:
            async with session_of(sessions, MANIFEST, caller) as session:
                try:
                    return int((await session.execute(text(statement))).rowcount)  # type: ignore[attr-defined]
                except DBAPIError as error:
                    assert "row-level security" in str(error)
                    return None
        finally:
            await sessions.close()

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("caller", "change", "wanted"),
    [
        # The owner lets go of a row, and of nothing else with it.
        (ADA, "owner_id = 'bob'", 1),
        (ADA, "owner_id = 'bob', version = version + 1, updated_at = now()", 1),
        (ADA, "owner_id = 'bob', title = 'y'", None),
        (ADA, "owner_id = 'bob', extra = '[2]'", None),
        # Then holds after.
        (ADA, "owner_id = 'eve'", None),
        # What reaches the row through this grant changes nothing else: the row is done.
        (ADA, "title = 'y'", None),
        # Who may update hands nothing over that does not fit their own grant.
        (BOB, "owner_id = 'bob'", 0),
        (ED, "title = 'y'", None),
        (ED, "done = false", 1),
        (ED, "owner_id = 'bob'", None),
    ],
)
def test_a_session_hands_over_as_granted(
    caller: Caller, change: str, wanted: int | None, database: str
) -> None:
    """Row by row and for all rows at once."""
    assert outcome(database, caller, f"UPDATE tasks SET {change} WHERE id = '{KEY}'") == wanted
    assert outcome(database, caller, f"UPDATE tasks SET {change}") == wanted


def test_in_a_session_the_row_stays_readable(database: str) -> None:
    """Where only its owner may read it, a session cannot let it go."""
    assert outcome(database, ADA, "UPDATE secrets SET owner_id = 'bob'") is None
    assert outcome(database, ADA, f"UPDATE secrets SET owner_id = 'bob' WHERE id = '{KEY}'") is None
    assert outcome(database, ADA, "UPDATE secrets SET owner_id = 'ada'") == 1
