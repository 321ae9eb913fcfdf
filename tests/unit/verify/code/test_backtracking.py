"""Expressions that can be made slow are told from those that only look so."""

import pytest

from specwright.verify.code.backtracking import SLOW, attack, grows

_SLOW = {
    r"(?:[a-z0-9]+-?)+": "fullmatch",
    r"^(\d|\d\d)*x": "match",
    r"\s*\s*\s*x": "search",
    r"id=(\w+,?)+;": "match",
}
_QUICK = {
    r"^[a-z]+$": "match",
    r"[A-Z0-9]+(-[A-Z0-9]+)*": "fullmatch",
    r"^[^@\s]+@[^@\s]+\.[^@\s]+$": "match",
    r"^\+?[0-9][0-9 ]{4,}$": "match",
    r"(?P<year>\d{4})-(?P<month>\d{2})": "search",
    r"(?:[a-z0-9-]+\.)*[a-z]{2,}": "fullmatch",
    r"(a+)+": "match",
    r"[^\w]+": "search",
    r"(?<=x)\d+(?!y)": "search",
    r"": "match",
}


@pytest.mark.parametrize("pattern", _SLOW)
def test_a_slow_expression_is_found(pattern: str) -> None:
    """With a text that makes it slow, whose time grows faster than its length."""
    found = attack(pattern, method=_SLOW[pattern])
    assert found is not None
    assert len(found.seconds) == 3
    assert found.seconds[-1][1] >= SLOW
    assert grows(found.seconds)


@pytest.mark.parametrize("pattern", _QUICK)
def test_a_quick_expression_is_not(pattern: str) -> None:
    """Repeats that can be matched in one way only."""
    assert attack(pattern, method=_QUICK[pattern]) is None


def test_what_is_no_expression_is_not_slow() -> None:
    """Other languages have others."""
    assert attack(r"(?>a") is None


def test_time_that_grows_as_the_length_does_is_none() -> None:
    """Nor is one that makes a leap once."""
    assert not grows([(100, 0.1), (200, 0.2), (400, 0.4)])
    assert not grows([(100, 0.1), (200, 0.1), (400, 0.9)])
    assert grows([(100, 0.1), (200, 0.4), (400, 1.6)])
