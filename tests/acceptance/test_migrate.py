"""`specwright migrate` as a person runs it without a terminal: what it prints, and its exit codes."""

import asyncio
from pathlib import Path

import asyncpg

from commands import specwright

NOTES = """# Notes

## Note

| Field | Type | Rules            |
|-------|------|------------------|
| title | text | required, 1..200 |
| body  | text | ..500            |

| Who    | May        |
|--------|------------|
| anyone | everything |
"""


def insert(url: str) -> None:
    """A note with a body."""

    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute("INSERT INTO notes (title, body) VALUES ('Milk', 'two litres')")
        finally:
            await connection.close()

    asyncio.run(run())


def test_there_and_back(tmp_path: Path, database_url: str) -> None:
    """A refused commit and a refused way back are findings; revisions are called by id and name."""
    spec = tmp_path / "specs" / "notes" / "spec.md"
    spec.parent.mkdir(parents=True)
    spec.write_text(NOTES)
    assert specwright("migrate", "commit", "notes", cwd=tmp_path).returncode == 0
    applied = specwright("migrate", "apply", "--database", database_url, cwd=tmp_path)
    assert (applied.returncode, applied.stdout) == (0, "  0001 notes applied\n")
    insert(database_url)
    back = specwright("migrate", "down", "--database", database_url, cwd=tmp_path)
    assert back.returncode == 1
    assert "0001 taken back means: drop table notes." in back.stderr
    assert "1 row will be lost." in back.stderr
    assert 'To go on: specwright migrate down --accept "drop Note"' in back.stderr
    back = specwright("migrate", "down", "--yes", "--database", database_url, cwd=tmp_path)
    assert (back.returncode, back.stdout) == (0, "  0001 notes taken back\n")
    spec.write_text(NOTES.replace("| body  | text | ..500            |\n", ""))
    refused = specwright("migrate", "commit", "no body", cwd=tmp_path)
    assert refused.returncode == 1
    assert '--accept "drop Note.body"' in refused.stderr
