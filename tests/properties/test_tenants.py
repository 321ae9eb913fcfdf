"""Tenants against the judge: statement, policy and answer agree, and no tenant reaches another's rows."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import asyncpg
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from builders import ANYONE, OWNER, SIGNED_IN, named
from properties.test_access import UNKNOWN, Asked, Stack, build, explained, judged, reads_itself, stored
from properties.test_policies import Attempts, by_statement
from properties.worlds import PEOPLE, built_in, store
from specwright.migrate.protection import scripts
from specwright.model.caller import ANONYMOUS, Caller
from specwright.model.expression import And, Expr, Not, Or
from specwright.model.grant import ACTIONS, Grant, WhoName
from specwright.model.interpret import World
from specwright.model.judge import Judge
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.syntax import parse, print_expression
from specwright.model.typecheck import check_condition
from specwright.read.spec import read_specs
from specwright.sql.protection import protection

SPEC = """# Offices

## Rules

- tenant Organization through Membership by header X-Organization, founder role owner

## Organization

| Field | Type | Rules |
|-------|------|-------|
| name  | text | ..80  |

## Membership

| Field        | Type              | Rules                             |
|--------------|-------------------|-----------------------------------|
| organization | Organization      | required                          |
| user         | User              | required, unique per organization |
| role         | `owner`, `member` | default `member`                  |
| level        | integer           |                                   |
| active       | boolean           |                                   |

## Folder

| Field | Type | Rules      |
|-------|------|------------|
| name  | text | ..80       |
| owner | User | the caller |

## Deal

