"""`docs/spec-language.md` is the whole language: every word of the closed vocabulary stands in it."""

import re
from pathlib import Path

import pytest

from specwright.model.functions import FUNCTIONS
from specwright.model.names import BUILT_IN_FIELDS, LIST_PARAMETERS
from specwright.read import access_questions, questions, read_specs
from specwright.read.vocabulary import (
    EXAMPLE_LINES,
    MAY,
    METHODS,
    ON_DELETE,
    PLAIN_RULES,
    PLAIN_TYPES,
    PROSE_COLUMNS,
    RULE_LINES,
    RULES_WITH_VALUE,
    TABLES,
    TYPE_FORMS,
    WHO,
)

REFERENCE = (Path(__file__).parents[3] / "docs" / "spec-language.md").read_text(encoding="utf-8")
SOURCE = "".join(
    Path(module.__file__).read_text(encoding="utf-8") for module in (questions, access_questions)
)


def quoted(word: str) -> bool:
    """Whether the word begins a code span of the reference."""
    return (
        re.search(rf"`(?:` ?`)?{re.escape(word)}" + (r"\b" if word[-1].isalnum() else ""), REFERENCE)
        is not None
    )


@pytest.mark.parametrize(
    "word",
    [
        *(column for needed, optional in TABLES.values() for column in (*needed, *optional)),
        *sorted(PROSE_COLUMNS),
        *(kind.value for kind in PLAIN_TYPES),
        *(form for form in TYPE_FORMS if form != "`literals`"),
        *sorted(PLAIN_RULES),
        *sorted(RULES_WITH_VALUE),
        *(f"on delete {choice}" for choice in ON_DELETE),
        "a..b",
        *RULE_LINES,
        *WHO,
        *MAY,
        *sorted(METHODS),
        *(f"{line}:" for line in EXAMPLE_LINES),
        *(f"{name}(" for name in FUNCTIONS),
        *sorted(BUILT_IN_FIELDS),
        *sorted(LIST_PARAMETERS),
        *re.findall(r'Question\(\s*"([a-z-]+)"', SOURCE),
    ],
)
def test_every_word_is_explained(word: str) -> None:
    """No word that the reader knows is missing from the reference."""
    assert quoted(word)


def test_its_tables_are_read() -> None:
    """The example tables of the reference are valid as they stand."""
    blocks = re.findall(r"^(`{3,4})markdown\n(.*?)^\1$", REFERENCE, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 6
    text = "\n\n".join(block for _, block in blocks)
    entity = (
        "## Appointment\n\n| Field | Type | Rules |\n|---|---|---|\n| doctor | Doctor | on delete clear |\n"
        "| patient | Task | on delete clear |\n\n"
        "## Doctor\n\n| Field | Type | Rules |\n|---|---|---|\n| account | User | required |\n\n"
        "## Task\n\n| Field | Type | Rules |\n|---|---|---|\n| owner | User | the caller |\n"
        "| status | `todo`, `doing`, `done` | default `todo` |\n| due | timestamp | |\n"
    )
    roles = "| Role | Means |\n|---|---|\n| chair | sits in front |\n\n"
    manifest = read_specs({"specs/a/spec.md": f"{roles}{entity}\n{text}"})
    task = manifest.resource("Task")
    assert (len(task.grants), len(task.moves), len(task.actions), len(task.rules)) == (6, 3, 2, 1)
    assert [len(requirement.examples) for requirement in manifest.requirements] == [2]
