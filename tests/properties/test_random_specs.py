"""Random specs are served as brute force says: every list, page by page, to the last member of its JSON."""

import asyncio
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from properties.conditions import conditions, is_open, leaves, ways
from properties.oracle import INCLUDED, Asked, Oracle, Tree, tree
from properties.specs import Spec, specs
from properties.test_access import Stack, build, headers
from properties.values import key, literal, seldom, values, worlds
from properties.worlds import callers
from specwright.model.caller import Caller
from specwright.model.expression import (
    Call,
    Compare,
    Expr,
    In,
    IsNone,
    ListOf,
    Literal,
    Path,
    all_of,
    walk,
)
from specwright.model.field import Field
from specwright.model.grant import SEE_DELETED
from specwright.model.interpret import World
from specwright.model.judge import Judge
from specwright.model.manifest import Manifest
from specwright.model.relation import Relation
from specwright.model.resource import Resource
from specwright.model.syntax import print_expression
from specwright.model.types import ORDERED_KINDS, TEXT_KINDS, Kind

pytestmark = pytest.mark.any_server

_UNSORTABLE = (Kind.JSON, Kind.LIST)
_WORDS = ("a", "b", "todo", "10", "é", '"a b"', "-a", "a or b", "example", "zz", "%")


@dataclass(frozen=True)
class Query:
    """A list as it is asked for, and what it means."""

    asked: Asked
    parameters: tuple[tuple[str, str], ...]
    fields: tuple[str, ...] | None
    include: Tree
    words: str | None
    limit: int


