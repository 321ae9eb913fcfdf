"""What clients send by mistake or on purpose: bodies that are no JSON, and values that are hard to hold."""

import json
import math
from typing import Any

from specwright.verify.surface.schemas import kinds, plain, variants
from specwright.verify.surface.surface import Schema

#: Bodies as bytes, by what they are. None is a JSON object that any schema could take.
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "half an object": b'{"a": ',
    "a trailing comma": b'{"a": 1,}',
    "single quotes": b"{'a': 1}",
    "no JSON": b"<a>1</a>",
    "a list": b"[]",
    "a number": b"1",
    "null": b"null",
    "NaN": b'{"a": NaN}',
    "a number too large for a float": b'{"a": 1e400}',
    "a number of 5000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "bad UTF-8": b'{"a": "\xff\xfe"}',
    "a cut surrogate": b'{"a": "\\ud800"}',
    "a NUL byte": b'{"a": "\\u0000"}',
    "a member twice": b'{"a": 1, "a": 2}',
    "deep lists": b'{"a": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"a": 1}',
}

#: In place of what a path names.
SEGMENTS: tuple[str, ...] = (
    *("%00", "..%2f..", "%ff", "0", "-1", "9" * 40),
    *("'", "%20", "null", "x" * 3000),
)

#: By kind of member.
_HARD: dict[str, tuple[Any, ...]] = {
    "text": (
        *("", " ", "\x00", "a\x00b", "\ud800", "'", '"', "%s%n{0}{{}}", "../../etc/passwd"),
        *("\u202ereversed", "e\u0301\u200b", "\U0001f469\u200d\U0001f467", "x" * 20_000, "null", "1e400"),
    ),
    "number": (
        *(0, -1, 2**31, 2**53 + 1, 2**63, -(2**63) - 1, 10**400, 1.5, 1e308),
        *(float("nan"), float("inf"), True, "1"),
    ),
    "time": (
        *("0000-00-00", "2026-02-30", "9999-12-31T23:59:59.999999999Z", "2026-01-01T00:00:60Z"),
        *("0001-01-01T00:00:00+14:00", "2026-01-01T00:00:00+99:99", "-0001-01-01", "24:00", "now", 0, 1e20),
    ),
    "uuid": (
        *("x", "00000000-0000-0000-0000-00000000000", "{00000000-0000-0000-0000-000000000000}"),
        *("\x00", 1),
    ),
    "": (),
}
#: For members of every kind.
_ANY: tuple[Any, ...] = (None, [], {}, [None], {"a": {"b": []}}, False, "\x00", 2**63)
#: Characters and digits of a value that is told as it is.
_LONG = 40
_TIMES = ("date", "date-time", "time", "duration")


def kind_of(schema: Schema) -> str:
    """Which hard values a member meets: those for "text", "number", "time" or "uuid"; "" for the rest."""
    for each in variants(plain(schema)):
        found = plain(each)
        if found.get("format") in _TIMES:
            return "time"
        if found.get("format") == "uuid":
            return "uuid"
        if {"integer", "number"} & set(kinds(found)):
            return "number"
        if not kinds(found) or "string" in kinds(found):
            return "text"
    return ""


def values(kind: str) -> tuple[Any, ...]:
    """Values that are hard for a member of this kind, and a few that are for every member."""
    return (*_HARD[kind], *_ANY)


def texts(kind: str) -> tuple[str, ...]:
    """The same as a parameter in a query carries them."""
    said = [str(value) for value in _HARD[kind] if len(str(value)) < 5000]
    return (*dict.fromkeys([*said, "", "\x00", "\ud800", "9" * 40, "NaN", "'", "[]", "x" * 3000]),)


def named(value: Any) -> str:
    """A hard value in words: "a NUL byte", "NaN", "a text of 20000 characters"."""
    match value:
        case "":
            return "an empty text"
        case "\x00" | "%00":
            return "a NUL byte"
        case "\ud800":
            return "half a surrogate"
        case float() if math.isnan(value):
            return "NaN"
        case float() if math.isinf(value):
            return "Infinity"
        case str() if len(value) > _LONG:
            return f"a text of {len(value)} characters"
        case int() if abs(value) >= 10**_LONG:
            return f"a number of {math.floor(math.log10(abs(value))) + 1} digits"
    return json.dumps(value)
