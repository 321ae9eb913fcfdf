"""The committed revisions of a project, tried on databases of their own."""

import json
from pathlib import Path

import pytest

from commands import specwright

pytestmark = pytest.mark.any_server

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
"""


def test_revisions_make_what_the_specs_say(tmp_path: Path) -> None:
    """They go up, down and up again, and make policies too; one line less in a revision is drift."""
    (tmp_path / "specs" / "notes").mkdir(parents=True)
    (tmp_path / "specs" / "notes" / "spec.md").write_text(SPEC)
    assert {each["says"].partition(":")[0] for each in _results(tmp_path)} == {"no revision is committed yet"}
    assert specwright("migrate", "commit", "first", cwd=tmp_path).returncode == 0
    assert _standings(tmp_path) == {
        ("DB01", "0001_first.py", "PROVED"),
        ("DB02", "notes", "PROVED"),
        ("DB03", "0001_first.py", "PROVED"),
    }
    revision = tmp_path / "migrations" / "0001_first.py"
    lines = revision.read_text().splitlines(keepends=True)
    kept = [line for line in lines if "ck_notes_text_length" not in line]
    assert len(kept) == len(lines) - 1
    revision.write_text("".join(kept))
    assert ("DB02", "notes", "BROKEN") in _standings(tmp_path)


def _standings(root: Path) -> set[tuple[str, str, str]]:
    return {(each["check"], each["subject"], each["standing"]) for each in _results(root)}


def _results(root: Path) -> list[dict[str, str]]:
    only = [each for id in ("DB01", "DB02", "DB03") for each in ("--only", id)]
    done = specwright("verify", ".", *only, "--format", "json", cwd=root)
    results: list[dict[str, str]] = json.loads(done.stdout)["results"]
    return results
