"""The tables of links on a real server: made, renamed, asked about and taken back; held by policies."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from protected import migrate, run, session_of, sessions_on
from specwright.migrate.plan import plan
from specwright.model.caller import ANONYMOUS, Caller
from specwright.model.document import from_document, to_document
from specwright.model.manifest import Manifest
from specwright.read.spec import read_specs

pytestmark = pytest.mark.anyio

ADA, BOB, TIM = Caller("ada"), Caller("bob"), Caller("tim", frozenset({"tagger"}))

HEAD = """
## Roles

| Role   | Means |
|--------|-------|
| tagger | labels |

## Label (was Tag)

| Field | Type | Rules |
|-------|------|-------|
| name  | text | ..40 |
| owner | User | the caller |

| Who    | May        | When |
|--------|------------|------|
| owner  | everything | |
| anyone | read       | `name == "public"` |
"""
TASK = """
## Task

| Field | Type | Rules |
|-------|------|-------|
| title | text | ..40 |
{many}
| owner | User | the caller |

| Who       | May        | When |
|-----------|------------|------|
| owner     | everything | |
| tagger    | read{link} | |
| signed in | read       | `title == "open"` |
"""


def spec(many: str, *, label: str = "Tag", link: str = "") -> Manifest:
    """Tasks with this field, and the entity that it links."""
    head = HEAD if label == "Label" else HEAD.replace("Label (was Tag)", "Tag")
    asked = f", link {link}" if link else ""
    return read_specs(
        {"specs/it/spec.md": head + TASK.format(many=many or "| note | text | ..9 |", link=asked)}
    )


PLAIN, TAGGED = spec(""), spec("| tags | many Tag | |", link="tags")


async def sql(url: str, statement: str, *values: Any) -> list[Any]:
    """Ask as the owner."""
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(statement, *values))
    finally:
        await connection.close()


async def fill(url: str) -> None:
    """Tasks of ada's, one hers alone and one for all to read, each with a tag of hers and a public one."""
    await sql(url, "INSERT INTO tasks (title, owner_id) VALUES ('mine', 'ada'), ('open', 'ada')")
    await sql(url, "INSERT INTO tags (name, owner_id) VALUES ('secret', 'ada'), ('public', 'ada')")
    await sql(url, "INSERT INTO tasks_tags SELECT tasks.id, tags.id FROM tasks, tags")


async def test_sessions_see_links_between_rows_they_can_read(database_url: str) -> None:
    """Both rows must be theirs to read, whatever hand-written SQL asks."""
    await migrate(database_url, Manifest(), TAGGED)
    await fill(database_url)
    sessions = sessions_on(database_url)
    counts = {}
    try:
        for caller in (ADA, BOB, TIM, ANONYMOUS):
            async with session_of(sessions, TAGGED, caller) as session:
                counts[caller.id] = await session.scalar(text("SELECT count(*) FROM tasks_tags"))
    finally:
        await sessions.close()
    assert counts == {"ada": 4, "bob": 1, "tim": 2, None: 0}


@contextmanager
def refused() -> Iterator[None]:
    """What row-level security refuses."""
    with pytest.raises(DBAPIError, match="row-level security"):
        yield


async def test_sessions_link_as_the_grants_say(database_url: str) -> None:
    """Owners and taggers may, what they can read; nobody changes a link into another."""
    await migrate(database_url, Manifest(), TAGGED)
    await fill(database_url)
    await sql(database_url, "DELETE FROM tasks_tags")
    link = text("INSERT INTO tasks_tags SELECT a.id, b.id FROM tasks a, tags b WHERE b.name = :name")
    secret = (await sql(database_url, "SELECT id FROM tags WHERE name = 'secret'"))[0]["id"]
    forced = text("INSERT INTO tasks_tags SELECT id, :tag FROM tasks")
    sessions = sessions_on(database_url)
    try:
        async with session_of(sessions, TAGGED, ADA) as session:
            await session.execute(link, {"name": "secret"})
            gone = await session.execute(text("DELETE FROM tasks_tags RETURNING 1"))
            assert len(gone.all()) == 2
        async with session_of(sessions, TAGGED, TIM) as session:
            await session.execute(link, {"name": "public"})
            changed = await session.execute(text("UPDATE tasks_tags SET tag_id = tag_id RETURNING 1"))
            assert changed.all() == []
            with refused():
                await session.execute(forced, {"tag": secret})
        async with session_of(sessions, TAGGED, BOB) as session:
            with refused():
                await session.execute(link, {"name": "public"})
    finally:
        await sessions.close()


