"""What PostgreSQL says of statements, in a transaction that ends with the rows and indexes it was given."""

import json
import re
from collections.abc import Iterator
from typing import Any

import asyncpg

from specwright.db.url import Dsn
from specwright.verify.database.plan import ROWS, Missing, Plans, candidates

#: Whatever holds a lock on a table is not waited for.
_SETTINGS = "SET LOCAL lock_timeout = '3s'; SET LOCAL plan_cache_mode = 'force_generic_plan'"
_COLUMNS = """
    SELECT a.attname AS name, a.attnotnull AS needed, a.attidentity::text AS identity,
           a.attgenerated <> '' AS generated,
           a.atttypmod AS length, coalesce(b.typname, t.typname) AS type, t.typtype::text AS form,
           format_type(a.atttypid, a.atttypmod) AS written,
           EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = a.attrelid AND c.contype = 'f'
                   AND a.attnum = ANY (c.conkey)) AS key,
           EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = a.attrelid AND c.contype = 'c'
                   AND a.attnum = ANY (c.conkey) AND pg_get_constraintdef(c.oid) LIKE '%ANY%') AS few,
           EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indkey[0] = a.attnum) AS indexed
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON b.oid = t.typbasetype
    WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum
"""
#: What would refuse a row that nobody has thought about.
_GUARDS = """
    SELECT conname FROM pg_constraint WHERE conrelid = $1::regclass AND contype IN ('c', 'f', 't')
    ORDER BY conname
"""
#: By type; `i` counts the rows, `k` the values.
_VALUES = {
    **dict.fromkeys(("int4", "int8"), "1000000 + k"),
    "int2": "k % 30000",
    **dict.fromkeys(("float4", "float8", "numeric"), "random() * 9"),
    **dict.fromkeys(("timestamp", "timestamptz", "date"), "now() - k * interval '1 minute'"),
    **dict.fromkeys(("json", "jsonb"), "'{}'"),
    "time": "'12:00'",
    "interval": "k * interval '1 minute'",
    "bool": "k % 2 = 0",
    "bytea": "decode(md5(k::text), 'hex')",
    "uuid": "md5(k::text)",
}
#: Columns that are empty as long as a row lives, which is what lists ask for.
_GONE = re.compile(r"deleted|removed|archived", re.I)
_TEXTS = frozenset({"text", "varchar", "bpchar", "citext", "name"})


async def plans(dsn: Dsn, statements: list[str]) -> Plans:
    """Ask about statements.

    Raises:
        OSError: the server does not answer.
    """
    found = Plans()
    connection = await asyncpg.connect(**dsn.arguments)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(_SETTINGS)
        prepared = {}
        for number, statement in enumerate(statements):
            name = f"specwright_{number}"
            try:
                async with connection.transaction():
                    await connection.execute(f"PREPARE {name} AS {_numbered(statement)}")
                    prepared[statement] = await _explain(connection, name), name
            except asyncpg.PostgresError:
                continue
        tables = dict.fromkeys(table for plan, _ in prepared.values() for table in _tables(plan))
        columns: dict[str, list[Any]] = {}
        for table in tables:
            try:
                async with connection.transaction():
                    columns[table] = await _seed(connection, table)
            except asyncpg.PostgresError as error:
                found.unseeded[_plain(table)] = str(error)
        for statement, (_, name) in prepared.items():
            found.missing[statement] = await _missing(connection, statement, name, columns)
        await transaction.rollback()
    finally:
        await connection.close()
    return found


async def _missing(
    connection: Any, statement: str, name: str, columns: dict[str, list[Any]]
) -> list[Missing]:
    before = await _explain(connection, name)
    missing = []
    for table in dict.fromkeys(each for each in _tables(before, whole=True) if each in columns):
        types = {each["name"]: "enum" if each["few"] else each["type"] for each in columns[table]}
        types |= {each["name"]: "enum" for each in columns[table] if each["form"] == "e"}
        indexed = {each["name"] for each in columns[table] if each["indexed"]}
        for column in candidates(statement, types, indexed):
            step = connection.transaction()
            await step.start()
            try:
                method = "gin" if types[column].startswith("_") or types[column] == "tsvector" else "btree"
                index = f"CREATE INDEX specwright_probe ON {table} USING {method} ({_quoted(column)})"
                await connection.execute(index)
                if _helped(before, await _explain(connection, name)):
                    missing.append(Missing(_plain(table), column, json.dumps(_short(before))))
            except asyncpg.PostgresError:
                continue  # of a type that no index orders
            finally:
                await step.rollback()
    return missing


