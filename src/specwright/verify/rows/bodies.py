"""Values that a JSON schema allows, made up so that each is recognised when it turns up somewhere else."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from rstr import Rstr

from specwright.model.names import snake
from specwright.verify.surface.schemas import kinds, members, plain, required, variants
from specwright.verify.surface.surface import Schema

#: How every text that is made up begins, where there is room.
CANARY = "canary-"
#: How deep schemas within schemas are followed.
_DEEP = 6
_TRIES = 20
_SAFE = 2**31 - 1
#: How far numbers that are made up lie apart at most: bounds may be those of a type.
_ORDINARY = 1_000_000


class Unfit(ValueError):
    """No value could be found that the schema allows."""


class Bodies:
    """Makes values, the same ones in the same order for the same seed. Texts differ from each other."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._patterns = Rstr(random)

    def token(self, length: int = 12) -> str:
        """Letters and digits that nothing else has."""
        return "".join(self._random.choices("abcdefghijkmnpqrstuvwxyz23456789", k=length))

    def minimal(self, schema: Schema, add: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """An object with its required members, and those of `add` by their given values."""
        shown = members(schema)
        given = dict(add or {})
        made = {name: self.value(shown.get(name, {}), name) for name in required(schema) if name not in given}
        return {**made, **given}

    def value(self, schema: Schema, name: str = "", *, full: bool = False, deep: int = 0) -> Any:
        """A value that the schema allows; `name` is what the member is called, which tells what is meant.

        `full` has optional members, too.

        Raises:
            Unfit: none is found.
        """
        schema = plain(schema)
        if "const" in schema:
            return schema["const"]
        if schema.get("format") == "binary" or schema.get("contentMediaType") == "application/octet-stream":
            return f"{CANARY}{self.token()}".encode()
        chosen = [each for each in variants(schema) if each is not schema]
        if chosen:
            return self._one_of(chosen, name, full, deep)
        if isinstance(schema.get("enum"), list):
            choices = [each for each in schema["enum"] if each is not None] or [None]
            return choices[0]
        kind = next(iter(kinds(schema)), None)
        if kind is None:
            return None if schema.get("type") in ("null", ["null"]) else self._meant(schema, name)
        match kind:
            case "object":
                return self._object(schema, full, deep)
            case "array":
                return self._array(schema, name, full, deep)
            case "integer":
                return self._integer(schema)
            case "number":
                return self._number(schema)
            case "boolean":
                return False
        return self.text(schema, name)

    def _one_of(self, chosen: list[Schema], name: str, full: bool, deep: int) -> Any:
        """A value of the first kind for which there is one."""
        for each in chosen:
            try:
                return self.value(each, name, full=full, deep=deep)
            except Unfit:
                continue
        raise Unfit(f"no kind of {name or 'value'} can be made up")

    def _object(self, schema: Schema, full: bool, deep: int) -> dict[str, Any]:
        needed = dict.fromkeys(required(schema))
        shown = members(schema)
        if full:
            needed |= dict.fromkeys(shown)
        if deep >= _DEEP:
            if set(required(schema)):
                raise Unfit("the schema contains itself without end")
            return {}
        made: dict[str, Any] = {}
        for name in needed:
            try:
                made[name] = self.value(shown.get(name, {}), name, full=full and deep < 2, deep=deep + 1)
            except Unfit:
                if name in required(schema):
                    raise
        more = schema.get("additionalProperties")
        for number in range(schema.get("minProperties", 0) - len(made)):
            name = next((each for each in shown if each not in made), f"member{number}")
            kind = shown.get(name) or (more if isinstance(more, Mapping) else {})
            made[name] = self.value(kind, name, deep=deep + 1)
        return made

    def _array(self, schema: Schema, name: str, full: bool, deep: int) -> list[Any]:
        least = schema.get("minItems", 0)
        count = max(least, 1 if full and schema.get("maxItems", 1) > 0 and deep < _DEEP else 0)
        first = schema.get("prefixItems", [])
        item = schema.get("items")
        item = item if isinstance(item, Mapping) else {}
        count = max(count, len(first) if least else 0)
        found: list[Any] = []
        for number in range(count):
            kind = first[number] if number < len(first) else item
            made = self.value(kind, name, full=full, deep=deep + 1)
            for _ in range(_TRIES):
                if not schema.get("uniqueItems") or made not in found:
                    break
                made = self._another(kind, made, name, deep)
            if schema.get("uniqueItems") and made in found:
                raise Unfit("there are not so many different items")
            found.append(made)
        return found

    def _another(self, schema: Schema, value: Any, name: str, deep: int) -> Any:
        choices = plain(schema).get("enum")
        if isinstance(choices, list):
            return choices[(choices.index(value) + 1) % len(choices)]
        if isinstance(value, bool):
            return not value
        return self.value(schema, name, deep=deep + 1)

    def _integer(self, schema: Schema) -> int:
        least, most = _bounds(schema, 1)
        low, high = math.ceil(least), math.floor(most)
        step = schema.get("multipleOf")
        if step is not None:
            low = -(-low // step) * step
            whole = next((low + step * n for n in range(1000) if float(low + step * n).is_integer()), None)
            if whole is None or whole > high:
                raise Unfit("no whole number is within the bounds")
            return int(whole)
        if low > high:
            raise Unfit("no whole number is within the bounds")
        return self._random.randint(*_ordinary(low, high))

    def _number(self, schema: Schema) -> float | int:
        step = schema.get("multipleOf")
        least, most = _bounds(schema, 0)
        if step is not None:
            first = math.ceil(least / step)
            made = round(first * step, 10)
            if made > most:
                raise Unfit("no number is within the bounds")
            return int(made) if float(made).is_integer() else made
        if math.ceil(least) <= math.floor(most):
            return self._random.randint(*_ordinary(math.ceil(least), math.floor(most)))
        if least > most:
            raise Unfit("no number is within the bounds")
        return (least + most) / 2

    def text(self, schema: Schema, name: str = "") -> str:
        """A text of the schema's format, pattern and length; else of what the member's name means."""
        least = schema.get("minLength", 0)
        most = schema.get("maxLength", math.inf)
        if least > most:
            raise Unfit("no length is within the bounds")
        if isinstance(schema.get("pattern"), str):
            return self._patterned(schema["pattern"], least, most, name)
        form = schema.get("format") or ("" if least == most else meaning(name))
        made = _FORMATS[form](self) if form in _FORMATS else ""
        if made and least <= len(made) <= most:
            return made
        if schema.get("format") in _FORMATS:
            raise Unfit(f"{form} does not fit into {least} to {most} characters")
        made = CANARY + self.token()
        if len(made) > most:
            made = self.token(int(most))
        return made + self.token(max(0, least - len(made)))

    def _patterned(self, pattern: str, least: int, most: float, name: str) -> str:
        """A text that the pattern is found in (ECMA 262 expressions, as far as Python's agree)."""
        try:
            known = re.compile(pattern)
        except re.error:
            raise Unfit(f"the pattern {pattern} is not understood") from None
        for each in self._plausible(pattern, name):
            for padded in (each, each + each[-1:] * max(0, least - len(each)), each[: int(min(most, 9999))]):
                if least <= len(padded) <= most and known.search(padded) and padded.isprintable():
                    return padded
        raise Unfit(f"nothing is found that matches {pattern}")

    def _plausible(self, pattern: str, name: str) -> Iterator[str]:
        """Texts that may match, the likeliest first, and those before others that nothing else has."""
        named = _FORMATS.get(meaning(name))
        if named is not None:
            yield named(self)
        yield from (CANARY + self.token(), self.token(8), self.token(8).upper())
        yield from (make(self) for make in _FORMATS.values())
        for _ in range(_TRIES):
            try:
                yield self._patterns.xeger(pattern)
            except Exception:  # of what the library does not know, it says nothing better
                break
        yield from _COMMON

    def _meant(self, schema: Schema, name: str) -> Any:
        """A value of which nothing is said but its name."""
        words = snake(name).split("_")
        if {"count", "quantity", "amount", "price", "total", "age", "number", "size", "year"} & set(words):
            return self._integer(schema)
        if words[0] in ("is", "has", "active", "done", "completed", "enabled"):
            return False
        return self.text(schema, name)

    def email(self) -> str:
        """An address that nobody has."""
        return f"{CANARY}{self.token()}@example.com"

    def password(self) -> str:
        """A password that meets the usual demands."""
        return f"Canary-{self.token()}-7X!"

    def moment(self, days: float) -> datetime:
        """A time so many days from now, negative for the past; on a whole second."""
        return (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0)

    def uuid(self) -> str:
        """A random UUID (RFC 9562 §5.4)."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def phone(self) -> str:
        """A number that is free for fiction, in the form of E.164."""
        return f"+1202555{self._random.randint(100, 199):04d}"


def meaning(name: str) -> str:
    """The format that a member's name promises: `contact_email` → email; "" where it promises none."""
    words = set(snake(name).split("_"))
    for form, signs in _SIGNS.items():
        if words & signs:
            return form
    return ""


_SIGNS: dict[str, frozenset[str]] = {
    "email": frozenset({"email", "mail"}),
    "password": frozenset({"password", "passwort", "passphrase", "pwd"}),
    "phone": frozenset({"phone", "mobile", "tel", "telephone"}),
    "uri": frozenset({"url", "uri", "website", "homepage", "link", "image", "avatar"}),
    "uuid": frozenset({"uuid", "guid"}),
    "date": frozenset({"date", "birthday", "day"}),
    "date-time": frozenset({"datetime", "timestamp", "deadline", "at"}),
    "currency": frozenset({"currency"}),
}

_FORMATS: dict[str, Callable[[Bodies], str]] = {
    "email": Bodies.email,
    "idn-email": Bodies.email,
    "password": Bodies.password,
    "phone": Bodies.phone,
    "uri": lambda bodies: f"https://example.com/{CANARY}{bodies.token()}",
    "url": lambda bodies: f"https://example.com/{CANARY}{bodies.token()}",
    "uri-reference": lambda bodies: f"/{CANARY}{bodies.token()}",
    "uuid": Bodies.uuid,
    "uuid4": Bodies.uuid,
    "date": lambda bodies: bodies.moment(7).date().isoformat(),
    "date-time": lambda bodies: bodies.moment(7).isoformat().replace("+00:00", "Z"),
    "time": lambda bodies: "10:30:00",
    "duration": lambda bodies: "PT1H",
    "hostname": lambda bodies: f"{CANARY}{bodies.token()}.example.com",
    "ipv4": lambda bodies: f"192.0.2.{bodies._random.randint(1, 254)}",
    "ipv6": lambda bodies: f"2001:db8::{bodies._random.randint(1, 9999)}",
    "ipvanyaddress": lambda bodies: f"192.0.2.{bodies._random.randint(1, 254)}",
    "byte": lambda bodies: "Y2FuYXJ5",
    "currency": lambda bodies: "EUR",
    "decimal": lambda bodies: f"{bodies._random.randint(1, 99)}.50",
    "json-string": lambda bodies: "{}",
    "regex": lambda bodies: "a+",
    "json-pointer": lambda bodies: "/a",
}

#: What patterns ask for most often.
_COMMON = ("EUR", "DE", "en", "en-US", "10.50", "1", "abc", "ABC", "A1", "#a1b2c3", "12345", "2030-01-31")


def _ordinary(low: int, high: int) -> tuple[int, int]:
    """The part of a range that numbers of everyday life are from: above zero, and far from overflowing."""
    low = max(low, min(1, high))
    return low, min(high, low + _ORDINARY)


def _bounds(schema: Schema, grain: float) -> tuple[float, float]:
    """The least and the most that a number may be, small where nothing is said; `grain` is what is off."""
    least, most = schema.get("minimum"), schema.get("maximum")
    # In OpenAPI 3.0 the exclusive ones are a word on the others, as in JSON Schema's draft 4.
    under, over = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if isinstance(under, bool):
        under, least = (least, None) if under else (None, least)
    if isinstance(over, bool):
        over, most = (most, None) if over else (None, most)
    if isinstance(under, int | float) and (least is None or under >= least):
        least = under + grain if grain else math.nextafter(under, math.inf)
    if isinstance(over, int | float) and (most is None or over <= most):
        most = over - grain if grain else math.nextafter(over, -math.inf)
    if least is None:
        least = 1 if most is None or most >= 1 else max(most - 100, -_SAFE)
    if most is None:
        most = max(least, 0) + 100
    return least, most
