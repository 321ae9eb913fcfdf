"""JSON as text, read strictly (RFC 8259), and what PostgreSQL's `jsonb` means by `@>`.

Numbers are exact: an int or a Decimal, never a float.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

#: Containers within each other, the outermost included.
MAX_DEPTH = 32
#: Digits of a number before the point, and as many behind it.
MAX_DIGITS = 400

_LONGEST_ECHO = 100

#: What PostgreSQL cannot store in a text, or JSON cannot carry in UTF-8.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class JsonError(ValueError):
    """Why a text is no such JSON: an `errors[].code`, and what it does wrong, said of the text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def decode(text: str) -> Any:
    """The value of a JSON text: None, bool, int, Decimal, str, list or dict.

    Raises:
        JsonError: it is none, has a member twice or is nested too deep.
    """
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise JsonError("bad_format", f"is not JSON: {place}: {error.msg}") from None
    except RecursionError:
        raise _too_deep() from None
    if deeper_than(MAX_DEPTH, value):
        raise _too_deep()
    return value


def read(text: str) -> Any:
    """The value of a JSON text that a `jsonb` keeps.

    Raises:
        JsonError: as `decode`; or a text in it cannot be stored, or a number has too many digits.
    """
    value = decode(text)
    for scalar in scalars(value):
        if isinstance(scalar, str) and UNSTORABLE.search(scalar):
            raise JsonError("invalid_character", "holds a NUL or half of a surrogate pair")
        if is_too_long(scalar):
            raise JsonError(
                "too_large", f"holds a number of more than {MAX_DIGITS} digits before or behind the point"
            )
    return value


def encode(value: Any, *, ascii: bool = True, item: str = ",", member: str = ":") -> str:
    """The JSON text of a value that was read, its numbers as they were written."""
    try:
        return json.dumps(value, separators=(item, member), ensure_ascii=ascii)
    except TypeError:
        # It knows no Decimal, and is ten times as fast where there is none.
        return _Encoder(item, member, ascii).encode(value)


def is_too_long(scalar: Any) -> bool:
    """Whether a scalar is a number that a `jsonb` would keep, but not without growing beyond reason."""
    if not isinstance(scalar, Decimal):
        return False
    exponent = scalar.as_tuple().exponent
    assert isinstance(exponent, int)
    return scalar.adjusted() >= MAX_DIGITS or -exponent > MAX_DIGITS


def contains(whole: Any, part: Any) -> bool:
    """Whether `whole @> part`, both as `read` gives them (PostgreSQL 18, §8.14.3).

    Members and items of the part are somewhere in the whole, on the same level, in any order and however
    often. Only at the top an array contains a scalar that is one of its items.
    """
    if isinstance(whole, list) and not isinstance(part, dict | list):
        return any(_equal(item, part) for item in whole)
    return _holds(whole, part)


def _holds(whole: Any, part: Any) -> bool:
    match whole, part:
        case dict(), dict():
            return all(key in whole and _holds(whole[key], value) for key, value in part.items())
        case list(), list():
            return all(any(_holds(item, wanted) for item in whole) for wanted in part)
        case (dict() | list(), _) | (_, dict() | list()):
            return False
        case _:
            return _equal(whole, part)


def _equal(one: Any, other: Any) -> bool:
    """Whether two scalars are the same: 1 is 1.0, and not true."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def deeper_than(limit: int, value: Any) -> bool:
    """Whether more than `limit` containers lie in each other."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(limit):
        if not level:
            return False
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, dict | list)
        ]
    return bool(level)


def scalars(value: Any) -> Iterator[Any]:
    """Every key and every scalar in a value."""
    left = [value]
    while left:
        match left.pop():
            case dict() as members:
                yield from members
                left.extend(members.values())
            case list() as items:
                left.extend(items)
            case scalar:
                yield scalar


@dataclass(frozen=True, slots=True)
class _Encoder:
    item: str
    member: str
    ascii: bool

    def encode(self, value: Any) -> str:
        match value:
            case dict():
                members = (
                    f"{self.encode(str(key))}{self.member}{self.encode(each)}" for key, each in value.items()
                )
                return "{" + self.item.join(members) + "}"
            case list() | tuple():
                return "[" + self.item.join(map(self.encode, value)) + "]"
            case Decimal():
                return str(value)
            case _:
                return json.dumps(value, ensure_ascii=self.ascii)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise JsonError("repeated", f"has the member {key[:_LONGEST_ECHO]!r} twice")
            seen.add(key)
    return members


def _integer(text: str) -> int | Decimal:
    # int() of many digits takes quadratic time, and Python refuses more than 4,300.
    return int(text) if len(text) < MAX_DIGITS else Decimal(text)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        # An exponent of 19 digits or more.
        sign = "-" if text.startswith("-") else ""
        return Decimal(f"{sign}1e-999999" if "e-" in text.lower() else f"{sign}1e999999")


def _constant(name: str) -> NoReturn:
    raise JsonError("bad_format", f"is not JSON: {name} is no JSON number")


def _too_deep() -> JsonError:
    return JsonError("too_complex", f"is nested deeper than {MAX_DEPTH} levels")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_decimal, parse_constant=_constant
)