async def test_links_come_go_and_come_back_by_migrations(database_url: str) -> None:
    """A new field makes the table, its downgrade takes it away, and losing links is a question."""
    await migrate(database_url, Manifest(), PLAIN)
    there = plan(PLAIN, TAGGED)
    assert not [hazard for hazard in there.hazards if "tags" in hazard.key]
    await run(database_url, there.operations)
    await fill(database_url)
    away = plan(TAGGED, PLAIN)
    assert "drop Task.tags" in [hazard.key for hazard in away.hazards]
    await run(database_url, away.operations)
    assert await sql(database_url, "SELECT to_regclass('tasks_tags') AS it") == [(None,)]
    await run(database_url, away.inverse)
    assert await sql(database_url, "SELECT * FROM tasks_tags") == []
    await run(database_url, there.inverse)


async def test_links_survive_renames(database_url: str) -> None:
    """Of the field, and of the entity that is linked: tables and columns follow, links stay."""
    renamed = spec("| labels | many Label | was tags |", label="Label")
    await migrate(database_url, Manifest(), TAGGED)
    await fill(database_url)
    steps = plan(from_document(to_document(TAGGED)), renamed)
    assert steps.hazards == ()
    await run(database_url, steps.operations)
    assert len(await sql(database_url, "SELECT task_id, label_id FROM tasks_labels")) == 4
    assert plan(renamed, renamed).operations == ()
    await run(database_url, steps.inverse)
    assert len(await sql(database_url, "SELECT task_id, tag_id FROM tasks_tags")) == 4


PEOPLE = """
## Task

| Field     | Type      | Rules      |
|-----------|-----------|------------|
| title     | text      | ..40       |
| reviewers | many User |            |
| owner     | User      | the caller |

| Who | Is |
|-----|----|
| reviewer | `reviewers.id == caller` |

| Who      | May        |
|----------|------------|
| owner    | everything |
| reviewer | list, read |
"""
USER = """
## User

| Field | Type | Rules |
|-------|------|-------|
| nick  | text | ..40  |

| Who       | May  |
|-----------|------|
| signed in | read |
"""


async def test_sessions_see_what_they_are_linked_to(database_url: str) -> None:
    """People without a table: the policy finds them by their ids, and only the owner links them."""
    there = read_specs({"specs/it/spec.md": PEOPLE})
    await migrate(database_url, Manifest(), there)
    await sql(database_url, "INSERT INTO tasks (title, owner_id) VALUES ('mine', 'ada'), ('open', 'ada')")
    await sql(database_url, "INSERT INTO tasks_reviewers SELECT id, 'bob' FROM tasks WHERE title = 'open'")
    link = text("INSERT INTO tasks_reviewers SELECT id, 'tim' FROM tasks")
    sessions = sessions_on(database_url)
    seen = {}
    try:
        for caller in (ADA, BOB, TIM, ANONYMOUS):
            async with session_of(sessions, there, caller) as session:
                seen[caller.id] = (await session.scalars(text("SELECT title FROM tasks ORDER BY 1"))).all()
        async with session_of(sessions, there, ADA) as session:
            await session.execute(link)
        async with session_of(sessions, there, BOB) as session:
            with refused():
                await session.execute(link)
    finally:
        await sessions.close()
    assert seen == {"ada": ["mine", "open"], "bob": ["open"], "tim": [], None: []}


async def test_people_who_are_linked_get_rows(database_url: str) -> None:
    """When User becomes an entity: a row for each id that is linked, and back again without a loss."""
    before, after = (read_specs({"specs/it/spec.md": PEOPLE + more}) for more in ("", USER))
    await migrate(database_url, Manifest(), before)
    await sql(database_url, "INSERT INTO tasks (title, owner_id) VALUES ('mine', 'ada')")
    await sql(database_url, "INSERT INTO tasks_reviewers SELECT id, 'bob' FROM tasks")
    steps = plan(before, after)
    await run(database_url, steps.operations)
    users = await sql(database_url, "SELECT id FROM users ORDER BY id")
    assert [row["id"] for row in users] == ["ada", "bob"]
    await run(database_url, steps.inverse)
    assert len(await sql(database_url, "SELECT 1 FROM tasks_reviewers WHERE user_id = 'bob'")) == 1
