"""What PostgreSQL says that a database is, for comparing two: columns, constraints, indexes, policies."""

import asyncpg

from specwright.db.url import normalise

#: By table and part, what there is to say of it.
Catalog = dict[tuple[str, str], str]

_TABLES = """tables AS (
    SELECT t.oid, t.relname::text AS name, t.relrowsecurity AS secured, t.relforcerowsecurity AS forced
    FROM pg_class t WHERE t.relkind IN ('r', 'p') AND t.relnamespace = 'public'::regnamespace
    AND t.relname <> 'alembic_version'
)"""
_PARTS = """
    SELECT name, 'row security' AS part, concat_ws(' ', secured, forced) AS says FROM tables
    UNION ALL
    SELECT name, 'column ' || a.attname, concat_ws(
        ' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
        nullif(a.attidentity::text, ''), nullif(a.attgenerated::text, ''), pg_get_expr(d.adbin, d.adrelid)
    ) FROM tables JOIN pg_attribute a ON a.attrelid = oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    UNION ALL
    SELECT name, 'constraint ' || c.conname, pg_get_constraintdef(c.oid)
    FROM tables JOIN pg_constraint c ON c.conrelid = tables.oid
    UNION ALL
    SELECT name, 'index ' || i.indexrelid::regclass, pg_get_indexdef(i.indexrelid)
    FROM tables JOIN pg_index i ON i.indrelid = oid
    UNION ALL
    SELECT name, 'trigger ' || g.tgname, pg_get_triggerdef(g.oid)
    FROM tables JOIN pg_trigger g ON g.tgrelid = tables.oid AND NOT g.tgisinternal
    UNION ALL
    SELECT name, 'policy ' || p.policyname,
        concat_ws(' ', p.permissive, p.roles, p.cmd, p.qual, p.with_check)
    FROM tables JOIN pg_policies p ON p.schemaname = 'public' AND p.tablename = name
"""


async def catalog(url: str) -> Catalog:
    """Everything of the tables of a database, without its own name, which the names of its roles have."""
    dsn = normalise(url)
    connection = await asyncpg.connect(**dsn.arguments)
    try:
        rows = await connection.fetch(f"WITH {_TABLES} {_PARTS}")
    finally:
        await connection.close()
    return {(row["name"], row["part"]): row["says"].replace(str(dsn.database), "") for row in rows}
