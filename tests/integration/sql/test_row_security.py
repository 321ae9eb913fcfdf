"""Policies on a real server: made without a superuser, taken away and back, quick, not to be forgotten."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text

from builders import ANYONE, OWNER, SIGNED_IN, backend, entity, field, grant, named, owner, role, to
from protected import migrate, run, session_of, sessions_on
from specwright.db.session import SessionsRefused
from specwright.migrate.apply import commit, downgrade, pending, upgrade
from specwright.migrate.draft import develop
from specwright.migrate.plan import plan
from specwright.model.caller import ANONYMOUS, Caller
from specwright.model.manifest import Manifest
from specwright.model.types import INTEGER, TEXT
from specwright.sql.protection import protection

pytestmark = pytest.mark.anyio

ADA, BOB = Caller("ada"), Caller("bob")
ADMIN = Caller("eve", frozenset({"admin"}))

SHOP = backend(
    entity(
        "Project", field("name", TEXT), field("lead", to("User")), grants=(grant(named("member"), "read"),)
    ),
    entity(
        "Task",
        field("title", TEXT),
        field("size", INTEGER),
        field("project", to("Project")),
        owner(),
        grants=(
            grant(OWNER, "everything"),
            grant(role("admin"), "list, read"),
            grant(named("lead"), "read"),
        ),
    ),
    names={"member": "tasks.owner == caller", "lead": "project.lead == caller"},
    roles=("admin", "clerk"),
)


async def sql(url: str, statement: str, *values: Any) -> list[Any]:
    """Ask as the owner."""
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(statement, *values))
    finally:
        await connection.close()


@asynccontextmanager
async def titles(url: str, manifest: Manifest, table: str = "tasks") -> AsyncIterator[Any]:
    """Asks for all titles as a caller."""
    sessions = sessions_on(url)

    async def ask(caller: Caller) -> list[str]:
        async with session_of(sessions, manifest, caller) as session:
            return sorted(await session.scalars(text(f"SELECT title FROM {table}")))

    try:
        yield ask
    finally:
        await sessions.close()


async def fill(url: str) -> None:
    """A project that bob leads, with a task of ada, and a task of bob without a project."""
    await sql(url, "INSERT INTO projects (name, lead_id) VALUES ('p', 'bob')")
    await sql(url, "INSERT INTO tasks (title, owner_id, project_id) SELECT 'ada''s', 'ada', id FROM projects")
    await sql(url, "INSERT INTO tasks (title, owner_id) VALUES ('bob''s', 'bob')")


async def test_paths_that_lead_back_and_forth_do_not_recurse(database_url: str) -> None:
    """Two entities whose grants ask for each other are read by sessions; each path sees all rows."""
    await migrate(database_url, Manifest(), SHOP)
    await fill(database_url)
    async with titles(database_url, SHOP) as ask:
        assert await ask(ANONYMOUS) == []
        assert await ask(ADA) == ["ada's"]
        assert await ask(BOB) == ["ada's", "bob's"]
        assert await ask(ADMIN) == ["ada's", "bob's"]
        assert await ask(Caller("ada", frozenset({"clerk", "admin"}))) == ["ada's", "bob's"]
    sessions = sessions_on(database_url)
    try:
        async with session_of(sessions, SHOP, ADA) as session:
            assert list(await session.scalars(text("SELECT name FROM projects"))) == ["p"]
            with pytest.raises(Exception, match="permission denied for schema specwright_definer"):
                await session.scalars(text("SELECT name FROM specwright_definer.projects"))
    finally:
        await sessions.close()


async def test_columns_that_policies_use_can_change(database_url: str) -> None:
    """Renamed, retyped and dropped, forth and back; the policies are those of the manifest each time."""
    other = backend(
        entity("Project", field("name", TEXT), grants=(grant(ANYONE, "read"),)),
        entity(
            "Task",
            field("title", TEXT),
            field("size", TEXT),
            field("project", to("Project")),
            field("keeper", to("User")),
            grants=(grant(SIGNED_IN, "read", 'size == "3" or keeper == caller'),),
        ),
        roles=("boss",),
    )
    await migrate(database_url, Manifest(), SHOP)
    await fill(database_url)
    await sql(database_url, "UPDATE tasks SET size = 3 WHERE owner_id = 'ada'")
    way = plan(SHOP, other)
    await run(database_url, way.operations)
    async with titles(database_url, other) as ask:
        assert await ask(BOB) == ["ada's"]
    await run(database_url, way.inverse)
    await sql(database_url, "UPDATE tasks SET owner_id = split_part(title, '''', 1)")
    async with titles(database_url, SHOP) as ask:
        assert await ask(ADA) == ["ada's"]
    named_ = await sql(database_url, "SELECT policyname FROM pg_policies")
    assert len(named_) == len(protection(SHOP).policies)


SPEC = """# Notes

