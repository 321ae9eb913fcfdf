"""Columns: what PostgreSQL type and server default a field has."""

import json
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Numeric, Text, Uuid, literal_column
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine

from specwright.model.expression import ListOf
from specwright.model.field import Field, Filled
from specwright.model.manifest import Manifest
from specwright.model.types import Kind, Type

#: A uuid v7 (RFC 9562 §5.7) made of built-ins, since `uuidv7()` begins with PostgreSQL 18. Milliseconds since
#: 1970 times 4096 are the 48 bits of the timestamp followed by the 12 bits of its fraction (§6.2, method 3);
#: the version goes between them, and variant and randomness come from a v4.
UUID_V7 = (
    "(overlay(lpad(to_hex(floor(extract(epoch from clock_timestamp()) * 4096000)::bigint), 15, '0')"
    " placing '7' from 13 for 0) || substr(gen_random_uuid()::text, 20))::uuid"
)

_BUILT_IN_DEFAULTS = {
    "created_at": "transaction_timestamp()",
    "updated_at": "transaction_timestamp()",
    "version": "1",
}

_SIMPLE: dict[Kind, TypeEngine[Any]] = {
    Kind.INTEGER: BigInteger(),
    Kind.BOOLEAN: Boolean(),
    Kind.DATE: Date(),
    Kind.TIMESTAMP: DateTime(timezone=True),
    Kind.UUID: Uuid(),
    Kind.JSON: JSONB(),
}


def column_type(manifest: Manifest, type: Type) -> TypeEngine[Any]:
    """The stored type; text sorts by code point, so that order and cursors are the same on every server."""
    match type.kind:
        case Kind.TEXT | Kind.EMAIL | Kind.URL | Kind.ENUM:
            return Text(collation="C")
        case Kind.NUMBER:
            return Numeric(type.precision, type.scale)
        case Kind.LIST:
            assert type.item is not None
            return ARRAY(column_type(manifest, type.item), dimensions=1)
        case Kind.REFERENCE:
            assert type.target is not None
            return column_type(manifest, manifest.resource(type.target).key_field.type)
        case kind:
            return _SIMPLE[kind]


def quoted(value: object) -> str:
    """The value as an SQL literal.

    Safe under standard_conforming_strings, which is on in every PostgreSQL since 9.1.
    """
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal():
            return format(value, "f")
        case datetime() | date():
            return f"'{value.isoformat()}'"
        case _:
            return "'" + str(value).replace("'", "''") + "'"


def default_sql(field: Field) -> str | None:
    """The expression that fills the column when a row does not say."""
    if field.built_in and field.name == "id" and field.type.kind is Kind.UUID:
        return UUID_V7
    if field.built_in:
        return _BUILT_IN_DEFAULTS.get(field.name)
    if field.filled is Filled.NOW:
        now = "transaction_timestamp()"
        return f"({now} AT TIME ZONE 'UTC')::date" if field.type.kind is Kind.DATE else now
    if field.default is None:
        return None
    if field.type.kind is Kind.JSON:
        return f"{quoted(json.dumps(field.default.value))}::jsonb"
    if isinstance(field.default, ListOf):
        return quoted(f"{{{','.join(map(_element, field.default.value))}}}")
    return quoted(field.default.value)


def _element(value: object) -> str:
    """The value within an array as PostgreSQL writes one."""
    text = quoted(value) if isinstance(value, bool | int | Decimal) else str(value)
    if isinstance(value, str | date):
        return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
    return text


def column(manifest: Manifest, field: Field) -> Column[Any]:
    """The column of a stored field."""
    default = default_sql(field)
    return Column(
        field.column,
        column_type(manifest, field.type),
        nullable=field.nullable,
        server_default=None if default is None else literal_column(default),
    )
