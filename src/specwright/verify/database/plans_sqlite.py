"""What SQLite says of statements; a copy in memory is asked, with many rows."""

import re
import sqlite3
from contextlib import closing

from specwright.verify.database.plan import ROWS, Missing, Plans, candidates
from specwright.verify.lab import NotRun

#: By a word in the declared type, the first that fits; `i` counts the rows.
_VALUES = (
    (r"BOOL", "i % 2"),
    (r"DATE|TIME", "datetime('2026-01-01', '-' || i || ' minutes')"),
    (r"INT", "1000000 + i"),
    (r"REAL|FLOA|DOUB|DEC|NUM", "i % 10"),
    (r"JSON", "'{}'"),
    (r"BLOB", "randomblob(16)"),
    (r"", "lower(hex(randomblob(8)))"),
)
_COUNT = f"WITH RECURSIVE counted(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM counted WHERE i < {ROWS})"  # noqa: S608
_PROBE = "specwright_probe"


def plans(path: str, statements: list[str]) -> Plans:
    """Ask about statements.

    Raises:
        NotRun: the file cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
            database = sqlite3.connect(":memory:", isolation_level=None)
            file.backup(database)
    except sqlite3.Error as error:
        raise NotRun(f"the database file cannot be read: {error}") from None
    with closing(database):
        found = Plans()
        tables = _tables(database)
        database.execute("PRAGMA ignore_check_constraints = ON")
        for (trigger,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            database.execute(f"DROP TRIGGER {_quoted(trigger)}")
        for table in tables:
            if any(_named(table, each) for each in statements) and (why := _seed(database, table)):
                found.unseeded[table] = why
        database.execute("ANALYZE")
        for statement in statements:
            try:
                found.missing[statement] = _missing(database, statement, tables, found.unseeded)
            except sqlite3.Error:
                continue
        return found


def _missing(
    database: sqlite3.Connection, statement: str, tables: list[str], unseeded: dict[str, str]
) -> list[Missing]:
    before = _plan(database, statement)
    missing = []
    if not re.search(r"\bSCAN\b|AUTOMATIC", before):
        return []
    for table in tables:
        if table in unseeded or not _named(table, statement):
            continue
        for column in candidates(statement, _columns(database, table), _indexed(database, table)):
            name = f"{_quoted(table)} ({_quoted(column)})"
            database.execute(f"CREATE INDEX {_PROBE} ON {name}")
            after = _plan(database, statement)
            database.execute(f"DROP INDEX {_PROBE}")
            if f"INDEX {_PROBE} (" in after or (
                _PROBE in after and "FOR ORDER BY" in before and "FOR ORDER BY" not in after
            ):
                missing.append(Missing(table, column, before))
    return missing


def _plan(database: sqlite3.Connection, statement: str) -> str:
    # Values make no difference here, and are not known.
    asked = re.sub(r"\?\d*", ":value", statement)
    lines = database.execute(f"EXPLAIN QUERY PLAN {asked}", _Nulls()).fetchall()
    return "; ".join(str(line[3]) for line in lines)


class _Nulls(dict[str, None]):
    def __missing__(self, name: str) -> None:
        return None


def _seed(database: sqlite3.Connection, table: str) -> str:
    """Give a table its rows; why it cannot be given them, or ""."""
    keys = {line[3] for line in database.execute(f"PRAGMA foreign_key_list({_quoted(table)})")}
    columns = _columns(database, table)
    values = [
        f"CAST(1000000 + i / {5 + number} AS {'INTEGER' if 'INT' in type.upper() else 'TEXT'})"
        if name in keys
        else next(value for word, value in _VALUES if re.search(word, type, re.I))
        for number, (name, type) in enumerate(columns.items())
    ]
    names = ", ".join(map(_quoted, columns))
    rows = f"{_COUNT} SELECT {', '.join(values)} FROM counted"  # noqa: S608
    try:
        made = database.execute(f"INSERT OR IGNORE INTO {_quoted(table)} ({names}) {rows}").rowcount
    except sqlite3.Error as error:
        return str(error)
    return "" if made > ROWS / 2 else "its rows must differ in what has few values"


def _tables(database: sqlite3.Connection) -> list[str]:
    found = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
        " AND sql NOT LIKE 'CREATE VIRTUAL%'"
    )
    return [name for (name,) in found.fetchall()]


def _columns(database: sqlite3.Connection, table: str) -> dict[str, str]:
    """Types by names, without columns that are computed; a column of few values is an "enum"."""
    (text,) = database.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    found = database.execute(f"PRAGMA table_xinfo({_quoted(table)})").fetchall()
    return {
        name: "enum" if re.search(rf"\b{re.escape(name)}\b\W?\s+IN\s*\(", text, re.I) else type
        for _, name, type, _, _, _, hidden in found
        if not hidden
    }


def _indexed(database: sqlite3.Connection, table: str) -> set[str]:
    """The columns that an index begins with."""
    found = {
        line[2]
        for index in database.execute(f"PRAGMA index_list({_quoted(table)})").fetchall()
        for line in database.execute(f"PRAGMA index_info({_quoted(index[1])})").fetchall()
        if line[0] == 0
    }
    keys = [line for line in database.execute(f"PRAGMA table_info({_quoted(table)})").fetchall() if line[5]]
    return found | {line[1] for line in keys if line[5] == 1}


def _named(table: str, statement: str) -> bool:
    return re.search(rf"\b{re.escape(table)}\b", statement, re.I) is not None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
