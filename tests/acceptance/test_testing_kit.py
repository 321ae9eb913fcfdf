"""The testing kit as a user's project has it: the project is what docs/hooks.md and docs/testing.md show."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from commands import environment
from specwright.read.spec import read_specs
from specwright.sql.constraints import constrained
from specwright.write.models import models

DOCS = Path(__file__).parents[2] / "docs"

MAIL = '''"""What main and its tests use."""

from datetime import UTC, datetime

SENT: list[tuple[str, str]] = []


def send_welcome(name: str, title: str) -> None:
    """Pretend to send a mail."""
    SENT.append((name, title))


def clock() -> datetime:
    """The time."""
    return datetime.now(UTC)
'''
ROUTE = '''

from datetime import datetime  # noqa: E402

from fastapi import Depends  # noqa: E402

from app.mail import clock  # noqa: E402


@app.get("/api/v1/now")
async def now(time: Annotated[datetime, Depends(clock)]) -> datetime:
    """A route of one's own."""
    return time
'''


def blocks(page: str, language: str) -> list[str]:
    """The code of a page of the documentation."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project of the documentation."""
    (spec,) = blocks("hooks.md", "markdown")
    manifest = read_specs({"specs/tasks/spec.md": spec})
    files = {
        "specs/tasks/spec.md": spec,
        "app/__init__.py": "",
        "app/mail.py": MAIL,
        "app/models.py": models(manifest, constrained(manifest).metadata),
        "pytest.ini": "[pytest]\nfilterwarnings = error\n",
    }
    for block in [*blocks("hooks.md", "python"), *blocks("testing.md", "python")]:
        name = block.splitlines()[0].removeprefix("# ")
        files[name] = block + (ROUTE if name == "app/main.py" else "")
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def run(project: Path, server: str | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The project's own tests, on a server or on an embedded one."""
    surroundings = environment()
    surroundings.pop("SPECWRIGHT_TEST_DATABASE_URL", None)
    if server is not None:
        surroundings["SPECWRIGHT_TEST_DATABASE_URL"] = server
    return subprocess.run(
        [Path(sys.executable).with_name("pytest"), "-q", "-p", "no:cacheprovider", *arguments],
        cwd=project,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_tests_of_the_documentation_pass(project: Path, database_server: str) -> None:
    """Hooks, actions, people, overrides: as it is written there."""
    ran = run(project, database_server)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "5 passed" in ran.stdout


def test_every_test_has_an_empty_database(project: Path) -> None:
    """What one test makes, no other sees; roles, claims and the database are as the test says."""
    (project / "tests" / "test_tasks.py").write_text(
        "import asyncpg, asyncio, pytest\n\n"
        "@pytest.mark.parametrize('number', [1, 2])\n"
        "def test_alone(backend, person, number):\n"
        "    made = person('ada', 'any', department='x').post('/tasks', json={'title': 'Milk'})\n"
        "    assert made.status_code == 201\n"
        "    assert len(person('ada').get('/tasks').json()['items']) == 1\n"
        "    async def count():\n"
        "        connection = await asyncpg.connect(backend.database_url)\n"
        "        try:\n"
        "            return await connection.fetchval('SELECT count(*) FROM tasks')\n"
        "        finally:\n"
        "            await connection.close()\n"
        "    assert asyncio.run(count()) == 1\n"
    )
    ran = run(project, None)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "2 passed" in ran.stdout


def test_a_backend_that_cannot_start_says_why(project: Path, database_server: str) -> None:
    """An action without its function: the failure names both places."""
    main = project / "app" / "main.py"
    bound = re.compile(r"@backend\.action\(Task\) +# POST /api/v1/tasks/archive\n")
    main.write_text(bound.sub("", main.read_text()))
    ran = run(project, database_server, "-k", "snooze")
    assert ran.returncode == 1
    assert "The app does not start" in ran.stdout
    assert "specs/tasks/spec.md:" in ran.stdout + ran.stderr
    assert "declares the action archive of Task, and no function is bound" in ran.stdout + ran.stderr
