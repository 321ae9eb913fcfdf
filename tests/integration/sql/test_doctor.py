"""`specwright doctor` on real databases: what is wrong, which level, what to do."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from specwright.migrate.draft import develop
from specwright.read.project import read_project

pytestmark = pytest.mark.anyio

SPEC = """# Notes

## Note

| Field | Type | Rules |
|---|---|---|
| title | text | ..9 |
| owner | User | the caller |

| Who | May |
|---|---|
| owner | everything |
"""
SAFE = {"AUTH_SECRET": "a" * 16 + "B" * 16 + "0123456789", "APP_SECRET": "c" * 16 + "D" * 16 + "9876543210"}


def doctor(root: Path, url: str, *options: str) -> tuple[int, dict[str, tuple[str, str, str]]]:
    """The exit code, and state, text and advice of each subject."""
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": url, "ENVIRONMENT": "development", **SAFE}
    command = [sys.executable, "-m", "specwright", "doctor", "--format", "json", *options]
    ended = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert not ended.stderr, ended.stderr
    found = json.loads(ended.stdout)["findings"]
    return ended.returncode, {
        each["subject"]: (each["state"], each["text"], each["advice"]) for each in found
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one entity."""
    (tmp_path / "specs" / "notes").mkdir(parents=True)
    (tmp_path / "specs" / "notes" / "spec.md").write_text(SPEC, encoding="utf-8")
    return tmp_path


async def sql(url: str, statement: str) -> Any:
    """Run a statement as the owner."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.execute(statement)
    finally:
        await connection.close()


async def test_a_database_from_empty_to_broken(project: Path, database_url: str) -> None:
    """Behind the specs, then well, then with a policy too few and one too many."""
    code, found = doctor(project, database_url)
    assert code == 1 and found["tables"][0] == "wrong" and "migrate apply" in found["tables"][2]
    await develop(project, read_project(project), database_url)
    code, found = doctor(project, database_url)
    assert code == 0, found
    assert found["level"][1].startswith("1: ") and found["policies"][0] == "ok"
    await sql(database_url, "DROP POLICY specwright_1_select ON notes")
    code, found = doctor(project, database_url)
    assert code == 1 and found["policies"][:2] == ("wrong", "missing: notes.specwright_1_select")
    await sql(database_url, "DROP SCHEMA specwright_definer CASCADE")
    code, found = doctor(project, database_url)
    assert code == 1 and found["level"][1].startswith("0: ")
    await develop(project, read_project(project), database_url)
    await sql(database_url, "CREATE POLICY mine ON notes USING (true)")
    code, found = doctor(project, database_url)
    assert code == 0 and found["policies"][:2] == ("note", "not of the specs: notes.mine")


async def test_no_database(project: Path) -> None:
    """An address where nobody answers is told with what to look at."""
    code, found = doctor(project, "postgresql://nobody@127.0.0.1:1/nothing")
    assert code == 1 and "does not answer" in found["connection"][1] and found["connection"][2]
