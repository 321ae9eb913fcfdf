"""`specwright trace` and `pytest specs/`, each in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

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
  ```

- **FR-002** A note is short.

  ```http
  POST /notes
  As: ada

  {"text": ""}
  ```
  ```http
  200
  ```

- **FR-003** Notes are pleasant.
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of which one requirement holds, one does not, and one has nothing to show for it."""
    (tmp_path / "specs" / "notes").mkdir(parents=True)
    (tmp_path / "specs" / "notes" / "spec.md").write_text(SPEC, encoding="utf-8")
    (tmp_path / "tests").mkdir()
    test = "# Spec: FR-001\ndef test_it(): ...\n"
    (tmp_path / "tests" / "test_notes.py").write_text(test, encoding="utf-8")
    return tmp_path


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A command of this environment, in the project."""
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_trace_of_a_project(project: Path) -> None:
    """Each requirement with its verdict and its evidence; what has none is named; the exit code is 1."""
    ended = run(project, "specwright", "trace")
    assert ended.returncode == 1, ended.stderr
    assert "PROVED   notes#FR-001  A note belongs to its writer.\n" in ended.stdout
    assert "shown by  1 example, tests/test_notes.py:1\n" in ended.stdout
    assert "BROKEN   notes#FR-002" in ended.stdout
    assert ended.stdout.endswith("without evidence: notes#FR-003\n")


def test_a_comment_that_points_nowhere_stops_the_trace(project: Path) -> None:
    """File, line, column and a suggestion; nothing is run."""
    (project / "app.py").write_text("\nx = 1  # Spec: notes#FR-01\n", encoding="utf-8")
    ended = run(project, "specwright", "trace")
    assert ended.returncode == 1 and ended.stdout == ""
    assert "app.py:2:8: No requirement is called notes#FR-01" in ended.stderr
    assert "Did you mean notes#FR-001?" in ended.stderr


def test_pytest_runs_the_examples(project: Path) -> None:
    """`pytest specs/` has a test for each requirement with examples; a broken one shows what was answered."""
    ended = run(project, "pytest", "specs/", "-v", "-p", "no:cacheprovider")
    assert "specs/notes/spec.md::FR-001 PASSED" in ended.stdout, ended.stdout + ended.stderr
    assert "specs/notes/spec.md::FR-002 FAILED" in ended.stdout
    assert "1 failed, 1 passed" in ended.stdout
    assert "- status: 200\n+ status: 422\n" in ended.stdout


def test_pytest_shows_the_mistakes_of_a_spec(project: Path) -> None:
    """Each with its line, and nothing of how they were found."""
    spec = project / "specs" / "notes" / "spec.md"
    spec.write_text(SPEC.replace("required", "requird"), encoding="utf-8")
    ended = run(project, "pytest", "specs/", "-p", "no:cacheprovider")
    assert 'unknown rule "requird"' in ended.stdout and "specs/notes/spec.md:" in ended.stdout
    assert "pytest_plugin.py" not in ended.stdout and "SpecError" not in ended.stdout
