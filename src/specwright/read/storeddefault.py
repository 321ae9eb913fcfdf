"""Defaults of columns, in Python or in SQL, as constants of the spec language."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import sqlalchemy as sa

from specwright.model.expression import Constant, ListOf, Literal, Value
from specwright.model.types import TEXT_KINDS, Kind, Type
from specwright.model.values import read_text
from specwright.read.checks import without_casts

_NOW = re.compile(r"(?:now|current_timestamp|transaction_timestamp|localtimestamp)(?:\(\))?", re.IGNORECASE)


class Unclear(ValueError):
    """A default that is no constant; the message says what it is."""


def stored_default(column: sa.Column[Any], type_: Type) -> Constant | None:
    """The constant that fills the column; None for none, or for the present moment.

    Raises:
        Unclear: it is neither.
    """
    if is_now(column):
        return None
    if column.default is not None:
        if not column.default.is_scalar:
            raise Unclear("its default is made in Python, where other writers do not see it")
        value = getattr(column.default, "arg", None)
        return None if value is None else _constant(value, type_)
    if column.identity is not None or column.computed is not None:
        raise Unclear("the database makes its value")
    sql = _sql(column)
    if sql is None or sql.lower() == "null":
        return None
    return _read(sql, type_)


def is_now(column: sa.Column[Any]) -> bool:
    """Whether the column is filled with the present moment."""
    if column.default is not None and not column.default.is_scalar:
        text = str(getattr(column.default, "arg", ""))
    else:
        text = _sql(column) or ""
    return _NOW.fullmatch(text) is not None


def _sql(column: sa.Column[Any]) -> str | None:
    default = column.server_default
    if not isinstance(default, sa.DefaultClause):
        return None
    text = default.arg if isinstance(default.arg, str) else str(default.arg)
    return without_casts(f"'{text}'" if isinstance(default.arg, str) else text)


def _read(sql: str, type_: Type) -> Constant:
    quoted = re.fullmatch(r"'((?:[^']|'')*)'", sql)
    text = quoted[1].replace("''", "'") if quoted else sql.strip("()")
    if type_.item is not None:
        if not quoted and sql.upper() != "ARRAY[]":
            raise Unclear(f"its default is no constant: {sql}")
        items = _items(text) if quoted else ()
        return ListOf(tuple(Literal(_fit(_spelled(item, type_.item), type_.item)) for item in items))
    if not quoted and not re.fullmatch(r"-?\d+(\.\d+)?|true|false", text, re.IGNORECASE):
        raise Unclear(f"its default is no constant: {sql}")
    return Literal(_fit(_spelled(text, type_), type_))


def _spelled(text: str, type_: Type) -> str:
    """What PostgreSQL writes, as the spec language has it."""
    if type_.kind is Kind.BOOLEAN:
        return {"t": "true", "f": "false"}.get(text.lower(), text.lower())
    return re.sub(r"([+-]\d\d)$", r"\1:00", text) if type_.kind is Kind.TIMESTAMP else text


def _items(text: str) -> list[str]:
    """The texts in an array of one dimension, as PostgreSQL writes it.

    Raises:
        Unclear: it is another, or an item is no value.
    """
    item = r'"(?:[^"\\]|\\.)*"|[^\s",{}\\]+'
    if not re.fullmatch(rf"\{{(?:(?:{item})(?:,(?:{item}))*)?\}}", text, re.DOTALL):
        raise Unclear(f"its default is no list of constants: {text}")
    found = re.findall(item, text, re.DOTALL)
    if "NULL" in map(str.upper, found):
        raise Unclear("its default has an item without a value")
    return [re.sub(r"\\(.)", r"\1", each[1:-1]) if each.startswith('"') else each for each in found]


def _constant(value: object, type_: Type) -> Constant:
    if type_.item is None or not isinstance(value, list | tuple):
        return Literal(_fit(value, type_))
    item = type_.item
    return ListOf(tuple(Literal(_fit(each, item)) for each in value))


def _fit(value: object, type_: Type) -> Value:
    if type_.kind in (Kind.JSON, Kind.LIST):
        raise Unclear(f"{type_} can have no default")
    if isinstance(value, Enum):
        value = value.value if value.value in type_.literals else value.name
    try:
        match value:
            case str():
                fitted: Value = read_text(value, type_.kind)
            case int() | Decimal() if type_.kind is Kind.NUMBER and not isinstance(value, bool):
                fitted = Decimal(value)
            case float():
                raise Unclear(f'its default {value!r} is a float: numbers are exact, Decimal("{value!r}")')
            case datetime():
                fitted = value.astimezone(UTC)
            case bool() | int() | Decimal() | date():
                fitted = value
            case _:
                fitted = read_text(str(value), type_.kind)
    except ValueError as error:
        raise Unclear(f"its default {value!r} is {error}") from None
    if isinstance(fitted, str) and (
        type_.kind not in TEXT_KINDS or fitted != fitted.strip() or not fitted.isprintable() or not fitted
    ):
        raise Unclear(f"its default {fitted!r} cannot be written down")
    return fitted
