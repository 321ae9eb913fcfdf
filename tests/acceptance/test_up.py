"""`specwright up`, as its transcript promises."""

import asyncio
import os
import re
import shutil
import signal
import socket
import threading
from pathlib import Path

import asyncpg
import pytest

from commands import eventually, running, specwright
from specwright.db import postmaster

NOTES = """# Notes

## Note

| Field | Type | Rules            |
|-------|------|------------------|
| title | text | required, 1..200 |
| owner | User | the caller       |

| Who   | May        |
|-------|------------|
| owner | everything |

## Requirements

- **FR-001** A note belongs to its writer.

  ```http
  POST /notes
  As: ada

  {"title": "Buy milk"}
  ```
  ```http
  201
  ```
"""

APP = """
from specwright import Backend

backend = Backend()
app = backend.app


@app.get("/hello")
async def hello() -> str:
    return "one"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with nothing but specs/."""
    spec = tmp_path / "specs" / "notes" / "spec.md"
    spec.parent.mkdir(parents=True)
    spec.write_text(NOTES)
    return tmp_path


def edit(project: Path, before: str, after: str) -> None:
    """Change the spec as an editor does: a new file in the place of the old one."""
    spec = project / "specs" / "notes" / "spec.md"
    text = spec.read_text()
    assert before in text
    draft = spec.with_name("spec.md~")
    draft.write_text(text.replace(before, after))
    draft.replace(spec)


def token(project: Path, person: str) -> str:
    """A token as the command prints it."""
    made = specwright("token", person, cwd=project)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def test_one_command_serves_a_spec(project: Path) -> None:
    """The lines are those of the transcript; the API answers, and keeps people apart."""
    with running("up", "--no-reload", cwd=project) as backend:
        assert backend.output == (
            "  ✓ 1 feature, 1 resource, 1 requirement           specs/\n"
            "  ✓ PostgreSQL 18.4 (embedded)                     .specwright/postgres-18\n"
            "  ✓ draft migration applied                        migrations/draft.py\n"
            "  ✓ row-level security                             level 1\n"
            f"  → {backend.url}/docs        people: ada       token: specwright token ada\n"
        )
        ada, bob = token(project, "ada"), token(project, "bob")
        assert backend.get("/docs").status_code == 200
        assert backend.post("/api/v1/notes", {"title": "Buy milk"}, ada).status_code == 201
        assert len(backend.get("/api/v1/notes", ada).json()["items"]) == 1
        assert backend.get("/api/v1/notes", bob).json()["items"] == []
        assert backend.get("/api/v1/notes").status_code == 401


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(project: Path, number: signal.Signals) -> None:
    """The server, its processes and PostgreSQL; the data stay."""
    data = project / ".specwright" / "postgres-18"
    with running("up", cwd=project) as backend:
        assert postmaster.find(data) is not None
        assert backend.stop(number) == 0
        assert "Traceback" not in backend.output
    assert postmaster.find(data) is None
    assert backend.refuses()


def test_an_edit_shows_and_keeps_the_data(project: Path) -> None:
    """A new field is there; a broken edit is shown and changes nothing; a mended one is served."""
    with running("up", cwd=project) as backend:
        ada = token(project, "ada")
        backend.post("/api/v1/notes", {"title": "Buy milk"}, ada)
        edit(project, "| owner | User", "| stars | integer | 0..5 |\n| owner | User")
        backend.printed("reloaded")
        assert backend.get("/api/v1/notes", ada).json()["items"][0]["stars"] is None
        edit(project, "0..5", "0..5, requird")
        backend.printed("the last good server stays up")
        assert re.search(r"^specs/notes/spec\.md:8:\d+: .*requird.*required", backend.output, re.MULTILINE)
        assert backend.post("/api/v1/notes", {"title": "x", "stars": 3}, ada).status_code == 201
        edit(project, "requird", "default 1")
        backend.printed("reloaded", times=2)
        assert backend.post("/api/v1/notes", {"title": "y"}, ada).json()["stars"] == 1


def test_an_edit_that_would_lose_data_is_not_made(project: Path) -> None:
    """Where nobody can be asked, the last good server stays and the way out is named."""
    with running("up", cwd=project) as backend:
        ada = token(project, "ada")
        backend.post("/api/v1/notes", {"title": "Buy milk"}, ada)
        edit(project, "| title | text |", "| subject | text |")
        backend.printed("the last good server stays up")
        assert backend.get("/api/v1/notes", ada).json()["items"][0]["title"] == "Buy milk"
        edit(project, "required, 1..200", "required, 1..200, was title")
        backend.printed("reloaded")
        assert backend.get("/api/v1/notes", ada).json()["items"][0]["subject"] == "Buy milk"


def test_a_reload_refuses_nobody(project: Path) -> None:
    """Fresh connections, one after the other, are all answered while the server is replaced."""
    with running("up", cwd=project) as backend:
        seen: list[object] = []
        enough = threading.Event()

        def knock() -> None:
            while not enough.is_set():
                try:
                    seen.append(backend.get("/health/live").status_code)
                except Exception as error:
                    seen.append(error)

        visitor = threading.Thread(target=knock)
        visitor.start()
        for count in (1, 2):
            edit(project, "# Notes\n", "# Notes\n\nMore prose.\n")
            backend.printed("reloaded", times=count)
        eventually(lambda: len(seen) > 50, "fifty answers")
        enough.set()
        visitor.join()
        assert set(seen) == {200}


