"""Names: what the words of a spec become, and which are taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specwright.model.names import (
    class_name,
    field_problem,
    hint,
    kebab,
    name_problem,
    plural,
    snake,
    suggest,
    title,
    words,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Task", ("Task", "Task", "task", "task")),
        ("Loan item", ("LoanItem", "Loan item", "loan_item", "loan-item")),
        ("LoanItem", ("LoanItem", "Loan item", "loan_item", "loan-item")),
        ("loan_item", ("LoanItem", "Loan item", "loan_item", "loan-item")),
        ("VIP guest", ("VIPGuest", "VIP guest", "vip_guest", "vip-guest")),
        ("HTTPServer", ("HTTPServer", "HTTP server", "http_server", "http-server")),
        ("Level 2 task", ("Level2Task", "Level 2 task", "level_2_task", "level-2-task")),
    ],
)
def test_forms(text: str, expected: tuple[str, ...]) -> None:
    """One name has a form for each place it appears in."""
    assert (class_name(text), title(text), snake(text), kebab(text)) == expected


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("task", "tasks"),
        ("Category", "Categories"),
        ("day", "days"),
        ("box", "boxes"),
        ("bus", "buses"),
        ("quiz", "quizes"),
        ("match", "matches"),
        ("dish", "dishes"),
        ("Loan entry", "Loan entries"),
    ],
)
def test_plurals(one: str, many: str) -> None:
    """The plural follows three rules and no dictionary."""
    assert plural(one) == many


@pytest.mark.parametrize(
    "name",
    [
        "id",
        "created at",
        "updatedAt",
        "version",
        "deleted_at",
        "limit",
        "q",
        "filter",
        "caller",
        "now",
        "class",
        "not",
        "None",
        "a__b",
        "9lives",
        "größe",
        "a.b",
        "",
        "_x",
        "x_",
        "a" * 64,
    ],
)
def test_names_that_are_taken(name: str) -> None:
    """A name that means something else, or cannot be stored, is refused."""
    assert field_problem(name, "Task") is not None


@pytest.mark.parametrize("name", ["title", "due on", "owner", "roles", "x1", "the-end", "a" * 63, "status"])
def test_names_that_are_free(name: str) -> None:
    """Other names are fine."""
    assert field_problem(name, "Task") is None


@given(st.text(max_size=40))
def test_a_good_name_has_all_forms(text: str) -> None:
    """Whatever can be a name has a snake form that is an identifier and its own snake form."""
    if name_problem(text) is None:
        assert words(text)
        assert snake(text).isidentifier()
        assert snake(snake(text)) == snake(text)
        assert class_name(text).isidentifier()


def test_suggestions() -> None:
    """A close word is suggested, whatever its case; else all that is known can be listed."""
    assert suggest("requird", ["required", "unique"]) == "required"
    assert suggest("task", ["Task"]) == "Task"
    assert suggest("zzz", ["required"]) is None
    assert hint("requird", ["required"]) == ' Did you mean "required"?'
    assert hint("zzz", ["a", "b"], "There are") == " There are a, b"
    assert hint("zzz", []) == ""
