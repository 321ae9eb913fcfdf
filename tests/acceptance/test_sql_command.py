"""`specwright sql` as a person runs it: the statement of a request, its values, grants and plan."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

SPEC = """\
# Notes

## Note

| Field  | Type    | Rules            |
|--------|---------|------------------|
| text   | text    | required, 1..200 |
| owner  | User    | the caller       |

| Who    | May        |
|--------|------------|
| owner  | everything |
"""

KEY = "01a1fb4a-9299-714f-9210-30d2911da5bb"


@pytest.fixture(scope="module")
def project() -> Iterator[Path]:
    """A project that has never been up."""
    with tempfile.TemporaryDirectory(prefix="sw-") as folder:
        (Path(folder) / "specs" / "notes").mkdir(parents=True)
        (Path(folder) / "specs" / "notes" / "spec.md").write_text(SPEC)
        yield Path(folder)


def _run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "specwright", "sql", "--project", str(project), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ("GET /notes?text__contains=x&sort=-text&limit=5", ["strpos", "'x'", "limit = 6", "owner == caller"]),
        (
            "PATCH /notes?text=x&max_affected=5",
            ["UPDATE notes", "FOR UPDATE OF t", "most = 6", "owner == caller"],
        ),
        (
            'DELETE /notes?filter=text == "x"&max_affected=5',
            ["DELETE FROM notes", "literal0 = 'x'", "most = 6"],
        ),
        (
            'GET /notes?filter=text == "x" and owner == caller&sort=-text__nulls_last',
            ["literal0 = 'x'", "caller_text = 'ada'", "t.text = $"],
        ),
        (f"PATCH /notes/{KEY}", ["UPDATE notes", "new_text = NULL"]),
        (f"PATCH /notes/{KEY}?fields=text", ["UPDATE notes", "SELECT written.text AS text) AS item"]),
        ("POST /notes", ["INSERT INTO notes", "'ada'"]),
    ],
)
def test_any_request(project: Path, request_: str, words: list[str]) -> None:
    """The statement, what fills its parameters, and the line of the grant in it."""
    answer = _run(project, request_, "--as", "ada")
    assert answer.returncode == 0, answer.stderr
    for word in [*words, "specs/notes/spec.md:12", "Plan"]:
        assert word in answer.stdout, (word, answer.stdout)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["notes"], "A request is a method and a path"),
        (["GET /notes"], "401"),
        (["GET /notes?txet=x", "--as", "ada"], "Did you mean text?"),
    ],
)
def test_what_is_not_understood(project: Path, arguments: list[str], told: str) -> None:
    """One sentence, no traceback."""
    answer = _run(project, *arguments)
    assert answer.returncode != 0
    assert told in answer.stderr + answer.stdout
    assert "Traceback" not in answer.stderr