| Field  | Type    | Rules           |
|--------|---------|-----------------|
| title  | text    | ..80            |
| amount | integer |                 |
| folder | Folder  | on delete clear |
| owner  | User    | the caller      |
"""
PLAIN = read_specs({"specs/it/spec.md": SPEC})
BOUND = [resource for resource in PLAIN.stored if resource.tenant is not None]
#: Two that there are, and one that there is not.
TENANTS = [UUID(int=(7 << 76) | (8 << 60) | number) for number in (1, 2, 3)]

#: What depends on the membership, and goes for every entity.
OF_MEMBERSHIP = (
    'caller.membership.role == "owner"',
    'caller.membership.role != "owner"',
    'caller.membership.role in ["owner", "member"]',
    'caller.membership.role in ["member"]',
    "caller.membership.role is None",
    "caller.membership.level >= 2",
    "caller.membership.level < caller.claims.level",
    "caller.membership.level == caller.claims.level",
    "coalesce(caller.membership.level, 2) == 2",
    "caller.membership.active",
    "caller.membership.user == caller",
    "caller.membership.user in caller.claims.people",
    "caller.membership.organization == caller.tenant",
    "caller.tenant is None",
    'organization.memberships.role == "owner"',
    "organization.memberships.user == caller",
    "organization == caller.tenant",
)
OF_ROW = {
    "Organization": ("memberships.user == caller", 'name == "a"', 'memberships.role == "owner"'),
    "Membership": (
        "user == caller",
        'role == "member"',
        "level == caller.membership.level",
        "level < caller.membership.level",
        "role != caller.membership.role",
    ),
    "Folder": ('name == "a"', "deals.amount == caller.membership.level", "deals.owner == caller"),
    "Deal": (
        "amount > caller.membership.level",
        "amount == caller.membership.level",
        "folder.owner == caller",
        "folder.organization == caller.tenant",
        "folder.organization != organization",
        "folder.owner == caller.membership.user",
    ),
}


def conditions(name: str) -> st.SearchStrategy[Expr]:
    """Conditions on a row of the entity, most of them about the membership."""
    words = OF_ROW[name] if name == "Organization" else (*OF_MEMBERSHIP, *OF_ROW[name])
    atoms = st.sampled_from([parse(each) for each in words])
    for atom in words:
        assert not check_condition(PLAIN, PLAIN.resource(name), parse(atom)), atom
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            st.builds(Not, inner),
            st.builds(And, st.lists(inner, min_size=2, max_size=2).map(tuple)),
            st.builds(Or, st.lists(inner, min_size=2, max_size=2).map(tuple)),
        ),
        max_leaves=3,
    )


def grants(resource: Resource) -> st.SearchStrategy[tuple[Grant, ...]]:
    """Random grants, also some to anyone: a reader refuses those, and nothing else relies on it."""
    whos = [SIGNED_IN, SIGNED_IN, SIGNED_IN, ANYONE]
    if resource.owner is not None:
        whos += [OWNER, OWNER]
    if resource.tenant is not None:
        whos += [named("boss"), named("boss")]
    actions = st.sampled_from(
        [ACTIONS, ACTIONS, ("list", "read"), ("read", "update"), ("create",), ("delete",)]
    )
    condition = st.none() | conditions(resource.name)
    grant = st.builds(Grant, st.just("g"), st.sampled_from(whos), actions, condition, condition)
    return st.lists(grant, min_size=1, max_size=3).map(tuple)


@st.composite
def backends(draw: st.DrawFn) -> Manifest:
    """The offices with random grants."""
    boss = WhoName("boss", parse(draw(st.sampled_from(OF_MEMBERSHIP))))
    resources = tuple(
        resource if resource.external else replace(resource, grants=draw(grants(resource)))
        for resource in PLAIN.resources
    )
    return replace(PLAIN, resources=resources, names=(boss,))


@st.composite
def worlds(draw: st.DrawFn, *, astray: bool) -> dict[str, list[dict[str, Any]]]:
    """Two organizations with rows; `astray`, references lead from one to the other, as no request does."""
    world: dict[str, list[dict[str, Any]]] = {"User": []}
    small, person = st.none() | st.integers(1, 3), st.sampled_from(PEOPLE)
    world["Organization"] = [
        {**built_in(PLAIN.resource("Organization"), 0), "id": key, "name": draw(st.sampled_from(["a", "b"]))}
        for key in TENANTS[:2]
    ]
    places = draw(st.sets(st.tuples(st.sampled_from(TENANTS[:2]), person), min_size=1))
    world["Membership"] = [
        {
            **built_in(PLAIN.resource("Membership"), number),
            "organization": key,
            "user": user,
            "role": draw(st.sampled_from(["owner", "member"])),
            "level": draw(small),
            "active": draw(st.none() | st.booleans()),
        }
        for number, (key, user) in enumerate(sorted(places))
    ]
    world["Folder"] = [
        {
            **built_in(PLAIN.resource("Folder"), number),
            "organization": draw(st.sampled_from(TENANTS[:2])),
            "name": draw(st.sampled_from(["a", "b", None])),
            "owner": draw(person),
        }
        for number in range(draw(st.integers(1, 3)))
    ]
    world["Deal"] = []
    for number in range(draw(st.integers(1, 4))):
        key = draw(st.sampled_from(TENANTS[:2]))
        folders = [row["id"] for row in world["Folder"] if astray or row["organization"] == key]
        deal = {"organization": key, "title": "t", "amount": draw(small), "owner": draw(person)}
        folder = draw(st.none() | st.sampled_from(folders)) if folders else None
        world["Deal"].append({**built_in(PLAIN.resource("Deal"), number), **deal, "folder": folder})
    return world


members = st.builds(
    Caller,
    st.sampled_from(PEOPLE),
    st.just(frozenset[str]()),
    st.fixed_dictionaries(
        {}, optional={"level": st.sampled_from([1, 2, "2"]), "people": st.just(["ada", "eve"])}
    ),
    st.sampled_from([*TENANTS[:2] * 3, TENANTS[2]]),
)


@dataclass(frozen=True, repr=False)
class Case:
    """A backend, its rows, and who asks."""

    manifest: Manifest
    world: dict[str, list[dict[str, Any]]]
    people: list[Caller]

    def __repr__(self) -> str:
        return "\n".join([*told(self.manifest), *map(str, self.people)])


def told(manifest: Manifest) -> list[str]:
    """The grants, for whoever has to understand a disagreement."""
    lines = [f"{each.name} is {print_expression(each.condition)}" for each in manifest.names]
    for resource in manifest.stored:
        for grant in resource.grants:
            when, then = (each and print_expression(each) for each in (grant.when, grant.then))
            lines.append(f"{resource.name}: {grant.who} {grant.actions} when {when} then {then}")
    return lines


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Random cases; some name no tenant."""
    asked = members | members.map(lambda caller: replace(caller, tenant=None)) | st.just(ANONYMOUS)
    people = [draw(members), draw(asked)]
    return Case(draw(backends()), draw(worlds(astray=True)), people)


