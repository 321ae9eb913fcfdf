"""The development database follows the specs, from save to save."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from specwright.migrate.draft import develop
from specwright.migrate.hazards import Hazard
from specwright.migrate.question import Question
from specwright.model.errors import ConfigError
from specwright.read.spec import read_specs

pytestmark = pytest.mark.anyio


def manifest(*rows: str, heading: str = "Note") -> Any:
    table = "\n".join(f"| {row} |" for row in ("title | text | 1..200", *rows))
    fields = f"| Field | Type | Rules |\n|---|---|---|\n{table}\n"
    text = f"# Notes\n\n## {heading}\n\n{fields}\n| Who | May |\n|---|---|\n| anyone | everything |\n"
    return read_specs({"specs/notes/spec.md": text})


async def sql(url: str, statement: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


def saying(answer: bool, heard: list[str]) -> Callable[[Question], Awaitable[bool]]:
    async def ask(question: Question) -> bool:
        heard.append(str(question))
        return answer

    return ask


async def test_a_save_is_applied_and_data_stay(tmp_path: Path, database_url: str) -> None:
    """New fields come to rows that are there; what is not touched stays; the draft says the whole way."""
    await develop(tmp_path, manifest(), database_url)
    await sql(database_url, "INSERT INTO notes (title) VALUES ('Milk')")
    developed = await develop(tmp_path, manifest("done | boolean | default false"), database_url)
    assert developed.applied == ("add column notes.done",)
    assert await sql(database_url, "SELECT title, done FROM notes") == [("Milk", False)]
    assert developed.draft == tmp_path / "migrations" / "draft.py"
    assert "op.create_table('notes'" in developed.draft.read_text()
    assert await sql(database_url, "SELECT version_num FROM alembic_version") == [("draft",)]


async def test_a_second_run_does_nothing(tmp_path: Path, database_url: str) -> None:
    """The same specs need no step."""
    await develop(tmp_path, manifest(), database_url)
    assert (await develop(tmp_path, manifest(), database_url)).applied == ()


async def test_renames_keep_rows(tmp_path: Path, database_url: str) -> None:
    """`was` renames column and table with what is in them; staying in the spec it does no more."""
    await develop(tmp_path, manifest("body | text | ..500, unique"), database_url)
    await sql(database_url, "INSERT INTO notes (title, body) VALUES ('Milk', 'two litres')")
    after = manifest("content | text | ..500, unique, was body", heading="Memo (was Note)")
    await develop(tmp_path, after, database_url)
    assert await sql(database_url, "SELECT title, content FROM memos") == [("Milk", "two litres")]
    assert (await develop(tmp_path, after, database_url)).applied == ()
    without_was = manifest("content | text | ..500, unique", heading="Memo")
    assert (await develop(tmp_path, without_was, database_url)).applied == ()


async def test_a_drop_with_values_asks(tmp_path: Path, database_url: str) -> None:
    """A no changes nothing; a yes drops; without anybody to ask the message says what to do."""
    await develop(tmp_path, manifest("body | text | ..500"), database_url)
    await sql(database_url, "INSERT INTO notes (title, body) VALUES ('Milk', 'two litres'), ('Bread', NULL)")
    heard: list[str] = []
    with pytest.raises(ConfigError, match="Nothing has changed"):
        await develop(tmp_path, manifest(), database_url, saying(False, heard))
    assert await sql(database_url, "SELECT body FROM notes WHERE body IS NOT NULL") == [("two litres",)]
    with pytest.raises(ConfigError, match=r'(?s)was body.*--accept "drop Note\.body"'):
        await develop(tmp_path, manifest(), database_url)
    await develop(tmp_path, manifest(), database_url, saying(True, heard))
    assert len(await sql(database_url, "SELECT title FROM notes")) == 2
    assert heard[0] == (
        "specs/notes/spec.md:3: Note.body is no longer in the spec: its values go. If it has another name"
        ' now, write the rule "was body" on the new field. If you go on, 1 row will lose this value.'
    )


async def test_a_drop_without_values_is_just_done(tmp_path: Path, database_url: str) -> None:
    """Nobody is asked about rows that do not exist."""
    await develop(tmp_path, manifest("body | text | ..500"), database_url)
    await sql(database_url, "INSERT INTO notes (title) VALUES ('Milk')")
    assert (await develop(tmp_path, manifest(), database_url)).applied[-1] == "drop column notes.body"


@pytest.mark.parametrize(
    ("before", "after", "values", "key", "left"),
    [
        ("x | text | ..9", "x | text | ..9, required", "(NULL), ('a')", "require Note.x", ["a"]),
        ("x | text | ..9", "x | text | ..2", "('abc'), ('a')", "narrow Note.x", [None, "a"]),
        ("x | integer |", "x | integer | 0..5, default 1", "(9), (3)", "narrow Note.x", [1, 3]),
        ("x | text | ..9", "x | text | ..9, unique", "('a'), ('b'), ('a')", "unique Note.x", ["a", "b"]),
        ("x | text | ..9", "x | integer |", "('12'), ('no')", "convert Note.x", [12, None]),
        ("x | timestamp |", "x | date |", "('2024-02-03 10:00Z')", "convert Note.x", None),
        ("x | number(5,2) |", "x | number(3,1) |", "(1.25), (123.4), (1.5)", "convert Note.x", None),
        ("x | `a`, `b` |", "x | `b`, `c` |", "('a'), ('b')", "narrow Note.x", [None, "b"]),
        (
            "x | text | ..9",
            "x | text | ..9, matches /[a-z]+:/",
            "('a'), ('b:')",
            "narrow Note.x",
            [None, "b:"],
        ),
        ("x | text | ..9", "x | text | ..9\ny | text | ..9, required", "('a')", "add Note.y", []),
        (
            "x | list of text |",
            "x | list of integer |",
            "('{1,-2}'), ('{}'), ('{1,no}'), ('{\"1,2\"}'), (ARRAY[chr(31)]), (ARRAY['1' || chr(31) || '2'])",
            "convert Note.x",
            [[1, -2], [], None, None, None, None],
        ),
        (
            "x | list of number(6,3) |",
            "x | list of number(3,1) |",
            "('{1.5,-99.9}'), ('{1.25}'), ('{99.95}')",
            "convert Note.x",
            [[Decimal("1.5"), Decimal("-99.9")], [Decimal("1.3")], None],
        ),
        (
            "x | list of number(20,1) |",
            "x | list of integer |",
            "('{1.0,9007199254740991}'), ('{9007199254740991.5}'), ('{1.5}')",
            "convert Note.x",
            [[1, 2**53 - 1], None, [2]],
        ),
        (
            "x | list of text |",
            "x | list of `a`, `b` |",
            "('{a,b}'), ('{a,c}')",
            "narrow Note.x",
            [["a", "b"], None],
        ),
        (
            "x | list of text |",
            "x | list of text | ..1",
            "('{a}'), ('{a,b}')",
            "narrow Note.x",
            [["a"], None],
        ),
        ("x | list of date |", "x | list of integer |", "('{2026-01-31}')", "convert Note.x", [None]),
    ],
)
async def test_rows_that_do_not_fit_are_asked_about(
    tmp_path: Path, database_url: str, before: str, after: str, values: str, key: str, left: list[Any] | None
) -> None:
    """Each narrowing asks about the rows outside, and a yes does with them what the question said."""
    await develop(tmp_path, manifest(before), database_url)
    await sql(database_url, f"INSERT INTO notes (x) VALUES {values}")
    heard: list[Hazard] = []

    async def ask(question: Question) -> bool:
        heard.append(question.hazard)
        return True

    await develop(tmp_path, manifest(*after.split("\n")), database_url, ask)
    assert [hazard.key for hazard in heard] == [key]
    if left is not None:
        rows = await sql(database_url, "SELECT x FROM notes ORDER BY id")
        assert [value for (value,) in rows] == left


@pytest.mark.parametrize(
    ("before", "after", "values"),
    [
        ("x | text | ..9", "x | text | ..9, required", "('a')"),
        ("x | text | ..9", "x | text | ..99, unique", "('a'), ('b'), (NULL), (NULL)"),
        ("x | integer |", "x | number(20,2) | 0..9", "(3)"),
        ("x | integer |", "x | text | ..9", "(3)"),
        ("x | date |", "x | timestamp |", "('2024-02-03')"),
        ("x | text | ..9", "x | integer | default 4", "(NULL), ('7')"),
        ("x | `a`, `b` |", "x | `b`, `c`, `a` | default `a`", "('a'), (NULL)"),
        ("x | text | ..9", "x | list of text |", "('a')"),
        ("x | text | ..9, indexed", "x | list of text | indexed", "('a')"),
        ("x | list of text | indexed", "x | json | indexed", "('{a,b}')"),
        ("x | json |", "x | json | indexed", """('{"a": 1}')"""),
        ("x | json | indexed", "x | json |", """('{"a": 1}')"""),
        ("x | list of integer | indexed", "x | list of number(20,2) | indexed", "('{1,2}'), ('{}')"),
        ("x | list of integer | indexed", "x | list of text | indexed", "('{1,2}')"),
        ("x | list of boolean |", "x | list of integer |", "('{true,false}')"),
        ("x | list of text |", "x | list of uuid |", "('{0192a5c4-7f3e-7b1a-9c55-3d1f0a6b2c11}'), ('{}')"),
        ("x | list of text |", "x | list of boolean | required", "('{true,false}')"),
    ],
)
async def test_what_fits_is_never_asked_about(
    tmp_path: Path, database_url: str, before: str, after: str, values: str
) -> None:
    """A change that every row can follow is simply made."""
    await develop(tmp_path, manifest(before), database_url)
    await sql(database_url, f"INSERT INTO notes (x) VALUES {values}")
    count = len(await sql(database_url, "SELECT 1 FROM notes WHERE x IS NOT NULL"))
    await develop(tmp_path, manifest(after), database_url)
    assert len(await sql(database_url, "SELECT 1 FROM notes WHERE x IS NOT NULL")) >= count


async def test_two_at_once_serialise(tmp_path: Path, database_url: str) -> None:
    """Two runs of the same save make the tables once; neither fails."""
    roots = [tmp_path / name for name in ("a", "b")]
    for root in roots:
        root.mkdir()
    runs = await asyncio.gather(*(develop(root, manifest(), database_url) for root in roots))
    assert sorted(len(run.applied) for run in runs)[0] == 0


async def test_a_failing_step_leaves_nothing(tmp_path: Path, database_url: str) -> None:
    """A table that somebody else made stops everything, in one sentence, and nothing is half done."""
    await sql(database_url, "CREATE TABLE notes (a int)")
    with pytest.raises(ConfigError, match=r'"notes" already exists.*Specwright did not make it'):
        await develop(tmp_path, manifest(), database_url)
    assert await sql(
        database_url, "SELECT to_regclass('alembic_version'), to_regclass('specwright.schema')"
    ) == [(None, None)]
    assert not (tmp_path / "migrations").exists()


async def test_an_external_user_becomes_real(tmp_path: Path, database_url: str) -> None:
    """When User gets a table, everybody whom rows name gets a row there; and back again."""
    external = manifest("owner | User | the caller")
    await develop(tmp_path, external, database_url)
    await sql(database_url, "INSERT INTO notes (owner_id) VALUES ('ada'), ('bob'), ('ada')")
    text = (
        "# N\n\n## User\n\n| Field | Type | Rules |\n|---|---|---|\n| name | text | ..80 |\n\n"
        "| Who | May |\n|---|---|\n| owner | read |\n\n"
        "## Note\n\n| Field | Type | Rules |\n|---|---|---|\n| title | text | 1..200 |\n"
        "| owner | User | the caller |\n\n| Who | May |\n|---|---|\n| owner | everything |\n"
    )
    await develop(tmp_path, read_specs({"specs/notes/spec.md": text}), database_url)
    assert await sql(database_url, "SELECT id, name FROM users ORDER BY id") == [("ada", None), ("bob", None)]


async def test_a_database_that_is_away_is_said_so(tmp_path: Path) -> None:
    """No traceback for a server that does not answer, and no password in the message."""
    with pytest.raises(ConfigError, match="does not answer") as caught:
        await develop(tmp_path, manifest(), "postgresql://me:secret@127.0.0.1:1/none")
    assert "secret" not in str(caught.value)
