"""Level 3: sessions have a login of their own, and SQL that somebody slipped into one reaches no table."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import insert, text

from served import Served, fresh_database, serving
from specwright import Backend, SessionDep, UnscopedSessionDep
from specwright.db.session import Sessions
from specwright.db.url import normalise
from specwright.migrate.apply import commit, upgrade
from specwright.migrate.level import read_level
from specwright.model.caller import Caller
from specwright.read.project import read_project
from specwright.sql.identity import identity
from specwright.sql.roles import DERIVED
from specwright.sql.tables import Tables

SPEC = """# Notes

## User

| Field | Type | Rules |
|-------|------|-------|
| nick  | text | ..9   |

| Who   | May  |
|-------|------|
| owner | read |

## Note

| Field | Type | Rules                         |
|-------|------|-------------------------------|
| title | text | required, ..40                |
| owner | User | the caller, on delete cascade |

| Who   | May        |
|-------|------------|
| owner | everything |
"""
SAFE = {"AUTH_SECRET": "a" * 16 + "B" * 16 + "0123456789", "APP_SECRET": "c" * 16 + "D" * 16 + "9876543210"}


class Logins:
    """A database, its owner, a login that serves and one of sessions."""

    def __init__(self, root: Path, owner: str) -> None:
        self.root = root
        self.owner = owner
        name = str(normalise(owner).database)[-12:]
        self.app, self.sessions = f"app_{name}", f"sessions_{name}"

    def url(self, login: str) -> str:
        """The address of the database, for a login."""
        head, _, rest = self.owner.partition("://")
        return f"{head}://{login}:secret@{rest.partition('@')[2]}"

    def sql(self, statement: str) -> list[Any]:
        """Ask as the owner."""

        async def ask() -> list[Any]:
            connection = await asyncpg.connect(self.owner)
            try:
                return list(await connection.fetch(statement))
            finally:
                await connection.close()

        return asyncio.run(ask())

    def roles(self, *, derived: bool) -> list[str]:
        """The database roles of callers, or that of the derived statements."""
        found = self.sql("SELECT suffix, name FROM specwright.database_roles")
        return [name for suffix, name in found if (suffix == DERIVED) is derived]

    def grant(self, login: str, role: str, *, inherit: bool) -> None:
        """Make the login a member of the role."""
        modern = self.sql("SELECT current_setting('server_version_num')::int >= 160000")[0][0]
        options = f" WITH SET TRUE, INHERIT {'TRUE' if inherit else 'FALSE'}" if modern else ""
        self.sql(f'GRANT "{role}" TO {login}{options}')

    def doctor(self) -> tuple[int, dict[str, dict[str, str]]]:
        """The exit code and the findings, by subject."""
        environment = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": self.url(self.app),
            "SESSION_DATABASE_URL": self.url(self.sessions),
            "ENVIRONMENT": "development",
            **SAFE,
        }
        command = [sys.executable, "-m", "specwright", "doctor", "--format", "json"]
        ended = subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, check=False
        )
        assert not ended.stderr, ended.stderr
        return ended.returncode, {each["subject"]: each for each in json.loads(ended.stdout)["findings"]}


@pytest.fixture(scope="module")
def logins(database_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logins]:
    """A database that its owner has migrated, and two logins that own nothing."""
    root = tmp_path_factory.mktemp("project")
    (root / "specs" / "notes").mkdir(parents=True)
    (root / "specs" / "notes" / "spec.md").write_text(SPEC, encoding="utf-8")
    with fresh_database(database_server) as database:
        commit(root, read_project(root), "notes")
        asyncio.run(upgrade(root, database))
        made = Logins(root, database)
        made.sql(f"CREATE ROLE {made.app} LOGIN PASSWORD 'secret'")
        made.sql(f"CREATE ROLE {made.sessions} LOGIN NOINHERIT PASSWORD 'secret'")
        for role in made.roles(derived=False):
            made.grant(made.app, role, inherit=False)
            made.grant(made.sessions, role, inherit=False)
        for role in made.roles(derived=True):
            made.grant(made.app, role, inherit=True)
        try:
            yield made
        finally:
            for login in (made.app, made.sessions):
                made.sql(f"DROP OWNED BY {login} CASCADE")
                made.sql(f"DROP ROLE {login}")


def add_routes(backend: Backend) -> None:
    """Routes that send whatever they are given, and hooks."""
    app = backend.app

    @app.get("/run")
    async def run(sql: str, session: SessionDep) -> list[str]:
        answer = None
        for statement in sql.split(";"):
            answer = await session.execute(text(statement))
        assert answer is not None
        return [str(row[0]) for row in answer]

    @app.get("/run-unscoped")
    async def run_unscoped(sql: str, session: UnscopedSessionDep) -> list[str]:
        return [str(row[0]) for row in await session.execute(text(sql))]

    @backend.before("Note", "create")
    async def before_create(session: SessionDep) -> None:
        assert await session.scalar(text("SELECT count(*) FROM notes")) in (0, 1)


@pytest.fixture(scope="module")
def notes(logins: Logins) -> Iterator[Served]:
    """A backend at level 3, with a note of ada and one of bob."""
    urls = {"database_url": logins.url(logins.app), "session_database_url": logins.url(logins.sessions)}
    with serving(SPEC, logins.owner, prepare=add_routes, tables=False, **urls) as served:
        for name in ("ada", "bob"):
            served.person(name).made("/notes", {"title": f"{name}'s"})
        yield served


@pytest.mark.parametrize(
    "injected",
    [
        "RESET ROLE; SELECT title FROM notes",
        "SELECT set_config('role', 'none', true); SELECT title FROM notes",
        "RESET ROLE; SELECT id FROM users",
        "RESET ROLE; DELETE FROM notes RETURNING title",
        "RESET ROLE; SELECT name FROM specwright.database_roles",
        "SELECT name FROM specwright.database_roles",
        "SELECT title FROM specwright_definer.notes",
        "RESET ROLE; SELECT specwright_callable.make_own_row()",
        "SET ROLE {derived}; SELECT title FROM notes",
    ],
)
def test_sql_slipped_into_a_session_reaches_no_table(notes: Served, logins: Logins, injected: str) -> None:
    """Whoever resets the role of a session has no right on any table, and cannot become the derived one."""
    (derived,) = logins.roles(derived=True)
    ada = notes.person("ada")
    assert ada.get("//run?sql=SELECT title FROM notes").json() == ["ada's"]
    answer = ada.get("//run", params={"sql": injected.format(derived=derived)})
    assert (answer.status, answer.code) == (403, "forbidden")


def test_unscoped_sessions_and_hooks_use_the_login_that_serves(notes: Served, logins: Logins) -> None:
    """They take part in what the derived statements do, or are held back by no grant."""
    who = "SELECT session_user"
    assert notes.person("ada").get(f"//run?sql={who}").json() == [logins.sessions]
    assert notes.person("ada").get(f"//run-unscoped?sql={who}").json() == [logins.app]
    found = notes.person("ada").get("//run-unscoped?sql=SELECT title FROM notes ORDER BY 1").json()
    assert found == ["ada's", "bob's"]


def test_idempotency_keys_are_kept_by_the_derived_role(notes: Served) -> None:
    """The login that serves owns nothing, and may read, write and expire them; with a hook as well."""
    dora = notes.person("dora")
    first, again = (dora.post("/notes", {"title": "x"}, headers={"idempotency-key": "a"}) for _ in range(2))
    assert first.status == 201
    assert (again.status, again.body, again.headers["idempotency-replayed"]) == (201, first.body, "true")
    notes.sql("UPDATE specwright.idempotency_keys SET at = at - interval '2 days'")
    other = dora.post("/notes", {"title": "y"}, headers={"idempotency-key": "a"})
    assert other.json()["title"] == "y"


def test_the_callers_own_row_is_made(notes: Served, logins: Logins) -> None:
    """Their first write through a session brings it, though no grant allows it and the login may not."""

    async def write() -> None:
        manifest = notes.backend.manifest
        sessions = Sessions(normalise(logins.url(logins.app)), scoped=normalise(logins.url(logins.sessions)))
        try:
            async with sessions.scoped(identity(manifest, Caller("eve"))) as session:
                await session.execute(insert(Tables(manifest).of("Note")).values(title="eve's"))
        finally:
            await sessions.close()

    asyncio.run(write())
    assert [row["id"] for row in notes.sql("SELECT id FROM users WHERE id = 'eve'")] == ["eve"]
    assert notes.person("eve").get("//run?sql=SELECT title FROM notes").json() == ["eve's"]


def test_doctor_tells_level_3_and_what_it_lacks(logins: Logins) -> None:
    """With GRANT statements that make up for it, and a warning of a login that can do more."""
    code, found = logins.doctor()
    assert code == 0, [each for each in found.values() if each["state"] != "ok"]
    assert found["level"]["text"].startswith("3: ") and found["sessions"]["state"] == "ok"
    role = logins.roles(derived=False)[0]
    logins.sql(f'REVOKE "{role}" FROM {logins.sessions}')
    code, found = logins.doctor()
    assert code == 1 and found["level"]["text"].startswith("2: ")
    assert f'GRANT "{role}" TO "{logins.sessions}"' in found["sessions"]["advice"]
    for statement in found["sessions"]["advice"].partition(": ")[2].split(";"):
        if statement.strip():
            logins.sql(statement)
    assert logins.doctor()[1]["level"]["text"].startswith("3: ")


@pytest.mark.parametrize(
    ("more", "less", "words"),
    [
        ("GRANT SELECT (title) ON notes TO {0}", "REVOKE SELECT (title) ON notes FROM {0}", "on notes"),
        ("ALTER ROLE {0} BYPASSRLS", "ALTER ROLE {0} NOBYPASSRLS", "BYPASSRLS"),
        ("ALTER ROLE {0} CREATEROLE", "ALTER ROLE {0} NOCREATEROLE", "CREATEROLE"),
        ('GRANT "{1}" TO {0}', 'REVOKE "{1}" FROM {0}', "a member of"),
    ],
)
def test_a_login_that_can_do_more_is_not_level_3(logins: Logins, more: str, less: str, words: str) -> None:
    """A right on a table, a power over roles or the role of the derived statements undo it."""
    names = logins.sessions, logins.roles(derived=True)[0]
    logins.sql(more.format(*names))
    try:
        addresses = normalise(logins.url(logins.app)), normalise(logins.url(logins.sessions))
        level = asyncio.run(read_level(*addresses))
        assert level.number == 2 and level.sessions is not None
        assert words in "; ".join(level.sessions.faults)
    finally:
        logins.sql(less.format(*names))
