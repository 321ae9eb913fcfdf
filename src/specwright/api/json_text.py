"""JSON in and out, strictly (RFC 8259): no duplicate keys, no NaN, numbers exact."""

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from specwright.api.problems import Problem, echo

MAX_DEPTH = 32

#: More digits than any field keeps; such a number is compared by size alone.
_MANY_DIGITS = 400


def read(raw: bytes) -> Any:
    """The value of a JSON text: None, bool, int, Decimal, str, list or dict; never a float.

    Raises:
        Problem: malformed, saying where.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise Problem("malformed", f"The body is not UTF-8: byte {error.start + 1} is wrong.") from None
    if text.startswith("\ufeff"):
        raise Problem("malformed", "The body begins with a byte order mark: send it without.")
    if not text.strip():
        raise Problem("malformed", "The body is empty: send a JSON object.")
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise Problem(
            "malformed", f"The body is not JSON: line {error.lineno}, column {error.colno}: {error.msg}."
        ) from None
    except RecursionError:
        raise _too_deep() from None
    if deeper_than(MAX_DEPTH, value):
        raise _too_deep()
    return value


def write(value: Any) -> str:
    """The JSON text of a value that was read, its numbers as they were written."""
    try:
        return json.dumps(value, separators=(",", ":"))
    except TypeError:
        # It knows no Decimal, and is ten times as fast where there is none.
        return _write(value)


def _write(value: Any) -> str:
    match value:
        case dict():
            return "{" + ",".join(f"{json.dumps(key)}:{_write(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ",".join(map(_write, value)) + "]"
        case Decimal():
            return str(value)
        case _:
            return json.dumps(value)


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


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise Problem("malformed", f"The body has the member {echo(key)!r} twice.")
            seen.add(key)
    return members


def _integer(text: str) -> int | Decimal:
    # int() of many digits takes quadratic time, and Python refuses more than 4,300.
    return int(text) if len(text) < _MANY_DIGITS else Decimal(text)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        # An exponent of 19 digits or more.
        sign = "-" if text.startswith("-") else ""
        return Decimal(f"{sign}1e-999999" if "e-" in text.lower() else f"{sign}1e999999")


def _constant(name: str) -> NoReturn:
    raise Problem("malformed", f"The body is not JSON: {name} is no JSON number.")


def _too_deep() -> Problem:
    return Problem("malformed", f"The body is nested deeper than {MAX_DEPTH} levels.")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_decimal, parse_constant=_constant
)
