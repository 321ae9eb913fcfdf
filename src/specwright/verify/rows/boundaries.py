"""Where the constraints of a schema begin and end: values just inside and just outside."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from specwright.verify.surface.schemas import element, kinds, plain, variants
from specwright.verify.surface.surface import Schema

#: Texts that most patterns do not allow.
_ODD = ("!", "\t", " ", "é", "0", "a", "A", "-", "a b", "\u2028", "a" * 300)
#: What is no value of a format (JSON Schema 2020-12, Validation §7.3).
_FORMATS = {
    **dict.fromkeys(("email", "date", "date-time", "time", "uuid", "ipv4", "ipv6"), "nonesuch"),
    "uri": "http://[",
}
#: Longer texts and lists are sent by IV01.
_LONGEST = 100_000


@dataclass(frozen=True, slots=True)
class Edge:
    """A value beside a constraint."""

    constraint: str
    value: Any
    #: Whether the schema allows it; then all of its constraints do.
    inside: bool


def edges(schema: Schema) -> Iterator[Edge]:
    """Values at the edges of a member's schema; of one that allows several kinds, nothing."""
    found = variants(plain(schema))
    if len(found) != 1:
        return
    schema = plain(found[0])
    if "const" in schema:
        return
    if isinstance(schema.get("enum"), list):
        yield Edge("enum", "nonesuch-7f3a", inside=False)
        return
    kind = next(iter(kinds(schema)), "")
    if kind == "string":
        yield from _texts(schema)
    elif kind in ("integer", "number"):
        yield from _numbers(schema, kind)
    elif kind == "array":
        yield from _lists(schema)
    if kind in ("string", "integer", "number", "boolean"):
        yield Edge("type", {"a": 1}, inside=False)


def _texts(schema: Schema) -> Iterator[Edge]:
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    pattern, form = schema.get("pattern"), schema.get("format")
    free = pattern is None and form in (None, "password")
    if most is not None and least <= most <= _LONGEST:
        if free:
            yield Edge("maxLength", "a" * most, inside=True)
        yield Edge("maxLength", "a" * (most + 1), inside=False)
    if 0 < least <= _LONGEST:
        if free:
            yield Edge("minLength", "a" * least, inside=True)
        yield Edge("minLength", "a" * (least - 1), inside=False)
    if pattern is not None:
        odd = next((each for each in _ODD if _matches(pattern, each) is False), None)
        if odd is not None:
            yield Edge("pattern", odd, inside=False)
    if form in _FORMATS:
        yield Edge("format", _FORMATS[form], inside=False)


def _matches(pattern: str, text: str) -> bool | None:
    """None where the pattern is not understood here."""
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return None


def _numbers(schema: Schema, kind: str) -> Iterator[Edge]:
    step = schema.get("multipleOf")
    for name, sign in (("inimum", -1), ("aximum", 1)):
        bound, over = schema.get(f"m{name}"), schema.get(f"exclusiveM{name}")
        if over is True:  # draft 4, as in OpenAPI 3.0: a word on the other
            bound, over = None, bound
        bound = None if isinstance(bound, bool) else bound
        over = None if isinstance(over, bool) else over
        if over is not None:
            yield Edge(f"exclusiveM{name}", over, inside=False)
            if step is None and kind == "integer" and float(over).is_integer():
                yield Edge(f"exclusiveM{name}", int(over) - sign, inside=True)
        if bound is not None:
            whole = int(bound) if float(bound).is_integer() else bound
            yield Edge(f"m{name}", whole + sign if abs(bound) < 2**53 else bound * 2, inside=False)
            if step is None and (kind == "number" or isinstance(whole, int)) and not math.isinf(bound):
                yield Edge(f"m{name}", whole, inside=True)


def _lists(schema: Schema) -> Iterator[Edge]:
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    item = variants(plain(element(schema) or {}))[0]
    if "string" not in kinds(item) or {"enum", "format", "pattern", "minLength"} & set(item):
        return
    many = [f"a{number}" for number in range(min((most or 0) + 1, _LONGEST))]
    if most is not None and most < _LONGEST:
        yield Edge("maxItems", many, inside=False)
    if least > 0:
        yield Edge("minItems", many[: least - 1], inside=False)
