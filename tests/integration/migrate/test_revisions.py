"""Committed revisions: frozen, applied, taken back, with plain Alembic too; rows live through it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from specwright.migrate.apply import commit, downgrade, pending, upgrade
from specwright.migrate.draft import develop
from specwright.migrate.question import Question
from specwright.model.errors import ConfigError, UnansweredError
from specwright.model.manifest import Manifest
from specwright.read.project import read_project

pytestmark = pytest.mark.anyio

CRM = Path(__file__).parents[3] / "examples" / "crm"
WHO = "\n| Who | May |\n|---|---|\n| owner | everything |\n"
HEAD = "\n| Field | Type | Rules |\n|---|---|---|\n"
BODY = "| body | text | ..500, matches /[a-z]:.*/ |\n"
OWNER = "| owner | User | the caller |\n"
FIRST = f"# Notes\n\n## Note\n{HEAD}| title | text | required, 1..200 |\n{BODY}{OWNER}{WHO}"
SECOND = (
    f"# Notes\n\n## Book\n{HEAD}| name | text | ..80 |\n{OWNER}{WHO}"
    f"\n## Memo (was Note)\n{HEAD}| heading | text | required, 1..200, was title |\n{BODY}{OWNER}"
    f"| level | integer | 0..5, default 2 |\n| book | Book | on delete clear |\n{WHO}"
    "\n### Rules\n\n- `level > 0 or body is None` (FR-001)\n"
)
THIRD = FIRST.replace(BODY, "")


def project(root: Path, text: str) -> Manifest:
    folder = root / "specs" / "notes"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spec.md").write_text(text, encoding="utf-8")
    return read_project(root)


async def sql(url: str, statement: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


async def test_up_down_up_with_rows(tmp_path: Path, database_url: str) -> None:
    """Two revisions go up, one down and up again; rows keep what both sides have a place for."""
    commit(tmp_path, project(tmp_path, FIRST), "notes")
    path = commit(tmp_path, project(tmp_path, SECOND), "Memos & books", ["rule Memo.FR-001"])
    assert path.name == "0002_memos_books.py"
    assert await upgrade(tmp_path, database_url) == ("0001", "0002")
    await sql(
        database_url,
        "INSERT INTO memos (heading, owner_id, body) VALUES ('Milk', 'ada', 'a:b'), ('Tea', 'bob', NULL)",
    )
    level = ["drop Memo.level"]
    assert await downgrade(tmp_path, database_url, accepted=level) == ("0002",)
    assert await sql(database_url, "SELECT title, body FROM notes ORDER BY title") == [
        ("Milk", "a:b"),
        ("Tea", None),
    ]
    assert await upgrade(tmp_path, database_url) == ("0002",)
    assert await sql(database_url, "SELECT heading, level FROM memos ORDER BY heading") == [
        ("Milk", 2),
        ("Tea", 2),
    ]
    everything = [*level, "drop Note"]
    assert await downgrade(tmp_path, database_url, 2, accepted=everything) == ("0002", "0001")
    assert await sql(database_url, "SELECT to_regclass('notes'), to_regclass('memos')") == [(None, None)]
    assert await upgrade(tmp_path, database_url) == ("0001", "0002")


async def test_a_list_and_its_default(tmp_path: Path, database_url: str) -> None:
    """Rows that are there get it; another default, another type of items and none at all go up and down."""
    ways = (
        "",
        '| tags | list of text | default [`a, "b"`, `it\'s \\ é`] |\n',
        "| tags | list of text | default [] |\n",
        "| tags | list of integer | default [7, -1] |\n",
        "| tags | list of integer | |\n",
    )
    tags = []
    for number, line in enumerate(ways):
        commit(
            tmp_path,
            project(tmp_path, FIRST.replace(BODY, BODY + line)),
            f"way {number}",
            ["convert Note.tags", "narrow Note.tags"],
        )
        await upgrade(tmp_path, database_url)
        if number:
            rows = await sql(database_url, "SELECT tags FROM notes ORDER BY created_at")
            tags.append([row[0] for row in rows])
        await sql(database_url, "INSERT INTO notes (title, owner_id) VALUES ('Milk', 'ada')")
    said = ['a, "b"', "it's \\ é"]
    assert tags == [[said], [said, said], [[7, -1], [7, -1], []], [[7, -1], [7, -1], [], [7, -1]]]
    await downgrade(tmp_path, database_url, 2, accepted=["convert Note.tags", "narrow Note.tags"])
    rows = await sql(database_url, "SELECT tags FROM notes ORDER BY created_at")
    assert [row[0] for row in rows] == [["7", "-1"], ["7", "-1"], [], ["7", "-1"], ["7", "-1"]]


async def test_the_revisions_of_an_example(database_url: str) -> None:
    """Deals of examples/crm from before its last revision keep what they are worth, by another name."""
    assert await upgrade(CRM, database_url) == ("0001", "0002")
    assert await downgrade(CRM, database_url) == ("0002",)
    await sql(database_url, "INSERT INTO organizations (name) VALUES ('Acme')")
    await sql(
        database_url, "INSERT INTO contacts (organization_id, name) SELECT id, 'Carla' FROM organizations"
    )
    await sql(
        database_url,
        "INSERT INTO deals (organization_id, contact_id, title, worth, seller_id)"
        " SELECT organization_id, id, 'Chairs', 40, 'ada' FROM contacts",
    )
    assert await upgrade(CRM, database_url) == ("0002",)
    assert await sql(database_url, "SELECT title, amount::text FROM deals") == [("Chairs", "40.00")]
    assert await pending(CRM, database_url) == ()


async def test_the_way_back_asks_about_rows(tmp_path: Path, database_url: str) -> None:
    """All that would be lost is told with its rows, over all revisions; without a yes nothing changes."""
    commit(tmp_path, project(tmp_path, FIRST), "notes")
    commit(tmp_path, project(tmp_path, SECOND), "memos", ["rule Memo.FR-001"])
    wide = SECOND.replace("| level | integer | 0..5, default 2 |", "| level | text | ..9, default `2` |")
    commit(
        tmp_path,
        project(tmp_path, wide.replace("level > 0 or ", "")),
        "levels in words",
        ["rule Memo.FR-001", "narrow Memo.level"],
    )
    await upgrade(tmp_path, database_url)
    await sql(database_url, "INSERT INTO books (name, owner_id) VALUES ('Tea', 'ada'), ('Rum', 'ada')")
    await sql(database_url, "INSERT INTO memos (heading, owner_id, level) VALUES ('Milk', 'ada', 'many')")
    with pytest.raises(UnansweredError, match="no terminal") as refused:
        await downgrade(tmp_path, database_url, 2)
    told = str(refused.value)
    assert "migrations/0002_memos.py:1: 0002 taken back means: drop table books." in told
    assert "If you go on, 2 rows will be lost." in told
    assert '--accept "convert Memo.level"' in told
    heard: list[str] = []

    async def no(question: Question) -> bool:
        heard.append(question.hazard.key)
        return False

    with pytest.raises(UnansweredError, match="Nothing has changed"):
        await downgrade(tmp_path, database_url, 3, no)
    assert heard == ["convert Memo.level"]
    assert await sql(database_url, "SELECT version_num FROM alembic_version") == [("0003",)]
    assert await sql(database_url, "SELECT level FROM memos") == [("many",)]

    async def yes(question: Question) -> bool:
        heard.append(f"{question.hazard.key} {question.rows}")
        return True

    assert await downgrade(tmp_path, database_url, 3, yes) == ("0003", "0002", "0001")
    assert sorted(heard[1:]) == ["convert Memo.level 1", "drop Book 2", "drop Memo.level 1", "drop Note 1"]


async def test_the_way_back_asks_nobody_about_empty_tables(tmp_path: Path, database_url: str) -> None:
    """Where no row is concerned, there is no question."""
    commit(tmp_path, project(tmp_path, FIRST), "notes")
    await upgrade(tmp_path, database_url)
    assert await downgrade(tmp_path, database_url) == ("0001",)


async def test_a_draft_that_is_committed_is_only_restamped(tmp_path: Path, database_url: str) -> None:
    """The development database went ahead: after the commit it is at the revision without running it."""
    await develop(tmp_path, project(tmp_path, FIRST), database_url)
    await sql(database_url, "INSERT INTO notes (title, owner_id) VALUES ('Milk', 'ada')")
    commit(tmp_path, read_project(tmp_path), "notes")
    assert not (tmp_path / "migrations" / "draft.py").exists()
    assert await upgrade(tmp_path, database_url) == ()
    assert await sql(database_url, "SELECT version_num FROM alembic_version") == [("0001",)]
    assert await sql(database_url, "SELECT title FROM notes") == [("Milk",)]
    assert (await develop(tmp_path, read_project(tmp_path), database_url)).draft is None


async def test_an_uncommitted_draft_is_not_overrun(tmp_path: Path, database_url: str) -> None:
    """Revisions are not applied on top of a draft that nobody froze."""
    commit(tmp_path, project(tmp_path, FIRST), "notes")
    await develop(tmp_path, project(tmp_path, SECOND), database_url)
    with pytest.raises(ConfigError, match="holds a draft"):
        await upgrade(tmp_path, database_url)


async def test_what_a_server_waits_for(tmp_path: Path, database_url: str) -> None:
    """Pending is what the database lacks: revisions, and changes of the specs that are not committed."""
    commit(tmp_path, project(tmp_path, FIRST), "notes")
    assert await pending(tmp_path, database_url) == ("0001",)
    await upgrade(tmp_path, database_url)
    assert await pending(tmp_path, database_url) == ()
    project(tmp_path, SECOND)
    assert await pending(tmp_path, database_url) == ("changes that are not committed",)
    await develop(tmp_path, read_project(tmp_path), database_url)
    assert await pending(tmp_path, database_url) == ()


async def test_a_commit_asks_about_rows_elsewhere(tmp_path: Path) -> None:
    """A drop is frozen only when it is accepted, whatever the development database holds."""
    commit(tmp_path, project(tmp_path, FIRST), "notes")
    after = project(tmp_path, THIRD)
    with pytest.raises(UnansweredError, match=r'--accept "drop Note\.body"'):
        commit(tmp_path, after, "no body")
    assert commit(tmp_path, after, "no body", ["drop Note.body"]).name == "0002_no_body.py"
    with pytest.raises(ConfigError, match="nothing to commit"):
        commit(tmp_path, after, "again")


async def test_rows_that_do_not_fit_stop_a_revision(tmp_path: Path, database_url: str) -> None:
    """A revision that rows refuse is rolled back whole, and says which constraint."""
    commit(tmp_path, project(tmp_path, FIRST), "notes")
    await upgrade(tmp_path, database_url)
    await sql(database_url, "INSERT INTO notes (title, owner_id) VALUES ('Milk', 'ada')")
    narrow = project(tmp_path, FIRST.replace("1..200", "1..3").replace("..500", "..900"))
    commit(tmp_path, narrow, "short titles", ["narrow Note.title"])
    with pytest.raises(ConfigError, match="ck_notes_title_length"):
        await upgrade(tmp_path, database_url)
    assert await sql(database_url, "SELECT version_num FROM alembic_version") == [("0001",)]


async def test_plain_alembic_works(tmp_path: Path, database_url: str) -> None:
    """`alembic upgrade head`, `downgrade` and `--sql` run on the project, and the database remembers."""
    commit(tmp_path, project(tmp_path, FIRST), "notes")
    commit(tmp_path, project(tmp_path, SECOND), "memos", ["rule Memo.FR-001"])

    def alembic(*arguments: str) -> str:
        environment = {**os.environ, "DATABASE_URL": database_url, "ENVIRONMENT": "development"}
        done = subprocess.run(
            [sys.executable, "-m", "alembic", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "CREATE TABLE notes" in alembic("upgrade", "head", "--sql")
    alembic("upgrade", "head")
    assert await pending(tmp_path, database_url) == ()
    alembic("downgrade", "-1")
    assert await pending(tmp_path, database_url) == ("0002",)
    alembic("revision", "-m", "by hand")
    alembic("upgrade", "head")
    assert await pending(tmp_path, database_url) == ()


async def test_a_broken_folder_is_said_so(tmp_path: Path, database_url: str) -> None:
    """Two revisions that follow the same one are refused with the folder's name."""
    path = commit(tmp_path, project(tmp_path, FIRST), "notes")
    path.with_name("0002_twin.py").write_text(path.read_text().replace("'0001'", "'0002'"), encoding="utf-8")
    with pytest.raises(ConfigError, match="no single line of revisions"):
        await upgrade(tmp_path, database_url)
