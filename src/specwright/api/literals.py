"""Values as they are written in JSON strings and query strings, read strictly, with the fault told."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from specwright.model import jsonb
from specwright.model.types import MAX_INTEGER, Kind, Type
from specwright.model.values import read_text


class Fault(ValueError):
    """Why a text is not such a value: an `errors[].code` and a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


_NAIVE = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?", re.ASCII)
_TOO_FINE = re.compile(r".*:\d{2}\.\d{7,}\D", re.ASCII)
_INTEGER = re.compile(r"-?\d+", re.ASCII)
# A number(1000,s) has that many digits, and what was answered must be taken back.
_NUMBER = re.compile(r"-?\d{1,1000}(\.\d{1,1000})?([eE][+-]?\d{1,3})?", re.ASCII)

# The living standard of HTML's `type=email`, and at least one dot in the domain.
_EMAIL = re.compile(
    r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@"
    r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)+",
    re.ASCII,
)
# RFC 3986 §2 characters, and letters beyond ASCII as browsers show them.
_URL = re.compile(
    r"https?://(?:[^\s/?#@\x00-\x20\"<>\\^`{|}]*@)?"
    r"(?:\[[0-9a-fA-F:.]+\]|[\w.~%-]+)(?::\d{1,5})?(?:[/?#][^\s\x00-\x20\"<>\\^`{|}]*)?",
    re.IGNORECASE,
)


def read(text: str, type: Type) -> Any:
    """A value of this type from its text; a reference is read as its target's key type.

    Raises:
        Fault: the text is not such a value.
    """
    match type.kind:
        case Kind.DATE:
            return read_date(text)
        case Kind.TIMESTAMP:
            return read_timestamp(text)
        case Kind.UUID:
            return read_uuid(text)
        case Kind.BOOLEAN:
            if text not in ("true", "false"):
                raise Fault("wrong_type", "Must be true or false.")
            return text == "true"
        case Kind.INTEGER:
            if not _INTEGER.fullmatch(text):
                raise Fault("wrong_type", "Must be a whole number.")
            return within_integers(Decimal(text))
        case Kind.NUMBER:
            return read_number(text)
        case Kind.ENUM:
            if text not in type.literals:
                raise Fault("not_a_choice", f"Must be one of {', '.join(type.literals)}.")
            return text
        case Kind.JSON:
            return read_json(text)
        case _:
            return text


def read_date(text: str) -> date:
    """An RFC 3339 full-date.

    Raises:
        Fault: it is not one, or is in no calendar.
    """
    try:
        value = read_text(text, Kind.DATE)
    except ValueError:
        raise Fault("bad_format", "Must be a date of the calendar, as 2026-01-31.") from None
    assert isinstance(value, date)
    return value


def read_timestamp(text: str) -> datetime:
    """An RFC 3339 date-time, in UTC.

    Raises:
        Fault: it is not one, has no offset, is finer than microseconds or outside the years 1 to 9999.
    """
    if _NAIVE.fullmatch(text):
        raise Fault("bad_format", "Must end in an offset from UTC, as 2026-01-31T12:00:00Z or …+02:00.")
    if _TOO_FINE.match(text):
        raise Fault("bad_format", "Must have at most six digits after the second.")
    if text[17:19] == "60":
        raise Fault("bad_format", "Must not be a leap second: PostgreSQL keeps none.")
    try:
        if text[11:13] == "24":
            raise ValueError
        value = read_text(text, Kind.TIMESTAMP)
    except ValueError as error:
        if "years" in str(error):
            raise Fault("bad_format", "Must lie within the years 1 to 9999 in UTC.") from None
        raise Fault("bad_format", "Must be a timestamp with an offset, as 2026-01-31T12:00:00Z.") from None
    assert isinstance(value, datetime)
    return value


def read_uuid(text: str) -> UUID:
    """The 36 characters of RFC 9562 §4, in either case.

    Raises:
        Fault: it is not one.
    """
    try:
        value = read_text(text, Kind.UUID)
    except ValueError:
        raise Fault("bad_format", "Must be a UUID, as 0192a5c4-7f3e-7b1a-9c55-3d1f0a6b2c11.") from None
    assert isinstance(value, UUID)
    return value


def read_number(text: str) -> Decimal:
    """A decimal number, exact.

    Raises:
        Fault: it is not one.
    """
    if not _NUMBER.fullmatch(text):
        raise Fault("wrong_type", "Must be a number, as 12.50.")
    return Decimal(text)


def read_json(text: str) -> str:
    """The text of a JSON value that can be stored, as it is.

    Raises:
        Fault: it is not one.
    """
    try:
        jsonb.read(text)
    except jsonb.JsonError as error:
        raise Fault(error.code, f"Must be a JSON value; this {error}.") from None
    return text


def within_integers(value: Decimal) -> int:
    """The number's whole part, if every JSON reader keeps such a number exactly (RFC 8259 §6).

    Raises:
        Fault: it is beyond ±(2⁵³−1).
    """
    # Compared, never computed with: arithmetic overflows beyond 1e999999.
    if value > MAX_INTEGER:
        raise Fault("too_large", f"Must be at most {MAX_INTEGER}.")
    if value < -MAX_INTEGER:
        raise Fault("too_small", f"Must be at least {-MAX_INTEGER}.")
    return int(value)


def check_email(text: str) -> str:
    """The address as sent.

    Raises:
        Fault: it is not an address as browsers take it. Nothing is looked up.
    """
    if len(text) > 254 or not _EMAIL.fullmatch(text):
        raise Fault("bad_format", "Must be an email address, as ada@example.org, of at most 254 characters.")
    return text


def check_url(text: str) -> str:
    """The URL as sent: absolute, http or https, not normalised.

    Raises:
        Fault: it is not one.
    """
    if not _URL.fullmatch(text):
        raise Fault("bad_format", "Must be an absolute URL, as https://example.org/page.")
    return text