def _helped(before: Any, after: Any) -> bool:
    """Whether rows are sought by the index now, or the first of them come in its order."""
    probes = [node for node in _nodes(after) if node.get("Index Name") == "specwright_probe"]
    if any("Index Cond" in node for node in probes):
        return True
    limited = any(node["Node Type"] == "Limit" for node in _nodes(before))
    return bool(probes) and limited and _sorts(after) < _sorts(before)


def _sorts(plan: Any) -> int:
    return sum(node["Node Type"] == "Sort" for node in _nodes(plan))


async def _explain(connection: Any, name: str) -> Any:
    count = await connection.fetchval(
        "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = $1", name
    )
    values = f"({', '.join(['NULL'] * count)})" if count else ""
    text = await connection.fetchval(f"EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE {name}{values}")
    return json.loads(text)[0]["Plan"]


def _nodes(plan: Any) -> Iterator[Any]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def _tables(plan: Any, *, whole: bool = False) -> Iterator[str]:
    """The tables in a plan; those that are read from one end to the other."""
    for node in _nodes(plan):
        sought = "Index Cond" in node or not re.fullmatch(r"Seq Scan|Index (Only )?Scan", node["Node Type"])
        if "Relation Name" in node and "Schema" in node and not (whole and sought):
            yield f"{_quoted(node['Schema'])}.{_quoted(node['Relation Name'])}"


def _short(plan: Any) -> Any:
    kept = ("Node Type", "Relation Name", "Filter", "Sort Key", "Index Name", "Index Cond")
    inner = [_short(each) for each in plan.get("Plans", ())]
    return {name: plan[name] for name in kept if name in plan} | ({"Plans": inner} if inner else {})


async def _seed(connection: Any, table: str) -> list[Any]:
    """Give a table its rows; what is known of its columns, before what would refuse the rows is dropped."""
    columns: list[Any] = await connection.fetch(_COLUMNS, table)
    for (guard,) in await connection.fetch(_GUARDS, table):
        await connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {_quoted(guard)} CASCADE")
    await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    values = {
        each["name"]: value
        for number, each in enumerate(columns)
        if each["identity"] != "a" and not each["generated"] and (value := _value(each, number)) is not None
    }
    names = ", ".join(map(_quoted, values))
    rows = f"SELECT {', '.join(values.values())} FROM generate_series(1, {ROWS}) AS i"  # noqa: S608
    await connection.execute(f"INSERT INTO {table} ({names}) {rows} ON CONFLICT DO NOTHING")
    await connection.execute(f"ANALYZE {table}")
    return columns


def _value(column: Any, number: int) -> str | None:
    """An expression for a column; None where its default, or NULL, has to do."""
    type, written = column["type"], column["written"]
    if not column["needed"] and _GONE.search(column["name"]):
        return None
    counted = f"(i / {5 + number})" if column["key"] else "i"
    if column["form"] == "e":
        return f"(enum_range(NULL::{written}))[1 + i % cardinality(enum_range(NULL::{written}))]"
    if type in _TEXTS:
        length = column["length"] - 4 if column["length"] > 4 else 32
        return f"left(md5({counted}::text), {length})::{written}"
    if type.startswith("_"):
        return f"'{{}}'::{written}"
    if type not in _VALUES:
        return None
    value = re.sub(r"\bk\b", counted, _VALUES[type])
    return f"({value})::{written}"


def _numbered(statement: str) -> str:
    """The statement with `$1` for its parameters, however its driver writes them, and a limit of a page."""
    if not re.search(r"\$\d", statement):
        names: dict[str, int] = {}
        statement = re.sub(
            r"%(?:\((\w+)\))?[sbt]",
            lambda found: f"${names.setdefault(found[1] or f'%{len(names)}', len(names) + 1)}",
            statement,
        ).replace("%%", "%")
    statement = re.sub(r"\b(LIMIT|OFFSET)\s+\$\d+(::\w+)?", r"\1 20", statement, flags=re.I)
    kept: dict[str, int] = {}
    return re.sub(r"\$(\d+)", lambda found: f"${kept.setdefault(found[1], len(kept) + 1)}", statement)


def _plain(table: str) -> str:
    """As people write it."""
    return table.replace('"', "").removeprefix("public.")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
