"""Random manifests, the rows in them, callers and conditions: small domains, so that things meet."""

from collections.abc import Container, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import product
from types import MappingProxyType
from typing import Any
from uuid import UUID

from asyncpg import Connection
from hypothesis import strategies as st
from sqlalchemy.schema import CreateTable

from builders import backend, entity, field, many, to
from specwright.model.calculated import entities
from specwright.model.caller import ANONYMOUS, Caller
from specwright.model.expression import (
    And,
    Arithmetic,
    Call,
    CallerPath,
    Compare,
    Expr,
    In,
    IsNone,
    ListOf,
    Literal,
    Negative,
    Not,
    Or,
    Path,
    walk,
)
from specwright.model.field import Aggregate
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.syntax import parse
from specwright.model.typecheck import check_condition
from specwright.model.types import BOOLEAN, DATE, INTEGER, TEXT, TIMESTAMP, Kind, Type
from specwright.sql.tables import DIALECT, Tables

STATUS = Type(Kind.ENUM, literals=("todo", "in progress", "done"))
NUMBER = Type(Kind.NUMBER, precision=8, scale=2)
NOTES = Type(Kind.LIST, item=TEXT)
SCORES = Type(Kind.LIST, item=INTEGER)

TEXTS = ("", "a", "b", "ab", "A", "é", "É", "%", "_", "a\\", "todo", "1")
MOMENTS = tuple(datetime(2026, 1, 31, 23, 30, tzinfo=UTC) + timedelta(hours=hours) for hours in (0, 1, 30000))
DAYS = (date(2026, 1, 31), date(2026, 2, 1), date(2029, 7, 4))
PEOPLE = ("ada", "bob", "eve")
ROLES = ("admin", "a")

_DOMAINS: dict[Kind, tuple[Any, ...]] = {
    Kind.TEXT: TEXTS,
    Kind.INTEGER: (-2, -1, 0, 1, 2, 3, 2**53 - 1),
    Kind.NUMBER: tuple(map(Decimal, ("-1.00", "0.00", "0.10", "1.00", "2.50"))),
    Kind.BOOLEAN: (True, False),
    Kind.DATE: DAYS,
    Kind.TIMESTAMP: MOMENTS,
    Kind.ENUM: STATUS.literals,
    Kind.LIST: ([], ["a"], ["b", "a"], ["", "é"]),
}


#: The fields that nobody stores.
CALCULATED = frozenset(
    {"late", "double", "net", "label", "since", "replies", "open", "load", "points", "heavy"}
)


def make_manifest(
    required: Container[str], calculated: Mapping[str, Expr] = MappingProxyType({})
) -> Manifest:
    """Three entities with every kind of field and relation; which of them are required is given by name.

    Some fields are calculated, those of these names by the expressions given.
    """
    unless = {"late": 'due < now() and status != "done"', "heavy": "load > 1", "open": 'status != "done"'}
    asked = {name: parse(text) for name, text in unless.items()} | dict(calculated)

    def some(name: str, type: Type) -> Any:
        return field(name, type, required=name in required)

    return backend(
        entity(
            "Project",
            some("name", TEXT),
            some("size", INTEGER),
            some("lead", to("User")),
            field("pins", many("Task")),
            field("open", INTEGER, aggregate=Aggregate("count", "tasks", where=asked["open"])),
            field("load", NUMBER, aggregate=Aggregate("sum", "tasks", "net")),
            field("points", INTEGER, aggregate=Aggregate("sum", "tasks", "double", asked.get("points"))),
            field("heavy", BOOLEAN, computed=asked["heavy"]),
        ),
        entity(
            "Task",
            some("title", TEXT),
            some("status", STATUS),
            some("priority", INTEGER),
            some("cost", NUMBER),
            some("due", TIMESTAMP),
            some("day", DATE),
            some("done", BOOLEAN),
            some("notes", NOTES),
            some("scores", SCORES),
            some("owner", to("User")),
            some("project", to("Project")),
            field("parent", to("Task")),
            field("late", BOOLEAN, computed=asked["late"]),
            field("double", INTEGER, computed=parse("priority * 9007199254740991 * 1000")),
            field("net", NUMBER, computed=parse("cost * 1.005")),
            field("label", TEXT, computed=parse("coalesce(project.name, title)")),
            field("since", TIMESTAMP, computed=parse("coalesce(due, created_at)")),
            field("replies", INTEGER, aggregate=Aggregate("count", "comments", where=asked.get("replies"))),
        ),
        entity("Comment", some("body", TEXT), some("task", to("Task")), some("author", to("User"))),
    )


