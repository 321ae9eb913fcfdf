"""A million rows: what a page or a session reads does not depend on them. Plans tell, not clocks."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest
from sqlalchemy import text

from protected import build, session_of, sessions_on
from served import Served, fresh_database, serving
from specwright.api.plan import plan_request
from specwright.model.caller import Caller
from specwright.read.spec import read_specs
from specwright.sql.columns import quoted

pytestmark = pytest.mark.any_server

SPEC = """# Notes

## Project

| Field | Type | Rules         |
|-------|------|---------------|
| name  | text | required, ..9 |
| owner | User | the caller    |

| Who   | May        |
|-------|------------|
| owner | everything |

## Note

| Field   | Type           | Rules                     |
|---------|----------------|---------------------------|
| title   | text           | required, ..9, searchable |
| state   | `open`, `done` | default `open`            |
| rank    | integer        | default 0, indexed        |
| labels  | list of text   | indexed                   |
| data    | json           | indexed                   |
| project | Project        | on delete cascade         |
| owner   | User           | the caller                |

| Who   | May        |
|-------|------------|
| owner | everything |

## Remark

| Field | Type | Rules             |
|-------|------|-------------------|
| body  | text | ..9, indexed      |
| note  | Note | on delete cascade |
| owner | User | the caller        |

| Who   | May        |
|-------|------------|
| owner | everything |
"""
#: One person has nearly all of them, a thousand others share the rest. What is rare, two of 997 rows have.
_FILL = """
CREATE FUNCTION owner_of(n bigint) RETURNS text IMMUTABLE
RETURN CASE WHEN n % 10 = 0 THEN 'person' || n / 10 % 1000 ELSE 'hoarder' END;
CREATE FUNCTION key_of(n bigint) RETURNS uuid IMMUTABLE
RETURN lpad(to_hex(n), 32, '0')::uuid;

INSERT INTO projects (id, name, owner_id)
SELECT key_of(n), 'p' || n, owner_of(n) FROM generate_series(1, 10000) AS n;

INSERT INTO notes (id, title, state, rank, labels, data, project_id, owner_id, created_at)
SELECT key_of(n), CASE WHEN n % 997 < 2 THEN 'rare' ELSE 'usual' END,
       CASE WHEN n % 997 < 2 THEN 'done' ELSE 'open' END, n % 997,
       CASE WHEN n % 997 < 2 THEN '{usual,rare}' ELSE '{usual}' END::text[],
       CASE WHEN n % 997 < 2 THEN '{"k": "rare"}' ELSE '{"k": 1}' END::jsonb,
       key_of(n % 10000 + 1), owner_of(n), timestamptz '2026-01-01' + n * interval '1 second'
FROM generate_series(1, 1000000) AS n;

INSERT INTO remarks (body, note_id, owner_id)
SELECT CASE WHEN n % 101 < 2 THEN 'rare' ELSE 'usual' END, key_of(n * 10 - n % 7), owner_of(n * 10 - n % 7)
FROM generate_series(1, 100000) AS n;
"""
INDEX = "ix_notes_owner_id_created_at_id"
PAGE = 20


@pytest.fixture(scope="module")
def notes(database_server: str) -> Iterator[Served]:
    """The rows, served."""
    with fresh_database(database_server) as database:
        build(database, read_specs({"specs/it/spec.md": SPEC}))
        with serving(SPEC, database, tables=False) as served:
            asyncio.run(_fill(database))
            yield served


async def _fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        # Nobody needs them after a crash, an index is made faster than it grows, and the rows are sound.
        await connection.execute("ALTER TABLE remarks SET UNLOGGED; ALTER TABLE notes SET UNLOGGED")
        indexes = await connection.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'notes' AND indexname LIKE 'ix_%'"
        )
        for name, _ in indexes:
            await connection.execute(f"DROP INDEX {name}")
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(_FILL)
        for _, definition in indexes:
            await connection.execute(definition)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A node of a plan, and all below it."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


async def explained(
    url: str, statement: str, arguments: tuple[Any, ...], *, generic: bool = False
) -> list[dict[str, Any]]:
    """The nodes of a statement's plan, having run it; if generic, of the plan that is for any values."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET TimeZone = 'UTC'")
        how = "EXPLAIN (ANALYZE, FORMAT JSON)"
        if generic:
            await connection.execute(
                f"SET plan_cache_mode = force_generic_plan; PREPARE asked AS {statement}"
            )
            given = ", ".join(map(quoted, arguments))
            found = await connection.fetchval(
                f"{how} EXECUTE asked ({given})" if given else f"{how} EXECUTE asked"
            )
        else:
            found = await connection.fetchval(f"{how} {statement}", *arguments)
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


