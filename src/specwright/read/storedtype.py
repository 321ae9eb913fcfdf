"""SQLAlchemy's types in the words of the spec language."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from specwright.model.types import BOOLEAN, DATE, INTEGER, TEXT, TIMESTAMP, UUID, Kind, Type

_EXACT: tuple[tuple[type[Any], Type], ...] = (
    (sa.Boolean, BOOLEAN),
    (sa.Integer, INTEGER),
    (sa.Date, DATE),
    (sa.Uuid, UUID),
    (sa.JSON, Type(Kind.JSON)),
)


def stored_type(type_: Any, tell: Callable[[str], None]) -> Type | None:
    """The type of a column; `tell` hears what of it cannot be said. None when nothing of it can."""
    type_ = getattr(type_, "impl_instance", type_)
    if isinstance(type_, sa.types.NullType):
        tell("its type is not known here")
        return None
    match type_:
        case sa.Enum():
            return _enum(type_, tell)
        case sa.String():
            return _text(type_, tell)
        case sa.DateTime():
            if not type_.timezone:
                tell("it has no time zone: a timestamp is a moment, DateTime(timezone=True)")
            return TIMESTAMP
        case sa.Float():
            tell("it is a floating-point number: numbers are exact, number(p,s)")
            return None
        case sa.Numeric():
            if type_.precision is None:
                tell("it does not say how many digits it has: number(p,s)")
                return None
            return Type(Kind.NUMBER, precision=type_.precision, scale=type_.scale or 0)
        case ARRAY() | sa.ARRAY():
            item = stored_type(type_.item_type, tell)
            if item is None or item.kind is Kind.JSON or (type_.dimensions or 1) > 1:
                tell("a list holds plain values, in one dimension")
                return None
            return Type(Kind.LIST, item=item)
        case _:
            for kind, known in _EXACT:
                if isinstance(type_, kind):
                    return known
            tell(f"there is no type {_sql(type_)}")
            return None


def _enum(type_: sa.Enum, tell: Callable[[str], None]) -> Type:
    if type_.native_enum:
        tell(f"its type is {_sql(type_)}: literals are stored as text, Enum(…, native_enum=False)")
    return Type(Kind.ENUM, literals=tuple(type_.enums))


def _text(type_: sa.String, tell: Callable[[str], None]) -> Type | None:
    if type(type_).__name__ in ("CITEXT", "CHAR", "BIT", "TSVECTOR"):
        tell(f"there is no type {_sql(type_)}")
        return None
    return TEXT


def _sql(type_: Any) -> str:
    name = getattr(type_, "name", None)
    return str(name) if isinstance(type_, sa.Enum) and name else type(type_).__name__.lower()
