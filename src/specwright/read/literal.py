"""Constants in a Rules cell: defaults and bounds."""

import re
from decimal import Decimal
from typing import Any

from specwright.model.expression import Constant, ListOf, Literal
from specwright.model.field import Bounds
from specwright.model.names import hint
from specwright.model.types import MAX_INTEGER, NUMBER_KINDS, TEXT_KINDS, Kind, Type
from specwright.model.values import read_text
from specwright.read.cells import code, parts
from specwright.read.mistakes import Mistakes
from specwright.read.span import Span

#: PostgreSQL's longest declared text.
MAX_TEXT = 10_485_760

_NUMBER = re.compile(r"-?\d{1,1000}(?:\.\d{1,1000})?")
_BOUNDS = re.compile(r"(\S*?)\s*\.\.\s*(\S*)")
_WITHOUT_CONSTANT = frozenset({Kind.JSON, Kind.LIST, Kind.REFERENCE, Kind.MANY})
_BOUNDED = NUMBER_KINDS | (TEXT_KINDS - {Kind.ENUM}) | {Kind.LIST}


def looks_like_bounds(text: str) -> bool:
    """Whether a rule is meant as `a..b`."""
    return ".." in text and _BOUNDS.fullmatch(text) is not None


def read_bounds(rule: Span, type_: Type | None, mistakes: Mistakes) -> Bounds | None:
    """The bounds of `a..b`, `..b` or `a..`; None, with a mistake, when they cannot be."""
    found = _BOUNDS.fullmatch(rule.text)
    assert found is not None, "looks_like_bounds was asked before"
    if type_ is not None and type_.kind not in _BOUNDED:
        what = (
            "its literals bound it" if type_.kind is Kind.ENUM else "only text, numbers and lists have bounds"
        )
        mistakes.add(rule, f'"{rule.text}" does not go with {type_}: {what}')
        return None
    ends: list[Decimal | None] = []
    for text in found.groups():
        if text and not _NUMBER.fullmatch(text):
            mistakes.add(rule, f'"{rule.text}": bounds are numbers, as 1..200, ..200 or 1..')
            return None
        ends.append(Decimal(text) if text else None)
    least, most = ends
    if least is None and most is None:
        mistakes.add(rule, "at least one end of .. is a number, as 1..200, ..200 or 1..")
        return None
    if least is not None and most is not None and least > most:
        mistakes.add(rule, f"nothing is within {rule.text}: {least} is more than {most}")
        return None
    for end in (least, most):
        problem = _end_problem(end, type_) if end is not None else None
        if problem is not None:
            mistakes.add(rule, f'"{rule.text}": {problem}')
            return None
    if type_ is not None and type_.kind is Kind.NUMBER:
        return Bounds(least, most)
    return Bounds(None if least is None else int(least), None if most is None else int(most))


def _end_problem(end: Decimal, type_: Type | None) -> str | None:
    if type_ is not None and type_.kind is Kind.NUMBER:
        return _digits_problem(end, type_)
    if end != end.to_integral_value():
        return f"{end} is no whole number"
    if type_ is not None and type_.kind is Kind.INTEGER:
        return f"an integer is within ±{MAX_INTEGER}" if end.copy_abs() > MAX_INTEGER else None
    if end < 0:
        return "a length is never negative"
    return f"a length is at most {MAX_TEXT}" if end > MAX_TEXT else None


def _digits_problem(value: Decimal, type_: Type) -> str | None:
    if type_.precision is None or type_.scale is None:
        return None
    whole, _, fraction = format(value, "f").lstrip("-").partition(".")
    if len(fraction.rstrip("0")) > type_.scale:
        return f"{value} has more than {type_.scale} digits after the point"
    if len(whole.lstrip("0")) > type_.precision - type_.scale:
        return f"{value} has more than {type_.precision - type_.scale} digits before the point"
    return None


def read_default(rule: Span, type_: Type | None, mistakes: Mistakes) -> Constant | None:
    """The constant of `default X`; None, with a mistake, when it is not of the type."""
    if type_ is None or type_.item is None:
        return read_constant(rule, type_, mistakes)
    given = code(rule) or rule
    if not (given.text.startswith("[") and given.text.endswith("]")):
        mistakes.add(rule, f"the default of a {type_} is a list of constants in brackets, as []")
        return None
    items = []
    for each in parts(given[1:-1]):
        if not each.text:
            mistakes.add(rule, "an empty item in the default: a comma too many")
            return None
        item = read_constant(each, type_.item, mistakes)
        if item is None:
            return None
        items.append(item)
    return ListOf(tuple(items))


def read_constant(rule: Span, type_: Type | None, mistakes: Mistakes) -> Literal | None:
    """A constant that is no list; None, with a mistake, when it is not of the type."""
    inside = code(rule)
    given = inside if inside is not None else _unquoted(rule)
    text = given.text
    if type_ is None:
        return None
    if type_.kind in _WITHOUT_CONSTANT:
        mistakes.add(rule, f"{type_} can have no default; leave it out, and it is empty")
        return None
    if text in ("now", "now()", "today", "today()") and type_.kind in (Kind.DATE, Kind.TIMESTAMP):
        mistakes.add(rule, 'a default is a constant. For the present moment: a timestamp with the rule "now"')
        return None
    if type_.kind is Kind.ENUM:
        if text in type_.literals:
            return Literal(text)
        close = hint(text, type_.literals, "It has")
        mistakes.add(rule, f'the default "{text}" is not one of the literals.{close}')
        return None
    try:
        value = read_text(text, type_.kind)
    except ValueError as error:
        mistakes.add(rule, f'the default "{text}" is no {type_}: {_reason(error)}')
        return None
    problem = _value_problem(value, type_)
    if problem is not None:
        mistakes.add(rule, f'the default "{text}" is no {type_}: {problem}')
        return None
    return Literal(value)


def _value_problem(value: Any, type_: Type) -> str | None:
    if type_.kind is Kind.INTEGER and abs(value) > MAX_INTEGER:
        return f"an integer is within ±{MAX_INTEGER}"
    return _digits_problem(value, type_) if type_.kind is Kind.NUMBER else None


def _reason(error: ValueError) -> str:
    text = str(error)
    return "not a UUID" if "hexadecimal" in text else text


def _unquoted(rule: Span) -> Span:
    text = rule.text
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        return rule[1:-1]
    return rule
