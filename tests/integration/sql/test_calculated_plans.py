"""What a list calculates: over the index of the reference, and of the page's rows alone. Plans tell."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from protected import build
from served import Served, fresh_database, serving
from specwright.api.plan import plan_request
from specwright.model.caller import Caller
from specwright.read.spec import read_specs

SPEC = """# Work

## Project

| Field | Type    | Rules                                   |
|-------|---------|-----------------------------------------|
| name  | text    | required, ..20                          |
| open  | integer | count of tasks where `done == False`    |
| hours | integer | sum of tasks.hours                      |
| owner | User    | the caller                              |

| Who   | May        |
|-------|------------|
| owner | everything |

## Task

| Field   | Type    | Rules             |
|---------|---------|-------------------|
| hours   | integer |                   |
| done    | boolean | default false     |
| project | Project | on delete cascade |
| owner   | User    | the caller        |

| Who   | May        |
|-------|------------|
| owner | everything |
"""
_FILL = (
    "INSERT INTO projects (name, owner_id) SELECT 'p' || n, 'ada' FROM generate_series(1, 2000) AS n",
    "INSERT INTO tasks (hours, done, project_id, owner_id) SELECT n % 7, n % 3 = 0, id, 'ada'"
    " FROM projects, generate_series(1, 20) AS n",
    "ANALYZE projects",
    "ANALYZE tasks",
)
PAGE = 20


@pytest.fixture(scope="module")
def work(database_server: str) -> Iterator[Served]:
    """Two thousand projects of twenty tasks each."""
    with fresh_database(database_server) as database:
        build(database, read_specs({"specs/it/spec.md": SPEC}))
        with serving(SPEC, database, tables=False) as served:
            for statement in _FILL:
                served.sql(statement)
            yield served


def plan(work: Served, path: str) -> list[dict[str, Any]]:
    """The nodes of the plan of a list, run."""
    asked = plan_request(work.backend.dispatch, "GET", path, Caller("ada"))

    async def explained() -> Any:
        connection = await asyncpg.connect(work.database)
        try:
            text = f"EXPLAIN (ANALYZE, FORMAT JSON) {asked.statement.text}"
            return json.loads(await connection.fetchval(text, *asked.arguments))[0]["Plan"]
        finally:
            await connection.close()

    def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield node
        for part in node.get("Plans", ()):
            yield from nodes(part)

    return list(nodes(asyncio.run(explained())))


def of_tasks(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How the tasks were read."""
    return [
        node
        for node in found
        if node.get("Relation Name") == "tasks" or node.get("Index Name", "").startswith("ix_tasks")
    ]


def test_a_page_counts_for_its_rows_alone(work: Served) -> None:
    """One look into the index of the reference for each aggregate of each row of the page, and one ahead."""
    found = of_tasks(plan(work, f"/projects?limit={PAGE}"))
    assert found
    assert all("Seq Scan" not in node["Node Type"] for node in found)
    assert {node["Index Name"] for node in found if "Index Name" in node} == {"ix_tasks_project_id"}
    assert all(node["Actual Loops"] <= PAGE + 1 for node in found)


def test_what_is_not_shown_is_not_counted(work: Served) -> None:
    """Without the fields in the answer no task is read."""
    assert of_tasks(plan(work, f"/projects?limit={PAGE}&fields=id,name")) == []


def test_a_sort_key_is_calculated_once_a_row(work: Served) -> None:
    """Sorted by a count, each project is counted once, over the index or in one pass over the tasks."""
    found = of_tasks(plan(work, f"/projects?limit={PAGE}&sort=-open&fields=id"))
    assert found
    assert all(node["Actual Loops"] <= 2000 for node in found)
