"""What a list request asks for, read and checked, before it is a statement."""

from dataclasses import dataclass
from typing import Any

from specwright.model.field import Field
from specwright.model.relation import Relation
from specwright.sql.filter import Condition
from specwright.sql.scope import Deleted

#: The operators of `field__op=value`, and what each means.
OPERATORS = {
    "eq": "equal",
    "ne": "not equal; a row without a value is not equal",
    "gt": "greater",
    "gte": "greater or equal",
    "lt": "less",
    "lte": "less or equal",
    "in": "one of the comma-separated values",
    "contains": "holds this text, letter by letter; a list this value, json this JSON",
    "startswith": "begins with this text, letter by letter",
    "isnull": "has no value (true) or has one (false)",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """`field__operator=value`; `value` is typed: a tuple for `in`, a bool for `isnull`."""

    field: Field
    operator: str
    value: Any
    #: The names of the relations that lead to the field.
    through: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The path of the field, dotted."""
        return ".".join((*self.through, self.field.name))


@dataclass(frozen=True, slots=True)
class Sort:
    """One key of the order."""

    field: Field
    descending: bool = False
    #: The names of the relations that lead to the field, each to one row.
    through: tuple[str, ...] = ()
    #: Whether rows without a value come first; None as it is by default, first where values descend.
    nulls_first: bool | None = None

    @property
    def path(self) -> str:
        """The path of the field, dotted."""
        return ".".join((*self.through, self.field.name))

    @property
    def key(self) -> tuple[str, bool, bool]:
        """What it is in the shape of a list."""
        return self.path, self.descending, self.descending if self.nulls_first is None else self.nulls_first


@dataclass(frozen=True, slots=True)
class Related:
    """Rows to include, and what to include in each of them."""

    relation: Relation
    beyond: tuple["Related", ...] = ()


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
    condition: Condition | None = None
    search: str | None = None
    include: tuple[Related, ...] = ()
    #: What becomes of deleted rows.
    deleted: Deleted = Deleted.HIDDEN
    #: The names of the entities that filters, condition, sort keys and includes lead through or to.
    reached: tuple[str, ...] = ()
