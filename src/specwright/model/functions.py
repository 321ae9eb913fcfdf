"""The functions of the expression language: a closed list."""

from specwright.model.types import (
    BOOLEAN,
    DATE,
    INTEGER,
    NUMBER_KINDS,
    ORDERED_KINDS,
    TEXT,
    TEXT_KINDS,
    TIMESTAMP,
    Kind,
    Type,
)

#: Of each the kinds of its arguments and its result (None: as the argument).
FUNCTIONS: dict[str, tuple[tuple[frozenset[Kind], ...], Type | None]] = {
    "now": ((), TIMESTAMP),
    "today": ((), DATE),
    "date": ((frozenset({Kind.TIMESTAMP}),), DATE),
    "len": ((TEXT_KINDS | {Kind.LIST},), INTEGER),
    "lower": ((TEXT_KINDS,), TEXT),
    "upper": ((TEXT_KINDS,), TEXT),
    "contains": ((TEXT_KINDS | {Kind.JSON},) * 2, BOOLEAN),
    "startswith": ((TEXT_KINDS, TEXT_KINDS), BOOLEAN),
    "endswith": ((TEXT_KINDS, TEXT_KINDS), BOOLEAN),
    "abs": ((NUMBER_KINDS,), None),
    "coalesce": ((ORDERED_KINDS | {Kind.BOOLEAN, Kind.UUID},) * 2, None),
    "days": ((frozenset({Kind.INTEGER}),), None),
    "hours": ((frozenset({Kind.INTEGER}),), None),
}

#: How many hours each of the functions stands for that say how long. They follow + or - after a moment.
DURATIONS = {"days": 24, "hours": 1}

#: The functions whose value changes by waiting.
VOLATILE = frozenset({"now", "today"})
