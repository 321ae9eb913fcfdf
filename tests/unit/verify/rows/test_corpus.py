"""Hard values, in words."""

from typing import Any

import pytest

from specwright.verify.rows.corpus import named, texts, values


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (float("nan"), "NaN"),
        (float("-inf"), "Infinity"),
        ("", "an empty text"),
        ("\ud800", "half a surrogate"),
        ("x" * 3000, "a text of 3000 characters"),
        (10**400, "a number of 401 digits"),
        (2**63, "9223372036854775808"),
        ([None], "[null]"),
        ("24:00", '"24:00"'),
    ],
)
def test_a_value_is_told_in_words(value: Any, words: str) -> None:
    """Short ones as they are."""
    assert named(value) == words


@pytest.mark.parametrize("kind", ["text", "number", "time", "uuid"])
def test_every_value_has_words_that_can_be_printed(kind: str) -> None:
    """On one line, and not a long one."""
    for value in (*values(kind), *texts(kind)):
        assert named(value).isprintable() and len(named(value)) <= 60
