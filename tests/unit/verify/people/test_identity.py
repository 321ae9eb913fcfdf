"""A parameter that says who is meant is filled with what the app calls that person."""

import pytest

from specwright.verify.people.identity import identity, named
from specwright.verify.people.people import Person
from specwright.verify.people.signing_in import apart
from specwright.verify.surface.surface import Parameter

UUID = "6f1c1c1e-6f0a-4c57-9f3c-2f4b8c9d0e1f"
ADA = Person("ada", known_as=frozenset({"7", "ada", "ada@example.com", UUID, "access"}))


@pytest.mark.parametrize(
    ("name", "schema", "expected"),
    [
        ("username", {"type": "string"}, "ada"),
        ("user_id", {"type": "integer"}, "7"),
        ("owner", {"type": "string", "format": "uuid"}, UUID),
        ("email", {"type": "string"}, "ada@example.com"),
        ("slug", {"type": "string"}, None),
        ("id", {"type": "integer"}, None),
    ],
)
def test_who_is_meant(name: str, schema: dict[str, str], expected: str | None) -> None:
    """By the parameter's name, in its type; anything else is for whoever makes rows."""
    assert named(ADA, Parameter(name, "path", schema, required=True)) == expected


def test_nobody_is_known_in_a_form_that_they_have_not() -> None:
    """Who has no number is not named by one."""
    assert identity(Person("bob", known_as=frozenset({"bob"})), {"type": "integer"}) is None


def test_what_both_are_called_tells_nothing() -> None:
    """Tokens whose `sub` is the word "access" make nobody known as that."""
    bob = Person("bob", known_as=frozenset({"bob", "access"}))
    ada, bob = apart(ADA, bob)
    assert "access" not in ada.known_as | bob.known_as
    assert {"7", "ada"} <= ada.known_as and bob.known_as == {"bob"}
