"""What is known of a value in the code: whether somebody who sends requests has a say in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Self


@dataclass(frozen=True, slots=True)
class Value:
    """An expression's value."""

    #: Whether it holds what a request says, as text that can be anything.
    sent: bool = False
    #: The literal text that it was put together with; "" where it was not.
    around: str = ""
    #: The class of the app's that it is of, or Request.
    kind: str = ""

    def __or__(self, other: Self) -> "Value":
        around = self.around or other.around
        if self.sent != other.sent:
            around = self.around if self.sent else other.around
        return Value(self.sent or other.sent, around, self.kind or other.kind)

    @property
    def put_together(self) -> bool:
        """Whether it is a text that has something of the request in the middle of it."""
        return self.sent and bool(self.around)


NOTHING = Value()


def any_of(values: Iterable[Value]) -> Value:
    """What holds of any of them."""
    return reduce(Value.__or__, values, NOTHING)