CHANGED: dict[str, dict[str, Any]] = {
    "Organization": {"name": "b"},
    "Membership": {"role": "owner", "level": 2},
    "Folder": {"owner": "ada", "name": "a"},
    "Deal": {"owner": "bob", "amount": 2},
}


async def compare(connection: asyncpg.Connection, case: Case) -> None:
    """Assert that a session does what the judge lets it, and that a statement finds the same rows."""
    manifest, world = case.manifest, case.world
    whole = connection.transaction()
    await whole.start()
    try:
        await store(connection, manifest, world)
        for script in scripts(protection(manifest)):
            await connection.execute(script)
        await connection.execute("SET LOCAL session_replication_role = replica")
        judge = Judge(World(manifest, world, await connection.fetchval("SELECT transaction_timestamp()")))
        for caller in case.people:
            derived = {
                each.name: await by_statement(connection, manifest, each, caller) for each in manifest.stored
            }
            part = connection.transaction()
            await part.start()
            attempts = Attempts(connection, manifest, judge, caller)
            await attempts.begin()
            for resource in manifest.stored:
                rows = world[resource.name]
                found = {row["id"] for row in rows if attempts.may(resource, "read", row)}
                assert derived[resource.name] == found
                if resource.tenant is not None:
                    there = {row["id"] for row in rows if row["organization"] == caller.tenant}
                    assert found <= there
                await attempts.reads(resource)
                await attempts.deletes(resource)
                await attempts.updates(resource, CHANGED[resource.name])
                for tenant in TENANTS[:2] if resource.tenant is not None else ():
                    new = {**rows[0], **CHANGED[resource.name], "id": UNKNOWN, "organization": tenant}
                    # A second membership of theirs would break a constraint, which is not the question here.
                    if resource.name == "Membership":
                        new["user"] = "zoe"
                    await attempts.inserts(resource, new)
            await part.rollback()
    finally:
        await whole.rollback()


