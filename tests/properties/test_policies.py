"""Row-level security is the grants once more: policy, statement and judge agree on every row and command."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import asyncpg
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from builders import ANYONE, OWNER, SIGNED_IN, named, role
from properties.worlds import callers, conditions, leads_to, manifests, rows, store
from specwright.migrate.protection import scripts
from specwright.model.caller import Caller
from specwright.model.field import Filled
from specwright.model.grant import ACTIONS, HAND_OVER, Grant, Role, WhoName
from specwright.model.interpret import World
from specwright.model.judge import Judge
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.roles import expanded
from specwright.model.syntax import parse
from specwright.sql.expression import Compiler
from specwright.sql.identity import identity
from specwright.sql.protection import protection
from specwright.sql.row import Row
from specwright.sql.scope import Scopes
from specwright.sql.statement import compile_statement
from specwright.sql.tables import Tables

OWNERS = {"Project": "lead", "Task": "owner", "Comment": "author"}
#: What a write changes, by entity: a field that conditions often ask for, and another.
CHANGED = {"Project": ("lead", "name"), "Task": ("owner", "title"), "Comment": ("author", "body")}
#: What a session is told, in this order.
SETTINGS = ("caller", "roles", "claims", "tenant", "request")
#: Conditions on the caller alone.
STAFF = (
    '"admin" in caller.roles or "unheard of" in caller.roles',
    "caller.claims.flag",
    "caller.claims.level >= 1",
    "caller.claims.word == caller.claims.level",
    "caller.claims.level < caller.claims.word",
    "caller.claims.word in caller.claims.words",
    'caller.claims.word in ["a", "todo"] or caller.claims.moment is None',
    'not (caller.claims.level == "1")',
    "caller.claims.moment < now()",
    'caller == "ada"',
)


def grants(name: str) -> st.SearchStrategy[tuple[Grant, ...]]:
    """Random grants of one entity, of every form."""
    who = st.sampled_from(
        [ANYONE, SIGNED_IN, OWNER, OWNER, role("admin"), role("a"), named(name), named("staff")]
    )
    actions = st.sampled_from(
        [ACTIONS, ("list", "read"), ("read", "update"), ("create",), ("update", "delete"), ("read", "delete")]
    )
    grant = st.builds(Grant, st.just("g"), who, actions, _seldom(name), _seldom(name))
    return st.lists(grant, min_size=1, max_size=3).map(tuple)


def hand_overs(name: str) -> st.SearchStrategy[tuple[Grant, ...]]:
    """Random grants to hand rows of an entity over."""
    who = st.sampled_from([ANYONE, SIGNED_IN, OWNER, OWNER, OWNER, role("a"), named(name), named("staff")])
    then = st.none() | conditions(name).filter(lambda expr: not leads_to(name, expr))
    grant = st.builds(Grant, st.just("h"), who, st.just((HAND_OVER,)), _seldom(name), then)
    return st.lists(grant, min_size=1, max_size=2).map(tuple)


def _seldom(name: str) -> st.SearchStrategy[Any]:
    return st.sampled_from([True, False, False]).flatmap(lambda some: conditions(name) if some else st.none())


@st.composite
def backends(draw: st.DrawFn) -> Manifest:
    """The entities of `worlds` with owners and random grants."""
    plain = draw(manifests)

    def governed(resource: Resource) -> Resource:
        owner = OWNERS[resource.name] if draw(st.booleans()) else ""
        fields = tuple(
            replace(field, filled=Filled.CALLER, required=False) if field.name == owner else field
            for field in resource.fields
        )
        handing = draw(hand_overs(resource.name)) if owner and draw(st.booleans()) else ()
        return replace(resource, fields=fields, grants=(*draw(grants(resource.name)), *handing))

    names = [WhoName(resource.name, draw(conditions(resource.name))) for resource in plain.served]
    staff = WhoName("staff", parse(draw(st.sampled_from(STAFF))))
    resources = tuple(each if each.external or each.link else governed(each) for each in plain.resources)
    roles = (Role("admin", includes=("a",) if draw(st.booleans()) else ()), Role("a"))
    return replace(plain, resources=resources, roles=roles, names=(*names, staff))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Manifest, dict[str, list[dict[str, Any]]], list[Caller], str, str]:
    """A backend, its rows, who asks, and a person and a text to write."""
    manifest = draw(backends())
    people = draw(st.lists(callers, min_size=2, max_size=3))
    person, text = draw(st.sampled_from(["ada", "bob"])), draw(st.sampled_from(["", "a", "todo"]))
    return manifest, draw(rows(manifest, most=3)), people, person, text


def at_full(manifest: Manifest, caller: Caller) -> Caller:
    """The caller as the house knows them, with the roles that theirs include."""
    return replace(caller, roles=expanded(manifest, caller.roles))


class Attempts:
    """What one caller's scoped transaction sees and does, each thing undone afterwards."""

    def __init__(
        self, connection: asyncpg.Connection, manifest: Manifest, judge: Judge, caller: Caller
    ) -> None:
        self.connection = connection
        self.manifest = manifest
        self.judge = judge
        self.caller = caller

    async def begin(self) -> None:
        """Become the caller."""
        who = identity(self.manifest, at_full(self.manifest, self.caller))
        name = await self.connection.fetchval(
            "SELECT name FROM specwright.database_roles WHERE suffix = $1", who.role
        )
        for setting, value in zip(SETTINGS, who.settings, strict=True):
            await self.connection.execute("SELECT set_config($1, $2, true)", f"specwright.{setting}", value)
        await self.connection.execute("SELECT set_config('role', $1, true)", name)

    async def outcome(self, statement: str, *values: Any) -> int | None:
        """How many rows a statement concerns; None where it is refused."""
        undone = self.connection.transaction()
        await undone.start()
        try:
            return int((await self.connection.execute(statement, *values)).split()[-1])
        except asyncpg.InsufficientPrivilegeError:
            return None
        finally:
            await undone.rollback()

    def may(self, resource: Resource, action: str, row: Mapping[str, Any]) -> bool:
        """Whether the judge finds a grant for a row before the action, and reading where that is needed."""
        before = self.judge.before(resource, action, self.caller, row) is not None
        return before and self.judge.before(resource, "read", self.caller, row) is not None

    def may_become(self, resource: Resource, row: Mapping[str, Any]) -> bool:
        """The same for the row after an update; related rows are as they were."""
        after = self.judge.after(resource, "update", self.caller, row) is not None
        return after and self.judge.before(resource, "read", self.caller, row) is not None

    def may_change(self, resource: Resource, row: Mapping[str, Any], new: Mapping[str, Any]) -> bool | None:
        """Whether an update passes; None where the row is out of its reach."""
        judge, caller = self.judge, self.caller
        reads = judge.before(resource, "read", caller, row) is not None
        before = judge.before(resource, "update", caller, row) is not None
        lets_go = judge.before(resource, HAND_OVER, caller, row) is not None
        if not reads or not (before or lets_go):
            return None
        if before and self.may_become(resource, new):
            return True
        owner = resource.owner
        others = [name for name in new if owner is None or name != owner.name]
        handed = judge.hands_over(resource, caller, row, judge, new) is not None
        # PostgreSQL shows the new row to the statement that made it, so it stays readable.
        stays = judge.before(resource, "read", caller, new) is not None
        return handed and stays and all(row[name] == new[name] for name in others)

    async def reads(self, resource: Resource) -> None:
        """A SELECT without WHERE is the judge's rows, and those of the statement."""
        wanted = {
            row["id"] for row in self.judge.world.rows[resource.name] if self.may(resource, "read", row)
        }
        found = await self.connection.fetch(f'SELECT id FROM "{resource.table}"')
        assert {row["id"] for row in found} == wanted
        event(f"read: {'all' if len(wanted) == len(found) and wanted else 'some' if wanted else 'none'}")

    async def deletes(self, resource: Resource) -> None:
        """A DELETE without WHERE takes what may be deleted, also of what may not be read."""
        rows = self.judge.world.rows[resource.name]
        wanted = sum(self.may(resource, "delete", row) for row in rows)
        assert await self.outcome(f'DELETE FROM "{resource.table}"') == wanted

    async def updates(self, resource: Resource, changes: Mapping[str, Any]) -> None:
        """Row by row, and all at once without reading any."""
        fields = [resource.field(name) for name in changes]
        sets = ", ".join(f'"{field.column}" = ${place}' for place, field in enumerate(fields, 2) if field)
        hit, all_pass = 0, True
        for row in self.judge.world.rows[resource.name]:
            may = self.may_change(resource, row, {**row, **changes})
            wanted = 0 if may is None else 1 if may else None
            if may is not None:
                hit += 1
                all_pass = all_pass and may
            found = await self.outcome(
                f'UPDATE "{resource.table}" SET {sets} WHERE id = $1', row["id"], *changes.values()
            )
            event(f"update: {wanted}")
            assert found == wanted, row
        bare = sets.replace("$2", "$1").replace("$3", "$2") if len(changes) > 1 else sets.replace("$2", "$1")
        found = await self.outcome(f'UPDATE "{resource.table}" SET {bare}', *changes.values())
        assert found == (hit if all_pass else None)

    async def inserts(self, resource: Resource, row: Mapping[str, Any]) -> None:
        """A new row."""
        fields = [field for field in resource.fields if field.stored]
        columns = ", ".join(f'"{field.column}"' for field in fields)
        holes = ", ".join(f"${place}" for place in range(1, len(fields) + 1))
        found = await self.outcome(
            f'INSERT INTO "{resource.table}" ({columns}) VALUES ({holes})',
            *(row[field.name] for field in fields),
        )
        allowed = self.judge.after(resource, "create", self.caller, row) is not None
        event(f"insert: {allowed}")
        assert found == (1 if allowed else None)


