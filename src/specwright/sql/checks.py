"""CHECK constraints that follow from one field: what no stored value may be, whoever writes it.

The API refuses the same values first, with a better message; these hold against every other writer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from specwright.model.field import Field
from specwright.model.manifest import Manifest
from specwright.model.types import MAX_INTEGER, Kind, Type
from specwright.sql.columns import quoted

#: Characters of a text, email or url whose rule names no upper bound.
UNBOUNDED_TEXT = 10_000

#: OpenID Connect Core 1.0 §2: a `sub` does not exceed 255 characters. It also keeps keys indexable.
LONGEST_SUBJECT = 255

#: A B-tree entry holds a third of a page: 2704 bytes, less its header and the other columns.
_INDEXABLE_BYTES = 2_500

#: Characters of a text in a list that is indexed: a GIN entry holds as much, and PostgreSQL refuses others.
INDEXED_ITEM = _INDEXABLE_BYTES // 4

#: Years 1 to 9999, which RFC 3339 can write and Python can read; infinity lies outside.
_YEARS = {
    Kind.DATE: ("'0001-01-01'", "'10000-01-01'"),
    Kind.TIMESTAMP: ("'0001-01-01 00:00:00+00'", "'10000-01-01 00:00:00+00'"),
}


#: The types of what is not stored as text.
_STORED = {
    Kind.INTEGER: "bigint",
    Kind.NUMBER: "numeric",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.TIMESTAMP: "timestamptz",
    Kind.UUID: "uuid",
}


class Violation(StrEnum):
    """What a constraint guards."""

    KEY = "key"
    UNIQUE = "unique"
    REFERENCE = "reference"
    LENGTH = "length"
    RANGE = "range"
    LITERALS = "literals"
    PATTERN = "pattern"
    ITEMS = "items"
    #: Too many bytes for the index on the field.
    SIZE = "size"
    RULE = "rule"
    #: Held by a trigger: no CHECK sees where a row comes from.
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class Check:
    """A condition on one column, in SQL."""

    kind: Violation
    sql: str


def field_checks(manifest: Manifest, field: Field, column: str, shares_index_with: int) -> Iterator[Check]:
    """The checks of a stored field; `column` is its quoted name.

    `shares_index_with`: how many text columns the widest index on it has, itself included; 0 for none.
    """
    if field.built_in and field.type.kind not in {Kind.TEXT, Kind.REFERENCE}:
        return
    match field.type.kind:
        case Kind.TEXT | Kind.EMAIL | Kind.URL:
            if field.built_in:
                yield _subject(column)
                return
            yield _length(field, f"char_length({column})", UNBOUNDED_TEXT)
            if shares_index_with:
                limit = _INDEXABLE_BYTES // shares_index_with
                if 4 * _most(field, UNBOUNDED_TEXT) > limit:
                    yield Check(Violation.SIZE, f"octet_length({column}) <= {limit}")
        case Kind.REFERENCE:
            target = manifest.resource(str(field.type.target))
            if target.external and target.key_field.type.kind is Kind.TEXT:
                yield _subject(column)
        case Kind.ENUM:
            yield Check(Violation.LITERALS, f"{column} IN ({_literals(field.type)})")
        case Kind.LIST:
            if field.bounds.least is not None or field.bounds.most is not None:
                yield _length(field, f"cardinality({column})", None)
            yield from _items(field, column)
        case Kind.INTEGER | Kind.NUMBER | Kind.DATE | Kind.TIMESTAMP as kind:
            yield Check(Violation.RANGE, _range(kind, field.bounds.least, field.bounds.most, column))
    if field.pattern is not None:
        yield Check(Violation.PATTERN, f"{column} ~ {quoted(f'^(?:{field.pattern})$')}")


def _subject(column: str) -> Check:
    return Check(Violation.LENGTH, f"char_length({column}) BETWEEN 1 AND {LONGEST_SUBJECT}")


def _most(field: Field, otherwise: int) -> int:
    return otherwise if field.bounds.most is None else int(field.bounds.most)


def _length(field: Field, measure: str, longest: int | None) -> Check:
    least = field.bounds.least or 0
    most = longest if field.bounds.most is None else field.bounds.most
    if most is None:
        return Check(Violation.LENGTH, f"{measure} >= {least}")
    if not least:
        return Check(Violation.LENGTH, f"{measure} <= {most}")
    return Check(Violation.LENGTH, f"{measure} BETWEEN {least} AND {most}")


def _range(kind: Kind, least: Any, most: Any, column: str) -> str:
    match kind:
        case Kind.INTEGER:
            low = -MAX_INTEGER if least is None else max(least, -MAX_INTEGER)
            high = MAX_INTEGER if most is None else min(most, MAX_INTEGER)
            return f"{column} BETWEEN {low} AND {high}"
        case Kind.NUMBER:
            # NaN sorts above Infinity in PostgreSQL: an upper bound refuses both.
            above = "> '-Infinity'" if least is None else f">= {_number(least)}"
            below = "< 'Infinity'" if most is None else f"<= {_number(most)}"
        case _:
            first, end = _YEARS[kind]
            above = f">= {first if least is None else _moment(least)}"
            below = f"< {end}" if most is None else f"<= {_moment(most)}"
    return f"{column} {above} AND {column} {below}"


def _number(value: int | Decimal) -> str:
    return format(Decimal(value), "f")


def _moment(value: date | datetime | str) -> str:
    return quoted(value)


def _literals(type: Type) -> str:
    return ", ".join(map(quoted, type.literals))


def _items(field: Field, column: str) -> Iterator[Check]:
    """No null among the items, and none outside its type; how long a text may be, only the API can say."""
    item = field.type.item
    assert item is not None
    # With its type, as PostgreSQL keeps it: of a list of other items it is another condition.
    conditions = [f"array_position({column}, NULL::{_STORED.get(item.kind, 'text')}) IS NULL"]
    match item.kind:
        case Kind.ENUM:
            conditions.append(f"{column} <@ ARRAY[{_literals(item)}]")
        case Kind.INTEGER:
            conditions.append(f"{-MAX_INTEGER} <= ALL ({column}) AND {MAX_INTEGER} >= ALL ({column})")
        case Kind.NUMBER:
            conditions.append(f"'-Infinity' < ALL ({column}) AND 'Infinity' > ALL ({column})")
        case Kind.DATE | Kind.TIMESTAMP:
            first, end = _YEARS[item.kind]
            conditions.append(f"{first} <= ALL ({column}) AND {end} > ALL ({column})")
    yield Check(Violation.ITEMS, " AND ".join(conditions))
