"""The language's own meaning, executed."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from builders import backend, entity, field, owner, to
from specwright.model.caller import ANONYMOUS, Caller
from specwright.model.expression import Compare, Parameter, Path
from specwright.model.interpret import World
from specwright.model.syntax import parse
from specwright.model.typecheck import check_condition
from specwright.model.types import BOOLEAN, DATE, INTEGER, TEXT, TIMESTAMP, Kind, Type

NOW = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
MANIFEST = backend(
    entity(
        "Task",
        field("title", TEXT),
        field("priority", INTEGER),
        field("cost", Type(Kind.NUMBER, precision=8, scale=2)),
        field("due", TIMESTAMP),
        field("day", DATE),
        field("done", BOOLEAN),
        field("notes", Type(Kind.LIST, item=TEXT)),
        owner(),
        field("project", to("Project")),
    ),
    entity("Project", field("name", TEXT), owner(), field("lead", to("User"))),
)
TASK = MANIFEST.resource("Task")
PROJECT = MANIFEST.resource("Project")
EMPTY: dict[str, Any] = {field.name: None for field in TASK.fields}
P1 = {"id": "p1", "name": "Garden", "owner": "ada", "lead": None}
P2 = {"id": "p2", "name": None, "owner": "bob", "lead": "eve"}
TASKS = [
    {**EMPTY, "id": "t1", "title": "dig", "priority": 1, "owner": "ada", "project": "p1"},
    {**EMPTY, "id": "t2", "title": "sow", "priority": 5, "owner": "bob", "project": "p1"},
    {**EMPTY, "id": "t3", "title": None, "owner": "bob"},
]
WORLD = World(MANIFEST, {"Project": [P1, P2], "Task": TASKS}, NOW)
ADA = Caller("ada", frozenset({"admin"}), {"plan": {"level": 3}, "team": ["red"], "day": "2026-03-01"})


def holds(text: str, row: Mapping[str, Any] | None = None, caller: Caller = ADA) -> bool:
    """Whether a checked condition holds on a task."""
    expr = parse(text)
    assert check_condition(MANIFEST, TASK, expr) == []
    return WORLD.holds(expr, TASK, {**EMPTY, **(row or {})}, caller)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("title == None", True),
        ("title != None", False),
        ("title is None", True),
        ('title == "x"', False),
        ('title != "x"', True),
        ('not title == "x"', True),
        ('not title != "x"', False),
        ("title == title", True),
        ("priority < 1", False),
        ("priority >= 1", False),
        ("not priority < 1", True),
        ("priority + 1 == None", True),
        ("priority + 1 is None", True),
        ("-priority is None", True),
        ("priority * 0 == 0", False),
        ('title in ["x"]', False),
        ('title not in ["x"]', True),
        ('"x" in notes', False),
        ('"x" not in notes', True),
        ('contains(title, "x")', False),
        ('not contains(title, "x")', True),
        ("len(title) == 0", False),
        ("len(title) is None", True),
        ("done", False),
        ("not done", True),
        ("done == False", False),
        ("done != True", True),
        ("project.name is None", True),
        ("project.owner == caller", False),
        ("project.owner != caller", True),
        ('coalesce(title, "x") == "x"', True),
        ("due > now()", False),
        ("date(due) is None", True),
    ],
)
def test_none_is_a_value(text: str, expected: bool) -> None:
    """None equals None, orders with nothing, is in nothing, and `not` is plain negation."""
    assert holds(text) is expected


@pytest.mark.parametrize(
    ("text", "row", "expected"),
    [
        ("owner == caller", {"owner": "bob"}, False),
        ("owner == caller", {}, True),
        ("owner != caller.id", {"owner": "bob"}, True),
        ("caller == None", {}, True),
        ("caller.id is None", {}, True),
        ('"admin" in caller.roles', {}, False),
        ("caller.claims.plan.level > 1", {}, False),
    ],
)
def test_the_anonymous_are_nobody(text: str, row: dict[str, Any], expected: bool) -> None:
    """An anonymous caller's id is None, which is a value like any other; roles and claims are empty."""
    assert holds(text, row, ANONYMOUS) is expected


