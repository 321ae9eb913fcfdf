"""The table of docs/reliability.md that says what becomes of an error of the database."""

import re
from pathlib import Path

import asyncpg
import pytest

from specwright.api.violations import problem_of
from specwright.db.sqlstate import is_away, is_collision, is_of_another_version
from specwright.model.manifest import Manifest
from specwright.read.spec import read_specs
from specwright.sql.constraints import constrained

SPEC = """
# Notes

## Folder

| Field | Type | Rules |
|-------|------|-------|
| name  | text | required, ..80 |

| Who       | May        |
|-----------|------------|
| signed in | everything |

## Note

| Field  | Type   | Rules           |
|--------|--------|-----------------|
| code   | text   | ..80, unique    |
| folder | Folder | on delete clear |

| Who       | May        |
|-----------|------------|
| signed in | everything |
"""

_PAGE = Path(__file__).parents[3] / "docs" / "reliability.md"


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    """A unique field, a reference and a length."""
    return read_specs({"specs/notes/spec.md": SPEC})


@pytest.fixture(scope="module")
def documented() -> dict[str, int]:
    """The status of each SQLSTATE, class, and of "" for all others."""
    table = _PAGE.read_text().split("\n| SQLSTATE ", 1)[1].split("\n\n", 1)[0]
    found = {}
    for row in table.splitlines()[2:]:
        states, _, status = (cell.strip() for cell in row.strip("|").split("|"))
        for state in re.findall(r"`(\w+)`", states) or [""]:
            found[state] = int(status)
    return found


def _status(manifest: Manifest, error: asyncpg.PostgresError, action: str = "create") -> int:
    if is_away(error) or is_collision(error) or is_of_another_version(error):
        return 503
    problem = problem_of(manifest, action, error)
    return 500 if problem is None else problem.status


def _errors() -> dict[str, type[asyncpg.PostgresError]]:
    known = {}
    left: list[type[asyncpg.PostgresError]] = [asyncpg.PostgresError]
    while left:
        each = left.pop()
        left += each.__subclasses__()
        if len(each.sqlstate or "") == 5:
            known.setdefault(each.sqlstate, each)
    return known


def test_every_error_has_the_status_that_is_documented(
    manifest: Manifest, documented: dict[str, int]
) -> None:
    """All SQLSTATEs that the driver knows, those of constraints with the constraint's name."""
    names = {
        "23505": _named(manifest, "uq_"),
        "23503": _named(manifest, "fk_"),
        "23514": _named(manifest, "ck_"),
    }
    errors = _errors()
    assert len(errors) > 200
    for state, kind in errors.items():
        error = kind("told to nobody")
        error.constraint_name = names.get(state)
        expected = documented.get(state, documented.get(state[:2], documented[""]))
        assert _status(manifest, error) == expected, (state, kind.__name__)


def test_every_documented_state_exists(documented: dict[str, int]) -> None:
    """No row stands for nothing."""
    known = _errors().keys()
    for state in documented:
        assert any(each.startswith(state) for each in known), state


def test_a_row_in_use_is_a_conflict(manifest: Manifest) -> None:
    """The same SQLSTATE means something else to whoever deletes."""
    error = asyncpg.ForeignKeyViolationError("told to nobody")
    error.constraint_name = _named(manifest, "fk_")
    assert _status(manifest, error, "delete") == 409


def test_a_constraint_of_somebody_else_is_a_fault(manifest: Manifest) -> None:
    """One that no spec made says nothing that a client could act on."""
    error = asyncpg.CheckViolationError("told to nobody")
    error.constraint_name = "added_by_hand"
    assert _status(manifest, error) == 500


def _named(manifest: Manifest, prefix: str) -> str:
    """The name of a constraint that the spec made."""
    tables = constrained(manifest).metadata.sorted_tables
    names = [
        str(each.name)
        for table in tables
        for each in (*table.constraints, *table.indexes)
        if each.name is not None and str(each.name).startswith(prefix)
    ]
    assert names, prefix
    return names[0]
