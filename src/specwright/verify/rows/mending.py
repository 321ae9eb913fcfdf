"""Another value for a member that an app did not take, by what it said of it."""

import re
from collections.abc import Iterator
from typing import Any

from specwright.verify.rows.bodies import CANARY, Bodies, Unfit, meaning
from specwright.verify.rows.complaints import Complaint
from specwright.verify.surface.schemas import element, kinds, plain, variants
from specwright.verify.surface.surface import Schema

_QUOTED = re.compile(r"'([^']{1,60})'|\"([^\"]{1,60})\"|`([^`]{1,60})`")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
#: The app's words for a member that should not be there, and for one that should.
_UNWANTED = re.compile(r"extra|unknown|not permitted|unexpected|read.?only|not allowed|unrecogni", re.I)
_WANTED = re.compile(r"missing|required|can't be blank|must be (given|provided|present)", re.I)


def unwanted(complaint: Complaint) -> bool:
    """Whether the member should not be sent at all."""
    return bool(_UNWANTED.search(f"{complaint.kind} {complaint.message}"))


def wanted(complaint: Complaint) -> bool:
    """Whether the member is missing."""
    return bool(_WANTED.search(f"{complaint.kind} {complaint.message}"))


def suggestions(complaint: Complaint, value: Any, schema: Schema, bodies: Bodies) -> Iterator[Any]:
    """Values to try in place of one that was refused, the likeliest first."""
    name = next((str(step) for step in reversed(complaint.path) if isinstance(step, str)), "")
    words = f"{complaint.kind} {complaint.message}".lower()
    yield from _choices(complaint, words)
    yield from _bounded(complaint, words, value, bodies)
    yield from _of_time(words, name, value, bodies)
    yield from _of_form(words, name, bodies)
    for each in variants(plain(schema)):
        if kinds(each) or "enum" in each:
            try:
                yield bodies.value(each, name)
            except Unfit:
                continue
            yield from list(each.get("enum", ()))[1:]
    yield from _anything(name, value, schema, bodies)


def _choices(complaint: Complaint, words: str) -> Iterator[Any]:
    for key in ("allowed", "choices", "expected", "permitted", "enum_values"):
        given = complaint.context.get(key)
        if isinstance(given, list):
            yield from given
        elif isinstance(given, str):
            yield from (next(filter(None, found)) for found in _QUOTED.findall(given))
    if re.search(r"one of|must be|should be|expected|allowed|either", words):
        yield from (next(filter(None, found)) for found in _QUOTED.findall(complaint.message))
        listed = re.search(r"(?:one of|either)[: (\[]+([\w, -]+)", complaint.message)
        if listed:
            yield from (each.strip() for each in re.split(r",| or ", listed[1]) if each.strip())


def _bounded(complaint: Complaint, words: str, value: Any, bodies: Bodies) -> Iterator[Any]:
    """Longer or shorter texts, larger or smaller numbers, as the app says."""
    said = {key: each for key, each in complaint.context.items() if isinstance(each, int | float)}
    numbers = [float(each) for each in _NUMBER.findall(complaint.message)]
    least = next(
        (said[key] for key in ("min_length", "ge", "gt", "least", "min", "minimum") if key in said), None
    )
    most = next(
        (said[key] for key in ("max_length", "le", "lt", "most", "max", "maximum") if key in said), None
    )
    if least is None and most is None and numbers:
        if re.search(r"at least|greater|more than|minimum|longer|above|exceed", words):
            least = numbers[0]
        elif re.search(r"at most|less|fewer|maximum|shorter|below|up to|no more", words):
            most = numbers[0]
    if isinstance(value, str):
        if least is not None:
            yield CANARY + bodies.token(max(12, int(least) + 1 - len(CANARY)))
        if most is not None:
            yield bodies.token(max(1, int(most) - 1))
        return
    if least is not None:
        yield int(least) + 1
    if most is not None:
        yield int(most) - 1
    if "positive" in words or "greater than zero" in words:
        yield 1


def _of_time(words: str, name: str, value: Any, bodies: Bodies) -> Iterator[str]:
    """Times before or after now, with the day alone or with a zone, as the value was."""
    if not (meaning(name).startswith("date") or re.search(r"date|time|future|past|before|after|iso", words)):
        return
    later = [30.0, 400.0, 1.0]
    days = later if re.search(r"future|after|later", words) else [-30.0, -9000.0, *later]
    day_only = isinstance(value, str) and len(value) == 10
    for each in days:
        moment = bodies.moment(each)
        forms = [moment.isoformat().replace("+00:00", "Z"), moment.date().isoformat()]
        yield from reversed(forms) if day_only else forms
        yield moment.replace(tzinfo=None).isoformat()


def _of_form(words: str, name: str, bodies: Bodies) -> Iterator[str]:
    """Texts of the form that the words, or the name, call for."""
    for signs, make in (
        (r"password|uppercase|digit|special", bodies.password),
        (r"e-?mail|@", bodies.email),
        (r"uuid", bodies.uuid),
        (r"phone", bodies.phone),
    ):
        if re.search(signs, f"{words} {name}"):
            yield make()
    if re.search(r"url|http", f"{words} {name}"):
        yield f"https://example.com/{bodies.token()}"
    if re.search(r"unique|exist|taken|already|duplicate", words):
        yield CANARY + bodies.token()
    if re.search(r"alphanumeric|letters|lowercase|slug", words):
        yield bodies.token()
    if "uppercase" in words or re.search(r"code|currency", name):
        yield from ("EUR", "DE", "ABC")


def _anything(name: str, value: Any, schema: Schema, bodies: Bodies) -> Iterator[Any]:
    """What is left when nothing tells: values of every type."""
    if element(schema) is None and not kinds(plain(schema)):
        yield from (CANARY + bodies.token(), 1, True, [], {}, "1.50", bodies.uuid(), bodies.email())
    elif isinstance(value, str):
        yield from (bodies.token(), "1", "10.50", bodies.token().upper(), bodies.uuid())
    elif isinstance(value, int):
        yield from (1, 0, 10, 1000, -1)
