"""Plans on a real database: what they make, what they take back, what they keep."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import create_async_engine

from specwright.db.url import normalise
from specwright.migrate import rendering
from specwright.migrate.operations import Operation
from specwright.migrate.plan import plan
from specwright.model.expression import Literal
from specwright.model.field import Bounds, Field, Filled, OnDelete
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource, Rule
from specwright.model.syntax import parse
from specwright.model.types import (
    BOOLEAN,
    DATE,
    INTEGER,
    NUMBER,
    TEXT,
    TIMESTAMP,
    USER,
    UUID,
    Kind,
    Type,
)


def field(name: str, type: Type, **more: object) -> Field:
    return Field(id=name, name=name, wire=name, column=name, type=type, **more)  # type: ignore[arg-type]


BUILT_IN = (
    field("id", UUID, built_in=True),
    field("created_at", TIMESTAMP, built_in=True),
    field("version", INTEGER, built_in=True),
)
EXTERNAL_USER = Resource(
    "User", "User", "User", "/users", "users", (field("id", TEXT, built_in=True),), external=True
)
EMPTY = Manifest((EXTERNAL_USER,))


def resource(name: str, *fields: Field, **more: object) -> Resource:
    table = name.lower() + "s"
    return Resource(name, name, name, "/" + table, table, (*BUILT_IN, *fields), **more)  # type: ignore[arg-type]


CATALOG = """
SELECT 'column', c.relname, a.attname, concat_ws(
    ' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, l.collname, pg_get_expr(d.adbin, d.adrelid))
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (c.oid, a.attnum)
LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
UNION ALL
SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
ORDER BY 1, 2, 3
"""


def catalog(connection: Connection) -> list[tuple[str, ...]]:
    return [tuple(row) for row in connection.execute(text(CATALOG.replace("::", "\\:\\:")))]


def run(connection: Connection, operations: Iterable[Operation]) -> None:
    rendering.run(MigrationContext.configure(connection), operations)


def run_written(connection: Connection, operations: Iterable[Operation]) -> None:
    """Run the operations as the text of a revision."""
    names = {"op": Operations(MigrationContext.configure(connection)), "sa": sa, "postgresql": postgresql}
    code = rendering.python(operations)
    exec(f"def step():\n    {code.strip()}\nstep()", names)  # noqa: S102


def in_database(url: str, work: object) -> None:
    """Do work in a transaction that is rolled back."""

    async def main() -> None:
        dsn = normalise(url)
        engine = create_async_engine(dsn.sqlalchemy_url, connect_args=dsn.sqlalchemy_arguments)
        try:
            async with engine.connect() as connection, connection.begin() as transaction:
                await connection.run_sync(work)  # type: ignore[arg-type]
                await transaction.rollback()
        finally:
            await engine.dispose()

    asyncio.run(main())


NAMES = ["alpha", "beta", "order", "Upper", "long_" + "x" * 55]
ENTITIES = ["Task", "Project", "Tag", "Order"]
LITERALS = ("todo", "it's", "a:b", "50 %")


@st.composite
def fields(draw: st.DrawFn, name: str, entities: list[str]) -> Field:
    kind = draw(st.sampled_from([*Kind]).filter(lambda kind: kind not in {Kind.ANY, Kind.MANY}))
    more: dict[str, object] = {}
    default: object = None
    match kind:
        case Kind.ENUM:
            literals = tuple(draw(st.lists(st.sampled_from(LITERALS), min_size=1, unique=True)))
            type, default = Type(kind, literals=literals), literals[0]
        case Kind.NUMBER:
            type = draw(
                st.sampled_from([NUMBER, Type(kind, precision=8, scale=2), Type(kind, precision=5, scale=0)])
            )
            default = Decimal("1.5")
            more["bounds"] = draw(st.sampled_from([Bounds(), Bounds(0, 100), Bounds(Decimal("-1.5"), None)]))
        case Kind.LIST:
            item = draw(st.sampled_from([TEXT, INTEGER, NUMBER, DATE, Type(Kind.ENUM, literals=LITERALS)]))
            type = Type(kind, item=item)
            more["bounds"] = draw(st.sampled_from([Bounds(), Bounds(None, 5)]))
        case Kind.REFERENCE:
            type = Type(kind, target=draw(st.sampled_from([*entities, "User"])))
            more["on_delete"] = draw(st.sampled_from([None, *OnDelete]))
            if type == USER and draw(st.booleans()):
                more["filled"] = Filled.CALLER
        case Kind.TEXT:
            type, default = TEXT, "a:b ' %s \\:x"
            more["bounds"] = draw(st.sampled_from([Bounds(), Bounds(1, 80), Bounds(None, 500)]))
            more["pattern"] = draw(st.sampled_from([None, "[a-z]+:(?:x|y)\\.\\*"]))
        case Kind.INTEGER:
            type, default = INTEGER, 3
            more["bounds"] = draw(st.sampled_from([Bounds(), Bounds(0, 5), Bounds(1, None)]))
        case Kind.BOOLEAN:
            type, default = BOOLEAN, True
        case _:
            type = Type(kind)
            if kind in {Kind.TIMESTAMP, Kind.DATE} and draw(st.booleans()):
                more["filled"] = Filled.NOW
    if default is not None and draw(st.booleans()):
        more["default"] = Literal(default)  # type: ignore[arg-type]
    elif draw(st.booleans()):
        more["required"] = True
    more["indexed"] = draw(st.booleans())
    more["searchable"] = kind in {Kind.TEXT, Kind.EMAIL, Kind.URL} and draw(st.booleans())
    more["unique"] = kind not in {Kind.JSON, Kind.LIST} and draw(st.booleans())
    return field(name, type, **more)


@st.composite
def manifests(draw: st.DrawFn, before: Manifest | None = None) -> Manifest:
    """A manifest; after another one, it renames some of what would be gone."""
    names = draw(st.lists(st.sampled_from(ENTITIES), unique=True, max_size=3))
    user = EXTERNAL_USER
    if draw(st.booleans()):
        user = replace(user, external=False, fields=(*user.fields, draw(fields("alpha", names))))
    resources = [user]
    lost = [known.name for known in before.stored if known.name not in names] if before else []
    for name in names:
        old = before.resource(name) if before is not None and name in before else None
        was = None
        if old is None and before is not None and lost and draw(st.booleans()):
            was = lost.pop()
            old = before.resource(was)
        members = [
            draw(fields(field, names)) for field in draw(st.lists(st.sampled_from(NAMES), unique=True))
        ]
        stays = {member.name for member in (*BUILT_IN, *members)}
        gone = [field.name for field in old.fields if field.name not in stays] if old is not None else []
        for position, member in enumerate(members):
            if old is not None and old.field(member.name) is None and gone and draw(st.booleans()):
                members[position] = replace(member, was=gone.pop())
        owners = [m for m in members if m.filled is Filled.CALLER]
        if owners and draw(st.booleans()):
            members = [
                replace(m, unique_per=(owners[0].name,)) if m.unique and m != owners[0] else m
                for m in members
            ]
        rules = tuple(
            Rule(f"r{n}", parse(f"{m.name} > 3"), draw(st.sampled_from([(), ("FR-001",)])))
            for n, m in enumerate(members)
            if m.type.kind is Kind.INTEGER
        )
        language = draw(st.sampled_from(["simple", "simple", "english"]))
        resources.append(resource(name, *members, rules=rules, was=was, search_language=language))
    if draw(st.booleans()):
        resources.reverse()
    return Manifest(tuple(resources))


@settings(max_examples=60, deadline=None, suppress_health_check=[*HealthCheck])
@given(data=st.data())
def test_the_way_does_not_matter(database_url: str, data: st.DataObject) -> None:
    """A to B gives the catalogue that B alone gives, and the way back gives A's again.

    Whatever A and B are; B alone is built by the operations, the way by the Python they are written as.
    """
    before = data.draw(manifests())
    after = data.draw(manifests(before))

    def work(connection: Connection) -> None:
        point = connection.begin_nested()
        run(connection, plan(EMPTY, after).operations)
        expected = catalog(connection)
        point.rollback()
        run(connection, plan(EMPTY, before).operations)
        start = catalog(connection)
        way = plan(before, after)
        run_written(connection, way.operations)
        assert catalog(connection) == expected
        run_written(connection, way.inverse)
        assert catalog(connection) == start
        run(connection, plan(EMPTY, before).inverse)
        assert catalog(connection) == []

    in_database(database_url, work)
    assert plan(after, after).steps == ()
