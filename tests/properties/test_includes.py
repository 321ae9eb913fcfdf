"""Included rows and routes of relations hold, for random people, what brute force finds that they may see."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from properties.oracle import Oracle, Row, tree
from properties.test_access import INCLUDES, Stack, backends, build, headers
from properties.worlds import callers, rows
from specwright.model.caller import Caller
from specwright.model.interpret import World
from specwright.model.judge import Judge
from specwright.model.manifest import Manifest
from specwright.model.resource import Resource
from specwright.model.syntax import print_expression

pytestmark = pytest.mark.any_server


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


async def check(url: str, case: Case) -> None:
    """Assert that everyone is shown what they may see, and nothing else."""
    await build(url, case.manifest, case.world)
    stack = Stack(url, case.manifest)
    connection = await asyncpg.connect(url)
    try:
        judge = Judge(World(case.manifest, case.world, await connection.fetchval("SELECT now()")))
        oracle = Oracle(judge)
        for caller in case.people:
            for resource in case.manifest.served:
                by_id = {str(row["id"]): row for row in case.world[resource.name]}
                included = case.includes[resource.name]
                path = f"/{resource.path}?limit=10&include={included}"
                answer = await stack.client.get(path, headers=headers(caller))
                if answer.status_code == 200:
                    event(f"{resource.name}: {len(answer.json()['items'])} rows")
                    for item in answer.json()["items"]:
                        row = by_id[item["id"]]
                        assert item == oracle.item(resource, caller, row, tree(included.split(",")))
                for row in case.world[resource.name]:
                    await beneath(stack, oracle, caller, resource, row)
    finally:
        await connection.close()
        await stack.close()


async def beneath(stack: Stack, oracle: Oracle, caller: Caller, resource: Resource, row: Row) -> None:
    """Assert that the routes of relations list what they lead to, and nothing of what is not readable."""
    readable = oracle.judge.before(resource, "read", caller, row) is not None
    for relation in resource.relations:
        if not relation.many:
            continue
        path = f"/{resource.path}/{row['id']}/{relation.name}?limit=10&count=exact"
        answer = await stack.client.get(path, headers=headers(caller))
        if not readable:
            assert answer.status_code in (401, 404)
            continue
        assert answer.status_code == 200, answer.text
        found = [str(other["id"]) for other in oracle.related(relation, row, caller)]
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
