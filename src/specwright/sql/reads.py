"""Reads: one statement each, and PostgreSQL builds the JSON."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Numeric, Select, bindparam, select
from sqlalchemy.types import TypeEngine

from specwright.model.field import Field
from specwright.model.types import Kind
from specwright.sql.expression import Compiler
from specwright.sql.includes import Include, included
from specwright.sql.items import item, named_fields, parts
from specwright.sql.members import Members
from specwright.sql.row import Predicate, Row
from specwright.sql.scope import Scope
from specwright.sql.sight import Sight
from specwright.sql.tables import Tables


@dataclass(frozen=True, slots=True)
class ReadShape:
    """What makes one read differ from another."""

    scope: Scope
    fields: tuple[str, ...]
    #: What the caller sees, where the row decides that of some field.
    members: Members | None = None
    include: tuple[Include, ...] = ()
    #: What the caller may read of the entities that are included, by name.
    reads: tuple[tuple[str, Scope], ...] = ()


def read_row(tables: Tables, compiler: Compiler, shape: ReadShape) -> Select[Any]:
    """The version and the JSON of the row with the key `:key`, if the scope lets it be read."""
    scope = shape.scope
    table = tables.of(scope.resource).alias("t")
    row = Row.of(scope.resource, table)
    fields = named_fields(scope.resource, shape.fields)
    held = parts(compiler, row, fields, shape.members)
    more = included(Sight(compiler, dict(shape.reads)), row, shape.include)
    source, text = item(compiler, row, table, fields, held, more)
    return (
        select(row.columns["version"].label("version"), text.label("item"))
        .select_from(table, source)
        .where(is_key(compiler, row), compiler.condition(scope.before, row))
    )


def bind_of(compiler: Compiler, field: Field) -> TypeEngine[Any]:
    """The SQL type of a parameter that is compared with a field; what is calculated has any size."""
    whole = field.calculated and field.type.kind is Kind.INTEGER
    return Numeric() if whole else compiler.bind_type(field.type)


def is_key(compiler: Compiler, row: Row) -> Predicate:
    """Whether the row is the one with the key `:key`."""
    key = row.resource.key_field
    return row.columns[key.name] == bindparam("key", type_=compiler.bind_type(key.type), required=True)
