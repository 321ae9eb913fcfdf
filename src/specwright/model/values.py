"""Values as text and as JSON, read strictly into the type they are compared with or stored as."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from specwright.model import jsonb
from specwright.model.expression import Value
from specwright.model.manifest import Manifest
from specwright.model.types import NUMBER_KINDS, TEXT_KINDS, Kind, Type

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIMESTAMP = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:[0-5]\d)",
    re.ASCII,
)
#: RFC 9562 §4; Python's own reader takes braces, underscores and dashes anywhere.
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def read_text(text: str, kind: Kind) -> Value:
    """A value of this kind from its text form (RFC 3339 for dates and timestamps).

    Raises:
        ValueError: the text is not such a value.
    """
    match kind:
        case Kind.DATE:
            if not _DATE.fullmatch(text):
                raise ValueError("not a date as 2026-01-31")
            return date.fromisoformat(text)
        case Kind.TIMESTAMP:
            if not _TIMESTAMP.fullmatch(text):
                raise ValueError("not a timestamp with an offset, as 2026-01-31T12:00:00Z")
            moment = datetime.fromisoformat(text.upper())
            try:
                return moment.astimezone(UTC)
            except OverflowError:
                raise ValueError("not within the years 1 to 9999") from None
        case Kind.UUID:
            if not _UUID.fullmatch(text):
                raise ValueError("not a UUID")
            return UUID(text)
        case Kind.INTEGER:
            if not re.fullmatch(r"-?\d{1,19}", text, re.ASCII):
                raise ValueError("not a whole number")
            return int(text)
        case Kind.NUMBER:
            if not re.fullmatch(r"-?\d{1,1000}(\.\d{1,1000})?", text, re.ASCII):
                raise ValueError("not a number")
            return Decimal(text)
        case Kind.BOOLEAN:
            if text not in ("true", "false"):
                raise ValueError("neither true nor false")
            return text == "true"
        case _:
            return text


_PYTHON = {Kind.DATE: date, Kind.TIMESTAMP: datetime, Kind.UUID: UUID}


class Misfit(ValueError):
    """A value that is not of the type it is compared with: equal to nothing of that type."""


def fit(manifest: Manifest, value: Any, expected: Type | None) -> Value:
    """A literal's or claim's value as the type it is compared with.

    Raises:
        Misfit: it cannot be one.
    """
    if value is None or expected is None or expected.kind is Kind.ANY:
        return value if not isinstance(value, float) else _decimal(value)
    kind = key_kind(manifest, expected)
    try:
        if kind in TEXT_KINDS and isinstance(value, str):
            if "\x00" in value:
                raise Misfit("a NUL is in no stored text")
            return value
        if kind in NUMBER_KINDS and isinstance(value, int | Decimal | float) and not isinstance(value, bool):
            return _decimal(value) if isinstance(value, float) else value
        if kind is Kind.BOOLEAN and isinstance(value, bool):
            return value
        if kind is Kind.JSON and isinstance(value, str):
            jsonb.read(value)
            return value
        if kind in (Kind.DATE, Kind.TIMESTAMP, Kind.UUID):
            if isinstance(value, str):
                return read_text(value, kind)
            if isinstance(value, date | UUID) and type(value) is _PYTHON[kind]:
                return value
    except ValueError as error:
        raise Misfit(str(error)) from None
    raise Misfit(f"not {expected}")


def key_kind(manifest: Manifest, type_: Type) -> Kind:
    """The kind of the stored value: a reference is its target's key."""
    if type_.kind is Kind.REFERENCE:
        assert type_.target is not None
        return manifest.resource(type_.target).key_field.type.kind
    return type_.kind


def _decimal(value: float) -> Decimal:
    try:
        number = Decimal(repr(value))
    except InvalidOperation:
        raise Misfit("not a number") from None
    if not number.is_finite():
        raise Misfit("not a finite number")
    return number
