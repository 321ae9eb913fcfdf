"""The memory of verified tokens: bounded, and no longer than a token lives."""

from specwright.auth.callers import Callers
from specwright.auth.token import LEEWAY
from specwright.model.caller import Caller


class Clock:
    """A time that passes when told to."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def test_the_same_caller_until_expiry() -> None:
    """A token gives the very same caller until its expiry and leeway, and nobody after."""
    clock = Clock()
    callers = Callers(now=clock)
    ada = Caller("ada")
    callers.add("token", ada, expires=1100)
    clock.time = 1100 + LEEWAY - 1
    assert callers.get("token") is ada
    clock.time = 1100 + LEEWAY
    assert callers.get("token") is None
    assert len(callers) == 0


def test_the_least_recently_seen_makes_room() -> None:
    """However many tokens come, no more than the capacity is remembered."""
    callers = Callers(2, now=Clock())
    for name in ("a", "b"):
        callers.add(name, Caller(name), expires=2000)
    assert callers.get("a") is not None
    callers.add("c", Caller("c"), expires=2000)
    assert len(callers) == 2
    assert callers.get("b") is None
    assert callers.get("a") is not None