async def by_statement(
    connection: asyncpg.Connection, manifest: Manifest, resource: Resource, caller: Caller
) -> set[Any]:
    """What a derived read of every row finds."""
    tables = Tables(manifest)
    compiler, table = Compiler(tables), tables.of(resource)
    caller = at_full(manifest, caller)
    scope = Scopes(manifest).scope(resource, "read", caller)
    query = select(table.c.id).where(compiler.condition(scope.before, Row.of(resource, table)))
    statement = compile_statement(compiler, query)
    found = await connection.fetch(statement.text, *statement.arguments(manifest, caller, {}))
    return {row["id"] for row in found}


async def compare(
    connection: asyncpg.Connection,
    manifest: Manifest,
    world: dict[str, list[dict[str, Any]]],
    people: list[Caller],
    person: str,
    text: str,
) -> None:
    """Assert that the database lets everyone do what the judge lets them do, and nothing else."""
    whole = connection.transaction()
    await whole.start()
    try:
        await store(connection, manifest, world)
        for script in scripts(protection(manifest)):
            await connection.execute(script)
        # Foreign keys are not the question here.
        await connection.execute("SET LOCAL session_replication_role = replica")
        now = await connection.fetchval("SELECT transaction_timestamp()")
        judge = Judge(World(manifest, world, now))
        for caller in people:
            derived = {
                each.name: await by_statement(connection, manifest, each, caller) for each in manifest.served
            }
            part = connection.transaction()
            await part.start()
            attempts = Attempts(connection, manifest, judge, caller)
            await attempts.begin()
            for resource in manifest.served:
                found = {row["id"] for row in world[resource.name] if attempts.may(resource, "read", row)}
                assert derived[resource.name] == found
                await attempts.reads(resource)
                await attempts.deletes(resource)
                await attempts.updates(
                    resource, dict(zip(CHANGED[resource.name], (person, text), strict=True))
                )
                await attempts.updates(resource, {CHANGED[resource.name][0]: person})
                if world[resource.name]:
                    first = world[resource.name][0]
                    key = first["id"].__class__(int=first["id"].int + 1000)
                    changed = dict(zip(CHANGED[resource.name], (person, text), strict=True))
                    await attempts.inserts(resource, {**first, "id": key, **changed})
            await part.rollback()
    finally:
        await whole.rollback()


def test_policies_are_the_grants(database_url: str) -> None:
    """On random backends and rows, a scoped transaction sees and changes exactly what the grants let it."""
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(database_url))

        # An example is some fifty statements.
        @settings(suppress_health_check=list(HealthCheck), max_examples=settings().max_examples // 4)
        @given(cases())
        def agree(case: tuple[Any, ...]) -> None:
            runner.run(compare(connection, *case))

        try:
            agree()
        finally:
            runner.run(connection.close())