@pytest.mark.parametrize(
    ("text", "row", "expected"),
    [
        ("cost == 1", {"cost": Decimal("1.00")}, True),
        ("cost == 0.1", {"cost": Decimal("0.10")}, True),
        ("cost * 3 == 0.3", {"cost": Decimal("0.10")}, True),
        ("priority * 9007199254740991 > 0", {"priority": 2**53 - 1}, True),
        ("abs(priority) == 3", {"priority": -3}, True),
        ("-priority == 3", {"priority": -3}, True),
        ("priority - 1 - 1 == 1", {"priority": 3}, True),
        ('title < "b"', {"title": "Z"}, True),
        ('title < "é"', {"title": "z"}, True),
        ('lower(title) == "ÄB"', {"title": "ÄB"}, False),
        ('lower(title) == "Äb"', {"title": "ÄB"}, True),
        ('upper(title) == "ßA"', {"title": "ßa"}, True),
        ("len(title) == 1", {"title": "😀"}, True),
        ('contains(title, "")', {"title": ""}, True),
        ('contains(title, "%")', {"title": "100"}, False),
        ('startswith(title, "a_")', {"title": "ab"}, False),
        ('endswith(title, "lk")', {"title": "milk"}, True),
        ("len(notes) == 0", {"notes": []}, True),
        ('"a" in notes', {"notes": ["b", "a"]}, True),
        ("today() == day", {"day": date(2026, 3, 1)}, True),
        (
            "date(due) == day",
            {"due": datetime.fromisoformat("2026-03-02T01:00:00+02:00"), "day": date(2026, 3, 1)},
            True,
        ),
        ('due == "2026-03-02T01:00:00+02:00"', {"due": datetime(2026, 3, 1, 23, tzinfo=UTC)}, True),
        ("due < now()", {"due": datetime(2026, 3, 1, 23, tzinfo=UTC)}, True),
        ("done", {"done": True}, True),
        ("done == True", {"done": True}, True),
    ],
)
def test_values(text: str, row: dict[str, Any], expected: bool) -> None:
    """Numbers are exact, text compares by code point, only ASCII changes case, dates are UTC."""
    assert holds(text, row) is expected


@pytest.mark.parametrize(
    ("text", "row", "expected"),
    [
        ("caller.claims.plan.level == 3", {}, True),
        ("priority < caller.claims.plan.level", {"priority": 2}, True),
        ("title in caller.claims.team", {"title": "red"}, True),
        ("title in caller.claims.plan", {"title": "level"}, False),
        ("caller.claims.missing is None", {}, True),
        ("caller.claims.plan.level.deeper is None", {}, True),
        ("day == caller.claims.day", {"day": date(2026, 3, 1)}, True),
        ("title == caller.claims.plan.level", {"title": "3"}, False),
        ("title != caller.claims.plan.level", {"title": "3"}, True),
        ("priority < caller.claims.day", {"priority": 1}, False),
        ("caller.claims.plan", {}, False),
    ],
)
def test_claims_take_the_type_they_are_compared_with(text: str, row: dict[str, Any], expected: bool) -> None:
    """A claim that is not of the other side's type is equal to nothing, ordered with nothing."""
    assert holds(text, row) is expected


@pytest.mark.parametrize(
    ("text", "row", "expected"),
    [
        ("tasks.owner == caller", P1, True),
        ("tasks.owner == caller", P2, False),
        ("not tasks.owner == caller", P1, False),
        ("tasks.owner != caller", P1, True),
        ("tasks.owner == 'ada' and tasks.title == 'sow'", P1, True),
        ("tasks.priority > 3", P1, True),
        ("tasks.title is None", P2, False),
        ("tasks.id is not None", P1, True),
        ("tasks.id is not None", P2, False),
        ("not (tasks.id is None)", P2, True),
        ("tasks.title not in ['sow']", P2, True),
        ("tasks.id == tasks.id", P2, False),
        ("tasks.title == tasks.title", P1, True),
        ("tasks.priority + tasks.priority == 6", P1, False),
        ("tasks.project.name == name", P1, True),
        ("lead.id == 'eve'", P2, True),
        ("lead.id is None", P1, True),
    ],
)
def test_relations(text: str, row: dict[str, Any], expected: bool) -> None:
    """A path to many means that some related row exists; one comparison speaks of one row."""
    expr = parse(text)
    assert check_condition(MANIFEST, PROJECT, expr) == []
    assert WORLD.holds(expr, PROJECT, row, ADA) is expected


@pytest.mark.parametrize("reference", ["p1", "gone", None])
def test_a_key_beyond_a_reference_is_the_reference(reference: str | None) -> None:
    """`project.id` is what `project` holds, also where no row is found there; other fields are None then."""
    assert holds("project.id is None", {"project": reference}) is (reference is None)
    assert holds("project.name is None", {"project": reference}) is (reference != "p1")


def test_parameters_come_from_the_request() -> None:
    """A parameter stands for the value that the request supplies."""
    like = Path(("priority",))
    world = World(MANIFEST, {}, NOW, {"least": 2})
    expr = Compare(">=", like, Parameter("least", INTEGER))
    assert world.holds(expr, TASK, {**EMPTY, "priority": 2})
    assert not world.holds(expr, TASK, {**EMPTY, "priority": 1})


def test_a_value_is_computed() -> None:
    """An expression that is not a condition yields its value."""
    assert WORLD.value(parse("priority * 2"), TASK, {**EMPTY, "priority": 4}) == 8
    assert WORLD.value(parse("project.name"), TASK, TASKS[0]) == "Garden"
