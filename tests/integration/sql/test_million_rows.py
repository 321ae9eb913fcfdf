"""A million rows: what a page or a session reads does not depend on them. Plans tell, not clocks."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from protected import build, session_of, sessions_on
from served import Served, fresh_database, serving
from specwright.api.plan import plan_request
from specwright.model.caller import Caller
from specwright.read.spec import read_specs

pytestmark = pytest.mark.any_server

SPEC = """# Notes

## Note

| Field | Type | Rules         |
|-------|------|---------------|
| title | text | required, ..9 |
| owner | User | the caller    |

| Who   | May        |
|-------|------------|
| owner | everything |
"""
#: One person has nearly all of them, a thousand others share the rest.
_FILL = """
INSERT INTO notes (title, owner_id, created_at)
SELECT 'x', CASE WHEN n % 10 = 0 THEN 'person' || n / 10 % 1000 ELSE 'hoarder' END,
       timestamptz '2026-01-01' + n * interval '1 second'
FROM generate_series(1, 1000000) AS n
"""
INDEX = "ix_notes_owner_id_created_at_id"
PAGE = 20


@pytest.fixture(scope="module")
def notes(database_server: str) -> Iterator[Served]:
    """The rows, served."""
    with fresh_database(database_server) as database:
        build(database, read_specs({"specs/it/spec.md": SPEC}))
        with serving(SPEC, database, tables=False) as served:
            # Nobody needs them after a crash, and an index is made faster than it grows.
            served.sql("ALTER TABLE notes SET UNLOGGED")
            indexes = served.sql(
                "SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE 'ix_notes%'"
            )
            for name, _ in indexes:
                served.sql(f"DROP INDEX {name}")
            served.sql(_FILL)
            for _, definition in indexes:
                served.sql(definition)
            served.sql("ANALYZE notes")
            yield served


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A node of a plan, and all below it."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


async def explained(url: str, statement: str, arguments: tuple[Any, ...]) -> list[dict[str, Any]]:
    """The nodes of a statement's plan, having run it."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET TimeZone = 'UTC'")
        found = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *arguments)
        return list(nodes(json.loads(found)[0]["Plan"]))
    finally:
        await connection.close()


def scans(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How the table was read."""
    return [node for node in found if "Scan" in node["Node Type"] and node.get("Relation Name") == "notes"]


@pytest.mark.parametrize("deep", [False, True])
def test_a_page_reads_its_rows_alone(notes: Served, deep: bool) -> None:
    """The first page, and one behind 100,000 rows: both begin in the index where the page begins."""
    path = f"/notes?limit={PAGE}"
    if deep:
        far = notes.person("hoarder").get("/notes?limit=1&offset=100000&fields=id").json()
        path += f"&cursor={far['next_cursor']}"
    caller = Caller("hoarder")
    plan = plan_request(notes.backend.dispatch, "GET", path, caller)
    found = asyncio.run(explained(notes.database, plan.statement.text, plan.arguments))
    (scan,) = scans(found)
    assert scan["Node Type"] == "Index Scan", scan
    assert ("ROW(created_at, id) <" in scan.get("Index Cond", "")) is deep
    # Of ten rows in the order of time one is somebody else's.
    assert scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0) < 2 * PAGE
    assert all(node["Actual Rows"] <= PAGE + 1 for node in found)


def test_a_session_of_an_owner_uses_the_owner_s_index(notes: Served) -> None:
    """A SELECT without WHERE reads, under the policy, the hundred rows of its caller and no other."""

    async def plan() -> list[dict[str, Any]]:
        sessions = sessions_on(notes.database)
        try:
            async with session_of(sessions, notes.backend.manifest, Caller("person7")) as session:
                found = await session.scalar(text("EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM notes"))
                return list(nodes(found[0]["Plan"]))
        finally:
            await sessions.close()

    found = asyncio.run(plan())
    assert [node.get("Index Name") for node in found if "Index" in node["Node Type"]] == [INDEX]
    assert not any(node["Node Type"] == "Seq Scan" for node in found), found
    (scan,) = scans(found)
    assert scan["Actual Rows"] == 100
    assert scan.get("Rows Removed by Filter", 0) == 0
