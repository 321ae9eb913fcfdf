"""Pages of a list whose rows change meanwhile: none twice, none left out, and no cursor but one's own."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import asyncpg
import httpx2
import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from properties.oracle import Key, Oracle, order
from properties.specs import Spec, specs
from properties.test_access import Stack, build, headers
from properties.test_random_specs import Query, place_of, queries, relations
from properties.values import cell, row_of, worlds
from properties.worlds import callers
from specwright.db.moments import keep_moments
from specwright.model.caller import ANONYMOUS, Caller
from specwright.model.field import DELETED
from specwright.model.grant import SEE_DELETED
from specwright.model.interpret import World
from specwright.model.judge import Judge
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource

pytestmark = pytest.mark.any_server

Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Change:
    """What happens to a row between two pages: it comes, goes, or is given another value."""

    what: str
    entity: str
    #: Which of the rows there are.
    number: int
    #: The new row, or the new values.
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A spec, rows of its entities, a list, and what happens after each of its pages."""

    spec: Spec
    world: Rows
    query: Query
    changes: list[list[Change]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Random cases, without words: those are found by PostgreSQL, not by us."""
    spec = draw(specs())
    manifest = spec.manifest
    world = draw(worlds(manifest, most=6))
    query = draw(queries(manifest, [draw(callers)]))
    query = replace(
        query,
        words=None,
        fields=None,
        include={},
        parameters=tuple(sent for sent in query.parameters if sent[0] not in ("q", "fields", "include")),
        limit=draw(st.integers(1, 3)),
    )
    counts = {name: len(rows) for name, rows in world.items()}
    changes = [
        [draw(_changes(manifest, counts, query.asked.entity, 200 + 10 * page + n)) for n in range(several)]
        for page, several in enumerate(draw(st.lists(st.integers(0, 3), max_size=6)))
    ]
    return Case(spec, world, query, changes)


@st.composite
def _changes(
    draw: st.DrawFn, manifest: Manifest, counts: Mapping[str, int], listed: str, number: int
) -> Change:
    """A change, mostly of the entity that is listed; `number` makes the key of a new row."""
    others = [each.name for each in manifest.served if each.name != "User"]
    name = draw(st.sampled_from([listed] * 3 + others))
    resource = manifest.resource(name)
    what = draw(st.sampled_from(["insert", "insert", "delete", "update"]))
    if name == "User" and what == "insert":
        what = "update"
    values: Mapping[str, Any] = {}
    few = {each: min(count, 3) for each, count in counts.items()}
    if what == "insert":
        values = draw(row_of(manifest, resource, number, few))
    elif what == "update":
        fields = [field for field in resource.fields if field.stored and not field.built_in]
        values = {field.name: draw(cell(manifest, field, few)) for field in draw(_one(fields))}
    return Change(what, name, draw(st.integers(0, 30)), values)


def _one(fields: list[Any]) -> st.SearchStrategy[list[Any]]:
    return st.sampled_from(fields).map(lambda field: [field]) if fields else st.just([])


class Store:
    """The rows, in memory and in the database."""

    def __init__(self, connection: asyncpg.Connection, manifest: Manifest, world: Rows) -> None:
        self.connection, self.manifest = connection, manifest
        self.rows: Rows = {name: [dict(row) for row in rows] for name, rows in world.items()}

    async def make(self, change: Change) -> None:
        """Let the change happen, if it can."""
        resource = self.manifest.resource(change.entity)
        rows = self.rows[resource.name]
        if not self._leads(resource, change.values):
            return
        if change.what == "insert":
            rows.append(dict(change.values))
            await self._insert(resource, change.values)
        elif rows:
            row = rows[change.number % len(rows)]
            if change.what == "update":
                await self._update(resource, row, change.values)
            elif resource.soft_delete:
                await self._update(resource, row, {DELETED: row["created_at"]})
            elif not self._is_referred_to(resource, row):
                rows.remove(row)
                await self.connection.execute(f'DELETE FROM "{resource.table}" WHERE id = $1', row["id"])

    def _leads(self, resource: Resource, values: Mapping[str, Any]) -> bool:
        """Whether all references lead to rows that there are."""
        fields = {field.name: field.target for field in resource.fields if field.target is not None}
        return all(
            self.manifest.resource(target).external
            or values.get(name) is None
            or any(row["id"] == values[name] for row in self.rows[target])
            for name, target in fields.items()
        )

    def _is_referred_to(self, resource: Resource, row: Mapping[str, Any]) -> bool:
        return any(
            other[field.name] == row["id"]
            for each in self.manifest.stored
            for field in each.fields
            if field.target == resource.name
            for other in self.rows[each.name]
        )

    async def _insert(self, resource: Resource, row: Mapping[str, Any]) -> None:
        fields = [field for field in resource.fields if field.stored]
        columns = ", ".join(f'"{field.column}"' for field in fields)
        holes = ", ".join(f"${place}" for place in range(1, len(fields) + 1))
        statement = f'INSERT INTO "{resource.table}" ({columns}) VALUES ({holes})'
        await self.connection.execute(statement, *(row[field.name] for field in fields))

    async def _update(self, resource: Resource, row: dict[str, Any], values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            field = resource.field(name)
            assert field is not None
            row[name] = value
            statement = f'UPDATE "{resource.table}" SET "{field.column}" = $1 WHERE id = $2'
            await self.connection.execute(statement, value, row["id"])

    def listed(self, query: Query, now: Any) -> list[tuple[Key, Mapping[str, Any]]]:
        """The rows that the list holds at this moment, each behind its sort values."""
        return Oracle(Judge(World(self.manifest, self.rows, now))).keyed(query.asked)


async def check(url: str, case: Case) -> None:
    """Assert that each page is what comes after the last row that was shown, as things are then."""
    manifest, query = case.spec.manifest, case.query
    resource = manifest.resource(query.asked.entity)
    await build(url, manifest, case.world)
    stack = Stack(url, manifest)
    connection = await asyncpg.connect(url)
    try:
        await keep_moments(connection)
        now = await connection.fetchval("SELECT now()")
        judge = Judge(World(manifest, case.world, now))
        if query.asked.beneath is not None:
            relation, key = query.asked.beneath
            source = manifest.resource(relation.source)
            # It is to stay where it is, and readable.
            assume(not any(change.entity == source.name for page in case.changes for change in page))
            assume(judge.read(source, query.asked.caller, key).allowed)
        asked = [*([] if query.asked.beneath else ["list"]), *([SEE_DELETED] if query.asked.deleted else [])]
        assume(all(judge.may_ever(resource, action, query.asked.caller) for action in asked))
        assume(relations(query.asked) <= 12)
        store = Store(connection, manifest, case.world)
        await _walk(stack, store, case, now)
    finally:
        await connection.close()
        await stack.close()


async def _walk(stack: Stack, store: Store, case: Case, now: Any) -> None:
    query = case.query
    comes = order(query.asked)
    shown: list[str] = []
    cursor: str | None = None
    last: Key | None = None
    #: The sort values of those rows that have been in the list with these values all the time.
    steady = {str(row["id"]): at for at, row in store.listed(query, now)}
    moved: set[str] = set()
    for changes in [*case.changes, *([[]] * 60)]:
        known = store.listed(query, now)
        here = {str(row["id"]): at for at, row in known}
        moved |= {key for key in {*steady, *here} if steady.get(key) != here.get(key)}
        answer = await _page(stack, query, cursor)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        following = [(at, row) for at, row in known if last is None or comes(at, last) > 0]
        expected = [str(row["id"]) for _, row in following[: query.limit]]
        assert [item["id"] for item in page["items"]] == expected
        assert page["total"] == len(known)
        assert (page["next_cursor"] is None) is (len(following) <= query.limit)
        shown += expected
        cursor = page["next_cursor"]
        if cursor is None:
            break
        last = following[query.limit - 1][0]
        for change in changes:
            await store.make(change)
    once = [key for key in shown if key not in moved]
    assert len(set(once)) == len(once)
    assert set(once) == steady.keys() - moved
    event(f"{min(len(shown), 9)} shown, {'some' if moved else 'none'} moved")


async def _page(stack: Stack, query: Query, cursor: str | None, **changed: str) -> httpx2.Response:
    place = place_of(stack.backend.manifest, query.asked)
    sent = {"limit": str(query.limit), "count": "exact", "fields": "id", **dict(query.parameters), **changed}
    sent |= {} if cursor is None else {"cursor": cursor}
    path = f"/{place}?{urlencode(sent)}"
    return await stack.client.get(path, headers=headers(query.asked.caller))


def test_pages_stay_apart_while_rows_come_go_and_change(database_url: str) -> None:
    """A page is what follows the last row of the page before, at the time that it is asked for. So a row that
    is there all the time, where it is, is shown exactly once, whatever becomes of others."""
    with asyncio.Runner() as runner:

        @settings(max_examples=settings().max_examples // 2, suppress_health_check=list(HealthCheck))
        @given(cases())
        def agree(case: Case) -> None:
            runner.run(check(database_url, case))

        agree()


async def check_cursor(url: str, case: Case, place: int, letter: str) -> None:
    """Assert that a cursor is good for its own list alone, and for that however many rows are asked for."""
    manifest, query = case.spec.manifest, replace(case.query, limit=1)
    await build(url, manifest, case.world)
    stack = Stack(url, manifest)
    try:
        first = await _page(stack, query, None)
        assume(first.status_code == 200 and first.json()["next_cursor"] is not None)
        cursor = first.json()["next_cursor"]
        whole = [item["id"] for item in (await _page(stack, query, None, limit="100")).json()["items"]]
        rest = await _page(stack, query, cursor, limit="100", fields="id,created_at")
        assert [item["id"] for item in rest.json()["items"]] == whole[1:]

        place %= len(cursor)
        forged = [cursor[:place] + cursor[place + 1 :], f"{cursor}{letter}", f"{letter}{cursor}", letter, ""]
        if cursor[place] != letter:
            forged.append(cursor[:place] + letter + cursor[place + 1 :])
        for text in forged:
            await _refused(stack, query, text)
        sort = dict(query.parameters).get("sort", "-created_at")
        turned = sort[1:] if sort.startswith("-") else f"-{sort}"
        await _refused(stack, query, cursor, sort=turned)
        await _refused(stack, query, cursor, id__ne="00000000-0000-7000-8000-000000000000")
        caller = query.asked.caller
        stranger = Caller("mallory", caller.roles, caller.claims) if caller.anonymous else ANONYMOUS
        for other in (stranger, replace(stranger, id="zoe")):
            await _refused(stack, replace(query, asked=replace(query.asked, caller=other)), cursor)
        for resource in manifest.served:
            if resource.name != query.asked.entity:
                elsewhere = replace(query.asked, entity=resource.name)
                sent = tuple(each for each in query.parameters if each[0] == "sort")
                await _refused(stack, replace(query, asked=elsewhere, parameters=sent), cursor)
    finally:
        await stack.close()


async def _refused(stack: Stack, query: Query, cursor: str, **changed: str) -> None:
    answer = await _page(stack, query, cursor, **changed)
    # Where the list itself is closed or not understood, that is said first.
    assert answer.status_code in (400, 401, 403, 422), (cursor, changed)
    if answer.status_code == 400:
        assert answer.json()["code"] == "invalid_cursor"
    event(f"refused {answer.status_code}")


def test_a_cursor_is_good_for_its_own_list_alone(database_url: str) -> None:
    """One letter more, less or another, another sort, filter, caller or entity: the cursor is refused. With
    another limit and other fields it goes on."""
    with asyncio.Runner() as runner:

        @settings(max_examples=settings().max_examples // 4, suppress_health_check=list(HealthCheck))
        @given(cases(), st.integers(0, 500), st.sampled_from("Aa0-_é%"))
        def agree(case: Case, place: int, letter: str) -> None:
            runner.run(check_cursor(database_url, case, place, letter))

        agree()