NAMES = (
    *("name", "size", "lead", "title", "status", "priority", "cost", "due", "day", "done", "notes"),
    *("scores", "owner", "project", "body", "task", "author"),
)


def manifests_of(required: st.SearchStrategy[frozenset[str]]) -> st.SearchStrategy[Manifest]:
    """Manifests with random calculated fields."""

    def plain(name: str) -> st.SearchStrategy[Expr]:
        return conditions(name).filter(_is_plain)

    asked = {"late": plain("Task"), "heavy": plain("Project"), "open": plain("Task")}
    more = {"points": plain("Task"), "replies": plain("Comment")}
    given = st.deferred(lambda: st.fixed_dictionaries({}, optional={**asked, **more}))
    return st.builds(make_manifest, required, given)


def _is_plain(expr: Expr) -> bool:
    """Whether a condition asks for nothing that is calculated, nor for the caller."""
    nodes = walk(expr)
    names = {name for node in nodes if isinstance(node, Path) for name in node.names}
    return CALCULATED.isdisjoint(names) and not any(isinstance(node, CallerPath) for node in nodes)


manifests = st.deferred(lambda: manifests_of(st.frozensets(st.sampled_from(NAMES))))


def rows(manifest: Manifest, *, most: int = 4) -> st.SearchStrategy[dict[str, list[dict[str, Any]]]]:
    """Rows of every entity, in an order in which they can be inserted."""

    @st.composite
    def drawn(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
        world: dict[str, list[dict[str, Any]]] = {resource.name: [] for resource in manifest.resources}
        for resource in manifest.served:
            for number in range(draw(st.integers(0 if resource.name == "Comment" else 1, most))):
                row = {
                    field.name: draw(cell(manifest, world, field.type, field.nullable))
                    for field in resource.fields
                    if field.stored and not field.built_in
                }
                world[resource.name].append(row | built_in(resource, number))
        for link in manifest.stored:
            if link.link:
                ends = [[row["id"] for row in world[str(side.target)]] for side in link.fields]
                pairs = st.lists(st.sampled_from(list(product(*ends))), max_size=6, unique=True)
                names = [side.name for side in link.fields]
                found = draw(pairs) if all(ends) else []
                world[link.name] = [dict(zip(names, pair, strict=True)) for pair in found]
        return world

    return drawn()


def built_in(resource: Resource, number: int) -> dict[str, Any]:
    """The built-in fields of a row."""
    key = UUID(int=(sum(map(ord, resource.name)) << 64) | (0x7000 << 64) | (0x8 << 60) | number)
    return {"id": key, "created_at": MOMENTS[0], "updated_at": MOMENTS[1], "version": 1}


def cell(
    manifest: Manifest, world: Mapping[str, Any], type: Type, nullable: bool, *, extra: Any = None
) -> st.SearchStrategy[Any]:
    """Values of a field; a reference leads to a row of the world or, besides, to `extra`."""
    if type == SCORES:
        values = st.sampled_from([[], [1], [2, 0]])
    elif type.kind is not Kind.REFERENCE:
        values = st.sampled_from(_DOMAINS[type.kind])
    elif type.target == "User":
        values = st.sampled_from(PEOPLE)
    else:
        keys = [row["id"] for row in world[str(type.target)]]
        keys += [] if extra is None else [extra]
        values = st.sampled_from(keys) if keys else st.nothing()
    return st.none() | values if nullable else values


signed_in = st.builds(
    Caller,
    st.sampled_from(PEOPLE),
    st.frozensets(st.sampled_from(ROLES)),
    st.fixed_dictionaries(
        {},
        optional={
            "word": st.sampled_from([*TEXTS, 1, None, True]),
            "level": st.sampled_from([0, 1, 2.5, "1", None]),
            "words": st.sampled_from([[], ["a", 1, None], "a", ["todo"], {"a": 1}]),
            "flag": st.sampled_from([True, False, "true", None]),
            "moment": st.sampled_from(["2026-01-31T23:30:00Z", "yesterday", 3]),
        },
    ),
)

callers = st.just(ANONYMOUS) | signed_in

_PATHS: dict[str, dict[Kind, tuple[str, ...]]] = {
    "Task": {
        Kind.TEXT: (
            "title",
            "project.name",
            "parent.title",
            "comments.body",
            "parent.project.name",
            "parent.comments.body",
            "project.tasks.title",
            "comments.task.title",
            "projects.name",
            "projects.pins.title",
            "label",
            "parent.label",
        ),
        Kind.ENUM: ("status", "parent.status", "project.tasks.status"),
        Kind.INTEGER: (
            *("priority", "project.size", "parent.priority", "tasks.priority"),
            *("double", "replies", "project.open", "tasks.replies", "project.points"),
            *("projects.size", "project.pins.priority"),
        ),
        Kind.NUMBER: ("cost", "parent.cost", "net", "project.load"),
        Kind.TIMESTAMP: ("due", "created_at", "parent.due", "since"),
        Kind.DATE: ("day", "parent.day"),
        Kind.BOOLEAN: ("done", "parent.done", "tasks.done", "late", "parent.late", "project.heavy"),
        Kind.LIST: ("notes", "parent.notes"),
        Kind.REFERENCE: ("owner", "project.lead", "comments.author", "parent.owner", "owner.id"),
        Kind.UUID: ("id", "project", "project.id", "parent", "parent.parent", "comments.id", "tasks.id"),
    },
    "Project": {
        Kind.TEXT: ("name", "tasks.title", "tasks.comments.body", "tasks.parent.title", "pins.title"),
        Kind.ENUM: ("tasks.status",),
        Kind.INTEGER: ("size", "tasks.priority", "open", "points", "tasks.double"),
        Kind.NUMBER: ("tasks.cost", "load", "tasks.net"),
        Kind.TIMESTAMP: ("created_at", "tasks.due"),
        Kind.DATE: ("tasks.day",),
        Kind.BOOLEAN: ("tasks.done", "heavy", "tasks.late"),
        Kind.LIST: ("tasks.notes",),
        Kind.REFERENCE: ("lead", "tasks.owner", "tasks.comments.author", "pins.owner"),
        Kind.UUID: ("id", "tasks.id", "tasks.project", "tasks.parent", "pins.id", "pins.projects.id"),
    },
    "Comment": {
        Kind.TEXT: ("body", "task.title", "task.project.name", "task.comments.body"),
        Kind.ENUM: ("task.status",),
        Kind.INTEGER: ("task.priority", "task.project.size"),
        Kind.NUMBER: ("task.cost",),
        Kind.TIMESTAMP: ("created_at", "task.due"),
        Kind.DATE: ("task.day",),
        Kind.BOOLEAN: ("task.done", "task.late", "task.project.heavy"),
        Kind.LIST: ("task.notes",),
        Kind.REFERENCE: ("author", "task.owner", "task.project.lead"),
        Kind.UUID: ("id", "task", "task.project", "task.parent"),
    },
}
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_ORDERED = (Kind.TEXT, Kind.INTEGER, Kind.NUMBER, Kind.TIMESTAMP, Kind.DATE)


@cache
def conditions(name: str) -> st.SearchStrategy[Expr]:
    """Checked conditions on a row of the entity of this name."""
    # What may be empty makes no difference to what is well formed.
    manifest = make_manifest(())
    resource = manifest.resource(name)
    paths = {
        kind: st.sampled_from([Path(tuple(name.split("."))) for name in names])
        for kind, names in _PATHS[resource.name].items()
    }
    claim = {
        name: st.just(CallerPath(("claims", name))) for name in ("word", "level", "words", "flag", "moment")
    }
    text = st.one_of(
        paths[Kind.TEXT], paths[Kind.TEXT], st.sampled_from(TEXTS).map(Literal), claim["word"], claim["level"]
    )
    text = st.recursive(
        text,
        lambda inner: st.one_of(
            st.builds(Call, st.sampled_from(["lower", "upper"]), st.tuples(inner)),
            st.builds(Call, st.just("coalesce"), st.tuples(inner, inner)),
        ),
        max_leaves=3,
    )
    number = st.recursive(
        st.one_of(
            paths[Kind.INTEGER],
            paths[Kind.NUMBER],
            st.sampled_from([-1, 0, 1, 2, Decimal("0.1"), Decimal("2.5")]).map(Literal),
            claim["level"],
            st.builds(Call, st.just("len"), st.tuples(text | paths[Kind.LIST])),
        ),
        lambda inner: st.one_of(
            st.builds(Arithmetic, st.sampled_from(["+", "-", "*"]), inner, inner),
            st.builds(Negative, inner),
            st.builds(Call, st.just("abs"), st.tuples(inner)),
            st.builds(Call, st.just("coalesce"), st.tuples(inner, inner)),
        ),
        max_leaves=4,
    )
    moment = st.one_of(
        paths[Kind.TIMESTAMP],
        st.sampled_from([Literal("2026-02-01T00:30:00Z"), Literal("2026-01-31T22:30:00-01:00")]),
        st.just(Call("now")),
        claim["moment"],
    )
    span = st.sampled_from([0, 1, 7, -30, 3_000_000, -(10**9), 10**400]).map(Literal) | paths[Kind.INTEGER]
    moment = st.one_of(moment, _moved(paths[Kind.TIMESTAMP] | st.just(Call("now")), ("days", "hours"), span))
    day = st.one_of(
        _moved(paths[Kind.DATE] | st.just(Call("today")), ("days",), span),
        paths[Kind.DATE],
        st.sampled_from([Literal(str(day)) for day in DAYS]),
        st.just(Call("today")),
        st.builds(Call, st.just("date"), st.tuples(moment)),
    )
    flag = st.one_of(paths[Kind.BOOLEAN], st.sampled_from([Literal(True), Literal(False)]), claim["flag"])
    person = st.one_of(
        paths[Kind.REFERENCE],
        st.sampled_from([CallerPath(), CallerPath(("id",)), Literal("ada"), CallerPath(("claims", "word"))]),
    )
    status = paths[Kind.ENUM] | st.sampled_from([Literal(each) for each in STATUS.literals]) | claim["word"]
    key = paths[Kind.UUID]
    nothing = st.just(Literal(None))
    scores = {"Task": ("scores",), "Project": ("tasks", "scores"), "Comment": ("task", "scores")}
    ordered = [text, number, moment, day]
    atoms = st.one_of(
        *(st.builds(Compare, st.sampled_from(_COMPARISONS), each, each) for each in ordered),
        *(
            st.builds(Compare, st.sampled_from(["==", "!="]), each, each | nothing)
            for each in [*ordered, flag, person, status, key]
        ),
        *(st.builds(IsNone, each) for each in [*ordered, flag, person, status, key, paths[Kind.LIST]]),
        st.builds(In, status, _lists(STATUS.literals)),
        st.builds(In, text, st.one_of(_lists(TEXTS), paths[Kind.LIST], claim["words"])),
        st.builds(In, text, st.just(CallerPath(("roles",)))),
        st.builds(In, number, _lists([0, 1, 2]) | st.just(Path(scores[resource.name]))),
        st.builds(In, person, _lists(PEOPLE) | claim["words"]),
        st.builds(Call, st.sampled_from(["contains", "startswith", "endswith"]), st.tuples(text, text)),
        flag,
    )
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            st.builds(Not, inner),
            st.builds(And, st.lists(inner, min_size=2, max_size=3).map(tuple)),
            st.builds(Or, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        ),
        max_leaves=4,
    ).filter(lambda expr: not check_condition(manifest, resource, expr))


