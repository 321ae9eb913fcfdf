"""What an expression means on a resource."""

import pytest

from builders import backend, entity, field, owner, to
from specwright.model.syntax import parse
from specwright.model.typecheck import (
    check_condition,
    check_value,
    on_caller_alone,
)
from specwright.model.types import (
    ANY,
    BOOLEAN,
    DATE,
    INTEGER,
    NUMBER,
    TEXT,
    TIMESTAMP,
    Kind,
    Type,
    common_type,
)

STATUS = Type(Kind.ENUM, literals=("todo", "in progress"))
TASK = entity(
    "Task",
    field("title", TEXT, required=True),
    field("status", STATUS),
    field("priority", INTEGER),
    field("cost", Type(Kind.NUMBER, precision=8, scale=2)),
    field("due", TIMESTAMP),
    field("day", DATE),
    field("done", BOOLEAN),
    field("notes", Type(Kind.LIST, item=TEXT)),
    field("extra", Type(Kind.JSON)),
    owner(),
    field("project", to("Project")),
)
PROJECT = entity("Project", field("name", TEXT), owner())
MANIFEST = backend(TASK, PROJECT)
TASK = MANIFEST.resource("Task")
PROJECT = MANIFEST.resource("Project")


@pytest.mark.parametrize(
    "text",
    [
        'status == "todo"',
        'status in ["todo", "in progress"]',
        "due is None or due > created_at",
        "owner == caller",
        "owner.id == caller.id",
        "project.owner == caller",
        "project == project",
        "project == id",
        "day >= today() and date(due) == day",
        'day == "2026-01-31"',
        'due < "2026-01-31T12:00:00+02:00"',
        "cost * 2 > priority + 1",
        "len(title) < 10 and len(notes) > 0",
        '"a" in notes and "admin" in caller.roles',
        "caller.claims.level > 3",
        "title in caller.claims.titles",
        "extra is not None",
        'coalesce(title, "x") == title',
        "done and not done",
        "caller.claims.staff",
        'id == "0189f7e4-0000-7000-8000-000000000000"',
        'contains(lower(title), "milk")',
    ],
)
def test_accepts(text: str) -> None:
    """Conditions with a meaning are accepted."""
    assert check_condition(MANIFEST, TASK, parse(text)) == []


@pytest.mark.parametrize(
    ("text", "column", "part"),
    [
        ('titel == "x"', 1, 'Did you mean "title"?'),
        ("status == todo", 11, 'A literal stands in quotes: "todo"'),
        ('status == "toodo"', 11, 'Did you mean "todo"?'),
        ('status in ["todo", "later"]', 20, "not one of the literals"),
        ('status > "todo"', 1, "no order"),
        ("done > True", 1, "no order"),
        ("due > day", 1, "write today()"),
        ("due > today()", 1, "write today()"),
        ("due > None", 7, "None"),
        ("None in notes", 1, "None is in no list"),
        ("title == 3", 10, "is not text"),
        ("priority == True", 13, "is not integer"),
        ("day == '31.01.2026'", 8, "2026-01-31"),
        ("due == '2026-01-31T12:00:00'", 8, "offset"),
        ("extra == title", 1, "json and lists do not compare"),
        ("notes == notes", 1, "json and lists do not compare"),
        ("title", 1, "not a condition"),
        ("None", 1, "not a condition"),
        ("priority + title > 1", 12, "needs numbers"),
        ("-title == 1", 2, "needs numbers"),
        ("lenght(title) > 1", 1, 'Did you mean "len"?'),
        ("len(priority) > 1", 5, "len takes"),
        ("now(title) > due", 1, "no argument"),
        ("(title == status) == done", 2, "not a value"),
        ("title == [1]", 10, "right of"),
        ("title in title", 10, "needs a list"),
        ("caller.name == title", 1, "caller.claims.NAME"),
        ("title.x == 1", 1, "not an entity"),
        ("project.nam == title", 1, 'Did you mean "name"?'),
        ("owner == project", 1, "do not compare"),
    ],
)
def test_refuses(text: str, column: int, part: str) -> None:
    """What has no meaning is an error that says why, where and what to write."""
    problems = check_condition(MANIFEST, TASK, parse(text))
    assert len(problems) == 1
    assert part in problems[0].message
    assert problems[0].column == column


def test_a_wrong_type_is_told_once() -> None:
    """What it is not, and a reason only where there is more to say."""
    (problem,) = check_condition(MANIFEST, TASK, parse("priority == '1'"))
    assert problem.message == "'1' is not integer"


def test_finds_every_problem() -> None:
    """All mistakes of an expression are told at once."""
    assert len(check_condition(MANIFEST, TASK, parse("titel == 1 and prioritie == 2"))) == 2


def test_a_to_many_path_needs_a_field() -> None:
    """A relation to many stands for rows: a field of theirs must be named."""
    assert check_condition(MANIFEST, PROJECT, parse("tasks.owner == caller")) == []
    (problem,) = check_condition(MANIFEST, PROJECT, parse("tasks is None"))
    assert '"tasks.id"' in problem.message


def test_without_a_resource_only_the_caller_is_known() -> None:
    """A condition on the caller alone knows no field."""
    assert check_condition(MANIFEST, None, parse('"admin" in caller.roles')) == []
    assert check_condition(MANIFEST, None, parse("title == 'x'"))


def test_values_have_the_type_of_their_field() -> None:
    """A computed field takes what fits its type."""
    assert check_value(MANIFEST, TASK, parse("priority + 1"), INTEGER) == []
    assert check_value(MANIFEST, TASK, parse("priority"), NUMBER) == []
    assert check_value(MANIFEST, TASK, parse("cost"), INTEGER)
    assert check_value(MANIFEST, TASK, parse("due < now()"), BOOLEAN) == []
    assert check_value(MANIFEST, TASK, parse("title"), BOOLEAN)


@pytest.mark.parametrize(
    ("left", "right", "common"),
    [
        (INTEGER, NUMBER, NUMBER),
        (TEXT, STATUS, STATUS),
        (TEXT, DATE, DATE),
        (ANY, DATE, DATE),
        (None, None, None),
        (TEXT, Type(Kind.EMAIL), TEXT),
    ],
)
def test_common_types(left: Type | None, right: Type | None, common: Type | None) -> None:
    """Two operands compare in the same type whichever comes first."""
    assert common_type(left, right) == common
    assert common_type(right, left) == common


def test_what_an_expression_depends_on() -> None:
    """Conditions on the caller alone are told apart from all others."""
    assert on_caller_alone(parse('"admin" in caller.roles'))
    assert not on_caller_alone(parse("caller == owner"))
    assert not on_caller_alone(parse("now() > '2026-01-01T00:00:00Z'"))
