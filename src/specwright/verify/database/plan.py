"""What a database says of statements: which of them read a whole table for want of an index."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

#: Rows that a table is given before it is asked.
ROWS = 10_000
#: Columns that seldom hold more than a few values, whatever their type: an index on one is worth little.
FEW_VALUES = re.compile(
    r"status|state|kind|type|role|category|priority|gender|lang(uage)?|locale|currency|country|(is|has)_.*",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Missing:
    """A column without an index that a statement would use if there was one."""

    table: str
    column: str
    #: As the database shows it, without the index.
    plan: str

    @property
    def place(self) -> str:
        """`orders.customer_id`."""
        return f"{self.table}.{self.column}"


@dataclass(slots=True)
class Plans:
    """What a database says of statements when its tables have many rows."""

    #: By statement; one that could not be planned is not there.
    missing: dict[str, list[Missing]] = field(default_factory=dict)
    #: Tables that could be given no rows, and why.
    unseeded: dict[str, str] = field(default_factory=dict)


def candidates(statement: str, columns: Mapping[str, str], indexed: set[str]) -> list[str]:
    """The columns, by name and type, that a statement names and an index could help to find rows by."""
    return [
        name
        for name, type in columns.items()
        if name not in indexed
        and not FEW_VALUES.fullmatch(name)
        and not re.match(r"bool|enum|json|bytea|blob", type, re.I)
        and re.search(rf"\b{re.escape(name)}\b", statement, re.I)
    ]
