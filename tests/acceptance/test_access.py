"""`specwright access` as a person runs it: the matrix, and one decision with its reasons."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

SPEC = """\
# Notes

## Roles

| Role   | Means |
|--------|-------|
| reader | reads |

## Note

| Field  | Type    | Rules            |
|--------|---------|------------------|
| text   | text    | required, 1..200 |
| locked | boolean | default false    |
| owner  | User    | the caller       |
| state  | `open`, `shut` | default `open` |

| Field | Moves                    | Who    |
|-------|--------------------------|--------|
| state | open → shut              | reader |
| state | shut → open              |        |

| Who    | May        | When         |
|--------|------------|--------------|
| owner  | list, read, create |      |
| owner  | update     | `not locked` |
| reader | list, read |              |
| owner  | lock       | `not locked` |

| Action | Takes | Does       |
|--------|-------|------------|
| lock   |       | makes firm |
"""


@pytest.fixture(scope="module")
def project() -> Iterator[Path]:
    """A project in a folder whose path has a space, and is short, as a socket's must be."""
    with tempfile.TemporaryDirectory(prefix="s w-") as folder:
        (Path(folder) / "specs" / "notes").mkdir(parents=True)
        (Path(folder) / "specs" / "notes" / "spec.md").write_text(SPEC)
        yield Path(folder)


def _run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "specwright", "access", "--project", str(project), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_matrix(project: Path) -> None:
    """Who may do what, as text, Markdown and JSON; no database is needed."""
    text = _run(project)
    assert text.returncode == 0, text.stderr
    assert "when not locked" in text.stdout
    assert "| Who |" in _run(project, "--format", "markdown").stdout
    assert "<caption>Note</caption>" in _run(project, "--format", "html").stdout
    told = json.loads(_run(project, "--format", "json").stdout)
    assert told["Note"]["owner"]["update"]["conditions"] == ["when not locked"]
    assert told["Note"]["owner"]["update"]["origins"][0].startswith("specs/notes/spec.md:26")
    assert told["Note"]["reader"]["delete"]["granted"] is False
    assert told["Note"]["owner"]["lock"]["conditions"] == ["when not locked"]
    assert told["Note"]["reader"]["lock"]["granted"] is False
    assert told["Note"]["reader"]["state → shut"]["conditions"] == ['when state == "open"']
    assert told["Note"]["owner"]["state → open"]["conditions"] == ['when state == "shut" and not locked']


def test_one_move(project: Path) -> None:
    """Whose it is, from where, by which line; an arrow may be typed."""
    may = _run(project, "rita", "notes", "state -> shut", "--role", "reader")
    assert may.returncode == 0, may.stderr
    assert 'rita (reader) may state → shut notes where state == "open"' in may.stdout
    assert "· reader may open → shut  specs/notes/spec.md:20" in may.stdout
    assert _run(project, "ada", "notes", "state → shut").returncode == 1
    assert "There is no action" in _run(project, "ada", "notes", "state → gone").stderr


def test_one_decision_without_a_row(project: Path) -> None:
    """Whether it could ever be, under which condition, by which line; the exit code says so too."""
    may = _run(project, "ada", "notes", "update")
    assert may.returncode == 0
    assert "not locked" in may.stdout
    assert "specs/notes/spec.md:26" in may.stdout
    assert "not locked" in _run(project, "ada", "notes", "lock").stdout
    never = _run(project, "ada", "notes", "delete")
    assert never.returncode == 1
    assert "never" in never.stdout
    assert _run(project, "anonymous", "notes", "list").returncode == 1
    assert _run(project, "rita", "notes", "list", "--role", "reader").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ada"], "Say whose access to what"),
        (["ada", "notse", "read"], 'Did you mean "notes"?'),
        (["ada", "notes", "peek"], 'There is no action "peek"'),
        (["--format", "xml"], "text, markdown, json, html"),
    ],
)
def test_what_is_not_understood(project: Path, arguments: list[str], told: str) -> None:
    """One sentence that says what to do, no traceback."""
    answer = _run(project, *arguments)
    assert answer.returncode != 0
    assert told in answer.stderr + answer.stdout
    assert "Traceback" not in answer.stderr
