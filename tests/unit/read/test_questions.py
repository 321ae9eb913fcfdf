"""What `check` asks: each question where it is due, and not where the spec has the answer."""

# ruff: noqa: E501 - specs stand on lines of their own length

import pytest

from specwright.model.manifest import Manifest
from specwright.read import read_specs
from specwright.read.questions import questions

HEADER = "| Field | Type | Rules |\n|---|---|---|\n"
GRANTS = "\n| Who | May | When |\n|---|---|---|\n"
OWNER = "| owner | User | the caller |\n"
ALL = f"{GRANTS}| owner | everything | |\n"


def manifest(text: str) -> Manifest:
    """The manifest of one file."""
    return read_specs({"specs/a/spec.md": text})


def codes(text: str) -> list[str]:
    """The codes of its questions."""
    return [question.code for question in questions(manifest(text))]


def task(rows: str, rest: str = ALL) -> str:
    """An owned Task with these rows and what follows."""
    return f"## Task\n\n{HEADER}{OWNER}{rows}{rest}"


PROJECT = f"\n## Project\n\n{HEADER}{OWNER}{ALL}"
NAMED = PROJECT.replace(ALL, f"| name | text | ..9, required |\n{ALL}")
CLAIM = f"{GRANTS}| signed in | list, read | `team == caller.claims.team` |\n"
VIA = CLAIM.replace("team ==", "x.name ==")


def crew(when: str) -> str:
    """A Ship with hands that is read on a condition."""
    hands = "| ship | Ship | on delete cascade |\n| who | User | read only |\n| rank | `mate`, `boss` | default `mate` |\n"
    ship = f"## Ship\n\n{HEADER}| name | text | ..9 |\n{GRANTS}| signed in | list, read | `{when}` |\n"
    return f"{ship}\n## Hand\n\n{HEADER}{hands}{GRANTS}| signed in | read | |\n"


FOUNDED = (
    f"# A\n\n## Rules\n\n- tenant Club through Member by header X-Club, founder\n\n## Club\n\n{HEADER}| name | text | ..9 |\n"
    f"{GRANTS}| signed in | create | |\n\n## Member\n\n{HEADER}| club | Club | on delete cascade |\n"
    "| user | User | required, unique per club |\n\n| Who | Is |\n|---|---|\n| member | `members.user == caller` |\n"
    f"{GRANTS}| signed in | list, read | |\n"
)
SEEN = FOUNDED.replace("signed in | create | |\n", "signed in | create | |\n| member | list, read | |\n")
GIVEN = (
    f"\n## Note\n\n{HEADER}| text | text | ..9 |\n| author | User | the caller |\n\n| Who | May | Then |\n|---|---|---|\n"
    "| owner | list, read, create | |\n| owner | hand over | "
)
ASKS, FOUND = "\n- **FR-001** x\n\n  ```http\n  GET ", "\n  ```\n  ```http\n  200\n  ```\n"

CASES = [
    ("no-grants", task("", ""), task("")),
    (
        "hand-over-outside",
        f"{SEEN}{GIVEN}|\n",
        f"{SEEN}{GIVEN}club.members.user == author |\n",
    ),
    ("no-bound", task("| x | text | 1.. |\n"), task("| x | text | ..9 |\n")),
    ("no-bound", task("| x | text | matches /a{2,}/ |\n"), task("| x | text | matches /[A-Z+]{3}-\\+?[0-9]{1,4}/ |\n")),
    ("nothing-to-serve", "# Tasks\n\nProse.\n", task("")),
    ("unknown-path", task("", f"{ALL}{ASKS}/task?limit=1{FOUND}"), task("", f"{ALL}{ASKS}/tasks?limit=1{FOUND}")),
    ("unknown-path", task("", f"{ALL}{ASKS}/task/1{FOUND}"), task("", f"{ALL}{ASKS}/statistics{FOUND}")),
    ("no-on-delete", task("| x | Project | |\n") + PROJECT, task("| x | Project | on delete clear |\n") + PROJECT),
    ("unique-over-owners", task("| x | text | ..9, unique |\n"), task("| x | text | ..9, unique per owner |\n")),
    ("unique-over-owners", task("| x | text | ..9, unique |\n"), task("| x | text | ..9, unique |\n", f"{GRANTS}| owner | list, read | |\n")),
    ("empty-equals-empty", task("| team | text | ..9 |\n", CLAIM), task("| team | text | ..9, required |\n", CLAIM)),
    (
        "empty-equals-empty",
        task("| x | Project | on delete clear |\n", VIA) + NAMED,
        task("| x | Project | required, on delete cascade |\n", VIA) + NAMED,
    ),
    ("some-and-some-other", crew('hands.who == caller and hands.rank == "mate"'), crew("hands.who == caller")),
    ("some-and-some-other", crew('name == "x" or hands.who == caller and not hands.rank == "mate"'), crew('hands.rank == "mate" and hands.rank != "boss"')),
    (
        "no-read",
        task("", f"{GRANTS}| owner | update | |\n"),
        task("", f"{GRANTS}| owner | update | |\n| signed in | read | |\n"),
    ),
    (
        "no-read",
        task("", f"{GRANTS}| signed in | delete | |\n| owner | read | |\n"),
        task("", f"{GRANTS}| signed in | create | |\n| owner | read | |\n"),
    ),
    (
        "no-read",
        FOUNDED,
        FOUNDED.replace("signed in | create | |\n", "signed in | create | |\n| member | list, read | |\n"),
    ),
    (
        "person-by-id",
        f"## Task\n\n{HEADER}| who | User | |\n{GRANTS}| signed in | list, read | `who == caller` |\n",
        f"## Task\n\n{HEADER}| who | User | read only |\n{GRANTS}| signed in | list, read | `who == caller` |\n",
    ),
    (
        "person-by-id",
        f"## Task\n\n{HEADER}| fans | many User | |\n{GRANTS}| signed in | list, read | `fans.id == caller` |\n",
        f"## Task\n\n{HEADER}| fans | many User | |\n{GRANTS}| signed in | list, read | |\n",
    ),
    ("plural-heading", task("").replace("Task", "Tasks"), task("").replace("## Task", "## Tasks (tasks)")),
    (
        "unknown-requirement",
        task("", f"{ALL}\n### Rules\n\n- `owner == owner` (FR-001)\n"),
        task("", f"{ALL}\n### Rules\n\n- `owner == owner` (FR-001)\n\n## R\n\n- **FR-001** x\n"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("code", "open_", "settled"), CASES)
def test_each_question(code: str, open_: str, settled: str) -> None:
    """The question is asked once, with options, and not when the spec answers it."""
    assert codes(open_) == [code]
    assert codes(settled) == []
    (question,) = questions(manifest(open_))
    assert question.options
    assert question.recommendation
    assert question.default_in_force
    assert question.origin.line > 0


def test_the_most_dangerous_first() -> None:
    """Access comes before convenience."""
    text = task("| x | text | |\n| y | Project | |\n", "") + f"\n## Project\n\n{HEADER}| n | text | |\n"
    assert codes(text) == ["no-grants", "no-grants", "no-on-delete", "no-bound", "no-bound"]
