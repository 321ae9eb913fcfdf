"""What a table looks like, as plain values that can be compared, copied and written down."""

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Constraint,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy.types import TypeEngine

from specwright.model.resource import Resource
from specwright.sql.tables import DIALECT, Tables


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """A column: its type as SQL, and the expression that fills it when a row does not say."""

    name: str
    sql_type: str
    type: TypeEngine[Any] = field(compare=False, repr=False)
    nullable: bool
    default: str | None = None

    def build(self, default: str | None = None) -> Column[Any]:
        """A fresh SQLAlchemy column, filled by default where it has none of its own."""
        filled = self.default or default
        return Column(
            self.name,
            self.type,
            nullable=self.nullable,
            server_default=None if filled is None else literal_column(filled),
        )


@dataclass(frozen=True, slots=True)
class PrimaryKey:
    """A primary key."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unique:
    """A UNIQUE constraint."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """A CHECK constraint."""

    name: str
    sql: str


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A foreign key of one column."""

    name: str
    column: str
    target: str
    target_column: str
    on_delete: str | None


@dataclass(frozen=True, slots=True)
class IndexShape:
    """An index that no constraint brings along; `where` says of which rows, if not of all."""

    name: str
    columns: tuple[str, ...]
    using: str | None
    unique: bool = False
    where: str | None = None
    #: The operator class of its column, if not that of the type.
    ops: str | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """The column of the words that `q` looks for, which PostgreSQL generates, and its index of this name."""

    name: str
    column: str
    sql: str


Part = PrimaryKey | Unique | Check | ForeignKey | IndexShape | Search

#: What is added when all tables are there.
LATE = ForeignKey | IndexShape | Search


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table with its columns and everything that hangs on them, in the order of the spec."""

    name: str
    columns: tuple[ColumnShape, ...]
    parts: tuple[Part, ...]

    def column(self, name: str) -> ColumnShape | None:
        """The column of this name."""
        return next((column for column in self.columns if column.name == name), None)


def shape(tables: Tables, resource: Resource) -> TableShape:
    """The shape of a resource's table."""
    table = tables.of(resource)
    return TableShape(
        table.name,
        tuple(_column(column) for column in table.columns if column.computed is None),
        tuple(_part(part) for part in tables.named(resource)),
    )


def meaning(part: Part) -> Part:
    """The part without its name: two of the same meaning differ by name alone."""
    return replace(part, name="")


def _column(column: Column[Any]) -> ColumnShape:
    default = column.server_default
    return ColumnShape(
        column.name,
        str(column.type.compile(dialect=DIALECT)),
        column.type,
        bool(column.nullable),
        None if default is None else str(getattr(default, "arg", default)),
    )


def _part(part: Constraint | Index) -> Part:
    name = str(part.name)
    match part:
        case PrimaryKeyConstraint():
            return PrimaryKey(name, tuple(part.columns.keys()))
        case UniqueConstraint():
            return Unique(name, tuple(part.columns.keys()))
        case CheckConstraint():
            return Check(name, str(part.sqltext.compile(dialect=DIALECT)))
        case ForeignKeyConstraint():
            (element,) = part.elements
            return ForeignKey(
                name, element.parent.name, element.column.table.name, element.column.name, part.ondelete
            )
        case Index():
            (first, *_) = part.columns
            if first.computed is not None:
                return Search(name, first.name, str(first.computed.sqltext))
            using = part.dialect_options["postgresql"]["using"] or None
            where = part.dialect_options["postgresql"]["where"]
            of = None if where is None else str(where)
            ops = part.dialect_options["postgresql"]["ops"].get(first.name)
            names = tuple(column.name for column in part.columns)
            return IndexShape(name, names, using, bool(part.unique), of, ops)
        case _:
            raise AssertionError(f"no table has a {type(part).__name__}")
