"""Random lists of random people, page by page, hold the rows that the rules say, in the order asked for."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from urllib.parse import urlencode

import asyncpg
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from properties.oracle import Asked, Oracle
from properties.test_access import Stack, backends, build, headers
from properties.worlds import TEXTS, callers, conditions, rows
from specwright.model.caller import Caller
from specwright.model.expression import (
    TRUE,
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
from specwright.model.interpret import World
from specwright.model.judge import Judge
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.syntax import print_expression

pytestmark = pytest.mark.any_server

#: What each entity may be sorted by: the wire name, and the path that it stands for.
SORTS = {
    "Task": {
        "title": "title",
        "status": "status",
        "priority": "priority",
        "cost": "cost",
        "due": "due",
        "day": "day",
        "done": "done",
        "owner_id": "owner",
        "project_id": "project",
        "id": "id",
        "created_at": "created_at",
        "project__name": "project.name",
        "project__size": "project.size",
        "project__lead_id": "project.lead",
        "project__id": "project",
        "parent__title": "parent.title",
        "parent__due": "parent.due",
        "parent__id": "parent",
        "parent__parent__cost": "parent.parent.cost",
        "parent__project__name": "parent.project.name",
        "double": "double",
        "net": "net",
        "label": "label",
        "project__load": "project.load",
    },
    "Project": {"name": "name", "size": "size", "lead_id": "lead", "id": "id", "load": "load"},
    "Comment": {
        "body": "body",
        "author_id": "author",
        "task__title": "task.title",
        "task__project__size": "task.project.size",
        "task__owner_id": "task.owner",
        "id": "id",
    },
}
#: Filters over relations: the parameter and the condition it stands for, given the value.
FILTERS = {
    "Task": [
        ("project__name", "project.name"),
        ("comments__body", "comments.body"),
        ("title", "title"),
        ("label", "label"),
        ("projects__pins__title", "projects.pins.title"),
    ],
    "Project": [
        ("tasks__title", "tasks.title"),
        ("tasks__parent__title", "tasks.parent.title"),
        ("pins__title", "pins.title"),
    ],
    "Comment": [("task__title", "task.title"), ("task__project__name", "task.project.name")],
}
WORDS = ("a", "b", "ab", "todo", "1", "zz")


@dataclass(frozen=True, repr=False)
class Query:
    """A list as it is asked for, and what it means."""

    entity: str
    caller: Caller
    parameters: tuple[tuple[str, str], ...]
    condition: Expr
    sort: tuple[tuple[str, bool, bool], ...]
    words: tuple[str, ...]
    limit: int

    def __repr__(self) -> str:
        return f"{self.entity} {self.caller} {self.parameters} {self.limit}"


@dataclass(frozen=True, repr=False)
class Case:
    """A backend, its rows and the lists that are asked of it."""

    manifest: Manifest
    world: dict[str, list[dict[str, Any]]]
    queries: list[Query]

    def __repr__(self) -> str:
        lines = []
        for resource in self.manifest.stored:
            for grant in resource.grants:
                when = "" if grant.when is None else print_expression(grant.when)
                lines.append(f"{resource.name}: {grant.who} may {grant.actions} when {when}")
        return "\n".join([*lines, *map(str, self.queries)])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Random cases; some texts can be searched."""
    plain = draw(backends())
    searched = draw(st.booleans())
    manifest = replace(plain, resources=tuple(_told(known, searched=searched) for known in plain.resources))
    world = draw(rows(manifest, most=6))
    world["Comment"] = [] if manifest.resource("Comment").rules else _distinct(manifest, world["Comment"])
    people = [draw(callers) for _ in range(2)]
    queries = [draw(_query(manifest, people)) for _ in range(draw(st.integers(2, 8)))]
    return Case(manifest, world, queries)


def _told(resource: Resource, *, searched: bool) -> Resource:
    """The resource with fields that everyone knows who may read the row, and texts to search."""
    fields = (
        replace(each, searchable=searched and each.name in ("title", "body", "name"), readable_by=())
        for each in resource.fields
    )
    return replace(resource, fields=tuple(fields))


