"""`specwright … | head`: whoever reads the output may have seen enough at any line."""

import subprocess
from pathlib import Path

import pytest

from commands import PATIENCE, SPECWRIGHT, environment

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
"""
REQUIREMENT = """
- **FR-{number:03}** A note belongs to its writer.

  ```http
  POST /notes
  As: ada

  {{"text": "hello"}}
  ```
  ```http
  201
  ```
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a spec of three requirements."""
    folder = tmp_path_factory.mktemp("notes")
    (folder / "specs" / "notes").mkdir(parents=True)
    requirements = (REQUIREMENT.format(number=number) for number in (1, 2, 3))
    (folder / "specs" / "notes" / "spec.md").write_text(SPEC + "".join(requirements), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("command", "lines"), [("checks", 0), ("trace", 0), ("verify --requirements", 1), ("up", 1)]
)
def test_a_command_ends_without_a_word_when_nobody_reads_on(project: Path, command: str, lines: int) -> None:
    """The exit code is 1, and standard error is empty: no traceback, no warning."""
    process = subprocess.Popen(
        [SPECWRIGHT, *command.split()],
        cwd=project,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process:
        for _ in range(lines):
            assert process.stdout.readline()
        process.stdout.close()
        told = process.stderr.read()
        assert (process.wait(PATIENCE), told) == (1, "")