PROJECT = "/projects/00000000-0000-0000-0000-000000000015"
#: Lists that are found by an index, whoever asks: they have rows of their own, or what they ask for is rare.
LISTS = (
    "/notes",
    "/notes?state=done",
    "/notes?rank=7",
    "/notes?rank__gte=900&sort=rank",
    "/notes?sort=-rank&limit=5",
    "/notes?title=usual&state=open&rank__lt=500",
    "/notes?labels__contains=rare",
    "/notes?filter='rare' in labels and state == 'done'",
    '/notes?data__contains={"k":"rare"}',
    """/notes?filter=contains(data, '{"k": "rare"}')""",
    "/notes?q=rare",
    "/notes?q=usual",
    "/notes?project__name=p21",
    "/notes?filter=project.name == 'p21' or rank == 7",
    "/notes?filter=project.name == 'p21' and state == 'open'",
    "/notes?remarks__body=rare",
    "/notes?filter=remarks.body == 'rare' and title == 'rare'",
    "/notes?include=project,remarks",
    "/notes?include=project,remarks&q=rare&labels__contains=rare",
    "/projects?include=notes.remarks",
    "/projects?notes__rank=7",
    "/projects?filter=notes.title == 'rare' and name == 'p21'",
    "/remarks?sort=note__rank&body=rare",
    "/remarks?filter=note.project.name == 'p21'",
    f"{PROJECT}/notes",
    f"{PROJECT}/notes?sort=rank&include=remarks&title=usual",
)
#: How many of the notes are looked at: what is rare is looked for among 10,000 at least, the newest first.
MOST = {"hoarder": 50_000, "person7": 3_000}
#: Those that look at every row of their caller, who has a hundred.
OF_ALL = (
    "/notes?count=exact",
    "/notes?sort=title",
    "/notes?sort=state,-rank",
    "/notes?sort=project__name",
    "/notes?title__contains=are",
    "/notes?filter=len(labels) > 1 or rank * 2 > 1500",
    "/notes?filter=not (project.name == 'p21')&count=exact",
    "/notes?labels__contains=usual&count=exact",
)


@pytest.mark.parametrize("generic", [False, True])
@pytest.mark.parametrize(
    ("who", "path"), [*(("hoarder", path) for path in LISTS), *(("person7", path) for path in LISTS + OF_ALL)]
)
def test_no_list_reads_the_whole_table(notes: Served, who: str, path: str, generic: bool) -> None:
    """Filtered, searched, sorted or with rows included: where the rows are found, an index finds them."""
    route, _, query = path.partition("?")
    encoded = "&".join(f"{name}={quote(value)}" for name, _, value in map(_parted, query.split("&")) if name)
    plan = plan_request(notes.backend.dispatch, "GET", f"{route}?{encoded}", Caller(who))
    found = asyncio.run(explained(notes.database, plan.statement.text, plan.arguments, generic=generic))
    assert scans(found), "the rows are found somehow"
    assert not [
        node for node in found if node["Node Type"] == "Seq Scan" and node["Relation Name"] == "notes"
    ]
    # PostgreSQL keeps to plans that are for any values where they are expected to be as good.
    assert generic or sum(map(_rows, scans(found))) < MOST[who]


def _rows(scan: dict[str, Any]) -> float:
    """How many rows were looked at, found or not."""
    removed = ("Rows Removed by Filter", "Rows Removed by Index Recheck", "Rows Removed by Join Filter")
    looked_at: float = scan["Actual Rows"] + sum(scan.get(name, 0) for name in removed)
    return looked_at * scan["Actual Loops"]


def _parted(parameter: str) -> tuple[str, str, str]:
    return parameter.partition("=")