def _distinct(manifest: Manifest, comments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The comments without those that repeat a unique body."""
    kept: list[dict[str, Any]] = []
    judge = Judge(World(manifest, {}, comments[0]["created_at"])) if comments else None
    for row in comments:
        assert judge is not None
        judged = Judge(replace(judge.world, rows={"Comment": [*kept, row]}))
        if judged.broken(manifest.resource("Comment"), row) is None:
            kept.append(row)
    return kept


@st.composite
def _query(draw: st.DrawFn, manifest: Manifest, people: list[Caller]) -> Query:
    name = draw(st.sampled_from(sorted(SORTS)))
    sorts = draw(st.lists(st.sampled_from(sorted(SORTS[name])), max_size=3))
    keys, written, known = [], [], set()
    for wire in sorts:
        path = SORTS[name][wire]
        if path in known:
            continue
        known.add(path)
        descends, nulls = draw(st.booleans()), draw(st.sampled_from([None, True, False]))
        ending = "" if nulls is None else "__nulls_first" if nulls else "__nulls_last"
        written.append(("-" if descends else "") + wire + ending)
        keys.append((path, descends, descends if nulls is None else nulls))
        if path == "id":
            break
    parameters = [("sort", ",".join(written))] if written else []
    if not keys:
        keys = [("created_at", True, True)]
    if keys[-1][0] != "id":
        keys.append(("id", keys[-1][1], False))
    condition: Expr = TRUE
    if draw(st.booleans()):
        condition = draw(_conditions(name))
        parameters.append(("filter", print_expression(condition)))
    if draw(st.booleans()):
        asked, stands = draw(_filter(name))
        parameters.append(asked)
        condition = all_of(condition, stands)
    words: tuple[str, ...] = ()
    if manifest.resource(name).searchable and draw(st.booleans()):
        words = tuple(draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=2)))
        parameters.append(("q", " ".join(words)))
    return Query(
        name,
        draw(st.sampled_from(people)),
        tuple(parameters),
        condition,
        tuple(keys),
        words,
        draw(st.integers(1, 4)),
    )


@cache
def _conditions(name: str) -> st.SearchStrategy[Expr]:
    """Conditions that follow no more relations than a request may."""
    return conditions(name).filter(
        lambda expr: sum(len(node.names) - 1 for node in walk(expr) if isinstance(node, Path)) <= 6
    )


@st.composite
def _filter(draw: st.DrawFn, name: str) -> tuple[tuple[str, str], Expr]:
    wire, dotted = draw(st.sampled_from(FILTERS[name]))
    path, text = Path(tuple(dotted.split("."))), draw(st.sampled_from(TEXTS))
    match draw(st.sampled_from(["eq", "ne", "gte", "contains", "in", "isnull"])):
        case "eq":
            return (wire, text), Compare("==", path, Literal(text))
        case "ne":
            return (f"{wire}__ne", text), Compare("!=", path, Literal(text))
        case "gte":
            return (f"{wire}__gte", text), Compare(">=", path, Literal(text))
        case "contains":
            return (f"{wire}__contains", text), Call("contains", (path, Literal(text)))
        case "in":
            return (f"{wire}__in", "a,ab"), In(path, ListOf((Literal("a"), Literal("ab"))))
        case _:
            asked = draw(st.booleans())
            meant = IsNone(path) if asked else Compare("!=", path, Literal(None))
            return (f"{wire}__isnull", str(asked).lower()), meant


def expected(judge: Judge, query: Query) -> list[str]:
    """The keys of the rows that the list holds, in order."""
    resource = judge.world.manifest.resource(query.entity)
    rows = Oracle(judge).listed(Asked(query.entity, query.caller, query.condition, query.sort))
    return [str(row["id"]) for row in rows if _has(resource, row, query.words)]


def _has(resource: Resource, row: Mapping[str, Any], words: tuple[str, ...]) -> bool:
    """Whether the row's texts have all the words, whatever their case."""
    texts = [row[field.name] or "" for field in resource.searchable]
    return set(words) <= {word for text in texts for word in text.lower().replace("\\", " ").split()}


async def pages(stack: Stack, query: Query) -> tuple[list[str], int]:
    """The keys of all rows, page by page, and the total that the first page tells."""
    path = stack.backend.manifest.resource(query.entity).path
    found: list[str] = []
    total = -1
    cursor = None
    while True:
        asked = [*query.parameters, ("limit", str(query.limit)), ("fields", "id"), ("count", "exact")]
        asked += [("cursor", cursor)] if cursor is not None else []
        answer = await stack.client.get(f"/{path}?{urlencode(asked)}", headers=headers(query.caller))
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= query.limit
        found += [row["id"] for row in page["items"]]
        total = page["total"] if total < 0 else total
        assert page["total"] == total
        cursor = page["next_cursor"]
        if cursor is None:
            return found, total
        assert len(page["items"]) == query.limit


async def check(url: str, case: Case) -> None:
    """Assert that every list holds the rows, in the order, that brute force finds."""
    await build(url, case.manifest, case.world)
    stack = Stack(url, case.manifest)
    connection = await asyncpg.connect(url)
    try:
        for query in case.queries:
            resource = case.manifest.resource(query.entity)
            now = await connection.fetchval("SELECT now()")
            judge = Judge(World(case.manifest, case.world, now))
            if judge.closed(resource, "list", query.caller) is not None:
                event("closed")
                continue
            wanted = expected(judge, query)
            event(f"{'filter' if query.condition != TRUE else 'no filter'}, {len(wanted)} rows")
            found, total = await pages(stack, query)
            assert found == wanted, f"{query}\n{case!r}"
            assert total == len(wanted)
    finally:
        await connection.close()
        await stack.close()


def test_every_list_is_what_brute_force_finds(database_url: str) -> None:
    """Filtered by expressions, beyond relations and by words, sorted over relations and with nulls at either
    end, page by page: the same rows in the same order, none twice and none left out."""
    with asyncio.Runner() as runner:
        # A case makes a schema, and asks several lists of several pages.
        @settings(max_examples=settings().max_examples // 2, suppress_health_check=list(HealthCheck))
        @given(cases())
        def agree(case: Case) -> None:
            runner.run(check(database_url, case))

        agree()
