"""What is learned of rows while they are made."""

import pytest

from specwright.verify.lab import Row
from specwright.verify.people.people import ANONYMOUS
from specwright.verify.rows.making import names
from specwright.verify.surface.surface import Collection


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("how-to-train", ["title"]),
        ("how-to-train-7f3a", ["title"]),
        ("17", []),
        ("0192f1c1-1e6f-7a0a-8c57-9f3c2f4b8c9d", []),
    ],
)
def test_members_that_name_a_row(key: str, expected: list[str]) -> None:
    """A slug is made of a title: a change of the title would move the row to another path."""
    collection = Collection("articles", key="slug")
    row = Row(collection, ANONYMOUS, {"slug": key}, {}, {"title": "How to Train!", "body": "x y", "stars": 3})
    assert list(names(row)) == expected
