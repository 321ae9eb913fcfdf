"""Which statements read a whole table for want of an index; and what is no fault."""

import sqlite3
from pathlib import Path

import asyncpg
import pytest

from specwright.verify.database.plan import Missing
from specwright.verify.database.plans import plans

pytestmark = [pytest.mark.anyio]

SCHEMA = """
    CREATE TABLE people (id INTEGER PRIMARY KEY, email VARCHAR(80) UNIQUE, active BOOLEAN, state VARCHAR(10));
    CREATE TABLE notes (
        id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL REFERENCES people,
        text VARCHAR(80) CHECK (length(text) < 80), made TIMESTAMP
    );
"""
#: By what of a statement is all right, or which column lacks an index.
STATEMENTS = {
    "SELECT * FROM notes WHERE id = 1": None,
    "SELECT * FROM people WHERE email = 'ada@x.example'": None,
    "SELECT * FROM people WHERE active = {yes}": None,
    "SELECT * FROM people WHERE state = 'new'": None,
    "SELECT * FROM notes WHERE text LIKE '%x%'": None,
    "SELECT count(*) FROM notes": None,
    "SELECT * FROM notes WHERE person_id = {one}": "notes.person_id",
    "SELECT n.* FROM notes AS n JOIN people p ON p.id = n.person_id WHERE p.email = 'a'": "notes.person_id",
    "SELECT * FROM notes ORDER BY made DESC LIMIT {one}": "notes.made",
}


async def test_sqlite(tmp_path: Path) -> None:
    """A copy in memory is asked."""
    file = tmp_path / "a b.db"
    with sqlite3.connect(file) as database:
        database.executescript(SCHEMA)
    before = file.read_bytes()
    asked = {each.format(one="?", yes="1"): column for each, column in STATEMENTS.items()}
    said = await plans(f"sqlite:///{str(file).replace(' ', '%20')}", list(asked))
    assert not said.unseeded
    assert {each: _columns(said.missing[each]) for each in asked} == asked
    assert file.read_bytes() == before


@pytest.mark.parametrize("one", ["$1", "%s", "%(one)s"])
async def test_postgresql(database_url: str, one: str) -> None:
    """What it gets for that is gone afterwards; drivers write placeholders in three ways."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(SCHEMA)
        asked = {each.format(one=one, yes="true"): column for each, column in STATEMENTS.items()}
        if one != "$1":
            asked = {each.replace("'%x%'", "'%%x%%'"): column for each, column in asked.items()}
        said = await plans(database_url, list(asked))
        assert not said.unseeded
        assert {each: _columns(said.missing[each]) for each in asked} == asked
        assert await connection.fetchval("SELECT count(*) FROM notes") == 0
        assert await connection.fetchval("SELECT count(*) FROM pg_indexes WHERE schemaname = 'public'") == 3
        assert await connection.fetchval("SELECT count(*) FROM pg_constraint WHERE contype IN ('c', 'f')") > 1
    finally:
        await connection.close()


def _columns(missing: list[Missing]) -> str | None:
    return ", ".join(each.place for each in missing) or None
