"""What PostgreSQL does for a statement tells whether others have to wait while it reads a whole table."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, create_engine

from specwright.verify.stage.locks import Holdups, holdups, tables

_TABLES = """
    CREATE TABLE writer (id integer PRIMARY KEY, name varchar(40) NOT NULL);
    CREATE TABLE book (id integer PRIMARY KEY, title varchar(40), writer_id integer, pages integer);
    INSERT INTO writer SELECT n, 'writer ' || n FROM generate_series(1, 50) n;
    INSERT INTO book SELECT n, 'book ' || n, n, n FROM generate_series(1, 50) n;
"""
_HELD_UP = {
    "an index": "CREATE INDEX ON book (title)",
    "a narrower type": "ALTER TABLE book ALTER title TYPE varchar(20)",
    "another type": "ALTER TABLE book ALTER pages TYPE bigint",
    "a default that differs": "ALTER TABLE book ADD code uuid DEFAULT gen_random_uuid()",
    "not null": "ALTER TABLE book ALTER title SET NOT NULL",
    "a check": "ALTER TABLE book ADD CHECK (pages > 0)",
    "a unique key": "ALTER TABLE book ADD UNIQUE (title)",
    "a foreign key": "ALTER TABLE book ADD FOREIGN KEY (writer_id) REFERENCES writer",
    "an update of all": "ALTER TABLE book ADD lent boolean; UPDATE book SET lent = false",
    "too early": "ALTER TABLE book ADD CONSTRAINT c CHECK (id > 0) NOT VALID;"
    "ALTER TABLE book VALIDATE CONSTRAINT c",
}
_FREE = {
    "a column": "ALTER TABLE book ADD lent boolean NOT NULL DEFAULT false",
    "a time": "ALTER TABLE book ADD bought timestamptz DEFAULT now()",
    "a wider type": "ALTER TABLE book ALTER title TYPE varchar(80)",
    "any text": "ALTER TABLE book ALTER title TYPE text",
    "a rename": "ALTER TABLE book RENAME title TO name",
    "a column less": "ALTER TABLE book DROP title",
    "a check for later": "ALTER TABLE book ADD CONSTRAINT c CHECK (pages > 0) NOT VALID",
    "an update by itself": "UPDATE book SET title = 'x'",
    "an update of one": "ALTER TABLE book ADD lent boolean; UPDATE book SET lent = false WHERE id = 7",
    "a new table": "CREATE TABLE loan (id integer, book_id integer REFERENCES book);"
    "CREATE INDEX ON loan (id)",
    "another table": "ALTER TABLE book ADD lent boolean; UPDATE writer SET name = 'x'",
}


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A database with two tables."""
    made = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://", 1))
    with made.begin() as connection:
        _run(connection, _TABLES)
    yield made
    made.dispose()


@pytest.mark.parametrize("statements", _HELD_UP.values(), ids=_HELD_UP)
def test_who_has_to_wait_for_a_whole_table(engine: Engine, statements: str) -> None:
    """The last statement reads it while it, or one before it, keeps others away."""
    found = _watched(engine, statements)
    assert len(found.found) == 1
    assert "all of book " in found.found[0][1]


@pytest.mark.parametrize("statements", _FREE.values(), ids=_FREE)
def test_what_needs_no_rows_holds_nobody_up(engine: Engine, statements: str) -> None:
    """Nor what keeps nobody away, or is about a new table."""
    found = _watched(engine, statements)
    assert (found.found, found.unseen) == ([], [])


def test_what_is_rewritten_is_told(engine: Engine) -> None:
    """From what is only read."""
    (_, says), *_ = _watched(engine, "ALTER TABLE book ALTER pages TYPE bigint").found
    assert says.startswith("it rewrites all of book while nobody can use it: ALTER TABLE")
    (_, says), *_ = _watched(engine, "CREATE INDEX ON book (title)").found
    assert says.startswith("it reads all of book while nobody can write to it: CREATE INDEX")


def test_outside_of_a_transaction(engine: Engine) -> None:
    """Locks are not to be seen there; what is made to be used there needs none that matter."""
    alone = engine.execution_options(isolation_level="AUTOCOMMIT")
    assert _watched(alone, "CREATE INDEX CONCURRENTLY ON book (title)").unseen == []
    assert _watched(alone, "CREATE INDEX ON book (pages)").unseen == ["CREATE INDEX ON book (pages)"]


def _watched(engine: Engine, statements: str) -> Holdups:
    with engine.connect() as connection:
        old = tables(connection)
    with holdups(__file__, old) as found, engine.begin() as connection:
        _run(connection, statements)
    return found


def _run(connection: Connection, statements: str) -> None:
    for statement in filter(str.strip, statements.split(";")):
        connection.exec_driver_sql(statement)
