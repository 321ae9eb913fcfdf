"""What the operators of the expression language do to values, in plain Python."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from specwright.model.types import Kind, Type


def rounded(value: Any, type_: Type) -> Any:
    """A number with as many digits after the point as its type has; halves go away from zero."""
    if value is None or type_.kind is not Kind.NUMBER or type_.scale is None:
        return value
    with localcontext(prec=5000):
        return Decimal(value).quantize(Decimal(1).scaleb(-type_.scale), ROUND_HALF_UP)


def is_same(a: Any, b: Any) -> bool:
    """Whether `a == b`; True is no 1."""
    return bool(a == b) and isinstance(a, bool) == isinstance(b, bool)


def are_ordered(a: Any, b: Any) -> bool:
    """Whether one of the two is more than the other, or they are equal: they are of one kind."""
    for kind in (str, datetime, date):
        if isinstance(a, kind) or isinstance(b, kind):
            return isinstance(a, kind) and isinstance(b, kind)
    return all(isinstance(value, int | Decimal) and not isinstance(value, bool) for value in (a, b))


@dataclass(frozen=True, slots=True)
class Duration:
    """What `days(n)` and `hours(n)` give, in hours."""

    hours: int


def _moved(moment: Any, hours: int) -> Any:
    """The moment so much later; None outside the years 1 to 9999, where there is none."""
    try:
        return moment + timedelta(hours=int(hours))
    except OverflowError:
        return None


def compute(operator: str, a: Any, b: Any) -> Any:
    """`a + b`, `a - b` or `a * b`, exact; None with a None."""
    if a is None or b is None:
        return None
    if isinstance(b, Duration):
        return _moved(a, b.hours if operator == "+" else -b.hours)
    with localcontext(prec=5000):
        match operator:
            case "+":
                return a + b
            case "-":
                return a - b
            case _:
                return a * b
