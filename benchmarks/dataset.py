"""The data that every application serves: people, their projects, tags and tasks."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg

from specwright.migrate.apply import commit, upgrade
from specwright.read.project import read_project

_FILL = """
INSERT INTO projects (name, owner_id, created_at)
SELECT 'Project ' || n, 'user' || (n % {people}), timestamptz '2026-01-01' + n * interval '1 minute'
FROM generate_series(1, {people} * 3) AS n;

INSERT INTO tasks (title, description, status, priority, due, owner_id, project_id, created_at)
SELECT 'Task ' || n, 'What is to be done in task ' || n || '.', (ARRAY['todo', 'doing', 'done'])[1 + n % 3],
       n % 6, CASE WHEN n % 2 = 0 THEN timestamptz '2027-01-01' + n * interval '1 minute' END,
       'user' || (n % {people}), projects.id, timestamptz '2026-02-01' + n * interval '1 second'
FROM generate_series(1, {tasks}) AS n
LEFT JOIN projects ON n % 5 > 0 AND projects.name = 'Project ' || (n % {people} + {people})
     AND projects.owner_id = 'user' || (n % {people});

INSERT INTO tags (name, owner_id, created_at)
SELECT 'Tag ' || n, 'user' || (n % {people}), timestamptz '2026-01-15' + n * interval '1 second'
FROM generate_series(1, {people} * 10) AS n;

INSERT INTO tasks_tags (task_id, tag_id)
SELECT tasks.id, tags.id
FROM (SELECT *, right(title, -5)::integer AS n FROM tasks) AS tasks
CROSS JOIN generate_series(0, 4) AS place
JOIN tags ON place < tasks.n % 5 AND tags.owner_id = tasks.owner_id
     AND tags.name = 'Tag ' || (tasks.n % {people} + {people} * (1 + (tasks.n / {people} + place) % 9));

VACUUM ANALYZE
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How many people there are, and how many tasks they have together."""

    people: int = 1_000
    tasks: int = 100_000


async def fill(root: Path, url: str, size: Size) -> None:
    """Make the tables of the project's spec in an empty database and fill them."""
    commit(root, read_project(root), "benchmark")
    await upgrade(root, url)
    connection = await asyncpg.connect(url)
    try:
        for statement in _FILL.format(people=size.people, tasks=size.tasks).split(";"):
            await connection.execute(statement)
    finally:
        await connection.close()


async def some_tasks(url: str, people: int) -> list[tuple[str, UUID]]:
    """One task that is not done for each of the first people: who owns it, and its id."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT DISTINCT ON (owner_id) owner_id, id FROM tasks"
            " WHERE status <> 'done' AND owner_id = ANY($1) ORDER BY owner_id, id",
            [f"user{number}" for number in range(people)],
        )
    finally:
        await connection.close()
    return [(row["owner_id"], row["id"]) for row in rows]