def leads_to(name: str, expr: Expr) -> bool:
    """Whether a condition on a row of the entity of this name asks for other rows of it."""
    manifest = make_manifest(())
    return name in entities(manifest, manifest.resource(name), expr)


def _moved(moment: Any, names: tuple[str, ...], span: Any) -> st.SearchStrategy[Expr]:
    duration = st.builds(Call, st.sampled_from(names), st.tuples(span))
    return st.builds(Arithmetic, st.sampled_from(["+", "-"]), moment, duration)


def _lists(values: Any) -> st.SearchStrategy[ListOf]:
    literals = st.lists(st.sampled_from([Literal(value) for value in values]), max_size=3)
    return literals.map(lambda items: ListOf(tuple(items)))


async def store(
    connection: Connection, manifest: Manifest, world: Mapping[str, list[dict[str, Any]]]
) -> None:
    """Make the tables and insert the rows."""
    tables = Tables(manifest)
    for table in tables.metadata.sorted_tables:
        await connection.execute(str(CreateTable(table).compile(dialect=DIALECT)))
    await insert(connection, manifest, world)


async def insert(
    connection: Connection, manifest: Manifest, world: Mapping[str, list[dict[str, Any]]]
) -> None:
    """Insert the rows in their order."""
    for resource in manifest.stored:
        fields = [field for field in resource.fields if field.stored]
        columns = ", ".join(f'"{field.column}"' for field in fields)
        holes = ", ".join(f"${number}" for number in range(1, len(fields) + 1))
        await connection.executemany(
            f'INSERT INTO "{resource.table}" ({columns}) VALUES ({holes})',
            [[row[field.name] for field in fields] for row in world[resource.name]],
        )
