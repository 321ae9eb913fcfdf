"""`specwright check` and `specwright manifest`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from specwright.cli import app
from specwright.model.document import from_document
from specwright.read import read_project

SPEC = """# Tasks

## Task

| Field | Type | Rules |
|-------|------|-------|
| a | text | |
| b | text | |
| c | text | |
| d | text | |
| e | text | |
| f | text | |

- **FR-001** It works [NEEDS CLARIFICATION: how?]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with questions and no mistakes."""
    (tmp_path / "specs" / "tasks").mkdir(parents=True)
    (tmp_path / "specs" / "tasks" / "spec.md").write_text(SPEC)
    return tmp_path


def run(*arguments: object, exit_code: int = 0) -> str:
    """What a command prints."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == exit_code
    return result.output


def test_at_most_five_questions(project: Path) -> None:
    """The five most important questions, and open questions, for people."""
    shown = run("check", project)
    assert shown.startswith("1 feature, 1 resource, 1 requirement: no mistakes.\n")
    assert shown.count("in force:") == 5
    assert "specs/tasks/spec.md:3  Who may do what with Task?" in shown
    assert "… and 2 more questions (--format json has all)." in shown
    assert "specs/tasks/spec.md:14  how?" in shown


def test_all_findings_for_programs(project: Path) -> None:
    """JSON has every question with its place, options, recommendation and default."""
    found = json.loads(run("check", project, "--format", "json"))
    assert found["mistakes"] == []
    assert [question["code"] for question in found["questions"]] == ["no-grants", *["no-bound"] * 6]
    assert found["questions"][1].keys() == {
        *("file", "line", "column", "code", "text", "options", "recommendation", "default_in_force")
    }
    assert found["open_questions"][0]["text"] == "how?"


def test_mistakes(project: Path) -> None:
    """Every mistake with its place, and exit code 1."""
    (project / "specs" / "tasks" / "spec.md").write_text(SPEC.replace("a | text | |", "a | txt | requird |"))
    assert run("check", project, exit_code=1) == (
        'specs/tasks/spec.md:7:7: unknown type "txt". Did you mean "text"?\n'
        'specs/tasks/spec.md:7:13: unknown rule "requird" in field "a". Did you mean "required"?\n'
        "\n"
        "2 mistakes.\n"
    )
    found = json.loads(run("check", project, "--format", "json", exit_code=1))
    assert found["mistakes"][0] == {
        "file": "specs/tasks/spec.md",
        "line": 7,
        "column": 7,
        "message": 'unknown type "txt". Did you mean "text"?',
    }
    assert found["questions"] == []


def test_the_manifest(project: Path) -> None:
    """The manifest is printed as JSON that is read back equal."""
    assert from_document(json.loads(run("manifest", project))) == read_project(project)


def test_reading_a_spec_waits_for_no_server() -> None:
    """Web framework, database and settings take longer to import than a spec takes to read."""
    heavy = ("fastapi", "starlette", "sqlalchemy", "asyncpg", "alembic", "pydantic_settings")
    program = f"import sys, specwright.cli.check; print([name for name in {heavy} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