def test_a_storm_of_edits_ends_with_the_last(project: Path) -> None:
    """Many saves make few reloads, and what is served is what was saved last."""
    with running("up", cwd=project) as backend:
        for count in range(1, 60):
            edit(project, "1..20", "1..20")
            edit(project, "Buy milk", f"Buy milk {count}")
        edit(project, "| owner | User", "| last | text | ..9 |\n| owner | User")
        eventually(
            lambda: '"last"' in backend.get("/openapi.json").text or "last" in backend.get("/docs").text,
            "the last edit",
        )
        assert backend.output.count("reloaded") < 30


def test_the_app_is_reloaded_too(project: Path) -> None:
    """A file app/main.py is served once there, followed, and its failures shown."""
    with running("up", cwd=project) as backend:
        assert backend.get("/hello").status_code == 404
        main = project / "app" / "main.py"
        main.parent.mkdir()
        main.write_text(APP)
        eventually(lambda: backend.get("/hello").text == '"one"', "the new route")
        main.write_text(APP.replace("one", "two").replace("backend.app", "backend.ap"))
        backend.printed("AttributeError")
        backend.printed("the last good server stays up")
        assert backend.get("/hello").text == '"one"'
        main.write_text(APP.replace("one", "two"))
        eventually(lambda: backend.get("/hello").text == '"two"', "the mended route")


def test_the_models_follow_the_spec(project: Path) -> None:
    """Classes that `specwright models` wrote have a new field as soon as the API has it."""
    assert specwright("models", cwd=project).returncode == 0
    models = project / "app" / "models.py"
    assert "stars" not in models.read_text()
    with running("up", cwd=project) as backend:
        edit(project, "| owner | User", "| stars | integer | 0..5 |\n| owner | User")
        backend.printed("reloaded")
        assert "stars" in models.read_text()


def test_a_second_up_says_where_the_first_is(project: Path) -> None:
    """One sentence, and a usage error."""
    with running("up", "--no-reload", cwd=project) as backend:
        second = specwright("up", "--port", "0", cwd=project)
        assert second.returncode == 2
        assert second.stderr == (
            f"specwright up already runs in this folder at {backend.url} (process {backend.process.pid}):"
            " use that one, or stop it first.\n"
        )


def test_a_taken_port_is_one_sentence(project: Path) -> None:
    """It names the port and the option."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = specwright("up", "--port", str(port), cwd=project)
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"Port {port} is taken")
    assert "--port" in refused.stderr


def test_an_accident_is_survived(project: Path) -> None:
    """After kill -9 the serving processes go away, and the next `up` finds its database again."""
    with running("up", cwd=project) as backend:
        ada = token(project, "ada")
        backend.post("/api/v1/notes", {"title": "Buy milk"}, ada)
        backend.process.kill()
        backend.process.wait()
        eventually(backend.refuses, "the end of the serving process")
    with running("up", str(project), cwd=project.parent) as backend:
        assert len(backend.get("/api/v1/notes", ada).json()["items"]) == 1


def test_a_fallen_process_is_put_back(project: Path) -> None:
    """A server that is killed from outside is replaced."""
    with running("up", "--no-reload", cwd=project) as backend:
        children = Path(f"/proc/{backend.process.pid}/task/{backend.process.pid}/children")
        if not children.exists():
            pytest.skip("this system does not tell a process's children")
        for child in children.read_text().split():
            if b"specwright.cli.server" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(int(child), signal.SIGKILL)
        backend.printed("a server process ended by itself")
        assert backend.get("/health/live").status_code == 200


def test_any_folder_will_do(project: Path) -> None:
    """A blank, an accent and a quote in the path."""
    odd = project / "mes données d'essai"
    shutil.move(project / "specs", odd / "specs")
    with running("up", str(odd), "--no-reload", cwd=project) as backend:
        assert backend.get("/health/ready").status_code == 200


def test_mistakes_at_the_start_are_findings(project: Path) -> None:
    """All of them, each with its place, and no database is started."""
    edit(project, "required, 1..200", "requird, 1..2000000000000")
    refused = specwright("up", cwd=project)
    assert refused.returncode == 1
    assert "specs/notes/spec.md:7:" in refused.stderr
    assert not (project / ".specwright" / "postgres-18").exists()


def test_another_database_is_touched_only_when_asked(project: Path, database_url: str) -> None:
    """Without --migrate it stays as it is; with it, it is used like the embedded one."""
    refused = specwright("up", "--port", "0", "--database", database_url, cwd=project)
    assert refused.returncode == 2
    assert "with --migrate" in refused.stderr

    async def tables() -> int:
        connection = await asyncpg.connect(database_url)
        try:
            return int(await connection.fetchval("SELECT count(*) FROM pg_tables WHERE tablename = 'notes'"))
        finally:
            await connection.close()

    assert asyncio.run(tables()) == 0
    with running("up", "--no-reload", "--migrate", "--database", database_url, cwd=project) as backend:
        assert backend.post("/api/v1/notes", {"title": "x"}, token(project, "ada")).status_code == 201
    assert asyncio.run(tables()) == 1
    assert not (project / ".specwright" / "postgres-18").exists()


def test_without_specs_it_says_what_to_do(tmp_path: Path) -> None:
    """In a folder without specs/, and for a folder that is none."""
    here = specwright("up", cwd=tmp_path)
    assert here.returncode == 2
    assert "specwright init" in here.stderr
    there = specwright("up", "nowhere", cwd=tmp_path)
    assert there.returncode == 2
    assert "nowhere is no folder" in there.stderr
