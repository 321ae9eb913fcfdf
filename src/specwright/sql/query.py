"""What a list request asks for, read and checked, before it is a statement."""

from dataclasses import dataclass
from typing import Any

from specwright.model.manifest import Field

#: The operators of `field__op=value`, and what each means.
OPERATORS = {
    "eq": "equal",
    "ne": "not equal; a row without a value is not equal",
    "gt": "greater",
    "gte": "greater or equal",
    "lt": "less",
    "lte": "less or equal",
    "in": "one of the comma-separated values",
    "contains": "holds this text, letter by letter",
    "startswith": "begins with this text, letter by letter",
    "isnull": "has no value (true) or has one (false)",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """`field__operator=value`; `value` is typed: a tuple for `in`, a bool for `isnull`."""

    field: Field
    operator: str
    value: Any


@dataclass(frozen=True, slots=True)
class Sort:
    """One key of the order."""

    field: Field
    descending: bool = False


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A page of a list. `sort` always ends with the key; `fields` are in the resource's order.

    `after` holds the sort values of the last row of the page before, from a verified cursor.
    """

    sort: tuple[Sort, ...]
    fields: tuple[Field, ...]
    limit: int
    offset: int = 0
    filters: tuple[Filter, ...] = ()
    after: tuple[Any, ...] | None = None
    count: bool = False