@dataclass(frozen=True)
class Case:
    """A spec, rows of its entities, and the lists that are asked."""

    spec: Spec
    world: dict[str, list[dict[str, Any]]]
    queries: list[Query]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Random cases."""
    spec = draw(specs())
    people = [draw(callers), draw(callers)]
    asked = [draw(queries(spec.manifest, people)) for _ in range(draw(st.integers(1, 4)))]
    return Case(spec, draw(worlds(spec.manifest)), asked)


@st.composite
def queries(draw: st.DrawFn, manifest: Manifest, people: list[Caller]) -> Query:
    """Random lists of random entities."""
    resource = draw(st.sampled_from(list(manifest.served)))
    asked = Asked(resource.name, draw(st.sampled_from(people)))
    parameters: list[tuple[str, str]] = []
    written, sort = draw(_orders(manifest, resource))
    parameters += [("sort", written)] if written else []
    if draw(st.booleans()):
        condition = draw(conditions(manifest, resource.name, open_only=True))
        parameters.append(("filter", print_expression(condition)))
        asked = replace(asked, condition=condition)
    if draw(st.booleans()):
        parameter, condition = draw(_filters(manifest, resource))
        parameters.append(parameter)
        asked = replace(asked, condition=all_of(asked.condition, condition))
    # By a field that the caller does not see there is no relation.
    manies = [
        way for source in manifest.served for way in ways(manifest, source, 1, many=True, open_only=True)
    ]
    beneath = [way[0] for way in manies if way and way[0].many and way[0].target == resource.name]
    if beneath and draw(seldom):
        relation = draw(st.sampled_from(beneath))
        asked = replace(asked, beneath=(relation, key(relation.source, draw(st.integers(0, 4)))))
    may_ask = resource.soft_delete and asked.beneath is None
    deleted = draw(st.sampled_from(["", "", "with", "only"])) if may_ask else ""
    parameters += [("deleted", deleted)] if deleted else []
    words = draw(st.none() | st.sampled_from(_WORDS)) if resource.searchable else None
    parameters += [("q", words)] if words is not None else []
    shown = [field.wire for field in resource.fields if is_open(field) and field.name != "version"]
    shown = [wire for wire in shown if not wire.endswith("_ids")]
    fields = draw(st.none() | st.lists(st.sampled_from(shown), min_size=1, max_size=3, unique=True))
    parameters += [("fields", ",".join(fields))] if fields is not None else []
    names = draw(st.lists(st.sampled_from(_includable(manifest, resource) or [""]), max_size=2, unique=True))
    names = [name for name in names if name]
    parameters += [("include", ",".join(names))] if names else []
    return Query(
        replace(asked, sort=tuple(sort), deleted=deleted),
        tuple(parameters),
        None if fields is None else tuple(fields),
        tree(names),
        words,
        draw(st.sampled_from([1, 2, 3, 5])),
    )


def _wire(way: list[Relation], field: Field) -> str:
    return "__".join([*(relation.name for relation in way), field.wire])


def _path(way: list[Relation], field: Field) -> Path:
    return Path((*(relation.name for relation in way), field.name))


@st.composite
def _orders(
    draw: st.DrawFn, manifest: Manifest, resource: Resource
) -> tuple[str, list[tuple[str, bool, bool]]]:
    """A `sort` and the keys that it stands for, with those that are not written."""
    found = leaves(manifest, resource, many=False, open_only=True)
    sortable = [leaf for leaf in found if leaf[1].type.kind not in _UNSORTABLE]
    written: list[str] = []
    keys: list[tuple[str, bool, bool]] = []
    known = set()
    for way, field in draw(st.lists(st.sampled_from(sortable), max_size=3)):
        path = ".".join(_path(way, field).names)
        # The key of a row that is referred to is the reference itself.
        path = path.removesuffix(".id") if way else path
        if path in known:
            continue
        known.add(path)
        descends, nulls = draw(st.booleans()), draw(st.sampled_from([None, True, False]))
        ending = "" if nulls is None else "__nulls_first" if nulls else "__nulls_last"
        written.append(("-" if descends else "") + _wire(way, field) + ending)
        keys.append((path, descends, descends if nulls is None else nulls))
        if path == "id":
            break
    keys = keys or [("created_at", True, True)]
    if keys[-1][0] != "id":
        keys.append(("id", keys[-1][1], False))
    return ",".join(written), keys


@st.composite
def _filters(draw: st.DrawFn, manifest: Manifest, resource: Resource) -> tuple[tuple[str, str], Expr]:
    """A filter of a field, and the condition that it stands for."""
    way, field = draw(st.sampled_from(leaves(manifest, resource, many=True, open_only=True)))
    wire, path, kind = _wire(way, field), _path(way, field), field.type.kind
    if way and not way[-1].many and field.name == manifest.resource(way[-1].target).key:
        # The key of a row that is referred to is the reference itself.
        kind = Kind.REFERENCE
    operators = ["isnull"]
    if kind in (Kind.JSON, Kind.LIST):
        operators.append("contains")
    else:
        operators += ["", "eq", "ne", *([] if kind is Kind.BOOLEAN else ["in"])]
        operators += ["gt", "gte", "lt", "lte"] if kind in ORDERED_KINDS - {Kind.ENUM} else []
        operators += ["contains", "startswith"] if kind in TEXT_KINDS - {Kind.ENUM} else []
    operator = draw(st.sampled_from(operators))
    name = f"{wire}__{operator}" if operator else wire
    if operator == "isnull":
        empty = draw(st.booleans())
        return (name, str(empty).lower()), IsNone(path) if empty else Compare("!=", path, Literal(None))
    if kind is Kind.LIST:
        assert field.type.item is not None
        item = draw(values(field.type.item))
        return (name, _text(item)), In(literal(item), path)
    if field.target is not None:
        type = manifest.resource(field.target).key_field.type
        given = st.sampled_from(["ada", "bob"]) if type.kind is Kind.TEXT else values(type)
    else:
        given = values(field.type)
    if operator == "in":
        several = draw(st.lists(given, min_size=1, max_size=3))
        text = ",".join(_text(each).replace("\\", "\\\\").replace(",", "\\,") for each in several)
        return (name, text), In(path, ListOf(tuple(map(literal, several))))
    value = draw(given)
    if operator in ("contains", "startswith"):
        return (name, _text(value)), Call(operator, (path, literal(value)))
    sign = {"": "==", "eq": "==", "ne": "!=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}[operator]
    return (name, _text(value)), Compare(sign, path, literal(value))


def _text(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case datetime() | date():
            return value.isoformat()
        case UUID() | str() | int():
            return str(value)
        case _:
            return format(value, "f")


def _includable(manifest: Manifest, resource: Resource) -> list[str]:
    found = ways(manifest, resource, 3, many=True, open_only=True)
    return [".".join(relation.name for relation in way) for way in found if way]


def relations(asked: Asked) -> int:
    """How many relations the filters and the sort keys follow; what is joined once may be written twice."""
    paths = [node.names for node in walk(asked.condition) if isinstance(node, Path)]
    return sum(len(names) - 1 for names in [*paths, *(key[0].split(".") for key in asked.sort)])


def _most(manifest: Manifest, resource: Resource, include: Tree, rows: int) -> int:
    """How many rows an answer might include."""
    total = 0
    for name, beyond in include.items():
        relation = resource.relation(name)
        assert relation is not None
        here = rows * (INCLUDED if relation.many else 1)
        total += here + _most(manifest, manifest.resource(relation.target), beyond, here)
    return total


async def _matching(connection: asyncpg.Connection, resource: Resource, words: str) -> set[Any]:
    """The keys of the rows that have the words, as PostgreSQL reads them."""
    texts = ", ".join(f'"{field.column}"' for field in resource.searchable)
    language = f"'{resource.search_language}'"
    found = await connection.fetch(
        f"""SELECT id FROM "{resource.table}"
        WHERE to_tsvector({language}, concat_ws(chr(10), {texts})) @@ websearch_to_tsquery({language}, $1)""",
        words,
    )
    return {row["id"] for row in found}


def place_of(manifest: Manifest, asked: Asked) -> str:
    """The path of a list below the prefix."""
    if asked.beneath is None:
        return manifest.resource(asked.entity).path
    relation, row = asked.beneath
    source, name = manifest.resource(relation.source), relation.name.replace("_", "-")
    return f"{source.path}/{quote(str(row), safe='')}/{name}"


async def check(url: str, case: Case) -> None:
    """Assert that every list is, page by page, what brute force finds."""
    manifest = case.spec.manifest
    await build(url, manifest, case.world)
    stack = Stack(url, manifest)
    connection = await asyncpg.connect(url)
    try:
        now = await connection.fetchval("SELECT now()")
        oracle = Oracle(Judge(World(manifest, case.world, now)))
        for query in case.queries:
            await _compare(stack, connection, oracle, query)
    finally:
        await connection.close()
        await stack.close()


async def _compare(stack: Stack, connection: asyncpg.Connection, oracle: Oracle, query: Query) -> None:
    manifest, asked = oracle.judge.world.manifest, query.asked
    resource = manifest.resource(asked.entity)
    wanted = [("limit", str(query.limit)), ("count", "exact"), *query.parameters]

    async def get(*more: tuple[str, str]) -> Any:
        path = f"/{place_of(manifest, asked)}?{urlencode([*wanted, *more])}"
        return await stack.client.get(path, headers=headers(asked.caller))

    if relations(asked) > 12 or _most(manifest, resource, query.include, query.limit) > 10_000:
        answer = await get()
        if answer.status_code == 422:
            assert {fault["code"] for fault in answer.json()["errors"]} == {"too_complex"}
            event("too much")
            return
    if asked.beneath is not None:
        source = manifest.resource(asked.beneath[0].source)
        verdict = oracle.judge.read(source, asked.caller, asked.beneath[1])
        if not verdict.allowed:
            assert (await get()).status_code == verdict.status
            event("beneath what is not there")
            return
    may = [oracle.judge.may_ever(resource, action, asked.caller) for action in ("list", SEE_DELETED)]
    if (not may[0] and asked.beneath is None) or (asked.deleted and not may[1]):
        answer = await get()
        assert answer.status_code == (401 if asked.caller.anonymous else 403), answer.text
        event("closed")
        return
    rows = oracle.listed(asked)
    if query.words is not None:
        matching = await _matching(connection, resource, query.words)
        rows = [row for row in rows if row["id"] in matching]
    event(f"{'filter' if asked.condition else 'no filter'}: {min(len(rows), 6)} rows or more")
    items = [oracle.item(resource, asked.caller, row, query.include, query.fields) for row in rows]
    cursor: tuple[tuple[str, str], ...] = ()
    for start in range(0, len(rows) or 1, query.limit):
        for place in {cursor, (("offset", str(start)),)}:
            answer = await get(*place)
            assert answer.status_code == 200, (answer.text, query)
            page = answer.json()
            assert page["items"] == items[start : start + query.limit], (place, query)
            assert page["total"] == len(rows)
            assert (page["next_cursor"] is None) is (start + query.limit >= len(rows))
            if place == cursor:
                following = page["next_cursor"]
        cursor = (("cursor", following or ""),)


def test_every_list_of_a_random_spec_is_what_brute_force_finds(database_url: str) -> None:
    """Filtered, searched, sorted, with deleted rows and rows within rows: by cursors and by offsets the same
    rows in the same order with the same JSON, as many as the total says, and none of it twice."""
    with asyncio.Runner() as runner:

        @settings(max_examples=settings().max_examples, suppress_health_check=list(HealthCheck))
        @given(cases())
        def agree(case: Case) -> None:
            runner.run(check(database_url, case))

        agree()
