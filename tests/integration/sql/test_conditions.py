"""Grants that ask for claims, related rows and the time: statement, policy and judge find the same rows."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select
from sqlalchemy.schema import CreateTable

from builders import SIGNED_IN, backend, entity, field, grant, to
from specwright.migrate.protection import scripts
from specwright.model.caller import Caller
from specwright.model.interpret import World
from specwright.model.judge import Judge
from specwright.model.manifest import Manifest
from specwright.model.types import DATE, INTEGER, TEXT, TIMESTAMP
from specwright.sql.expression import Compiler
from specwright.sql.identity import identity
from specwright.sql.protection import protection
from specwright.sql.row import Row
from specwright.sql.scope import Scopes
from specwright.sql.statement import compile_statement
from specwright.sql.tables import DIALECT, Tables

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
HOME, WORK, BARE = (UUID(int=number) for number in (1, 2, 3))


def manifest(condition: str) -> Manifest:
    """Tasks in projects, to be read where the condition holds; projects may be read by nobody."""
    return backend(
        entity("Project", field("name", TEXT), field("lead", to("User")), field("budget", INTEGER)),
        entity(
            "Task",
            field("title", TEXT),
            field("department", TEXT),
            field("due", TIMESTAMP),
            field("day", DATE),
            field("grace", INTEGER),
            field("project", to("Project")),
            grants=(grant(SIGNED_IN, "read", condition),),
        ),
        entity("Member", field("person", to("User")), field("project", to("Project"))),
    )


def task(title: str, *rest: Any) -> dict[str, Any]:
    """A row, as far as it is filled."""
    names = ("department", "due", "day", "grace", "project")
    return {"title": title, **dict(zip(names, rest or (None,) * 5, strict=True))}


ROWS: dict[str, list[dict[str, Any]]] = {
    "Project": [
        {"id": HOME, "name": "Home", "lead": "ada", "budget": 5},
        {"id": WORK, "name": "Work", "lead": "bob", "budget": 50},
        {"id": BARE, "name": "Bare", "lead": None, "budget": None},
    ],
    "Task": [
        task("soon", "it", NOW + 2 * DAY, (NOW + DAY).date(), 1, HOME),
        task("late", "hr", NOW - 2 * DAY, (NOW - DAY).date(), 3, WORK),
        task("far", "it", NOW + 30 * DAY, None, 2**50, BARE),
        task("free"),
    ],
    "Member": [{"person": "eve", "project": WORK}, {"person": "ada", "project": HOME}],
}


def rows() -> dict[str, list[dict[str, Any]]]:
    """The rows with their built-in fields."""
    made = {"created_at": NOW, "updated_at": NOW, "version": 1}
    return {
        name: [{"id": UUID(int=100 + number), **made, **row} for number, row in enumerate(found)]
        for name, found in ROWS.items()
    }


ADA = Caller("ada", claims={"department": "it", "org": {"departments": ["it", "hr"], "unit": "hr"}, "n": 7})
ODD = Caller("eve", claims={"department": 5, "org": ["it"], "n": "7"})

CASES = [
    ("caller.claims.department == department", ADA, {"soon", "far"}),
    ("caller.claims.department == department", ODD, set()),
    ("caller.claims.department == department", Caller("bob"), {"free"}),
    ("caller.claims.department != department", ODD, {"soon", "late", "far", "free"}),
    ("department in caller.claims.org.departments", ADA, {"soon", "late", "far"}),
    ("department in caller.claims.org.departments", ODD, set()),
    ("caller.claims.org.unit == department", ADA, {"late"}),
    ("project.budget > caller.claims.n", ADA, {"late"}),
    ("project.budget > caller.claims.n", ODD, set()),
    ("project.lead == caller", ADA, {"soon"}),
    ("project.lead != caller", ADA, {"late", "far", "free"}),
    ("project.lead is None", ADA, {"far", "free"}),
    ("project.members.person == caller", ADA, {"soon"}),
    ("project.members.person == caller", ODD, {"late"}),
    ("project.members.person != caller.claims.department", ODD, {"soon", "late"}),
    ("not (project.members.person == caller.claims.department)", ODD, {"soon", "late", "far", "free"}),
    ("not (project.members.person == caller)", ODD, {"soon", "far", "free"}),
    ("due > now()", ADA, {"soon", "far"}),
    ("due > now() and due < now() + days(7)", ADA, {"soon"}),
    ("due < now() - hours(24)", ADA, {"late"}),
    ("due + days(grace) > now()", ADA, {"soon", "late"}),
    ("due - hours(grace) > now()", ADA, {"soon"}),
    ("due + days(grace) is None", ADA, {"far", "free"}),
    ("day >= today()", ADA, {"soon"}),
    ("day + days(grace + 1) > today()", ADA, {"soon", "late"}),
    ("day - days(100000000) is None", ADA, {"soon", "late", "far", "free"}),
    ("date(due) <= today() + days(2)", ADA, {"soon", "late"}),
]


async def found_by_all(manifest: Manifest, url: str, caller: Caller) -> tuple[set[str], ...]:
    """The titles that statement, policy and judge let the caller read, on one database, undone afterwards."""
    world = rows()
    connection = await asyncpg.connect(url)
    transaction = connection.transaction()
    await transaction.start()
    try:
        tables = Tables(manifest)
        for table in tables.metadata.sorted_tables:
            await connection.execute(str(CreateTable(table).compile(dialect=DIALECT)))
        for resource in manifest.stored:
            columns = {known.name: known.column for known in resource.fields if known.stored}
            for row in world[resource.name]:
                holes = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
                names = ", ".join(columns.values())
                await connection.execute(
                    f"INSERT INTO {resource.table} ({names}) VALUES ({holes})",
                    *(row[name] for name in columns),
                )
        for script in scripts(protection(manifest)):
            await connection.execute(script)
        task, now = manifest.resource("Task"), await connection.fetchval("SELECT now()")
        judge = Judge(World(manifest, world, now))
        judged = {row["title"] for row in world["Task"] if judge.before(task, "read", caller, row)}

        compiler, table = Compiler(tables), tables.of(task)
        scope = Scopes(manifest).scope(task, "read", caller)
        query = select(table.c.title).where(compiler.condition(scope.before, Row.of(task, table)))
        statement = compile_statement(compiler, query)
        stated = await connection.fetch(statement.text, *statement.arguments(manifest, caller, {}))

        who = identity(manifest, caller)
        name = await connection.fetchval(
            "SELECT name FROM specwright.database_roles WHERE suffix = $1", who.role
        )
        for setting, value in zip(("caller", "roles", "claims"), who.settings, strict=False):
            await connection.execute("SELECT set_config($1, $2, true)", f"specwright.{setting}", value)
        await connection.execute("SELECT set_config('role', $1, true)", name)
        held = await connection.fetch("SELECT title FROM tasks")
        return judged, {row["title"] for row in stated}, {row["title"] for row in held}
    finally:
        await transaction.rollback()
        await connection.close()


@pytest.mark.parametrize(("condition", "caller", "titles"), CASES)
def test_a_condition_means_the_same_thrice(
    condition: str, caller: Caller, titles: set[str], database_url: str
) -> None:
    """Claims of any shape, lists and nested ones; related rows, to one and to many; moments and days."""
    found = asyncio.run(found_by_all(manifest(condition), database_url, caller))
    assert found == (titles, titles, titles)
