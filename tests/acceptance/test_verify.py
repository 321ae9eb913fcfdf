"""`specwright verify` as a person runs it: in a process of its own, on a server of its own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

SPEC = """\
# Notes

## Note

| Field | Type | Rules            |
|-------|------|------------------|
| text  | text | required, 1..200 |
| owner | User | the caller       |

| Who   | May        |
|-------|------------|
| owner | everything |

## Requirements

- **FR-001** A note belongs to its writer.

  ```http
  POST /notes
  As: ada

  {"text": "hello"}
  ```
  ```http
  201

  {"text": "hello", "owner_id": "ada"}
  ```

- **FR-002** Everybody reads every note.

  ```http
  POST /notes
  As: ada

  {"text": "hello"}
  ```
  ```http
  201
  ```

  ```http
  GET /notes/{note.id}
  As: bob
  ```
  ```http
  200
  ```

- **FR-003** Notes are nice.
"""

MAIN = """\
from specwright.app import Backend

backend = Backend()
app = backend.app


@app.get("/api/v1/greeting")
async def greeting() -> dict[str, str]:
    return {"text": "hello"}
"""


def verify(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "specwright", "verify", *arguments],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in a folder whose name has a space."""
    root = tmp_path / "my notes"
    (root / "specs" / "notes").mkdir(parents=True)
    (root / "specs" / "notes" / "spec.md").write_text(SPEC)
    return root


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()))
def test_every_requirement_of_the_examples_is_proved(name: str, tmp_path: Path) -> None:
    """What the examples promise holds on the backend made from them."""
    made_by_running = shutil.ignore_patterns(".specwright", "draft.*", "__pycache__")
    root = shutil.copytree(EXAMPLES / name, tmp_path / name, ignore=made_by_running)
    before = sorted(root.rglob("*.*"))
    done = verify("--requirements", cwd=root, PYTHONDONTWRITEBYTECODE="1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken · 0 not run" in done.stdout
    assert "PROVED" in done.stdout
    assert sorted(root.rglob("*.*")) == before


def test_a_broken_requirement_is_shown_with_its_line(project: Path) -> None:
    """Exit code 1, the line of the spec, the request, and what differs; what has no example is not run."""
    done = verify("--requirements", cwd=project, AUTH_SECRET="", DATABASE_URL="postgresql://nowhere/none")
    assert done.returncode == 1
    assert done.stderr == ""
    assert "PROVED   FR-001  A note belongs to its writer." in done.stdout
    line = SPEC.split("GET /notes")[0].count("\n") + 1
    assert f"specs/notes/spec.md:{line}" in done.stdout
    assert "         > As: bob\n" in done.stdout
    assert "         - status: 200\n         + status: 404\n" in done.stdout
    assert "NOT RUN  FR-003  Notes are nice.  (it has no example)" in done.stdout
    assert done.stdout.endswith("requirements  1 proved · 1 broken · 1 not run\n")


def test_the_project_s_own_app_is_proved(project: Path) -> None:
    """Routes of app/main.py answer too, whichever way the project's settings sign people in."""
    (project / "app").mkdir()
    (project / "app" / "main.py").write_text(MAIN)
    (project / ".env").write_text("AUTH_JWKS_URL=https://issuer.example/jwks\nAUTH_AUDIENCE=notes\n")
    spec = project / "specs" / "notes" / "spec.md"
    greeting = '```http\n  GET /greeting\n  ```\n  ```http\n  200\n\n  {"text": "hello"}\n  ```\n'
    spec.write_text(f"{SPEC}\n  {greeting}")
    done = verify("--requirements", "--only", "FR-001", "--only", "FR-003", "--format", "json", cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = json.loads(done.stdout)
    counts = shown["summary"]["requirements"]
    assert (counts["proved"], counts["broken"], counts["not_run"]) == (2, 0, 0)
    assert shown["requirements"][1]["exchanges"][0]["request"]["path"] == "/api/v1/greeting"


def test_without_a_choice_the_requirements_are_proved(project: Path) -> None:
    """The bare command proves the requirements."""
    done = verify("--only", "FR-001", cwd=project)
    assert done.returncode == 0
    assert done.stderr == ""
    assert "1 proved" in done.stdout


def test_an_app_that_cannot_be_loaded_is_a_sentence(project: Path) -> None:
    """A wrong surrounding is exit code 2, one sentence, and no trace on the standard output."""
    (project / "app").mkdir()
    (project / "app" / "main.py").write_text("import nothing_of_this_name\n")
    done = verify("--requirements", cwd=project)
    assert done.returncode == 2
    assert done.stderr == "app/main.py cannot be loaded: No module named 'nothing_of_this_name'.\n"
    assert done.stdout == ""


def test_an_unknown_key_is_a_wrong_call(project: Path) -> None:
    """A key that no requirement has is exit code 2 with a suggestion."""
    done = verify("--only", "FR-0001", cwd=project)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("No check or requirement is called FR-0001. Did you mean")
