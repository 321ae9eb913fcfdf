"""What is held against what is stored, and what is left to the project's own code."""

import pytest

from specwright.verify.policy.answers import unstored

_BEFORE = {"title": "rose", "state": "open"}


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        pytest.param({"title": "tulip", "state": "open"}, "", id="as it was sent"),
        pytest.param({"title": "Tulip", "state": "open"}, "", id="as a hook spells it"),
        pytest.param({"title": "rose", "state": "open"}, "title is sent and not stored", id="as before"),
    ],
)
def test_a_value_that_is_sent_takes_effect(row: dict[str, str], wrong: str) -> None:
    """What was there before must give way; what code has made of the value is the code's business."""
    assert unstored(row, {"title": "tulip"}, _BEFORE) == wrong


def test_a_value_that_was_there_already_is_no_fault() -> None:
    """Nothing has to change where the same is sent again."""
    assert unstored({"title": "rose"}, {"title": "rose"}, _BEFORE) == ""
