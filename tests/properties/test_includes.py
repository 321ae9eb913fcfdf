"""Included rows and routes of relations hold, for random people, what brute force finds that they may see."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import jwt
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from properties.test_access import SECRET, Stack, backends, build
from properties.worlds import callers, rows
from specwright.model.caller import Caller
from specwright.model.interpret import World
from specwright.model.judge import Judge
from specwright.model.manifest import Manifest, Relation, Resource
from specwright.model.syntax import print_expression

pytestmark = pytest.mark.any_server

#: What may be included in the rows of each entity.
INCLUDES = {
    "Task": ("project", "comments", "projects.pins", "parent.project,tasks", "comments.task.projects"),
    "Project": ("tasks", "pins", "pins.comments,tasks.projects", "pins.project.tasks", "pins.parent"),
    "Comment": ("task", "task.project.pins", "task.comments", "task.projects,task.parent"),
}
Row = Mapping[str, Any]
Tree = dict[str, Any]


@dataclass(frozen=True, repr=False)
class Case:
    """A backend, its rows, who asks, and what is included in each list."""

    manifest: Manifest
    world: dict[str, list[dict[str, Any]]]
    people: list[Caller]
    includes: dict[str, str]

    def __repr__(self) -> str:
        lines = []
        for resource in self.manifest.served:
            for grant in resource.grants:
                when = "" if grant.when is None else print_expression(grant.when)
                lines.append(f"{resource.name}: {grant.who} may {grant.actions} when {when}")
        return "\n".join([*lines, str(self.people), str(self.includes)])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Random cases. Who may see a reference may include over it, so that all see those."""
    plain = draw(backends())
    manifest = replace(plain, resources=tuple(map(_told, plain.resources)))
    world = draw(rows(manifest))
    includes = {name: draw(st.sampled_from(texts)) for name, texts in INCLUDES.items()}
    return Case(manifest, world, [draw(callers), draw(callers)], includes)


def _told(resource: Resource) -> Resource:
    fields = (
        replace(each, readable_by=() if each.target else each.readable_by, unique=False, unique_per=())
        for each in resource.fields
    )
    return replace(resource, fields=tuple(fields), rules=())


def tree(text: str) -> Tree:
    """`a,a.b` as the relations by name, each with those beyond it."""
    found: Tree = {}
    for name in text.split(","):
        branch = found
        for step in name.split("."):
            branch = branch.setdefault(step, {})
    return found


class Oracle:
    """What one caller is to be shown."""

    def __init__(self, judge: Judge, caller: Caller) -> None:
        self.judge, self.caller = judge, caller
        self.manifest, self.rows = judge.world.manifest, judge.world.rows

    def related(self, relation: Relation, row: Row) -> list[Row]:
        """The rows that a relation leads to and that the caller may read, newest first."""
        target = self.manifest.resource(relation.target)
        through = relation.through
        if through is not None:
            keys = [link[through.far] for link in self.rows[through.link] if link[through.near] == row["id"]]
            found = [other for other in self.rows[target.name] if other["id"] in keys]
        elif relation.many:
            found = [other for other in self.rows[target.name] if other[relation.field] == row["id"]]
        else:
            found = [other for other in self.rows[target.name] if other["id"] == row[relation.field]]
        seen = [other for other in found if self.judge.before(target, "read", self.caller, other) is not None]
        return sorted(seen, key=lambda other: other["id"].int, reverse=True)

    def check(self, resource: Resource, row: Row, item: Mapping[str, Any], asked: Tree) -> None:
        """Assert that an item has the members of its row, and what is included."""
        seen = {field.wire for field in self.judge.seen(resource, self.caller, row)}
        assert item.keys() == seen | asked.keys()
        for name, beyond in asked.items():
            relation = resource.relation(name)
            assert relation is not None
            target = self.manifest.resource(relation.target)
            found = self.related(relation, row)
            if relation.many:
                assert not item[name]["more"]
                items = item[name]["items"]
                assert item[name]["href"] == f"/api/v1/{resource.path}/{row['id']}/{name}"
            else:
                items = [] if item[name] is None else [item[name]]
            assert [each["id"] for each in items] == [str(other["id"]) for other in found]
            for each, other in zip(items, found, strict=True):
                self.check(target, other, each, beyond)


def headers(caller: Caller) -> dict[str, str]:
    """The credential of a caller."""
    if caller.anonymous:
        return {}
    claims = {"sub": caller.id, "exp": int(time.time()) + 600, "roles": [*caller.roles]}
    return {"authorization": f"Bearer {jwt.encode(claims | dict(caller.claims), SECRET, algorithm='HS256')}"}


async def check(url: str, case: Case) -> None:
    """Assert that everyone is shown what they may see, and nothing else."""
    await build(url, case.manifest, case.world)
    stack = Stack(url, case.manifest)
    connection = await asyncpg.connect(url)
    try:
        judge = Judge(World(case.manifest, case.world, await connection.fetchval("SELECT now()")))
        for caller in case.people:
            oracle = Oracle(judge, caller)
            for resource in case.manifest.served:
                by_id = {str(row["id"]): row for row in case.world[resource.name]}
                included = case.includes[resource.name]
                path = f"/{resource.path}?limit=10&include={included}"
                answer = await stack.client.get(path, headers=headers(caller))
                if answer.status_code == 200:
                    event(f"{resource.name}: {len(answer.json()['items'])} rows")
                    for item in answer.json()["items"]:
                        oracle.check(resource, by_id[item["id"]], item, tree(included))
                for row in case.world[resource.name]:
                    await beneath(stack, oracle, resource, row)
    finally:
        await connection.close()
        await stack.close()


async def beneath(stack: Stack, oracle: Oracle, resource: Resource, row: Row) -> None:
    """Assert that the routes of relations list what they lead to, and nothing of what is not readable."""
    readable = oracle.judge.before(resource, "read", oracle.caller, row) is not None
    for relation in resource.relations:
        if not relation.many:
            continue
        path = f"/{resource.path}/{row['id']}/{relation.name}?limit=10&count=exact"
        answer = await stack.client.get(path, headers=headers(oracle.caller))
        if not readable:
            assert answer.status_code in (401, 404)
            continue
        assert answer.status_code == 200, answer.text
        found = [str(other["id"]) for other in oracle.related(relation, row)]
        assert [item["id"] for item in answer.json()["items"]] == found
        assert answer.json()["total"] == len(found)


def test_everybody_is_shown_what_they_may_read(database_url: str) -> None:
    """Rows within rows, by references, from their other side and by links, and lists of each relation."""
    with asyncio.Runner() as runner:
        # A case makes a schema, and asks many lists.
        @settings(max_examples=settings().max_examples // 4, suppress_health_check=list(HealthCheck))
        @given(cases())
        def agree(case: Case) -> None:
            runner.run(check(database_url, case))

        agree()
