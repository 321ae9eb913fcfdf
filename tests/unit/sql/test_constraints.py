"""Rules as CHECK constraints, and names of constraints back to what they mean."""

import pytest

from specwright.model.field import Field
from specwright.model.manifest import Manifest
from specwright.model.relation import Relation
from specwright.model.resource import Resource, Rule
from specwright.model.syntax import parse
from specwright.model.types import INTEGER, TEXT, TIMESTAMP, UUID, Kind, Type
from specwright.sql.checks import Violation
from specwright.sql.constraints import constrained, describe_constraint, is_row_check
from specwright.sql.tables import Violated


def field(name: str, type: Type, **more: object) -> Field:
    return Field(id=name, name=name, wire=name, column=name, type=type, **more)  # type: ignore[arg-type]


PROJECT = Resource(
    "Project", "Project", "Project", "/projects", "projects", (field("id", UUID, built_in=True),)
)
TASK = Resource(
    "Task",
    "Task",
    "Task",
    "/tasks",
    "tasks",
    (
        field("id", UUID, built_in=True),
        field("created_at", TIMESTAMP, built_in=True),
        field("due", TIMESTAMP),
        field("title", TEXT),
        field("count", INTEGER),
        field("half", INTEGER, computed=parse("count")),
        field("project", Type(Kind.REFERENCE, target="Project")),
    ),
    relations=(Relation("project", "Task", "Project", "project", many=False),),
    rules=(
        Rule("one", parse("due is None or due > created_at"), ("FR-004",)),
        Rule("two", parse("count is None or count > 0")),
        Rule("three", parse("due is None or due > now()"), ("FR-005",)),
        Rule("four", parse("title != 'a:b %s'"), ("FR-006",)),
        Rule("five", parse("title != 'b'"), ("FR-006",)),
    ),
)
MANIFEST = Manifest((PROJECT, TASK))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("due is None or due > created_at", True),
        ("project.id is None", True),
        ("len(title) > 3", True),
        ("due > now()", False),
        ("date(due) > today()", False),
        ("title == caller.id", False),
        ("half > 3", False),
        ("project.name == title", False),
        ("nothing == 1", False),
    ],
)
def test_a_rule_is_a_check_when_it_speaks_of_its_row_alone(condition: str, expected: bool) -> None:
    """Other rows, the caller, the clock and computed fields are beyond a CHECK."""
    assert is_row_check(TASK, parse(condition)) is expected


def test_rules_become_named_checks() -> None:
    """A rule is named by its requirement, or by its number where the key is missing or shared."""
    names = [
        name for name, meaning in constrained(MANIFEST).meanings.items() if meaning.kind is Violation.RULE
    ]
    assert names == [
        "ck_tasks_rule_fr_004",
        "ck_tasks_rule_2",
        "ck_tasks_rule_4",
        "ck_tasks_rule_5",
    ]


def test_a_violated_rule_leads_back_to_the_spec() -> None:
    """The name that PostgreSQL reports gives the rule and the fields it speaks of."""
    violated = Violated(Violation.RULE, "Task", ("due", "created_at"), "one")
    assert describe_constraint(MANIFEST, "ck_tasks_rule_fr_004") == violated


def test_an_unknown_name_means_nothing() -> None:
    """A constraint that somebody else made has no meaning in the spec."""
    assert describe_constraint(MANIFEST, "ck_handmade") is None
