"""Tables on a real server: keys that sort by time, and violations that lead back to the spec."""

from typing import Any

import asyncpg
import pytest
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from specwright.db.url import normalise
from specwright.model.manifest import Manifest
from specwright.read.spec import read_specs
from specwright.sql.columns import UUID_V7
from specwright.sql.constraints import constrained, describe_constraint

pytestmark = pytest.mark.anyio

SPEC = """# Shop

## Maker

| Field | Type | Rules             |
|-------|------|-------------------|
| name  | text | required, 1..40   |

| Who    | May        |
|--------|------------|
| anyone | everything |

## Ware

| Field   | Type            | Rules                     |
|---------|-----------------|---------------------------|
| title   | text            | ..5, unique               |
| code    | text            | ..9, matches /[a-z]+:\\d/ |
| size    | `s`, `it's`     |                           |
| stock   | integer         | 0..5                      |
| weight  | number(12,3)    |                           |
| price   | number(6,2)     | 0..                       |
| due     | timestamp       |                           |
| day     | date            |                           |
| long    | text            | indexed                   |
| words   | list of text    | ..2                       |
| marks   | list of integer |                           |
| owner   | User            | the caller                |
| maker   | Maker           | on delete refuse          |

| Who   | May        |
|-------|------------|
| owner | everything |

### Rules

- `stock is None or size != "s" or stock > 1` (FR-007)
"""


async def prepared(url: str) -> tuple[Manifest, asyncpg.Connection]:
    """The spec's tables, made in one go, and a connection to them."""
    manifest = read_specs({"specs/shop/spec.md": SPEC})
    dsn = normalise(url)
    engine = create_async_engine(dsn.sqlalchemy_url, connect_args=dsn.sqlalchemy_arguments)

    def create(connection: Connection) -> None:
        constrained(manifest).metadata.create_all(connection)

    try:
        async with engine.begin() as connection:
            await connection.run_sync(create)
    finally:
        await engine.dispose()
    return manifest, await asyncpg.connect(url)


async def test_keys_are_uuid_v7_in_order_of_time(database_url: str) -> None:
    """Version 7, the variant of RFC 9562, today's milliseconds, ascending from call to call."""
    connection = await asyncpg.connect(database_url)
    try:
        keys = [await connection.fetchval(f"SELECT {UUID_V7}") for _ in range(200)]
        now = await connection.fetchval("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
    finally:
        await connection.close()
    assert {key.version for key in keys} == {7}
    assert {key.variant for key in keys} == {"specified in RFC 4122"}
    assert keys == sorted(keys) and len(set(keys)) == 200
    assert 0 <= now - (keys[-1].int >> 80) < 60_000


@pytest.mark.parametrize(
    ("column", "value", "kind", "fields"),
    [
        ("title", "'123456'", "length", ("title",)),
        ("code", "'a1'", "pattern", ("code",)),
        ("code", "E'a:1\\n'", "pattern", ("code",)),
        ("size", "'x'", "literals", ("size",)),
        ("stock", "6", "range", ("stock",)),
        ("weight", "'NaN'", "range", ("weight",)),
        ("price", "'NaN'", "range", ("price",)),
        ("price", "-0.01", "range", ("price",)),
        ("due", "'infinity'", "range", ("due",)),
        ("due", "'10000-01-01 00:00:00Z'", "range", ("due",)),
        ("due", "'0001-12-31 BC'", "range", ("due",)),
        ("day", "'-infinity'", "range", ("day",)),
        ("long", "repeat('x', 10001)", "length", ("long",)),
        ("long", "repeat('ж', 2000)", "size", ("long",)),
        ("words", "'{a,b,c}'", "length", ("words",)),
        ("words", "'{a,NULL}'", "items", ("words",)),
        ("marks", "'{9007199254740992}'", "items", ("marks",)),
        ("owner_id", "''", "length", ("owner",)),
        ("maker_id", "gen_random_uuid()", "reference", ("maker",)),
        ("stock, size", "1, 's'", "rule", ("stock", "size")),
    ],
)
async def test_what_the_spec_forbids_the_table_refuses(
    database_url: str, column: str, value: str, kind: str, fields: tuple[str, ...]
) -> None:
    """Each value outside is a violation whose name leads back to the field and the reason."""
    manifest, connection = await prepared(database_url)
    owner = "" if column == "owner_id" else ", owner_id"
    values = value if column == "owner_id" else f"{value}, 'ada'"
    try:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
            await connection.execute(f"INSERT INTO wares ({column}{owner}) VALUES ({values})")
    finally:
        await connection.close()
    violated = describe_constraint(manifest, refused.value.constraint_name)
    assert violated is not None
    assert (violated.kind.value, violated.resource, violated.fields) == (kind, "Ware", fields)


async def test_uniqueness_ignores_rows_without_a_value(database_url: str) -> None:
    """Two nulls may stand beside each other; two equal values may not."""
    manifest, connection = await prepared(database_url)
    insert = "INSERT INTO wares (title, owner_id) VALUES ($1, 'ada')"
    try:
        for title in (None, None, "a"):
            await connection.execute(insert, title)
        with pytest.raises(asyncpg.UniqueViolationError) as refused:
            await connection.execute(insert, "a")
    finally:
        await connection.close()
    violated: Any = describe_constraint(manifest, refused.value.constraint_name)
    assert violated.fields == ("title",)


async def test_text_is_ordered_by_code_point(database_url: str) -> None:
    """Upper case before lower case, whatever the server's locale."""
    _, connection = await prepared(database_url)
    try:
        await connection.execute("INSERT INTO makers (name) VALUES ('b'), ('a'), ('B'), ('é'), ('z')")
        names = [row[0] for row in await connection.fetch("SELECT name FROM makers ORDER BY name")]
    finally:
        await connection.close()
    assert names == ["B", "a", "b", "z", "é"]


async def test_refuse_is_no_action(database_url: str) -> None:
    """A row that others refer to stays, with the same SQLSTATE on every version of PostgreSQL."""
    manifest, connection = await prepared(database_url)
    try:
        await connection.execute("INSERT INTO makers (name) VALUES ('m')")
        await connection.execute("INSERT INTO wares (owner_id, maker_id) SELECT 'ada', id FROM makers")
        with pytest.raises(asyncpg.ForeignKeyViolationError) as refused:
            await connection.execute("DELETE FROM makers")
    finally:
        await connection.close()
    violated: Any = describe_constraint(manifest, refused.value.constraint_name)
    assert (violated.resource, violated.fields) == ("Ware", ("maker",))
