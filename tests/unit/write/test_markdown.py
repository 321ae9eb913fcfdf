"""Specs written from a manifest read back as the same manifest."""

from pathlib import Path

import pytest

from origins import bare
from specwright.model.manifest import Manifest
from specwright.read import read_project, read_specs
from specwright.write.markdown import specs

ROOT = Path(__file__).parents[3]

EVERYTHING = r"""
# Things

## Roles

| Role       | Means |
|------------|-------|
| front desk | a \| b |
| chief      |       |

## Person (people, was Human)

Who it is about.

| Field  | Type | Rules | Means |
|--------|------|-------|-------|
| name   | text | required, 1..80, searchable, matches /a\/b,[`\|]{1,2}/ | in `full` |
| nick   | text | default ``a`b``, readable by front desk and chief, was alias | |
| kinds  | list of `a`, `b \| c` | ..3, default [`b \| c`, `a`] | |
| dates  | list of date | default [], indexed | |
| price  | number(8,2) | 0.50..10, default 1.50, writable by chief | |
| born   | date | default 2000-02-29, immutable | |
| seen   | timestamp | now | |
| first  | timestamp | default 2026-01-31T12:00:00.5Z | |
| active | boolean | default false, indexed | |
| secret | text | ..9, write only | |
| notes  | json | hidden | |
| ref    | uuid | read only | |
| tags   | many Tag | | |
| amount | integer | count of loan_items where `state in ["new", "in use"]` | |
| late   | boolean | = `first < now() or nick == "a\|b"` | |

| Who | Is |
|-----|----|
| the same | `name == caller.claims.name` |

### Rules

- soft delete
- if-match required
- ```born is None or name != "``"``` (FR-001, FR-002)

## Tag

| Field | Type | Rules |
|---|---|---|
| name | text | required, ..9, unique |

## Loan item

| Field | Type | Rules |
|---|---|---|
| owner | User | the caller |
| person | Person | required, on delete refuse |
| state | `new`, `in use` | default `new`, unique per owner and person |

| Field | Moves | Who |
|---|---|---|
| state | new → `in use` | owner, chief |
| state | `in use` → new | |

| Action | Takes | Does |
|---|---|---|
| put back | hours integer, why text optional | it |

| Who | May | When | Then |
|---|---|---|---|
| owner, front desk | list, read, put back | | `state != "new"` |
| anyone | everything | `state == "new"` | |

## Requirements

- **SC-001** It [NEEDS CLARIFICATION: how fast?] is fast.

### User story 1 - x

1. **Given** a thing, when it is

   ```http
   POST /tags
   As: ada [chief]
   Name: t
   If-Match: *

   {
     "name": "```"
   }
   ```
   ```http
   201 Created
   ETag: *
   ```

## Other

1. Given nothing
2. Given less
"""


@pytest.mark.parametrize("source", ["examples/tasks", "examples/clinic", "examples/crm", "everything"])
def test_what_is_written_reads_as_what_was_written(source: str) -> None:
    """Round trip: manifest, Markdown, manifest, equal but for origins."""
    manifest = (
        read_specs({"specs/things/spec.md": EVERYTHING})
        if source == "everything"
        else read_project(ROOT / source)
    )
    again = read_specs(specs(manifest))
    for one, other in zip(bare(manifest).resources, bare(again).resources, strict=True):
        assert one == other
    assert bare(again) == bare(manifest)
    assert specs(again) == specs(manifest)


def test_nothing_is_written_of_nothing() -> None:
    """A manifest without features has no specs."""
    assert specs(Manifest()) == {}
