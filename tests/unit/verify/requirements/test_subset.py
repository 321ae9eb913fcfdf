"""A JSON subset with wildcards."""

from typing import Any

import pytest

from specwright.verify.requirements.evidence import Difference
from specwright.verify.requirements.subset import differences, read_json


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ({}, {"a": 1}),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": {"b": None}}, {"a": {"b": None, "c": 1}}),
        ([], []),
        ([{"a": 1}, {}], [{"a": 1, "b": 2}, {"c": 3}]),
        ("*", 0),
        ({"a": "*"}, {"a": False}),
        ({"a": "*"}, {"a": {"b": None}}),
        (80.5, 80.50),
        (1, 1.0),
    ],
)
def test_holds(expected: Any, got: Any) -> None:
    """Members that are not named may be there; a wildcard is any value but null."""
    assert list(differences(expected, got)) == []


@pytest.mark.parametrize(
    ("expected", "got", "found"),
    [
        ({"a": 1}, {"a": 2}, Difference("a", "1", "2")),
        ({"a": 1}, {}, Difference("a", "1", "no such member")),
        ({"a": None}, {}, Difference("a", "null", "no such member")),
        ({"a": "*"}, {"a": None}, Difference("a", "any value", "null")),
        ({"a": "*"}, {}, Difference("a", '"*"', "no such member")),
        ({"a": 1}, {"a": True}, Difference("a", "1", "true")),
        ({"a": False}, {"a": 0}, Difference("a", "false", "0")),
        ({"a": "1"}, {"a": 1}, Difference("a", '"1"', "1")),
        ({"a": [1, 2]}, {"a": [2, 1]}, Difference("a[0]", "1", "2")),
        ({"a": []}, {"a": [1]}, Difference("a", "[]", "[1]")),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, Difference("a[0].b", "1", "2")),
        ({"a": {}}, {"a": None}, Difference("a", "{}", "null")),
        ([], {}, Difference("", "[]", "{}")),
    ],
)
def test_tells_the_first_difference(expected: Any, got: Any, found: Difference) -> None:
    """What is missing or other is told with its place; lists have the same length and order."""
    assert next(differences(expected, got)) == found


def test_every_difference_is_told() -> None:
    """All differences of an answer are shown at once."""
    assert len(list(differences({"a": 1, "b": 2}, {"a": 2, "b": 3}))) == 2


@pytest.mark.parametrize("text", ["NaN", "Infinity", "", "{", "{'a': 1}"])
def test_what_is_not_json_is_refused(text: str) -> None:
    """Python's own extensions of JSON are not JSON."""
    with pytest.raises(ValueError):
        read_json(text)
