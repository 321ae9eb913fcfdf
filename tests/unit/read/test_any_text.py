"""Whatever the files hold, reading ends in a manifest or in mistakes with places."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specwright.model.document import from_document, to_document
from specwright.model.errors import SpecError
from specwright.read import read_specs
from specwright.read.questions import questions

VOCABULARY = r"""
# ## ### Task Tag User (people) (was Job) | |--|--|--| Field Type Rules Moves Who May When Then Is Role
Means Action Takes Does text integer number(4,2) boolean date timestamp uuid email url json `todo` `a\|b`
list of many required unique per title owner 1..5 ..9 matches /a{2}\d/ /[ default 0 `todo` the caller now
indexed searchable immutable read only write hidden readable by writable admin on delete cascade clear
was = `status == "todo"` count sum tasks → -> anyone signed in everything list read create update link
snooze hours ``` ```http GET /tasks As: ada [admin] 200 {"a": 1} - 1. **FR-001** **Given** [NEEDS
CLARIFICATION: x] Rules soft ` `` \ \| > , ( ) caller None 999999999999999999999 é ~~~
"""
WORDS = st.sampled_from([*VOCABULARY.split(), "", "\t", "\u2028", "\ufeff", "\x00"])
LINES = st.lists(WORDS, max_size=9).map(" ".join)
ROWS = st.lists(WORDS, min_size=1, max_size=4).map(lambda cells: f"| {' | '.join(cells)} |")
HEADERS = st.sampled_from(
    ["Field | Type | Rules", "Who | May | When | Then", "Who | Is", "Role | Means", "Field | Moves | Who",
     "Action | Takes | Does", "Field | Type | Rules | Means"]
)  # fmt: skip
TABLES = st.builds(
    lambda header, rows: "\n".join(["", f"| {header} |", "|" + "--|" * (header.count("|") + 1), *rows, ""]),
    HEADERS,
    st.lists(ROWS, max_size=4),
)
TEXTS = st.lists(st.one_of(LINES, TABLES, st.text(max_size=20)), max_size=25).map("\n".join)


def read(text: str) -> None:
    """Read it, and everything that follows from it."""
    try:
        manifest = read_specs({"specs/a/spec.md": text})
    except SpecError as error:
        lines = len(text.split("\n")) + text.count("\r")
        assert error.mistakes
        assert all(
            1 <= mistake.origin.line <= lines and mistake.origin.column >= 1 for mistake in error.mistakes
        )
    else:
        questions(manifest)
        assert from_document(to_document(manifest)) == manifest


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS)
def test_made_of_the_language(text: str) -> None:
    """Words of the language in any order are a manifest or mistakes."""
    read(text)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_characters(text: str) -> None:
    """Any characters are prose or mistakes."""
    read(text)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_one_damaged_place(data: st.DataObject) -> None:
    """A spec with one place cut out or written over is a manifest or mistakes."""
    start = data.draw(st.integers(0, len(SPEC)))
    length = data.draw(st.integers(0, 12))
    put = data.draw(st.one_of(WORDS, st.text(max_size=3)))
    read(SPEC[:start] + put + SPEC[start + length :])


SPEC = r"""# Tasks

| Role  | Means |
|-------|-------|
| admin | boss  |

## Project

| Field | Type | Rules                             |
|-------|------|-----------------------------------|
| name  | text | required, 1..80, unique per owner |
| owner | User | the caller                        |

## Task

| Field   | Type                        | Rules                              |
|---------|-----------------------------|------------------------------------|
| title   | text                        | required, 1..200, matches /\w(a\|b)*/ |
| status  | `todo`, `in progress`       | default `todo`, was state          |
| cost    | number(6,2)                 | 0..10, default 1.50                |
| owner   | User                        | the caller                         |
| project | Project                     | on delete clear                    |
| tags    | many Project                |                                    |
| late    | boolean                     | = `status != "todo"`               |
| n       | integer                     | count of comments                  |

| Field  | Moves              | Who   |
|--------|--------------------|-------|
| status | todo → in progress | owner |

| Who  | Is                        |
|------|---------------------------|
| boss | `project.owner == caller` |

| Who   | May        | When               | Then   |
|-------|------------|--------------------|--------|
| owner | everything | `status != "todo"` |        |
| boss, admin | read | `caller.claims.x == project.name` | `late` |

### Rules

- `cost > 1 or project is None` (FR-001)
- soft delete

## Comment

| Field | Type | Rules             |
|-------|------|-------------------|
| task  | Task | on delete cascade |

- **FR-001** It works.

  ```http
  POST /tasks
  As: ada [admin]
  Name: a

  {"title": "a"}
  ```
  ```http
  201

  {"id": "*"}
  ```
"""