def test_policies_are_the_grants_within_a_tenant(database_url: str) -> None:
    """A session sees and changes what the judge says, and a statement finds the same, in each tenant."""
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(database_url))

        @settings(suppress_health_check=list(HealthCheck), max_examples=settings().max_examples // 3)
        @given(cases())
        def agree(case: Case) -> None:
            runner.run(compare(connection, case))

        try:
            agree()
        finally:
            runner.run(connection.close())


@dataclass(frozen=True, repr=False)
class Requests:
    """A backend, its rows, and requests in its tenants."""

    manifest: Manifest
    world: dict[str, list[dict[str, Any]]]
    asked: list[Asked]

    def __repr__(self) -> str:
        return "\n".join([*told(self.manifest), *map(str, self.asked)])


@st.composite
def requests(draw: st.DrawFn) -> Requests:
    """Random requests of members, strangers and the anonymous."""
    manifest, world = draw(backends()), draw(worlds(astray=False))
    asked = []
    for _ in range(draw(st.integers(1, 8))):
        resource, action = draw(st.sampled_from(BOUND)), draw(st.sampled_from(ACTIONS))
        keys = [row["id"] for row in world[resource.name]]
        key = draw(st.sampled_from([*keys, *keys, UNKNOWN])) if action in ACTIONS[1:] else None
        body = draw(_body(world, resource, action)) if action in ("create", "update") else None
        asked.append(Asked(action, resource.name, draw(members | st.just(ANONYMOUS)), key, body))
    return Requests(manifest, world, asked)


@st.composite
def _body(draw: st.DrawFn, world: Mapping[str, Any], resource: Resource, action: str) -> dict[str, Any]:
    folders = [row["id"] for row in world["Folder"]]
    values: dict[str, st.SearchStrategy[Any]] = {
        "role": st.sampled_from(["owner", "member"]),
        "level": st.integers(1, 3),
        "name": st.sampled_from(["a", "b"]),
        "amount": st.integers(1, 3),
        "folder": st.none() | st.sampled_from([*folders, UNKNOWN]),
    }
    body = {}
    for field in resource.fields:
        if field.name == "user" and action == "create":
            body[field.name] = draw(st.sampled_from([*PEOPLE, "zoe"]))
        elif field.name in values and draw(st.booleans()):
            body[field.name] = draw(values[field.name])
    return body


class Desk(Stack):
    """The HTTP stack, whose requests name the tenant of their caller."""

    async def send(self, asked: Asked) -> Any:
        """The answer to a request."""
        self.client.headers.pop("x-organization", None)
        if asked.caller.tenant is not None:
            self.client.headers["x-organization"] = str(asked.caller.tenant)
        return await super().send(asked)


def elsewhere(world: Mapping[str, list[dict[str, Any]]], tenant: UUID | None) -> dict[str, Any]:
    """The rows of all other tenants."""
    return {
        resource.name: [row for row in world[resource.name] if row["organization"] != tenant]
        for resource in BOUND
    }


async def check(url: str, case: Requests) -> None:
    """Assert that every request is answered as the judge says, and stays within its tenant."""
    manifest = case.manifest
    await build(url, manifest, case.world)
    desk = Desk(url, manifest)
    connection = await asyncpg.connect(url)
    try:
        for request in case.asked:
            before = await stored(connection, manifest)
            judge = Judge(World(manifest, before, await connection.fetchval("SELECT now()")))
            verdict = judged(judge, request)
            answer = await desk.send(request)
            event(f"{request.action} {verdict.status}")
            accepted = {verdict.status}
            if verdict.status in (403, 409, 422):
                # What is judged on stored rows comes after what keeps a row from being stored.
                accepted |= {403, 409, 422}
            after = await stored(connection, manifest)
            memberships = request.entity == "Membership" and reads_itself(
                manifest, manifest.resource(request.entity), linked=False
            )
            if memberships and verdict.allowed and answer.status_code == 403:
                # Such a condition is asked again when the row is stored, of the membership as it is then.
                assert after == before
                continue
            assert answer.status_code in accepted, explained(judge, request, verdict, answer)
            assert elsewhere(after, request.caller.tenant) == elsewhere(before, request.caller.tenant)
            if not (request.action in ("create", "update", "delete") and verdict.allowed):
                assert after == before
            if not verdict.allowed:
                continue
            shown = answer.json() if answer.content else {}
            items = shown["items"] if request.action == "list" else [shown] if shown else []
            assert all(item["organization_id"] == str(request.caller.tenant) for item in items)
            if request.action == "list":
                visible = judge.visible(manifest.resource(request.entity), request.caller)
                assert {item["id"] for item in items} == {str(row["id"]) for row in visible}
    finally:
        await connection.close()
        await desk.close()


def test_no_request_leaves_its_tenant(database_url: str) -> None:
    """Whatever is asked in a tenant is answered as the judge says, and touches no row of another."""
    with asyncio.Runner() as runner:

        @settings(max_examples=settings().max_examples // 3, suppress_health_check=list(HealthCheck))
        @given(requests())
        def agree(case: Requests) -> None:
            runner.run(check(database_url, case))

        agree()