## Note

| Field | Type | Rules |
|---|---|---|
| title | text | ..9 |
| owner | User | the caller |

| Who | May |
|---|---|
| {who} | everything |
"""


def notes(root: Path, who: str) -> Manifest:
    """The manifest of a project, written to its folder."""
    from specwright.read.project import read_project

    folder = root / "specs" / "notes"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spec.md").write_text(SPEC.format(who=who), encoding="utf-8")
    return read_project(root)


async def policies(url: str) -> list[tuple[str, str]]:
    """Name and condition of each policy on reading."""
    found = await sql(url, "SELECT policyname, qual FROM pg_policies WHERE cmd = 'SELECT' ORDER BY 1")
    return [tuple(row) for row in found]


async def test_a_grant_that_changes_is_a_migration(tmp_path: Path, database_url: str) -> None:
    """Drafted, committed and taken back like a table, and shown by its sentence."""
    manifest = notes(tmp_path, "owner")
    commit(tmp_path, manifest, "notes")
    await upgrade(tmp_path, database_url)
    ((_, condition),) = await policies(database_url)
    assert "owner_id = NULLIF(current_setting('specwright.caller'" in condition
    commit(tmp_path, notes(tmp_path, "signed in"), "all")
    revision = (tmp_path / "migrations" / "0002_all.py").read_text()
    assert "write the grants on notes as row-level security policies" in revision
    assert await upgrade(tmp_path, database_url) == ("0002",)
    assert await policies(database_url) == [("specwright_1_select", "true")]
    await downgrade(tmp_path, database_url)
    assert "owner_id" in (await policies(database_url))[0][1]


async def test_a_lost_policy_is_made_again(tmp_path: Path, database_url: str) -> None:
    """A database of before there were policies gets them when it is next migrated, without a revision."""
    manifest = notes(tmp_path, "owner")
    await develop(tmp_path, manifest, database_url)
    await sql(database_url, "DROP SCHEMA specwright_definer CASCADE")
    await sql(database_url, "DROP POLICY specwright_1_select ON notes")
    assert (await develop(tmp_path, manifest, database_url)).applied == ()
    assert [name for name, _ in await policies(database_url)] == ["specwright_1_select"]


@pytest.fixture
def login(database_url: str) -> Iterator[tuple[str, str]]:
    """A login that is no superuser and owns a database, as a hosted service gives it; its URL and name."""
    name = f"specwright_login_{uuid4().hex[:12]}"
    database = database_url.partition("?")[0].rpartition("/")[2]

    async def make() -> None:
        await sql(database_url, f"CREATE ROLE {name} LOGIN PASSWORD 'secret' CREATEROLE NOSUPERUSER")
        await sql(database_url, f"ALTER DATABASE {database} OWNER TO {name}")
        await sql(database_url, f"GRANT ALL ON SCHEMA public TO {name}")

    async def unmake() -> None:
        await sql(database_url, f"ALTER DATABASE {database} OWNER TO CURRENT_USER")
        await sql(database_url, f"DROP OWNED BY {name} CASCADE")
        for (made,) in await sql(
            database_url, f"SELECT rolname FROM pg_roles WHERE starts_with(rolname, '{database}_')"
        ):
            await sql(database_url, f'DROP OWNED BY "{made}" CASCADE')
            await sql(database_url, f'DROP ROLE "{made}"')
        await sql(database_url, f"DROP ROLE {name}")

    asyncio.run(make())
    head, _, rest = database_url.partition("://")
    yield f"{head}://{name}:secret@{rest.partition('@')[2]}", name
    asyncio.run(unmake())


async def test_no_superuser_is_needed(login: tuple[str, str]) -> None:
    """A login that may make roles and owns the database migrates it and opens sessions on it."""
    url, _ = login
    await migrate(url, Manifest(), SHOP)
    await fill(url)
    async with titles(url, SHOP) as ask:
        assert await ask(ADA) == ["ada's"]
        assert await ask(BOB) == ["ada's", "bob's"]


async def test_a_login_that_may_make_no_roles_has_no_sessions(
    tmp_path: Path, database_url: str, login: tuple[str, str]
) -> None:
    """Tables are made all the same; sessions are refused until an administrator lets it make roles."""
    url, name = login
    manifest = notes(tmp_path, "owner")
    await sql(database_url, f"ALTER ROLE {name} NOCREATEROLE")
    await develop(tmp_path, manifest, url)
    await sql(url, "INSERT INTO notes (title, owner_id) VALUES ('mine', 'ada')")
    sessions = sessions_on(url)
    try:
        with pytest.raises(SessionsRefused, match="migrate apply"):
            async with session_of(sessions, manifest, ADA):
                raise AssertionError("never opened")
        await sql(database_url, f"ALTER ROLE {name} CREATEROLE")
        await develop(tmp_path, manifest, url)
        async with session_of(sessions, manifest, ADA) as session:
            assert list(await session.scalars(text("SELECT title FROM notes"))) == ["mine"]
        async with session_of(sessions, manifest, BOB) as session:
            assert list(await session.scalars(text("SELECT title FROM notes"))) == []
    finally:
        await sessions.close()


async def test_a_login_that_owns_nothing_serves(
    tmp_path: Path, database_url: str, login: tuple[str, str]
) -> None:
    """Level 2: the owner migrates; a login with the granted roles runs our statements and opens sessions."""
    url, name = login
    manifest = notes(tmp_path, "owner")
    commit(tmp_path, manifest, "notes")
    await upgrade(tmp_path, database_url)
    await sql(database_url, "INSERT INTO notes (title, owner_id) VALUES ('mine', 'ada')")
    modern = (await sql(database_url, "SELECT current_setting('server_version_num')::int >= 160000"))[0][0]
    for suffix, role_ in await sql(database_url, "SELECT suffix, name FROM specwright.database_roles"):
        inherit = "TRUE" if suffix == "derived" else "FALSE"
        options = f" WITH SET TRUE, INHERIT {inherit}" if modern else ""
        await sql(database_url, f'GRANT "{role_}" TO {name}{options}')
    assert await pending(tmp_path, url) == ()
    assert [row["title"] for row in await sql(url, "SELECT title FROM notes")] == ["mine"]
    async with titles(url, manifest, "notes") as ask:
        assert await ask(ADA) == ["mine"]
        assert await ask(BOB) == []


async def test_a_copy_of_a_database_keeps_its_roles(database_url: str) -> None:
    """CREATE DATABASE … TEMPLATE takes the policies along; sessions on the copy run as the same roles."""
    await migrate(database_url, Manifest(), SHOP)
    await fill(database_url)
    address, _, query = database_url.partition("?")
    base, _, original = address.rpartition("/")
    copy = f"{original}_copy"
    server = f"{base}/postgres" + (f"?{query}" if query else "")
    await sql(server, f"CREATE DATABASE {copy} TEMPLATE {original}")
    try:
        async with titles(f"{base}/{copy}" + (f"?{query}" if query else ""), SHOP) as ask:
            assert await ask(ADA) == ["ada's"]
            assert await ask(ANONYMOUS) == []
    finally:
        await sql(server, f"DROP DATABASE {copy} WITH (FORCE)")


async def test_autocommit_is_refused(database_url: str) -> None:
    """Outside a transaction nothing would hold the session back."""
    await migrate(database_url, Manifest(), SHOP)
    sessions = sessions_on(database_url)
    try:
        with pytest.raises(SessionsRefused, match="AUTOCOMMIT"):
            async with session_of(sessions, SHOP, ADA) as session:
                await session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
    finally:
        await sessions.close()


async def test_the_owner_s_rows_are_found_by_index(database_url: str) -> None:
    """On many rows, a SELECT without WHERE reads the caller's rows through the owner's index."""
    await migrate(database_url, Manifest(), SHOP)
    await sql(
        database_url,
        "INSERT INTO tasks (title, owner_id)"
        " SELECT 'x', 'person' || n % 5000 FROM generate_series(1, 100000) AS n",
    )
    await sql(database_url, "ANALYZE tasks")
    plain = backend(
        *(each for each in SHOP.resources if not each.external and each.name == "Project"),
        entity(
            "Task",
            field("title", TEXT),
            field("size", INTEGER),
            field("project", to("Project")),
            owner(),
            grants=(grant(OWNER, "everything"), grant(role("admin"), "list, read")),
        ),
        names={"member": "tasks.owner == caller", "lead": "project.lead == caller"},
        roles=("admin", "clerk"),
    )
    await run(database_url, plan(SHOP, plain).operations)
    sessions = sessions_on(database_url)
    try:
        for caller in (Caller("person7"), Caller("person7", frozenset({"clerk"}))):
            async with session_of(sessions, plain, caller) as session:
                plan_ = "\n".join(await session.scalars(text("EXPLAIN SELECT * FROM tasks")))
                assert "ix_tasks_owner_id" in plan_ and "Seq Scan" not in plan_, plan_
                assert await session.scalar(text("SELECT count(*) FROM tasks")) == 20
    finally:
        await sessions.close()
